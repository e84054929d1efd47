#pragma once

#include <string.h>

#include <string_view>
#include <utility>
#include <vector>

namespace auth {

/// A password in memory: moved, never copied, wiped when it goes.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view text) : bytes_(text.begin(), text.end()) { bytes_.push_back('\0'); }
    Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Secret& operator=(Secret&& other) noexcept
    {
        bytes_.swap(other.bytes_);
        return *this;
    }
    ~Secret()
    {
        if (!bytes_.empty())
            explicit_bzero(bytes_.data(), bytes_.size());
    }

    std::string_view view() const noexcept
    {
        return {bytes_.data(), bytes_.empty() ? 0 : bytes_.size() - 1};
    }
    const char* c_str() const noexcept { return bytes_.empty() ? "" : bytes_.data(); }

private:
    std::vector<char> bytes_; // with the closing NUL
};

} // namespace auth
