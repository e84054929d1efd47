#pragma once

#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"
#include "rpch/server.h"

#include <cstdint>

namespace bench {

/// The flow control of a backend session, told what happens and answering with effects.
class ServerEnd {
public:
    virtual ~ServerEnd() = default;
    virtual void on_rts(rpch::Leg leg, const rpch::Rts& pdu, rpch::Effects& effects) = 0;
    virtual const char* on_rpc(std::uint32_t size) = 0;
    virtual void on_consumed(std::uint32_t size, rpch::Effects& effects) = 0;
    virtual bool admits(std::uint32_t size) const = 0;
    virtual void sent(std::uint32_t size) = 0;
};

/// The server of MS-RPCH, behind rpctunneld's hops of the kind ncacn_http.
class RpchServerEnd final : public ServerEnd {
public:
    void on_rts(rpch::Leg leg, const rpch::Rts& pdu, rpch::Effects& effects) override;
    const char* on_rpc(std::uint32_t size) override { return role_.on_in_rpc(size); }
    void on_consumed(std::uint32_t size, rpch::Effects& effects) override { role_.on_consumed(size, effects); }
    bool admits(std::uint32_t size) const override { return role_.admits(size); }
    void sent(std::uint32_t size) override { role_.sent(size); }

private:
    rpch::Server role_{65536};
};

/// What a client meets through a relay that understands nothing: proxies and server in one, so that set-up
/// and flow control are the same, end to end.
class PairServerEnd final : public ServerEnd {
public:
    void on_rts(rpch::Leg leg, const rpch::Rts& pdu, rpch::Effects& effects) override;
    const char* on_rpc(std::uint32_t size) override;
    void on_consumed(std::uint32_t size, rpch::Effects& effects) override;
    bool admits(std::uint32_t size) const override { return in_known_ && out_known_ && out_window_.admits(size); }
    void sent(std::uint32_t size) override { out_window_.sent(size); }

private:
    rpch::Cookie in_channel_{}, out_channel_{};
    bool in_known_ = false, out_known_ = false;
    rpch::ReceiveWindow in_window_{65536};
    rpch::SendWindow out_window_;
};

} // namespace bench
