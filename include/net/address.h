#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace net {

/// An IPv4 or IPv6 address with a port. A value; no name look-up happens here.
///
/// An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) becomes the IPv4 address it stands for, so that
/// one peer has one text.
class Address {
public:
    /// The unspecified address 0.0.0.0:0.
    Address() noexcept;

    /// "127.0.0.1:80" or "[::1]:443", also with a scope: "[fe80::1%eth0]:443". The port is required.
    static std::optional<Address> parse(std::string_view text);
    /// A numeric host, IPv6 with or without brackets. Nothing for a name.
    static std::optional<Address> from_host(std::string_view host, std::uint16_t port);
    /// Nothing when the family is neither AF_INET nor AF_INET6 or `size` is too small.
    static std::optional<Address> from_sockaddr(const sockaddr* address, socklen_t size) noexcept;
    /// The near and the far end of a socket; the unspecified address when the socket has none.
    static Address local_of(int fd) noexcept;
    static Address peer_of(int fd) noexcept;

    /// "127.0.0.1:80", "[::1]:443".
    std::string text() const;
    /// "127.0.0.1", "::1".
    std::string host_text() const;
    std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;
    /// Makes it the unspecified address of its family; the port stays.
    void clear_host() noexcept;
    bool ipv6() const noexcept { return ipv6_; }
    bool loopback() const noexcept;
    /// The 4 or 16 address bytes in network order, as a ClientAddress command carries them.
    std::span<const std::uint8_t> bytes() const noexcept { return {bytes_.data(), ipv6_ ? 16u : 4u}; }

    /// Fills a socket address for the system's calls and answers its size.
    socklen_t to_sockaddr(sockaddr_storage& out) const noexcept;

    bool operator==(const Address&) const noexcept = default;

private:
    std::array<std::uint8_t, 16> bytes_{};
    std::uint32_t scope_ = 0;
    std::uint16_t port_ = 0;
    bool ipv6_ = false;
};

} // namespace net
