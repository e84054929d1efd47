#pragma once

#include "bench/channel.h"
#include "bench/plan.h"
#include "bench/server_end.h"
#include "net/listener.h"
#include "rpch/cookie.h"
#include "rpch/framer.h"

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

namespace bench {

/// The far end of all tunnels. Behind hops of the kind ncacn_ip_tcp and Relay::single a session is one
/// connection without protocol; else two, paired by the cookie of their virtual connection.
class Backend {
public:
    class Host {
    public:
        /// A session has no connection any more.
        virtual void session_ended() = 0;

    protected:
        ~Host() = default;
    };
    struct Common {
        net::Loop& loop;
        const Plan& plan;
        const Pattern& pattern;
        Counts& counts;
        Host& host;
    };

    explicit Backend(const Common& common);
    ~Backend();

    /// A connection may be closed by the relay.
    void expect_closing() noexcept { closing_ = true; }

private:
    class Session;
    class Connection;

    void on_accepted(base::UniqueFd&& socket, const net::Address& peer);
    Session& find(const rpch::Cookie& virtual_connection);
    void gone(Connection& connection, const std::string& reason);

    const Common& common_;
    const bool paired_;
    bool closing_ = false;
    std::list<Connection> connections_;
    std::unordered_map<rpch::Cookie, std::shared_ptr<Session>> sessions_; // that wait for their second connection
    net::Listener listener_;
};

} // namespace bench
