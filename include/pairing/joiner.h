#pragma once

#include "leg/nodes.h"
#include "leg/prelude.h"
#include "net/address.h"
#include "net/stream.h"
#include "pairing/virtual_server.h"
#include "rpch/cookie.h"
#include "rpch/rts.h"

#include <list>
#include <string>
#include <vector>

namespace pairing {

/// A proxy that wants to bring a channel to a VirtualServer, by TCP: what it has said so far.
struct Joining {
    net::Stream stream;
    net::Address peer;            ///< the proxy
    net::Address client;          ///< as the proxy sees it; unspecified when it does not say
    leg::Party party;
    bool version_1 = false; ///< an RPC PDU came first: all is in `early`
    rpch::Rts first_pdu;
    rpch::Cookie virtual_connection;
    std::vector<std::uint8_t> early; ///< bytes behind the first PDU
};

/// A new connection on a pairing port, until its first PDU has told the virtual connection. We are the server
/// here, MS-RPCH 3.2.5.5.1: the banner goes out at once.
///
/// On a port with a fixed target every proxy may come, and clients without one, and every one is for that target. On the
/// others only the nodes of Nodes may; they say in a PROXY header what the target is and for whom. One thread.
class Joiner final : private leg::Prelude::Owner {
public:
    class Host {
    public:
        virtual void joiner_ready(Joiner& joiner, Joining&& joining) = 0;
        virtual void joiner_failed(Joiner& joiner, const std::string& reason) = 0;

    protected:
        ~Host() = default;
    };

    /// `target`: the fixed one, or empty.
    Joiner(net::Loop& loop, Host& host, base::UniqueFd socket, const net::Address& peer, const std::string& target);

    /// Exactly one callback follows, perhaps inside the call; the host destroys the joiner with Loop::defer.
    void start(const leg::Nodes& nodes, net::Millis patience);
    void end(const std::string& reason) { prelude_.fail(reason); }

    Joining& joining() noexcept { return joining_; }
    std::list<Joiner>::iterator self; ///< the host's own bookmark

private:
    bool prelude_grew() override;
    void prelude_failed(const std::string& reason) override { host_.joiner_failed(*this, reason); }

    Host& host_;
    Joining joining_;
    const bool node_; // a PROXY header must come
    bool introduced_ = false;
    leg::Prelude prelude_;
};

} // namespace pairing
