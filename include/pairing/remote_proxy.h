#pragma once

#include "leg/leg.h"
#include "net/timer.h"
#include "pairing/joiner.h"
#include "pairing/proxy.h"
#include "pairing/virtual_server.h"

#include <memory>
#include <string>

namespace pairing {

/// A proxy's TCP connection to a VirtualServer of this process: RTS PDUs and, in the direction of its
/// channel, RPC PDUs (MS-RPCH 2.1.2.2).
///
/// It can outlive its virtual server for the time it takes to deliver what was put before the end.
class RemoteProxy final : public Proxy, private leg::Leg::Owner {
public:
    /// For the last words to reach the proxy.
    static constexpr net::Millis drain_patience{10'000};

    class Host {
    public:
        /// It is over: forget it, destroy it with Loop::defer. `stream` is to be ended.
        virtual void proxy_ended(RemoteProxy& proxy, net::Stream stream) = 0;

    protected:
        ~Host() = default;
    };

    /// `joining` must be for `server`.
    RemoteProxy(const leg::Environment& environment, Joining&& joining, VirtualServer& server, Host& host);

    void start();
    /// Closes now; nothing is called back.
    void abandon();

private:
    leg::Side side() const override { return side_; }
    void server_routed(const directory::Route&) override {}
    void server_reached() override;
    void server_failed(const leg::Failure& failure) override { server_ended(failure.reason); }
    void server_rts(base::Bytes pdu) override;
    void server_last(base::Bytes pdu) override;
    std::size_t server_allowance(std::uint32_t room, std::uint32_t coming) override;
    void server_rpc(const rpch::Framer::Piece& piece) override { leg_.outlet().put(piece); }
    void server_delivered() override { flush(); }
    void server_flow() override { flush(); }
    bool server_recycles() const override { return true; } // its proxy knows better
    bool server_admits(std::uint32_t) const override { return true; } // it has waited at the proxy
    void server_sent(std::uint32_t) override {}
    void server_consumed(std::uint32_t) override { leg_.resume(); }
    void server_ended(const std::string& reason) override;
    void server_relieved() override { server_ended("its successor has taken over"); }

    std::size_t leg_allowance() override;
    /// Before the service is reached a proxy has said nothing that is worth anything without it.
    net::Millis leg_patience(bool broken) override
    {
        return joining_ ? net::Millis(0) : leg::Leg::Owner::leg_patience(broken);
    }
    void leg_rpc(const rpch::Framer::Piece& piece) override;
    void leg_rts(const rpch::Rts& pdu) override;
    void leg_delivered() override;
    void leg_writable() override { flush(); }
    void leg_closed(const std::string& reason) override { lose(reason); }
    bool admits(std::uint32_t size) const override;
    void sent(std::uint32_t size) override;

    void flush();
    void lose(const std::string& reason);
    void on_drain_timeout();
    void finish();

    const leg::Environment& environment_;
    Host& host_;
    VirtualServer* server_; // null: draining
    const leg::Side side_;
    const net::Address peer_;
    const rpch::Cookie virtual_connection_;
    std::unique_ptr<Joining> joining_; // until it is introduced
    leg::Leg leg_;
    std::unique_ptr<net::Timer> drain_limit_;
    std::string end_reason_;
    bool last_put_ = false;
    bool over_ = false;
};

} // namespace pairing
