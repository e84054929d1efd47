#pragma once

#include "rpch/effects.h"
#include "rpch/flow.h"
#include "rpch/rts.h"
#include "rpch/server.h"

#include <cstdint>

namespace bench {

/// The protocol of a backend session, told what happens and answering with effects.
class ServerEnd {
public:
    using Admission = rpch::Server::Admission;
    using Leg = rpch::Leg;

    virtual ~ServerEnd() = default;
    /// The first PDU of a connection.
    virtual Admission on_newcomer(const rpch::Rts& pdu, rpch::Effects& effects) = 0;
    virtual void on_rts(Leg leg, const rpch::Rts& pdu, rpch::Effects& effects) = 0;
    virtual const char* on_rpc(Leg leg, std::uint32_t size) = 0;
    virtual void on_consumed(std::uint32_t size, rpch::Effects& effects) = 0;
    virtual bool admits(std::uint32_t size) const = 0;
    /// It goes; the OUT channel may be due for replacement then.
    virtual void sent(std::uint32_t size, rpch::Effects& effects) = 0;
    virtual void on_drained(Leg leg) = 0;
    virtual void on_closed(Leg leg, rpch::Effects& effects) = 0;
    /// Runs of a time limit for each of the channels `in` and `out`.
    virtual bool awaits(Leg leg) const = 0;
    virtual void on_timeout(Leg leg, rpch::Effects& effects) = 0;
};

/// The server of MS-RPCH, behind rpctunneld's hops of the kind ncacn_http.
class RpchServerEnd final : public ServerEnd {
public:
    /// `largest_pdu`: bytes.
    explicit RpchServerEnd(std::uint32_t largest_pdu) : role_({.receive_window = 65536, .largest_pdu = largest_pdu}) {}

    Admission on_newcomer(const rpch::Rts& pdu, rpch::Effects& effects) override { return role_.on_newcomer(pdu, effects); }
    void on_rts(Leg leg, const rpch::Rts& pdu, rpch::Effects& effects) override;
    const char* on_rpc(Leg leg, std::uint32_t size) override;
    void on_consumed(std::uint32_t size, rpch::Effects& effects) override { role_.on_consumed(size, effects); }
    bool admits(std::uint32_t size) const override { return role_.admits(size); }
    void sent(std::uint32_t size, rpch::Effects& effects) override;
    void on_drained(Leg leg) override { role_.on_drained(leg); }
    void on_closed(Leg leg, rpch::Effects& effects) override { role_.on_closed(leg, effects); }
    bool awaits(Leg leg) const override { return role_.awaits(leg); }
    void on_timeout(Leg leg, rpch::Effects& effects) override { role_.on_timeout(leg, effects); }

private:
    rpch::Server role_;
};

/// What a client meets through a relay that understands nothing: proxies and server in one, so that set-up
/// and flow control are the same, end to end. Channels are not replaced.
class PairServerEnd final : public ServerEnd {
public:
    Admission on_newcomer(const rpch::Rts& pdu, rpch::Effects& effects) override;
    void on_rts(Leg leg, const rpch::Rts& pdu, rpch::Effects& effects) override;
    const char* on_rpc(Leg leg, std::uint32_t size) override;
    void on_consumed(std::uint32_t size, rpch::Effects& effects) override;
    bool admits(std::uint32_t size) const override { return in_known_ && out_known_ && out_window_.admits(size); }
    void sent(std::uint32_t size, rpch::Effects&) override { out_window_.sent(size); }
    void on_drained(Leg) override {}
    void on_closed(Leg, rpch::Effects&) override {}
    bool awaits(Leg) const override { return false; }
    void on_timeout(Leg, rpch::Effects&) override {}

private:
    rpch::Cookie in_channel_{}, out_channel_{};
    bool in_known_ = false, out_known_ = false;
    rpch::ReceiveWindow in_window_{65536};
    rpch::SendWindow out_window_;
};

} // namespace bench
