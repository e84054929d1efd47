#pragma once

#include "rpch/inbound_proxy.h"
#include "tunnel/channel.h"

#include <memory>
#include <vector>

namespace tunnel {

/// A virtual IN channel at this node: the RPC_IN_DATA request, the inbound proxy's role, and the hop to
/// the server. Bytes flow from the client's leg into the hop.
class InboundChannel final : public Channel {
public:
    /// For the server to go on taking what the client said last.
    static constexpr net::Millis drain_patience{10'000};

    /// Takes the stream of `opening`.
    InboundChannel(Hub& hub, Opening& opening);

    /// With the same `opening`.
    void start(const Opening& opening);
    /// A replacement for the channel's request has come to this node, IN_R2 of MS-RPCH 3.2.1.5.3.3. Null: taken.
    /// Text: refused, and nothing has changed; `opening` is still the caller's.
    const char* succeed(Opening& opening);
    /// Closes both legs. Idempotent.
    void end(const std::string& reason);

    bool opened() const noexcept override { return role_.established(); }
    /// Why the server could not be reached, if that is how the channel ended; else null.
    const leg::Failure* unreachable() const noexcept { return unreachable_.get(); }

private:
    static constexpr char length_used_up[] = "the Content-Length of the IN channel is used up";

    /// A replacement that waits for IN_R2/A5. What it says is kept, and its end is heard.
    struct Successor {
        Successor(InboundChannel& channel, Opening&& from);

        Opening opening; // what has come so far is in `early`
        net::Watch watch;
    };

    std::size_t leg_allowance() override;
    void leg_rpc(const rpch::Framer::Piece& piece) override;
    void leg_rts(const rpch::Rts& pdu) override;
    void leg_delivered() override;
    void leg_writable() override {}
    void leg_closed(const std::string& reason) override;
    // Nothing is written to the client of an IN channel.
    bool admits(std::uint32_t) const override { return false; }
    void sent(std::uint32_t) override {}

    void hop_connected() override;
    void hop_failed(const leg::Failure& failure) override;
    void hop_rts(const rpch::Rts& pdu) override;
    void hop_rpc(const rpch::Framer::Piece&) override { end(rpch::InboundProxy::on_server_rpc()); }
    void hop_delivered() override {}
    void hop_closed(const std::string& reason) override { end(reason); }
    std::size_t hop_allowance(bool) override { return net::Loop::scratch_size; }
    bool hop_recycles() const override { return true; }
    bool hop_admits(std::uint32_t size) const override { return role_.admits(size); }
    void hop_sent(std::uint32_t size) override { role_.sent(size); }
    void hop_consumed(std::uint32_t size) override;

    void run(const rpch::Effects& effects);
    void on_clock() override;
    void acknowledge_if_silent();
    void on_silence() override;
    std::size_t most_waiting() const;
    void wind_up(const std::string& reason);
    void on_successor(std::uint32_t events);
    void lose_successor(const std::string& reason);
    void on_recycling_timeout() override;
    void listen_to_client(base::Bytes early);
    std::vector<std::uint8_t> promote_successor();
    void drop(rpch::Leg leg);

    std::uint64_t content_length_; // of the request
    std::uint32_t first_pdu_size_;
    const bool http10_;
    rpch::InboundProxy role_;
    std::unique_ptr<leg::Leg> predecessor_; // only until it is dropped
    std::unique_ptr<Successor> successor_; // until it is promoted
    std::unique_ptr<const std::string> end_reason_; // the client's last words wait for the server; else null
    const char* finish_reason_ = nullptr; // the channel goes on on another node; this one drains
    std::unique_ptr<const leg::Failure> unreachable_;
};

} // namespace tunnel
