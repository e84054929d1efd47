#pragma once

#include "base/cursor.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace web {

/// The head of a response.
struct Response {
    int status = 0;
    std::string reason;
    bool http10 = false;
    std::vector<std::pair<std::string, std::string>> headers;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;

    /// The first header of this name, any case; empty when there is none.
    std::string_view header(std::string_view name) const noexcept;
    /// The connection can carry another request behind the body of this response.
    bool keeps_connection() const noexcept;
    /// The schemes of all WWW-Authenticate headers, in their order and as written.
    std::vector<std::string> schemes() const;
    /// What one of them says behind the name of `scheme`, any case: a token in base64, or parameters; empty when there is
    /// nothing. Nullopt: the scheme is not there.
    std::optional<std::string_view> challenge(std::string_view scheme) const;
    /// The header Date, in seconds since 1970.
    std::optional<std::int64_t> date() const;
    /// The number behind "RPC Error: " in the reason phrase (MS-RPCH 2.1.2.1.3).
    std::optional<std::uint32_t> rpc_error() const noexcept;
    /// "503 RPC Error: 6ba"
    std::string line() const;
};

/// Reads a response head out of what a peer sends. Everything is bounded.
class HeadReader {
public:
    static constexpr std::size_t limit = 16 * 1024;
    enum class Kind { more, done, bad };

    /// Consumes from `input`; interim responses (1xx) are skipped. After `done` the rest of `input` is the
    /// body's, and the reader is ready for the next head.
    Kind take(base::Bytes& input);
    const Response& response() const noexcept { return response_; }
    const char* error() const noexcept { return error_; } ///< static text
    /// The head as it came, for a trace.
    const std::string& raw() const noexcept { return raw_; }
    /// Part of a head has been read.
    bool begun() const noexcept { return !text_.empty(); }

private:
    bool parse(std::string_view head);

    std::string text_;
    std::string raw_;
    Response response_;
    const char* error_ = nullptr;
};

} // namespace web
