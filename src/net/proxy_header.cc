#include "net/proxy_header.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

namespace net {
namespace {

constexpr std::array<std::uint8_t, 12> signature = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                                    0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
constexpr std::size_t fixed_size = signature.size() + 4;

constexpr std::uint8_t version = 0x20, local = 0x0, proxy = 0x1;
constexpr std::uint8_t unspecified = 0x00, tcp_over_ipv4 = 0x11, tcp_over_ipv6 = 0x21;
constexpr std::uint8_t type_authority = 0x02, type_user = 0xe0;

void put16(std::vector<std::uint8_t>& out, std::size_t value)
{
    assert(value <= 0xffff);
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

void put_field(std::vector<std::uint8_t>& out, std::uint8_t type, const std::string& value)
{
    if (value.empty())
        return;
    out.push_back(type);
    put16(out, value.size());
    out.insert(out.end(), value.begin(), value.end());
}

/// The protocol's numbers are big-endian.
std::uint16_t u16(base::Cursor& in)
{
    const unsigned high = in.u8();
    return static_cast<std::uint16_t>(high << 8 | in.u8());
}

Address address_of(base::Bytes host, std::uint16_t port)
{
    sockaddr_storage storage{};
    if (host.size() == 4) {
        auto& in4 = reinterpret_cast<sockaddr_in&>(storage);
        in4.sin_family = AF_INET;
        std::memcpy(&in4.sin_addr, host.data(), host.size());
    } else {
        auto& in6 = reinterpret_cast<sockaddr_in6&>(storage);
        in6.sin6_family = AF_INET6;
        std::memcpy(&in6.sin6_addr, host.data(), host.size());
    }
    Address address = *Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), sizeof storage);
    address.set_port(port);
    return address;
}

} // namespace

std::vector<std::uint8_t> ProxyHeader::encode() const
{
    std::vector<std::uint8_t> body;
    const bool addressed = source.port() != 0 && source.ipv6() == destination.ipv6();
    if (addressed) {
        for (const Address* const address : {&source, &destination})
            body.insert(body.end(), address->bytes().begin(), address->bytes().end());
        put16(body, source.port());
        put16(body, destination.port());
    }
    put_field(body, type_authority, authority);
    put_field(body, type_user, user);

    std::vector<std::uint8_t> out(signature.begin(), signature.end());
    out.push_back(version | proxy);
    out.push_back(!addressed ? unspecified : source.ipv6() ? tcp_over_ipv6 : tcp_over_ipv4);
    put16(out, body.size());
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

ProxyHeader::Result ProxyHeader::decode(base::Bytes& input)
{
    const std::size_t begun = std::min(input.size(), signature.size());
    if (!std::equal(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(begun), signature.begin()))
        return Result::absent;
    if (input.size() < fixed_size)
        return Result::partial;
    base::Cursor in(input);
    in.skip(signature.size());
    const std::uint8_t command = in.u8();
    const std::uint8_t family = in.u8();
    const std::size_t size = u16(in);
    if ((command != (version | proxy) && command != (version | local)) || fixed_size + size > limit)
        return Result::bad;
    if (in.left() < size)
        return Result::partial;

    base::Cursor body(in.take(size));
    const std::size_t host_size = family == tcp_over_ipv4 ? 4 : family == tcp_over_ipv6 ? 16 : 0;
    // The receiver of another family than it knows takes the header for one without addresses.
    if (host_size > 0) {
        const base::Bytes from = body.take(host_size);
        const base::Bytes to = body.take(host_size);
        const std::uint16_t from_port = u16(body);
        const std::uint16_t to_port = u16(body);
        if (!body.ok())
            return Result::bad;
        if (command == (version | proxy)) {
            source = address_of(from, from_port);
            destination = address_of(to, to_port);
        }
    } else if (family != unspecified) {
        return Result::bad;
    }
    while (body.left() > 0) {
        const std::uint8_t type = body.u8();
        const base::Bytes value = body.take(u16(body));
        if (!body.ok())
            return Result::bad;
        if (type == type_authority || type == type_user)
            (type == type_user ? user : authority).assign(value.begin(), value.end());
    }
    input = input.subspan(fixed_size + size);
    return Result::taken;
}

} // namespace net
