#pragma once

#include "net/stream.h"
#include "test_certificate.h"

#include <gnutls/gnutls.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

/// False where the system has no IPv6, as in some containers.
inline bool have_ipv6()
{
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
    const base::UniqueFd fd(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return fd && bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Two connected sockets that do not block: a local pair, or TCP over loopback.
inline std::pair<base::UniqueFd, base::UniqueFd> socket_pair(bool tcp = false)
{
    int fds[2] = {-1, -1};
    if (!tcp) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
            std::abort();
        return {base::UniqueFd(fds[0]), base::UniqueFd(fds[1])};
    }
    base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    base::UniqueFd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(listener.get(), raw, size) != 0 || listen(listener.get(), 1) != 0
        || getsockname(listener.get(), raw, &size) != 0 || connect(client.get(), raw, size) != 0)
        std::abort();
    const int on = 1;
    base::UniqueFd server(accept(listener.get(), nullptr, nullptr));
    for (const int fd : {client.get(), server.get()})
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return {std::move(client), std::move(server)};
}

/// For a server of this name.
inline net::TlsServerContext server_context(const std::string& name)
{
    const TestCertificate certificate({name});
    const TestFile chain(certificate.certificate), key(certificate.key);
    return net::TlsServerContext({{chain.path(), key.path()}});
}

/// The two ends of one TLS connection, not yet shaken hands.
struct TlsEnds {
    base::UniqueFd client_fd, server_fd;
    std::unique_ptr<net::TlsSession> client, server;
    net::Handshake client_result, server_result;

    TlsEnds(const net::TlsServerContext& server_context, const net::TlsClientContext& client_context,
            const std::string& host, bool tcp = false)
    {
        std::tie(client_fd, server_fd) = socket_pair(tcp);
        client = client_context.connect(client_fd.get(), host);
        server = server_context.accept(server_fd.get());
    }

    /// Steps both ends until neither waits any more.
    bool shake()
    {
        using Kind = net::Handshake::Kind;
        for (int i = 0; i < 1000; ++i) {
            if (client_result.kind == Kind::again)
                client_result = client->handshake();
            if (server_result.kind == Kind::again)
                server_result = server->handshake();
            if (client_result.kind != Kind::again && server_result.kind != Kind::again)
                break;
            pollfd waiting[] = {{client_fd.get(), POLLIN, 0}, {server_fd.get(), POLLIN, 0}};
            poll(waiting, 2, 10);
        }
        return client_result.kind == Kind::done && server_result.kind == Kind::done;
    }

    std::pair<net::Stream, net::Stream> streams()
    {
        return {net::Stream(std::move(client_fd), std::move(client)),
                net::Stream(std::move(server_fd), std::move(server))};
    }
};

/// A TLS client by hand, for what our own end never does.
struct RawClient {
    gnutls_session_t session = nullptr;
    gnutls_certificate_credentials_t credentials = nullptr;

    RawClient(int fd, const std::string& priority)
    {
        gnutls_certificate_allocate_credentials(&credentials);
        gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
        gnutls_priority_set_direct(session, priority.c_str(), nullptr);
        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
        gnutls_transport_set_int(session, fd);
    }
    ~RawClient()
    {
        gnutls_deinit(session);
        gnutls_certificate_free_credentials(credentials);
    }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;
};

inline base::Bytes bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
