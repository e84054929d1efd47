#include "net/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace net {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// An interface by name or number; zero when there is none.
std::uint32_t scope_id(std::string_view text)
{
    const std::string name(text);
    if (const unsigned index = ::if_nametoindex(name.c_str()))
        return index;
    return static_cast<std::uint32_t>(base::parse_decimal(text, UINT32_MAX).value_or(0));
}

} // namespace

Address::Address() noexcept = default;

std::optional<Address> Address::parse(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos)
        return std::nullopt;
    const std::string_view host = text.substr(0, colon);
    const auto port = base::parse_decimal(text.substr(colon + 1), UINT16_MAX);
    // Without brackets the last colon of an IPv6 address cannot be told from the port's.
    if (!port || (host.find(':') != std::string_view::npos && !host.starts_with('[')))
        return std::nullopt;
    return from_host(host, static_cast<std::uint16_t>(*port));
}

std::optional<Address> Address::from_host(std::string_view host, std::uint16_t port)
{
    const bool brackets = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (brackets)
        host = host.substr(1, host.size() - 2);
    // inet_pton would stop at a zero byte.
    if (host.find('\0') != std::string_view::npos)
        return std::nullopt;

    in_addr ipv4;
    if (!brackets && ::inet_pton(AF_INET, std::string(host).c_str(), &ipv4) == 1) {
        Address address;
        std::memcpy(address.bytes_.data(), &ipv4, sizeof ipv4);
        address.port_ = port;
        return address;
    }

    const std::size_t percent = host.find('%');
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    if (::inet_pton(AF_INET6, std::string(host.substr(0, percent)).c_str(), &ipv6.sin6_addr) != 1)
        return std::nullopt;
    if (percent != std::string_view::npos) {
        ipv6.sin6_scope_id = scope_id(host.substr(percent + 1));
        if (ipv6.sin6_scope_id == 0)
            return std::nullopt;
    }
    return from_sockaddr(reinterpret_cast<const sockaddr*>(&ipv6), sizeof ipv6);
}

std::optional<Address> Address::from_sockaddr(const sockaddr* address, socklen_t size) noexcept
{
    Address result;
    if (size >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
        sockaddr_in ipv4;
        std::memcpy(&ipv4, address, sizeof ipv4);
        std::memcpy(result.bytes_.data(), &ipv4.sin_addr, 4);
        result.port_ = ntohs(ipv4.sin_port);
        return result;
    }
    if (size >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6) {
        sockaddr_in6 ipv6;
        std::memcpy(&ipv6, address, sizeof ipv6);
        std::memcpy(result.bytes_.data(), &ipv6.sin6_addr, 16);
        result.port_ = ntohs(ipv6.sin6_port);
        if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), result.bytes_.begin())) {
            std::copy(result.bytes_.begin() + 12, result.bytes_.end(), result.bytes_.begin());
            std::fill(result.bytes_.begin() + 4, result.bytes_.end(), std::uint8_t{0});
            return result;
        }
        result.ipv6_ = true;
        result.scope_ = ipv6.sin6_scope_id;
        return result;
    }
    return std::nullopt;
}

Address Address::local_of(int fd) noexcept
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    return ::getsockname(fd, address, &size) == 0 ? from_sockaddr(address, size).value_or(Address()) : Address();
}

Address Address::peer_of(int fd) noexcept
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    return ::getpeername(fd, address, &size) == 0 ? from_sockaddr(address, size).value_or(Address()) : Address();
}

std::string Address::text() const
{
    const std::string port = ':' + std::to_string(port_);
    return ipv6_ ? '[' + host_text() + ']' + port : host_text() + port;
}

std::string Address::host_text() const
{
    if (!ipv6_)
        return std::to_string(bytes_[0]) + '.' + std::to_string(bytes_[1]) + '.' + std::to_string(bytes_[2]) + '.' +
               std::to_string(bytes_[3]);
    char buffer[INET6_ADDRSTRLEN];
    std::string text = ::inet_ntop(AF_INET6, bytes_.data(), buffer, sizeof buffer);
    if (scope_ != 0)
        text += '%' + std::to_string(scope_);
    return text;
}

std::uint16_t Address::port() const noexcept
{
    return port_;
}

void Address::clear_host() noexcept
{
    bytes_ = {};
    scope_ = 0;
}

void Address::set_port(std::uint16_t port) noexcept
{
    port_ = port;
}

bool Address::loopback() const noexcept
{
    if (!ipv6_)
        return bytes_[0] == 127;
    return bytes_.back() == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

socklen_t Address::to_sockaddr(sockaddr_storage& out) const noexcept
{
    out = {};
    if (!ipv6_) {
        sockaddr_in ipv4{};
        ipv4.sin_family = AF_INET;
        ipv4.sin_port = htons(port_);
        std::memcpy(&ipv4.sin_addr, bytes_.data(), 4);
        std::memcpy(&out, &ipv4, sizeof ipv4);
        return sizeof ipv4;
    }
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port_);
    ipv6.sin6_scope_id = scope_;
    std::memcpy(&ipv6.sin6_addr, bytes_.data(), 16);
    std::memcpy(&out, &ipv6, sizeof ipv6);
    return sizeof ipv6;
}

} // namespace net
