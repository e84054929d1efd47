#pragma once

#include "bench/connection.h"
#include "bench/session.h"
#include "net/listener.h"
#include "rpch/cookie.h"

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <unordered_set>

namespace bench {

/// The far end of all tunnels. Behind hops of the kind ncacn_ip_tcp and Relay::single a session is one
/// connection without protocol; else several, paired by the cookie of their virtual connection.
class Backend final : private Connection::Host {
public:
    class Host {
    public:
        /// A session has no connection any more.
        virtual void session_ended() = 0;

    protected:
        ~Host() = default;
    };
    struct Common : Session::Common {
        Host& host;
    };

    explicit Backend(const Common& common);
    ~Backend();

    /// A connection may be closed by the relay.
    void expect_closing() noexcept { closing_ = true; }
    const std::unordered_set<std::shared_ptr<Session>>& sessions() const noexcept { return sessions_; }

private:
    void on_accepted(base::UniqueFd&& socket, const net::Address& peer);
    void connection_begins(Connection& connection, const rpch::Rts& pdu) override;
    void connection_gone(Connection& connection, const std::string& reason) override;
    std::unique_ptr<ServerEnd> make_end() const;
    /// False: that was done before.
    bool forget(const std::shared_ptr<Session>& session);

    const Common& common_;
    const bool paired_;
    bool closing_ = false;
    std::list<Connection> connections_;
    std::unordered_set<std::shared_ptr<Session>> sessions_;
    std::unordered_map<rpch::Cookie, std::shared_ptr<Session>> virtual_connections_;
    net::Listener listener_;
};

} // namespace bench
