#pragma once

#include "access/account.h"
#include "access/secret.h"

#include <optional>
#include <string_view>

namespace auth {

/// The credentials of RFC 7617.
struct BasicCredentials {
    Login login;   ///< folded
    Login spelled; ///< as the client has it
    Secret password;

    /// From what follows "Basic ". Nullopt when it is no strict base64, has no colon, a name that
    /// Login::parse refuses, or a password that is empty, too long or holds a NUL.
    /// What is not UTF-8 is read as Windows-1252, in which browsers and mail programs send it.
    static std::optional<BasicCredentials> parse(std::string_view token);
    /// Why parse() has refused it, for the log.
    static const char* fault(std::string_view token);
};

} // namespace auth
