#include "bench/backend.h"

#include "rpch/rts_table.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace bench {
namespace {

constexpr std::string_view banner = "ncacn_http/1.0";

} // namespace

/// What the two connections of a tunnel have in common.
class Backend::Session {
public:
    Session(const Common& common, std::unique_ptr<ServerEnd> end) : common_(common), end_(std::move(end)) {}

    Channel*& channel(rpch::Leg leg) { return leg == rpch::Leg::in ? in_ : out_; }
    bool complete() const { return in_ && out_; }
    const rpch::Cookie& cookie() const { return cookie_; }
    void set_cookie(const rpch::Cookie& cookie) { cookie_ = cookie; }

    void on_rts(rpch::Leg leg, const rpch::Rts& pdu)
    {
        rpch::Effects effects;
        end_->on_rts(leg, pdu, effects);
        run(effects);
    }

    void on_rpc(std::uint32_t size)
    {
        if (const char* const error = end_ ? end_->on_rpc(size) : nullptr)
            give_up(std::string("backend: ") + error);
    }

    void take(base::Bytes bytes)
    {
        if (!common_.pattern.matches(received_, bytes))
            give_up("wrong bytes arrived at the backend, offset " + std::to_string(received_));
        received_ += bytes.size();
        common_.counts.verified += bytes.size();
        if (common_.plan.work == Work::up)
            common_.counts.bytes += bytes.size();
    }

    /// `size` bytes of RPC PDUs were taken.
    void arrived(std::uint32_t size)
    {
        if (end_) {
            rpch::Effects effects;
            end_->on_consumed(size, effects);
            run(effects);
        }
        switch (common_.plan.work) {
        case Work::echo:
            wanted_ = received_;
            pump();
            break;
        case Work::down:
            if (wanted_ == 0 && received_ >= common_.plan.pdu) {
                wanted_ = stream_limit;
                pump();
            }
            break;
        case Work::up:
            common_.counts.exhausted |= received_ >= stream_limit - (4u << 20);
            if (wanted_ == 0 && received_ >= common_.plan.pdu) {
                wanted_ = common_.plan.pdu; // as a bind is answered: no client is sent an RTS PDU before
                pump();
            }
            break;
        case Work::idle:
        case Work::churn: break;
        }
    }

private:
    void pump()
    {
        if (!out_)
            return;
        const std::uint32_t pdu = common_.plan.pdu;
        if (!end_) {
            const std::uint64_t whole = (wanted_ - admitted_) / pdu * pdu;
            admitted_ += whole;
            out_->stream(whole);
        }
        while (end_ && wanted_ - admitted_ >= pdu && end_->admits(pdu)) {
            end_->sent(pdu);
            admitted_ += pdu;
            out_->stream(pdu);
        }
        out_->flush();
    }

    void run(const rpch::Effects& effects)
    {
        for (const rpch::Effect& effect : effects) {
            switch (effect.kind) {
            case rpch::Effect::Kind::send:
                if (Channel* const receiver = channel(effect.leg)) {
                    receiver->control(effect.pdu);
                    receiver->flush();
                }
                break;
            case rpch::Effect::Kind::flow: pump(); break;
            case rpch::Effect::Kind::close: give_up(std::string("backend: ") + effect.reason);
            case rpch::Effect::Kind::opened:
            case rpch::Effect::Kind::connect_server:
            case rpch::Effect::Kind::respond:
            case rpch::Effect::Kind::keep_alive: break;
            }
        }
    }

    const Common& common_;
    const std::unique_ptr<ServerEnd> end_; // none without protocol
    rpch::Cookie cookie_{};
    Channel* in_ = nullptr;
    Channel* out_ = nullptr;
    std::uint64_t received_ = 0;
    std::uint64_t wanted_ = 0;   // bytes to send
    std::uint64_t admitted_ = 0; // of these given to out_
};

/// One accepted connection.
class Backend::Connection final : private Channel::Owner {
public:
    explicit Connection(Backend& backend)
        : backend_(backend), channel_(backend.common_.loop, backend.common_.pattern, *this)
    {
    }

    void start(base::UniqueFd socket)
    {
        if (!backend_.paired_) {
            session_ = std::make_shared<Session>(backend_.common_, nullptr);
            session_->channel(rpch::Leg::in) = session_->channel(rpch::Leg::out) = &channel_;
        }
        channel_.accept(std::move(socket));
        if (backend_.paired_ && backend_.common_.plan.relay == Relay::rpch) {
            channel_.control({reinterpret_cast<const std::uint8_t*>(banner.data()), banner.size()});
            channel_.flush();
        }
    }

