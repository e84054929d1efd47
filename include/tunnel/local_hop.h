#pragma once

#include "tunnel/hop.h"
#include "tunnel/virtual_server.h"

namespace tunnel {

/// The hop to a VirtualServer on the same shard. PDUs are handed over, not written.
class LocalHop final : public Hop {
public:
    class Finder {
    public:
        /// The server end of the arrival's virtual connection; made when there is none yet.
        virtual VirtualServer& find_virtual_server(const rpch::Cookie& virtual_connection, const Arrival& arrival) = 0;

    protected:
        ~Finder() = default;
    };

    LocalHop(Finder& finder, Side side, const rpch::Cookie& virtual_connection, const Arrival& arrival, User& user) noexcept
        : finder_(finder), side_(side), virtual_connection_(virtual_connection), arrival_(arrival), user_(user)
    {
    }
    ~LocalHop() override { close(); }

    void connect() override;
    void send_rts(base::Bytes pdu) override;
    void put_rpc(const rpch::Framer::Piece& piece) override;
    /// A virtual connection lives on one node, so its channels are never recycled to another one.
    void send_last(base::Bytes pdu) override { send_rts(pdu); }
    void flush() override;
    std::size_t waiting() const override { return server_ ? server_->waiting() : 0; }
    void resume() override;
    void keep_alive(std::uint32_t ms) override;
    void close() override;

    /// The calls of VirtualServer.
    User& user() noexcept { return user_; }
    void server_failed(const std::string& reason);
    void server_ended(const std::string& reason);

private:
    Finder& finder_;
    const Side side_;
    const rpch::Cookie virtual_connection_;
    const Arrival& arrival_;
    User& user_;
    VirtualServer* server_ = nullptr;
};

} // namespace tunnel
