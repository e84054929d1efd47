#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace base {

/// What a person writes for an account: `name` in `domain`. An empty domain is the bare name; the realm of user@realm counts as
/// a domain.
struct Login {
    std::string domain;
    std::string name;

    /// "name", "DOMAIN\name", "name@realm", and "\name@realm" as Windows writes it; the spelling is kept. Nullopt for what is
    /// none of them: an empty part, a control character, a blank at an end, ':', '/', '"', a second separator, invalid UTF-8,
    /// more than 255 bytes.
    static std::optional<Login> parse(std::string_view text);
    /// The byte that makes `text` no login, for the person who wrote it: "byte 0x2f (/) at position 3". Empty when it is none
    /// of its bytes.
    static std::string fault(std::string_view text);

    /// In the form in which logins are compared, see fold(). What cannot be folded becomes empty, the name of nobody.
    Login folded() const;
    /// "name", "DOMAIN\name", or "name@realm" when the domain has a dot.
    std::string text() const;

    bool operator==(const Login&) const = default;
};

} // namespace base