    std::shared_ptr<Session>& session() { return session_; }
    rpch::Leg leg() const { return leg_; }
    std::list<Connection>::iterator self;

private:
    void channel_ready(Channel&) override {}
    void channel_closed(Channel&, const std::string& reason) override { backend_.gone(*this, reason); }

    void channel_bytes(Channel&, base::Bytes bytes) override
    {
        if (backend_.paired_)
            return take_pdus(bytes);
        session_->take(bytes);
        session_->arrived(static_cast<std::uint32_t>(bytes.size()));
    }

    void take_pdus(base::Bytes bytes)
    {
        std::uint32_t consumed = 0;
        for (;;) {
            const rpch::Framer::Piece piece = framer_.next(bytes);
            switch (piece.kind) {
            case rpch::Framer::Kind::more:
                if (consumed > 0)
                    session_->arrived(consumed);
                return;
            case rpch::Framer::Kind::rpc:
                if (!session_)
                    give_up("backend: a connection begins with an RPC PDU");
                if (piece.first)
                    session_->on_rpc(piece.frag_length);
                session_->take(piece.bytes);
                consumed += static_cast<std::uint32_t>(piece.bytes.size());
                break;
            case rpch::Framer::Kind::rts: {
                rpch::Rts pdu;
                if (const rpch::DecodeResult result = rpch::decode(piece.bytes, pdu); !result.ok())
                    give_up(std::string("backend: ") + result.error);
                if (!session_)
                    join(pdu);
                session_->on_rts(leg_, pdu);
                break;
            }
            case rpch::Framer::Kind::bad: give_up(std::string("backend: ") + piece.error);
            }
        }
    }

    /// The first PDU: whose is this connection?
    void join(const rpch::Rts& pdu)
    {
        using rpch::RtsId;
        if (pdu.is(RtsId::conn_a1) || pdu.is(RtsId::conn_a2))
            leg_ = rpch::Leg::out;
        else if (pdu.is(RtsId::conn_b1) || pdu.is(RtsId::conn_b2))
            leg_ = rpch::Leg::in;
        else
            give_up("backend: a connection begins with " + rpch::describe(pdu));
        const rpch::Cookie cookie = pdu.commands()[1].cookie;
        std::shared_ptr<Session>& waiting = backend_.sessions_[cookie];
        if (!waiting) {
            std::unique_ptr<ServerEnd> end;
            if (backend_.common_.plan.relay == Relay::rpch)
                end = std::make_unique<RpchServerEnd>();
            else
                end = std::make_unique<PairServerEnd>();
            waiting = std::make_shared<Session>(backend_.common_, std::move(end));
            waiting->set_cookie(cookie);
        }
        session_ = waiting;
        if (session_->channel(leg_))
            give_up("backend: two connections of a kind for one tunnel");
        session_->channel(leg_) = &channel_;
        if (session_->complete())
            backend_.sessions_.erase(cookie);
    }

    Backend& backend_;
    Channel channel_;
    rpch::Framer framer_;
    std::shared_ptr<Session> session_;
    rpch::Leg leg_ = rpch::Leg::in;
};

Backend::Backend(const Common& common)
    : common_(common), paired_(common.plan.relay == Relay::pair || (common.plan.relay == Relay::rpch && common.plan.hop == Hop::http)),
      listener_(common.loop, common.plan.listen, net::Listener::Callback::of<&Backend::on_accepted>(this))
{
}

Backend::~Backend() = default;

void Backend::on_accepted(base::UniqueFd&& socket, const net::Address&)
{
    connections_.emplace_front(*this);
    Connection& connection = connections_.front();
    connection.self = connections_.begin();
    connection.start(std::move(socket));
}

void Backend::gone(Connection& connection, const std::string& reason)
{
    if (!closing_)
        give_up("a connection of the backend: " + reason);
    const std::shared_ptr<Session> session = std::move(connection.session());
    if (session) {
        if (!session->complete()) // the half that came alone, or the second half to go
            sessions_.erase(session->cookie());
        session->channel(connection.leg()) = nullptr;
        if (!paired_ || session.use_count() == 1)
            common_.host.session_ended();
    }
    common_.loop.defer([this, self = connection.self] { connections_.erase(self); });
}

} // namespace bench
