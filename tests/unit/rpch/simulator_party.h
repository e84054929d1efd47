#pragma once

#include "unit/rpch/simulator.h"

#include "rpch/rts_table.h"

/// The parties of the simulator: each carries out the effects of one role, as the tunnel does with sockets.
namespace simulator {

inline rpch::Rts parse(const rpch::RtsBytes& bytes)
{
    rpch::Rts pdu;
    rpch::decode(bytes, pdu);
    return pdu;
}

class Party {
public:
    Party(World& world, std::string name) : world_(world), name_(std::move(name)) {}
    virtual ~Party() = default;
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;

    bool ended() const { return ended_; }
    const std::string& name() const { return name_; }
    void end(const std::string& reason);
    std::size_t waiting() const; ///< bytes of RPC PDUs
    void flush(Port& port);
    void lost(Port& port);

    /// The connection for `leg` is up.
    virtual void connect(rpch::Leg) {}
    /// The first PDU of a new connection; false: refused.
    virtual bool admit(Port& port, const rpch::Rts& pdu) = 0;
    virtual bool reads(const Port&) const { return true; }
    virtual void receive(Port& port, const Message& message) = 0;
    virtual void expire() = 0;
    /// A while without a word; `rest`: everything that was on its way has come. False: nobody waited for it.
    virtual bool silence(bool) { return false; }
    /// Text: where RPC PDUs stand; empty: nowhere.
    std::string stuck() const;
    virtual std::optional<rpch::RtsId> recognise(const Port& port, const rpch::Rts& pdu) const = 0;
    // Of client and server: the application.
    virtual bool wants_to_send() const { return false; }
    virtual void produce() {}
    virtual void consume() {}
    std::uint32_t unconsumed = 0;

protected:
    virtual bool admits(rpch::Leg leg, std::uint32_t size) = 0;
    virtual void sent(rpch::Leg leg, std::uint32_t size) = 0;
    virtual void consumed(std::uint32_t) {}
    virtual void drained(rpch::Leg) {}
    virtual void closed(rpch::Leg leg, rpch::Effects& effects) = 0;
    virtual void promoted(rpch::Leg) {}
    virtual void flows(rpch::Leg) {}
    /// The effects of on_silence() if somebody may wait for it.
    template <typename Role> bool tell(Role& role, bool may_wait)
    {
        if (ended_ || !may_wait)
            return false;
        rpch::Effects effects;
        role.on_silence(effects);
        run(effects);
        return true;
    }

    void run(const rpch::Effects& effects);
    void attach(Port& port, rpch::Leg leg);
    void put(rpch::Leg leg, const Message& message);
    void write(Port& port, const Message& message);
    void finish_if_idle();

    World& world_;
    const std::string name_;
    std::map<rpch::Leg, Port*> legs_;
    bool ended_ = false;
    bool finishing_ = false;
};

class ClientParty final : public Party {
public:
    explicit ClientParty(World& world);
    void open();
    bool recycle();
    const rpch::Cookie& virtual_connection() const { return role_.cookies().virtual_connection; }

    bool admit(Port&, const rpch::Rts&) override { return false; }
    bool reads(const Port& port) const override;
    void receive(Port& port, const Message& message) override;
    void expire() override;
    std::optional<rpch::RtsId> recognise(const Port& port, const rpch::Rts& pdu) const override;
    bool wants_to_send() const override;
    void produce() override;
    void consume() override;

private:
    bool admits(rpch::Leg leg, std::uint32_t size) override { return role_.admits(size, leg); }
    void sent(rpch::Leg leg, std::uint32_t size) override;
    void drained(rpch::Leg leg) override;
    void closed(rpch::Leg leg, rpch::Effects& effects) override { role_.on_closed(leg, effects); }
    void connect(rpch::Leg leg) override;
    void promoted(rpch::Leg leg) override;
    void flows(rpch::Leg leg) override { stands_ = stands_ && leg != rpch::Leg::in && leg != rpch::Leg::client; }

    rpch::Client role_;
    mutable bool stands_ = false; ///< the application, until it is told to go on
    std::size_t in_node_ = 0, out_node_ = 0, next_in_node_ = 0, next_out_node_ = 0;
    std::deque<std::uint32_t> unread_; // sizes
};

class ServerParty final : public Party {
public:
    explicit ServerParty(World& world);
    bool recycle();
    rpch::RoleState states() const;

    bool admit(Port& port, const rpch::Rts& pdu) override;
    void receive(Port& port, const Message& message) override;
    void expire() override;
    bool silence(bool) override { return tell(role_, role_.proxy_may_wait()); }
    std::optional<rpch::RtsId> recognise(const Port& port, const rpch::Rts& pdu) const override;
    bool wants_to_send() const override;
    void produce() override;
    void consume() override;

private:
    bool admits(rpch::Leg leg, std::uint32_t size) override { return role_.admits(size, leg); }
    void sent(rpch::Leg leg, std::uint32_t size) override;
    void drained(rpch::Leg leg) override { role_.on_drained(leg); }
    void closed(rpch::Leg leg, rpch::Effects& effects) override { role_.on_closed(leg, effects); }
    void flows(rpch::Leg leg) override { stands_ = stands_ && leg != rpch::Leg::out && leg != rpch::Leg::client; }

    rpch::Server role_;
    mutable bool stands_ = false; ///< the application, until it is told to go on
    std::deque<std::uint32_t> unread_; // sizes
};

class InboundParty final : public Party {
public:
    InboundParty(World& world, std::size_t node);

    bool admit(Port& port, const rpch::Rts& pdu) override;
    bool reads(const Port& port) const override;
    void receive(Port& port, const Message& message) override;
    void expire() override;
    bool silence(bool) override { return tell(role_, role_.client_may_wait()); }
    std::optional<rpch::RtsId> recognise(const Port& port, const rpch::Rts& pdu) const override;

private:
    bool admits(rpch::Leg, std::uint32_t size) override { return role_.admits(size); }
    void sent(rpch::Leg, std::uint32_t size) override { role_.sent(size); }
    void consumed(std::uint32_t size) override;
    void closed(rpch::Leg leg, rpch::Effects& effects) override { role_.on_closed(leg, effects); }
    void connect(rpch::Leg) override;

    rpch::InboundProxy role_;
};

class OutboundParty final : public Party {
public:
    OutboundParty(World& world, std::size_t node);

    bool admit(Port& port, const rpch::Rts& pdu) override;
    void receive(Port& port, const Message& message) override;
    void expire() override;
    bool silence(bool rest) override;
    std::optional<rpch::RtsId> recognise(const Port& port, const rpch::Rts& pdu) const override;

private:
    bool admits(rpch::Leg leg, std::uint32_t size) override;
    void sent(rpch::Leg leg, std::uint32_t size) override { role_.sent(size, leg); }
    void consumed(std::uint32_t size) override;
    void drained(rpch::Leg leg) override;
    void closed(rpch::Leg leg, rpch::Effects& effects) override { role_.on_closed(leg, effects); }
    void connect(rpch::Leg) override;

    rpch::OutboundProxy role_;
};

} // namespace simulator
