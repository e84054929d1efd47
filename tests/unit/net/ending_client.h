#pragma once

#include "net/stream.h"
#include "test_streams.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// How a client can end its connection. Those behind `reset` exist with TLS only.
enum class Ending {
    fin,
    reset,
    cut,           ///< a record cut short, and FIN at once
    notify,        ///< close_notify; the connection stays
    notify_and_fin ///< as most do
};
inline constexpr std::array plain_ends{Ending::fin, Ending::reset};
inline constexpr std::array all_ends{Ending::fin, Ending::reset, Ending::cut, Ending::notify, Ending::notify_and_fin};

inline const char* name_of(Ending end)
{
    constexpr const char* names[] = {"FIN", "RST", "cut record", "close_notify", "close_notify and FIN"};
    return names[static_cast<int>(end)];
}

/// The client's end of a TCP connection, plain or TLS, that can end in every way.
class EndingClient {
public:
    EndingClient(base::UniqueFd fd, bool tls) : fd_(std::move(fd))
    {
        ::fcntl(fd_.get(), F_SETFL, O_NONBLOCK);
        if (!tls)
            return;
        client_ = std::make_unique<RawClient>(fd_.get(), "NORMAL");
        const auto from = static_cast<std::intptr_t>(fd_.get());
        gnutls_transport_set_ptr2(client_->session, reinterpret_cast<gnutls_transport_ptr_t>(from), this);
        gnutls_transport_set_push_function(client_->session, &EndingClient::take);
    }
    EndingClient(const EndingClient&) = delete;
    EndingClient& operator=(const EndingClient&) = delete;

    /// A step of the handshake, of which so much is sent. True when it is done, or not needed.
    bool shake(std::size_t percent = 100)
    {
        if (client_ && !shaken_) {
            shaken_ = gnutls_handshake(client_->session) == GNUTLS_E_SUCCESS;
            pass(wire_.size() * percent / 100, percent < 100 ? MSG_MORE : 0);
        }
        return !client_ || shaken_;
    }
    void say(std::string_view text)
    {
        if (client_)
            gnutls_record_send(client_->session, text.data(), text.size());
        else
            wire_ = text;
        pass(wire_.size());
    }
    /// As much as goes; how much that was. Plain only.
    std::size_t push(std::string_view text) const
    {
        const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }
    void end(Ending how)
    {
        switch (how) {
        case Ending::cut:
            gnutls_record_send(client_->session, std::string(100, 'x').data(), 100);
            pass(wire_.size() / 2, MSG_MORE);
            break;
        case Ending::notify:
        case Ending::notify_and_fin:
            gnutls_bye(client_->session, GNUTLS_SHUT_WR);
            pass(wire_.size(), how == Ending::notify ? 0 : MSG_MORE);
            break;
        case Ending::fin:
        case Ending::reset: break;
        }
        if (how == Ending::reset) {
            const linger now{1, 0};
            ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
            fd_.reset();
        } else if (how != Ending::notify) {
            ::shutdown(fd_.get(), SHUT_WR);
        }
    }
    /// Takes what comes and drops it. True once the far end has closed.
    bool told_the_end()
    {
        char buffer[4096];
        ssize_t got;
        while ((got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
            ;
        return got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }
    int fd() const { return fd_.get(); }

private:
    static ssize_t take(gnutls_transport_ptr_t self, const void* bytes, std::size_t size)
    {
        static_cast<EndingClient*>(self)->wire_.append(static_cast<const char*>(bytes), size);
        return static_cast<ssize_t>(size);
    }
    void pass(std::size_t size, int flags = 0)
    {
        if (size > 0 && ::send(fd_.get(), wire_.data(), size, MSG_NOSIGNAL | flags) != static_cast<ssize_t>(size))
            std::abort();
        wire_.clear();
    }

    base::UniqueFd fd_;
    std::unique_ptr<RawClient> client_;
    std::string wire_; // made, and not sent
    bool shaken_ = false;
};
