#include "web/request.h"

#include "base/base64.h"

namespace web {

std::string Request::head(bool show_secrets) const
{
    std::string text(method);
    text += " " + resource + " HTTP/1.1\r\n";
    text += "Host: " + host + "\r\n";
    if (content_length)
        text += "Accept: application/rpc\r\n"
                "User-Agent: MSRPC\r\n"
                "Cache-Control: no-cache\r\n"
                "Connection: Keep-Alive\r\n";
    else
        text += "User-Agent: RPC\r\n";
    text += "Pragma: No-cache\r\n";
    if (!authorization.empty())
        text += "Authorization: " +
                (show_secrets ? authorization : authorization.substr(0, authorization.find(' ')) + " (hidden)") + "\r\n";
    if (content_length)
        text += "Content-Length: " + std::to_string(*content_length) + "\r\n";
    return text + "\r\n";
}

std::string host_header(const std::string& host, std::uint16_t port, bool tls)
{
    const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

std::string basic_authorization(const std::string& login, const std::string& password)
{
    const std::string plain = login + ":" + password;
    return "Basic " + base::base64_encode({reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size()});
}

} // namespace web
