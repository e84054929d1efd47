#pragma once

#include "hop/local.h"
#include "hop/ncacn_http.h"
#include "leg/nodes.h"
#include "net/connector.h"

#include <memory>
#include <string>
#include <vector>

namespace hop {

/// The hop of a channel for a plain DCE/RPC service where several nodes share the work: to the VirtualServer on
/// the node that ranks first for the virtual connection, here or there. On another node it is an ncacn_http
/// server behind a PROXY header, which names target and user.
///
/// A node that does not answer with its banner in time is passed over for the next in rank. A channel that
/// replaces one of another node asks on where its virtual connection is not known: it was paired on the second
/// node while the first was away.
class Node final : public Hop, private Hop::User {
public:
    /// For a node to accept and to send its banner: one lost packet is forgiven.
    static constexpr net::Millis node_patience{2000};

    Node(const leg::Environment& environment, pairing::VirtualServer::Finder& finder, leg::Side side, const leg::Visitor& visitor,
         bool joins, Hop::User& user);
    ~Node() override;

    void serve(Hop::User& user) override;
    void connect() override;
    void send_rts(base::Bytes pdu) override;
    void put_rpc(const rpch::Framer::Piece& piece) override;
    void send_last(base::Bytes pdu) override;
    void flush() override;
    std::size_t waiting() const override { return inner_ ? inner_->waiting() : 0; }
    void resume() override;
    void keep_alive(std::uint32_t ms) override;
    bool movable() const override { return inner_ && !trial_ && node_ != environment_.nodes.own(); }
    void close() override;

private:
    // While a node is tried. Once it has answered, the hop to it calls the channel itself.
    void hop_routed(const directory::Route& route) override { user_->hop_routed(route); }
    void hop_connected() override;
    void hop_failed(const leg::Failure& failure) override { pass_over(failure); }
    void hop_rts(const rpch::Rts& pdu) override;
    void hop_rpc(const rpch::Framer::Piece& piece) override;
    void hop_delivered() override { user_->hop_delivered(); }
    void hop_closed(const std::string& reason) override;
    std::size_t hop_allowance(bool ahead) override { return user_->hop_allowance(ahead); }
    bool hop_recycles() const override { return user_->hop_recycles(); }
    bool hop_admits(std::uint32_t size) const override { return user_->hop_admits(size); }
    void hop_sent(std::uint32_t size) override { user_->hop_sent(size); }
    void hop_consumed(std::uint32_t size) override { user_->hop_consumed(size); }

    void try_next();
    void on_connected(net::ConnectResult result);
    void pass_over(const leg::Failure& failure);
    void settle();
    void bury_inner();

    const leg::Environment& environment_;
    pairing::VirtualServer::Finder& finder_;
    const leg::Side side_;
    const bool joins_;
    const leg::Visitor& visitor_;
    Hop::User* user_;
    std::vector<std::size_t> rank_; // the nodes still to be tried, the next one last
    std::size_t node_ = 0;          // the one that is tried
    std::unique_ptr<net::Connector> connector_;
    std::shared_ptr<Hop> inner_;
    std::unique_ptr<rpch::RtsBytes> first_; // said again to the next node, until one has answered
    std::string failures_;
    std::uint32_t rpc_error_ = leg::rpc_code::server_unavailable; // of the last failure
    bool trial_ = true;      // no node has answered yet: inner_ calls this object
    bool connected_ = false; // the channel was told so
    bool closed_ = false;
};

} // namespace hop
