#pragma once

#include "net/resolver.h"

#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

inline constexpr std::uint8_t a_record = 1, aaaa_record = 28;
inline constexpr std::uint8_t servfail = 2, nxdomain = 3;

/// A name server over UDP, in the test's own loop. Names within "silent" get no answer, those within "broken" get SERVFAIL;
/// there are those of `names`, and no others.
class FakeServer {
public:
    explicit FakeServer(net::Loop& loop)
        : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
          watch_(loop, net::Watch::Callback::of<&FakeServer::on_query>(this))
    {
        const int room = 4 << 20; // for many at once
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        sockaddr_storage storage;
        const socklen_t size = net::Address::from_host("127.0.0.1", 0)->to_sockaddr(storage);
        if (bind(fd_.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0 || !watch_.add(fd_.get(), EPOLLIN))
            std::abort();
    }

    std::string address() const { return net::Address::local_of(fd_.get()).text(); }

    std::map<std::string, std::vector<std::string>> names;
    std::vector<std::string> queries; // "exch01.example A"
    bool silent = false;
    bool holds = false; ///< until release()

    void release()
    {
        holds = false;
        for (const auto& [answer, peer] : std::exchange(held_, {}))
            send(answer, peer);
    }

private:
    struct Caller {
        sockaddr_storage address;
        socklen_t size;
    };

    void on_query(std::uint32_t)
    {
        std::array<std::uint8_t, 512> buffer;
        Caller peer;
        peer.size = sizeof peer.address;
        const ssize_t size = recvfrom(fd_.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer.address), &peer.size);
        if (size < 17)
            return;
        std::size_t at = 12;
        std::string name;
        for (; buffer[at] != 0; at += buffer[at] + 1u)
            name += (name.empty() ? "" : ".") + std::string(reinterpret_cast<const char*>(&buffer[at + 1]), buffer[at]);
        const std::uint8_t type = buffer[at + 2];
        queries.push_back(name + (type == a_record ? " A" : " AAAA"));
        if (silent || name.ends_with("silent"))
            return;
        std::vector<std::uint8_t> answer(buffer.begin(), buffer.begin() + static_cast<long>(at) + 5);
        const auto known = names.find(name);
        answer[2] |= 0x80;
        answer[3] = name.ends_with("broken") ? servfail : known == names.end() ? nxdomain : 0;
        answer[11] = 0;
        for (const std::string& text : known == names.end() ? std::vector<std::string>() : known->second) {
            const net::Address address = *net::Address::from_host(text, 0);
            if (address.ipv6() != (type == aaaa_record))
                continue;
            ++answer[7];
            const auto bytes = address.bytes();
            for (const std::size_t byte : {0xc0, 12, 0, int(type), 0, 1, 0, 0, 0, 60, 0, int(bytes.size())})
                answer.push_back(static_cast<std::uint8_t>(byte));
            answer.insert(answer.end(), bytes.begin(), bytes.end());
        }
        if (holds)
            held_.emplace_back(std::move(answer), peer);
        else
            send(answer, peer);
    }

    void send(const std::vector<std::uint8_t>& answer, const Caller& peer)
    {
        sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&peer.address), peer.size);
    }

    base::UniqueFd fd_;
    net::Watch watch_;
    std::vector<std::pair<std::vector<std::uint8_t>, Caller>> held_;
};
