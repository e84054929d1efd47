#pragma once

#include "leg/arrival.h"
#include "leg/dialer.h"
#include "leg/environment.h"
#include "leg/grant.h"
#include "leg/leg.h"
#include "leg/silence.h"
#include "net/timer.h"
#include "pairing/proxy.h"
#include "rpch/server.h"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pairing {

/// Our own server role in front of a plain DCE/RPC service (ncacn_ip_tcp): ends a virtual connection, pairs
/// its channels, recycles them, and carries its RPC PDUs, unchanged, over one TCP connection. The proxies
/// reach it through Proxies, from this node and from others, with the same PDUs.
class VirtualServer final : private leg::Leg::Owner {
public:
    class Host {
    public:
        /// It is over: forget it, destroy it with Loop::defer.
        virtual void virtual_server_ended(VirtualServer& server) = 0;

    protected:
        ~Host() = default;
    };

    /// Where the channels of this node find theirs.
    class Finder {
    public:
        /// The server end of the visitor's virtual connection. When there is none, it is made if `make`; else null.
        virtual VirtualServer* find_virtual_server(const leg::Visitor& visitor, bool make) = 0;

    protected:
        ~Finder() = default;
    };

    /// Connects to the service at once.
    VirtualServer(const leg::Environment& environment, const rpch::Cookie& virtual_connection, leg::Grants::Shared grant,
                  Host& host);

    // The calls of Proxies.

    /// A proxy that waits for the service; server_reached(), now or later, is the answer.
    void attach(Proxy& proxy);
    /// The proxy's first PDU. When it is refused, the proxy is told so by server_ended() and nothing else changes.
    void introduce(Proxy& proxy, const rpch::Rts& first_pdu);
    void receive_rts(Proxy& proxy, const rpch::Rts& pdu);
    /// An RPC PDU that `proxy` passes on begins. False: that was the end.
    bool received(Proxy& proxy, std::uint32_t size);
    /// Whether `proxy` has the default IN channel: only its RPC PDUs may be put.
    bool takes_from(const Proxy& proxy) const { return at(rpch::Leg::in) == &proxy; }
    void put_rpc(const rpch::Framer::Piece& piece);
    void flush();
    std::size_t waiting() const { return leg_ ? leg_->waiting() : 0; }
    /// RPC PDUs wait here that the proxy of the IN channel has not admitted.
    bool held_back() { return leg_ && leg_->outlet().held_back(); }
    /// Whether an RPC PDU of the service may go to `proxy`, and that it goes.
    bool admits(const Proxy& proxy, std::uint32_t size) const { return role_.admits(size, place_of(proxy)); }
    void sent(const Proxy& proxy, std::uint32_t size) { role_.sent(size, place_of(proxy)); }
    void drained(const Proxy& proxy) { role_.on_drained(place_of(proxy)); }
    void resume();
    void keep_alive(std::uint32_t ms);
    /// The proxy is gone.
    void closed(Proxy& proxy);
    /// A proxy has broken the protocol, or an administrator wants it: every proxy is ended.
    void end(const std::string& reason);

    const rpch::Cookie& virtual_connection() const noexcept { return virtual_connection_; }
    const leg::Party& party() const noexcept { return grant_->party; }
    const leg::Environment& environment() const noexcept { return environment_; }

private:
    /// Timers of the states that must not last.
    struct Clocks {
        explicit Clocks(VirtualServer& server);
        net::Timer in, out;
    };

    std::size_t leg_allowance() override;
    net::Millis leg_patience(bool broken) override;
    void leg_rpc(const rpch::Framer::Piece& piece) override;
    void leg_rts(const rpch::Rts&) override;
    void leg_delivered() override;
    void leg_writable() override { flush(); }
    void leg_closed(const std::string& reason) override;
    bool admits(std::uint32_t size) const override;
    void sent(std::uint32_t size) override;

    void on_dialed(leg::Dialer::Outcome outcome);
    void run(const rpch::Effects& effects);
    void watch_clocks();
    void on_in_timeout() { on_timeout(rpch::Leg::in); }
    void on_out_timeout() { on_timeout(rpch::Leg::out); }
    void on_timeout(rpch::Leg channel);
    void promote(rpch::Leg channel);
    void drop(rpch::Leg leg);
    void recycle_out();
    void on_silence();

    Proxy*& at(rpch::Leg leg) { return proxies_[index(leg)]; }
    Proxy* at(rpch::Leg leg) const { return proxies_[index(leg)]; }
    static std::size_t index(rpch::Leg leg);
    rpch::Leg place_of(const Proxy& proxy) const;

    const leg::Environment& environment_;
    const rpch::Cookie virtual_connection_;
    const leg::Grants::Shared grant_;
    Host& host_;
    rpch::Server role_;
    std::array<Proxy*, 6> proxies_{}; // by index()
    std::vector<Proxy*> attached_;    // not introduced yet
    Proxy* rpc_proxy_ = nullptr;      // where the RPC PDU goes that the service sent last
    std::unique_ptr<leg::Dialer> dialer_;
    std::unique_ptr<const directory::Route> found_; // where the service is, if not where it was looked for
    std::unique_ptr<Clocks> clocks_;
    std::optional<leg::Leg> leg_;
    leg::Silence silence_;           // of an inbound proxy that may wait for an acknowledgement
    std::uint32_t coming_ = 0;  // bytes that the RPC PDU the service sent last has still to come
    std::uint32_t carried_ = 0; // bytes of IN predecessors that have not reached the service yet
    bool ended_ = false;
};

} // namespace pairing
