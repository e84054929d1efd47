#pragma once

#include <string>
#include <string_view>

namespace http {

// The replies that the front writes by itself: those of MS-RPCH with their own reason phrases, which the engine cannot
// make, and those to heads that the engine must not see.

constexpr std::string_view continue_reply = "HTTP/1.1 100 Continue\r\n\r\n";

/// MS-RPCH section 2.1.2.1.6, with the Echo RTS PDU of section 2.2.4.46 as its body. `last_token` is the value of
/// WWW-Authenticate, if there is to be one.
std::string echo_reply(bool keep_alive, std::string_view last_token = {});

/// An ordinary reply without body that ends the connection.
std::string closing_reply(unsigned status);

} // namespace http
