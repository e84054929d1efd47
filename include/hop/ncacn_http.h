#pragma once

#include "hop/hop.h"
#include "leg/arrival.h"
#include "leg/dialer.h"
#include "leg/environment.h"
#include "leg/leg.h"
#include "net/timer.h"

#include <memory>
#include <optional>

namespace hop {

/// The hop to a real RPC-over-HTTP server: a TCP connection of its own for the channel, on which both
/// ends speak RTS (MS-RPCH 2.1.2.2). The server pairs the two channels, so they may run over two nodes.
class NcacnHttp final : public Hop, private leg::Leg::Owner {
public:
    NcacnHttp(const leg::Environment& environment, leg::Side side, const leg::Visitor& visitor, User& user);

    void serve(User& user) override { user_ = &user; }
    void connect() override;
    /// Instead of connect(): takes a connection to another node, writes `preamble` to it and waits at most
    /// `patience` for the banner.
    void adopt(base::UniqueFd fd, const net::Address& node, base::Bytes preamble, net::Millis patience);
    void send_rts(base::Bytes pdu) override;
    void put_rpc(const rpch::Framer::Piece& piece) override;
    void send_last(base::Bytes pdu) override;
    void flush() override;
    std::size_t waiting() const override;
    void resume() override;
    void keep_alive(std::uint32_t ms) override;
    void close() override;

private:
    std::size_t leg_allowance() override;
    void leg_rpc(const rpch::Framer::Piece& piece) override { user_->hop_rpc(piece); }
    void leg_rts(const rpch::Rts& pdu) override { user_->hop_rts(pdu); }
    void leg_delivered() override { user_->hop_delivered(); }
    void leg_writable() override { flush(); }
    void leg_banner() override;
    void leg_closed(const std::string& reason) override;
    bool admits(std::uint32_t size) const override { return user_->hop_admits(size); }
    void sent(std::uint32_t size) override { user_->hop_sent(size); }

    void on_dialed(leg::Dialer::Outcome outcome);
    void begin(base::UniqueFd fd, base::Bytes preamble, std::optional<net::Millis> banner_patience);
    std::string far_end() const;
    void on_banner_timeout();
    void fail(const leg::Failure& failure);

    const leg::Environment& environment_;
    const leg::Side side_;
    const leg::Visitor& visitor_;
    User* user_;
    std::unique_ptr<leg::Dialer> dialer_;
    std::unique_ptr<net::Timer> banner_limit_; // only while a required banner is awaited
    std::optional<leg::Leg> leg_;
    std::optional<net::Address> node_; // the far end, if it is another node
    bool connected_ = false;
    bool closed_ = false;
};

} // namespace hop
