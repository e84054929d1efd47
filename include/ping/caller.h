#pragma once

#include "ping/report.h"
#include "rpch/framer.h"
#include "rpch/rpc.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace ping {

/// A way on which RPC PDUs reach the server and its answers come back, and the calls made on it, one at a time.
class Caller {
public:
    virtual ~Caller() = default;

    /// Goes as far as PDUs can be sent; reports every step. False: a step has failed.
    virtual bool open() = 0;

    /// Sends a bind or a request and waits for its answer, within one step's time limit. Nothing when that
    /// failed: then see failure(). Reports nothing.
    std::optional<rpch::RpcAnswer> bind(const rpch::Syntax& interface);
    std::optional<rpch::RpcAnswer> call(std::uint16_t opnum);
    const Failure& failure() const noexcept { return failure_; }

protected:
    explicit Caller(Report& report);

    /// Sends the PDU of a call and waits until answered(). Nothing: failure_ is set.
    virtual std::optional<rpch::RpcAnswer> exchange(base::Bytes pdu) = 0;

    void trace_rpc(Place place, const char* direction, base::Bytes pdu);
    /// Takes a piece of what the server sends. Text: it breaks the protocol so.
    const char* take(Place place, const rpch::Framer::Piece& piece);
    bool answered() const noexcept { return answered_; }
    const rpch::RpcAnswer& answer() const noexcept { return reader_.answer(); }

    Report& report_;
    Failure failure_;

private:
    std::optional<rpch::RpcAnswer> begin(base::Bytes pdu);

    rpch::RpcReader reader_;
    std::vector<std::uint8_t> pdu_; // the one that is being received
    std::uint32_t call_id_ = 0;
    bool outstanding_ = false;
    bool answered_ = false;
};

} // namespace ping
