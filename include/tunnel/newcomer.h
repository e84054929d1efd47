#pragma once

#include "leg/arrival.h"
#include "leg/prelude.h"
#include "rpch/cookie.h"
#include "rpch/rts.h"

#include <list>

namespace tunnel {

/// A channel request whose first PDU is known: who it is and to which virtual connection it belongs.
struct Opening {
    leg::Arrival arrival;            ///< `early` holds what came behind the first PDU
    rpch::Rts first_pdu;
    rpch::Cookie virtual_connection;
    std::uint32_t first_pdu_size = 0;

    leg::Visitor visitor(leg::Grants& grants) const
    {
        return {arrival.id, virtual_connection, arrival.peer, grants.share(arrival.grant)};
    }
};

/// A channel request on its way to its home shard: writes `100 Continue` where it is waited for, and reads
/// the first PDU, which names the virtual connection. One thread.
class Newcomer final : private leg::Prelude::Owner {
public:
    class Host {
    public:
        virtual void newcomer_ready(Newcomer& newcomer, Opening&& opening) = 0;
        virtual void newcomer_failed(Newcomer& newcomer, const std::string& reason) = 0;

    protected:
        ~Host() = default;
    };

    Newcomer(net::Loop& loop, Host& host, leg::Arrival&& arrival);

    /// `patience`: for the first PDU to come. Exactly one callback follows, perhaps inside the call; the host
    /// destroys the newcomer with Loop::defer.
    void start(net::Millis patience);
    /// Gives up now, with newcomer_failed; nothing happens when the matter is decided already.
    void end(const std::string& reason) { prelude_.fail(reason); }

    const leg::Arrival& arrival() const noexcept { return arrival_; }
    leg::Arrival& arrival() noexcept { return arrival_; }
    std::list<Newcomer>::iterator self; ///< the host's own bookmark

private:
    bool prelude_grew() override;
    void prelude_failed(const std::string& reason) override { host_.newcomer_failed(*this, reason); }

    Host& host_;
    leg::Arrival arrival_;
    leg::Prelude prelude_;
};

} // namespace tunnel
