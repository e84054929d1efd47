#pragma once

#include "base/fifo.h"
#include "hop/hop.h"
#include "leg/arrival.h"
#include "pairing/proxy.h"
#include "pairing/virtual_server.h"

#include <memory>

namespace hop {

/// The hop to a VirtualServer on the same shard. PDUs are handed over, not written.
class Local final : public Hop, private pairing::Proxy {
public:
    /// `joins`: the channel replaces one of another node, so its virtual connection must exist.
    Local(pairing::VirtualServer::Finder& finder, leg::Side side, const leg::Visitor& visitor, bool joins, User& user) noexcept
        : finder_(finder), side_(side), joins_(joins), visitor_(visitor), user_(&user)
    {
    }
    ~Local() override { close(); }

    void serve(User& user) override { user_ = &user; }
    void connect() override;
    void send_rts(base::Bytes pdu) override;
    void put_rpc(const rpch::Framer::Piece& piece) override;
    void send_last(base::Bytes pdu) override;
    void flush() override;
    std::size_t waiting() const override;
    void resume() override;
    void keep_alive(std::uint32_t ms) override;
    void close() override;

private:
    leg::Side side() const override { return side_; }
    void server_routed(const directory::Route& route) override { user_->hop_routed(route); }
    void server_reached() override { user_->hop_connected(); }
    void server_failed(const leg::Failure& failure) override;
    void server_rts(base::Bytes pdu) override;
    void server_last(base::Bytes pdu) override;
    std::size_t server_allowance(std::uint32_t room, std::uint32_t coming) override;
    void server_rpc(const rpch::Framer::Piece& piece) override;
    void server_delivered() override { user_->hop_delivered(); }
    void server_flow() override {}
    bool server_recycles() const override { return user_->hop_recycles(); }
    bool server_admits(std::uint32_t size) const override { return user_->hop_admits(size); }
    void server_sent(std::uint32_t size) override;
    void server_consumed(std::uint32_t size) override;
    void server_ended(const std::string& reason) override;
    void server_relieved() override { server_ = nullptr; }

    void release_held();
    void release_last();

    pairing::VirtualServer::Finder& finder_;
    const leg::Side side_;
    const bool joins_;
    bool introduced_ = false;
    std::uint32_t coming_ = 0; // OUT: bytes that the RPC PDU which came last has still to come
    const leg::Visitor& visitor_;
    User* user_;
    pairing::VirtualServer* server_ = nullptr;
    base::Fifo held_; // RPC PDUs of a successor that is not the default IN channel yet
    std::unique_ptr<rpch::Rts> last_; // waits for the RPC PDUs in front of it
};

} // namespace hop
