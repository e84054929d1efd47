#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ctl {

/// Writes one JSON value (RFC 8259) in one line. Commas are its own affair; that begin and end match is the
/// caller's.
class Json {
public:
    Json& begin_object() { return open('{'); }
    Json& end_object() { return close('}'); }
    Json& begin_array() { return open('['); }
    Json& end_array() { return close(']'); }
    Json& key(std::string_view name);

    /// Bytes that are not UTF-8 become U+FFFD, so that the document is always valid.
    Json& value(std::string_view text);
    Json& value(const char* text) { return value(std::string_view(text)); }
    Json& value(const std::string& text) { return value(std::string_view(text)); }
    Json& value(std::int64_t number);
    Json& value(bool truth);
    Json& null();
    Json& value(const std::vector<std::string>& texts);

    const std::string& text() const noexcept { return text_; }

private:
    Json& open(char bracket);
    Json& close(char bracket);
    void separate();
    void quote(std::string_view text);

    std::string text_;
    bool first_ = true; ///< nothing stands before the next value in its object or array
};

} // namespace ctl
