#pragma once

#include "ping/caller.h"
#include "ping/entrance.h"
#include "rpch/client.h"
#include "rpch/framer.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace ping {

/// One virtual connection to the target, and RPC calls through it. Carries out the effects of the client
/// role over two channels.
class Tunnel final : public Caller {
public:
    Tunnel(const Options& options, Report& report, Entrance& entrance);

    /// Connects both channels and establishes the virtual connection.
    bool open() override;

private:
    bool send_requests();
    bool await_opened();
    void report_refusals();
    std::optional<rpch::RpcAnswer> exchange(base::Bytes pdu) override;

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
    Failure ended(const Channel& channel, const std::string& how) const;
    void trace_rts(Place place, const char* direction, base::Bytes pdu);

    const Options& options_;
    Entrance& entrance_;
    Channel in_;
    Channel out_;
    rpch::Client role_;
    rpch::Framer framer_;
    Deadline::Clock::time_point in_sent_at_;

    const char* out_step_ = "request"; // where the OUT channel stands
    std::optional<Failure> in_failure_;
    std::optional<Failure> out_failure_;
};

} // namespace ping
