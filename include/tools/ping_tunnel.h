#pragma once

#include "rpch/client.h"
#include "rpch/framer.h"
#include "rpch/rpc.h"
#include "tools/ping_proxy.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace ping {

/// One virtual connection to the target, and RPC calls through it. Carries out the effects of the client
/// role over two channels.
class Tunnel {
public:
    Tunnel(const Options& options, Report& report, Proxy& proxy);

    /// Connects both channels and establishes the virtual connection; reports every step.
    bool open();

    /// Sends a bind or a request and waits for its answer, within one step's time limit. Nothing when that
    /// failed: then see failure(). Reports nothing.
    std::optional<rpch::RpcAnswer> bind(const rpch::Syntax& interface);
    std::optional<rpch::RpcAnswer> call(std::uint16_t opnum);
    const Failure& failure() const noexcept { return failure_; }

private:
    bool send_requests();
    bool await_opened();
    void report_refusals();
    std::optional<rpch::RpcAnswer> exchange(base::Bytes pdu);

    enum class Outcome { done, failed, timed_out };
    Outcome pump(const std::function<bool()>& done, const Deadline& deadline);
    bool take_events();
    void on_out_event(Channel::Event event);
    void on_in_event(Channel::Event event);
    void on_out_bytes(base::Bytes bytes);
    void on_rpc_piece(const rpch::Framer::Piece& piece);
    bool carry_out(const rpch::Effects& effects);
    bool send_in(base::Bytes bytes);
    int until_ping() const;

    void broken(const char* reason);
    Failure ended(const char* channel, const std::string& how) const;
    void trace_rts(Place place, const char* direction, base::Bytes pdu);

    const Options& options_;
    Report& report_;
    Proxy& proxy_;
    Channel in_;
    Channel out_;
    rpch::Client role_;
    rpch::Framer framer_;
    rpch::RpcReader reader_;
    std::vector<std::uint8_t> pdu_; // the RPC PDU that is being received
    std::uint32_t call_id_ = 0;
    bool outstanding_ = false;
    bool answered_ = false;
    Deadline::Clock::time_point in_sent_at_;

    const char* out_step_ = "request"; // where the OUT channel stands
    Failure failure_;
    std::optional<Failure> in_failure_;
    std::optional<Failure> out_failure_;
};

} // namespace ping
