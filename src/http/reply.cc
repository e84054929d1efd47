#include "http/reply.h"

#include <array>

namespace http {

namespace {

constexpr std::array<char, 20> echo_pdu = {5, 0, 0x14, 3, 0x10, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0};

const char* phrase(unsigned status) noexcept
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 408:
        return "Request Timeout";
    case 411:
        return "Length Required";
    case 417:
        return "Expectation Failed";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Error";
    }
}

} // namespace

std::string echo_reply(bool keep_alive, std::string_view last_token)
{
    std::string reply = "HTTP/1.1 200 Success\r\n"
                        "Content-Type: application/rpc\r\n"
                        "Content-Length: 20\r\n";
    if (!last_token.empty())
        reply.append("WWW-Authenticate: ").append(last_token).append("\r\n");
    reply += keep_alive ? "Connection: Keep-Alive\r\n\r\n" : "Connection: close\r\n\r\n";
    reply.append(echo_pdu.data(), echo_pdu.size());
    return reply;
}

std::string closing_reply(unsigned status)
{
    return "HTTP/1.1 " + std::to_string(status) + ' ' + phrase(status) + (status == 503 ? "\r\nRetry-After: 1" : "") +
           "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
}

} // namespace http
