#pragma once

#include "rpch/server.h"
#include "tunnel/arrival.h"
#include "tunnel/dialer.h"
#include "tunnel/environment.h"
#include "tunnel/hop.h"
#include "tunnel/leg.h"

#include <array>
#include <memory>
#include <optional>

namespace tunnel {

class LocalHop;

/// Our own server role in front of a plain DCE/RPC service (ncacn_ip_tcp): ends a virtual connection and
/// carries its RPC PDUs, unchanged, over one TCP connection. Both channels reach it through LocalHops, in
/// memory, with the very PDUs that would go over TCP.
class VirtualServer final : private Leg::Owner {
public:
    class Host {
    public:
        /// It is over: forget it, destroy it with Loop::defer.
        virtual void virtual_server_ended(VirtualServer& server) = 0;

    protected:
        ~Host() = default;
    };

    /// Connects to the service at once. `arrival` is the channel that came first.
    VirtualServer(const Environment& environment, const rpch::Cookie& virtual_connection, const Arrival& arrival, Host& host);

    /// The calls of LocalHop. A side that is taken is refused: false.
    bool attach(Side side, LocalHop& hop);
    void detach(Side side);
    bool connected() const noexcept { return leg_.has_value(); }
    void receive_rts(Side side, const rpch::Rts& pdu);
    void put_rpc(const rpch::Framer::Piece& piece);
    void flush();
    std::size_t waiting() const { return leg_ ? leg_->outlet().waiting() : 0; }
    void resume();
    void keep_alive(std::uint32_t ms);

    const rpch::Cookie& virtual_connection() const noexcept { return virtual_connection_; }

private:
    std::size_t leg_allowance() override;
    void leg_rpc(const rpch::Framer::Piece& piece) override;
    void leg_rts(const rpch::Rts&) override;
    void leg_delivered() override;
    void leg_writable() override { flush(); }
    void leg_closed(const std::string& reason) override;
    bool admits(std::uint32_t size) const override;
    void sent(std::uint32_t size) override;

    void on_dialed(Dialer::Outcome outcome);
    void run(const rpch::Effects& effects);
    void recycle_out();
    void end(const std::string& reason);
    LocalHop*& hop(Side side) { return hops_[side == Side::in ? 0 : 1]; }

    const Environment& environment_;
    const rpch::Cookie virtual_connection_;
    Host& host_;
    rpch::Server role_;
    std::array<LocalHop*, 2> hops_{};
    std::array<bool, 2> introduced_{}; // the first PDU of the side has come
    std::unique_ptr<Dialer> dialer_;
    std::optional<Leg> leg_;
    std::uint32_t coming_ = 0; // bytes that the RPC PDU the service sent last has still to come
    bool ended_ = false;
};

} // namespace tunnel
