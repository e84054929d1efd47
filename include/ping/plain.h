#pragma once

#include "ping/caller.h"
#include "ping/entrance.h"
#include "rpch/framer.h"

namespace ping {

/// Plain RPC on one connection: version 1 of the protocol through a mixed proxy (MS-RPCH 3.1.1), or no proxy at all and
/// an ncacn_http server, which knows a client of version 1 by its first PDU.
class PlainCaller final : public Caller {
public:
    PlainCaller(const Options& options, Report& report, Entrance& entrance)
        : Caller(report), options_(options), entrance_(entrance), channel_(Place::general, report)
    {
    }

    /// Connects, and has RPC_CONNECT answered or the server's banner read.
    bool open() override;

private:
    bool ask_proxy();
    bool await_banner();
    std::optional<rpch::RpcAnswer> exchange(base::Bytes pdu) override;
    const char* take_bytes(base::Bytes bytes);

    const Options& options_;
    Entrance& entrance_;
    Channel channel_;
    rpch::Framer framer_;
};

} // namespace ping
