#pragma once

#include "rpch/outbound_proxy.h"
#include "tunnel/channel.h"

#include <memory>

namespace tunnel {

/// A virtual OUT channel at this node: the response to RPC_OUT_DATA, the outbound proxy's role, and the
/// hop to the server. Bytes flow from the hop to the client's leg.
class OutboundChannel final : public Channel {
public:
    /// Silence of a client that has read all and whose window is used up, before its window is given up.
    static constexpr net::Millis stall_patience{2000};
    /// For what the server said last to reach the client.
    static constexpr net::Millis drain_patience{10'000};

    /// Takes the stream of `opening`.
    OutboundChannel(Hub& hub, Opening& opening);

    /// With the same `opening`.
    void start(const Opening& opening);
    /// A replacement for the channel's request has come to this node, OUT_R2 of MS-RPCH 3.2.1.5.3.5. Null: taken.
    /// Text: refused, and nothing has changed; `opening` is still the caller's.
    const char* succeed(Opening& opening);
    /// Closes both legs. Idempotent.
    void end(const std::string& reason);
    /// The IN channel of the virtual connection is gone. The server will end this one; a last answer may be
    /// on its way, so it has some time for that. With `unreachable`, the server could not be reached: that is
    /// an answer for a client which has none yet.
    void mate_ended(const std::string& reason, const leg::Failure* unreachable);
    /// The channel could go on on another node.
    bool movable() const { return hop_->movable() && opened() && !role_.doubted(); }
    /// Has the client bring a new OUT channel, which will come to another node.
    void move();
    /// The client of the other half turned out to take part in flow control.
    void trust_client() noexcept { role_.trust_client(); }

    std::uint32_t client_announced_window() const noexcept { return role_.client_announced_window(); }
    bool opened() const noexcept override { return role_.established(); }

private:
    /// The owner of the leg beside the default one.
    class OtherLeg final : public leg::Leg::Owner {
    public:
        explicit OtherLeg(OutboundChannel& channel) noexcept : channel_(channel) {}
        std::size_t leg_allowance() override { return channel_.leg_allowance(); }
        void leg_rpc(const rpch::Framer::Piece& piece) override { channel_.leg_rpc(piece); }
        void leg_rts(const rpch::Rts& pdu) override { channel_.side_rts(pdu); }
        void leg_delivered() override {}
        void leg_writable() override { channel_.flush_client(); }
        void leg_closed(const std::string& reason) override { channel_.side_closed(reason); }
        bool admits(std::uint32_t size) const override { return channel_.role_.admits(size, rpch::Leg::predecessor); }
        void sent(std::uint32_t size) override { channel_.role_.sent(size, rpch::Leg::predecessor); }

    private:
        OutboundChannel& channel_;
    };

    std::size_t leg_allowance() override { return ended_ ? 0 : 512; } // to notice the end, and what may not come
    void leg_rpc(const rpch::Framer::Piece&) override { end(rpch::OutboundProxy::on_client_bytes()); }
    void leg_rts(const rpch::Rts& pdu) override;
    void leg_delivered() override {}
    void leg_writable() override { flush_client(); }
    void leg_closed(const std::string& reason) override { end("client: " + reason); }
    bool admits(std::uint32_t size) const override;
    void sent(std::uint32_t size) override { role_.sent(size); }

    void hop_connected() override;
    void hop_failed(const leg::Failure& failure) override;
    void hop_rts(const rpch::Rts& pdu) override;
    void hop_rpc(const rpch::Framer::Piece& piece) override;
    void hop_delivered() override { flush_client(); }
    void hop_closed(const std::string& reason) override;
    std::size_t hop_allowance(bool ahead) override;
    bool hop_recycles() const override { return !role_.doubted(); }
    bool hop_admits(std::uint32_t) const override { return false; } // no RPC PDU goes to the server on the OUT side
    void hop_sent(std::uint32_t) override {}
    void hop_consumed(std::uint32_t) override {}

    void run(const rpch::Effects& effects);
    void flush_client();
    void flush_predecessor();
    void promote_successor();
    void refuse(const leg::Failure& failure);
    void drop_other();
    void side_rts(const rpch::Rts& pdu);
    void side_closed(const std::string& reason);
    void on_recycling_timeout() override;
    bool window_used_up() const;
    bool predecessor_stands() const;
    std::size_t room_for_whole_pdus() const;
    void on_clock() override;
    void watch_for_stall();
    void on_stall();
    void report_consumed(leg::Outlet& outlet);
    void on_silence() override;

    const std::uint32_t connection_timeout_; // ms
    rpch::OutboundProxy role_;
    OtherLeg other_owner_;
    std::unique_ptr<leg::Leg> other_;  // the successor until it is promoted, then the predecessor until it has drained
    leg::Leg* rpc_leg_ = nullptr;      // where the RPC PDU that came last goes
    std::uint64_t successor_id_ = 0;
    std::unique_ptr<net::Timer> stall_; // since the client's window was used up for the first time
    std::uint64_t last_body_sent_ = 0;
    std::uint32_t last_pdu_ = 1; // size of the RPC PDU that came last
    bool responded_ = false;
    mutable bool lifetime_used_up_ = false;
    bool departing_ = false; // other_ is the predecessor, and its last PDU has been put
    bool draining_ = false;
    std::unique_ptr<const std::string> last_token_; // of the login, until it goes out with the success head; else null
    std::unique_ptr<const std::string> end_reason_; // while draining, or without a mate; else null
};

} // namespace tunnel
