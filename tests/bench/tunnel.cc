#include "bench/tunnel.h"

#include "rpch/rts.h"

#include <time.h>

namespace bench {
namespace {

constexpr std::size_t head_limit = 4096;

std::string request_head(const Plan& plan, bool in)
{
    return std::string(in ? "RPC_IN_DATA" : "RPC_OUT_DATA") + " /rpc/rpcproxy.dll?" + plan.target +
           " HTTP/1.1\r\n"
           "Cache-Control: no-cache\r\nConnection: Keep-Alive\r\nPragma: no-cache\r\nAccept: application/rpc\r\n"
           "User-Agent: MSRPC\r\nHost: bench.example\r\nContent-Length: " +
           (in ? "1073741824" : "76") + "\r\nAuthorization: " + plan.authorization + "\r\n\r\n";
}

base::Bytes bytes_of(const std::string& text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

} // namespace

std::uint64_t now_ns() noexcept
{
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

Tunnel::Tunnel(const Common& common, const net::Address& from)
    : common_(common), from_(from), in_(common.loop, common.pattern, *this), out_(common.loop, common.pattern, *this),
      role_({.receive_window = common.plan.window}, rpch::Client::Cookies::random())
{
}

void Tunnel::open()
{
    in_.connect(common_.plan.connect, from_, common_.tls);
    if (common_.plan.relay != Relay::single)
        out_.connect(common_.plan.connect, from_, common_.tls);
}

void Tunnel::close()
{
    in_.close();
    out_.close();
}

void Tunnel::channel_ready(Channel& channel)
{
    if (common_.plan.relay == Relay::single)
        return common_.host.tunnel_opened(*this);
    const bool in = &channel == &in_;
    rpch::Effects effects;
    if (common_.plan.relay == Relay::rpch)
        channel.control(bytes_of(request_head(common_.plan, in)));
    if (in)
        role_.on_in_request(effects);
    else
        role_.on_out_request(effects);
    run(effects);
    if (!in && common_.plan.relay == Relay::pair) {
        responded_ = true;
        rpch::Effects none;
        role_.on_success_response(none);
    }
}

void Tunnel::channel_closed(Channel& channel, const std::string& reason)
{
    give_up(std::string(&channel == &in_ ? "IN" : "OUT") + " channel of the client: " + reason);
}

void Tunnel::channel_bytes(Channel& channel, base::Bytes bytes)
{
    if (common_.plan.relay == Relay::single) {
        take_pattern(bytes);
        return arrived();
    }
    if (&channel == &in_)
        give_up("an answer on the IN channel: " + std::string(bytes.begin(), bytes.end()).substr(0, 80));
    if (responded_ || take_head(bytes))
        take_pdus(bytes);
}

/// The head of the OUT response; true when it is complete.
bool Tunnel::take_head(base::Bytes& bytes)
{
    const std::size_t before = head_.size();
    head_.append(bytes.begin(), bytes.end());
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (head_.size() > head_limit)
            give_up("no end of the OUT response's head");
        return false;
    }
    if (!head_.starts_with("HTTP/1.1 200 "))
        give_up("the OUT request was answered with " + head_.substr(0, head_.find('\r')));
    bytes = bytes.subspan(end + 4 - before);
    head_.clear();
    head_.shrink_to_fit();
    responded_ = true;
    rpch::Effects none;
    role_.on_success_response(none);
    return true;
}

void Tunnel::take_pdus(base::Bytes bytes)
{
    std::uint32_t consumed = 0;
    while (out_.open()) {
        const rpch::Framer::Piece piece = framer_.next(bytes);
        switch (piece.kind) {
        case rpch::Framer::Kind::more: {
            if (consumed == 0)
                return;
            rpch::Effects effects;
            role_.on_consumed(consumed, effects);
            run(effects);
            return arrived();
        }
        case rpch::Framer::Kind::rpc:
            if (piece.first)
                if (const char* const error = role_.on_out_rpc(piece.frag_length))
                    give_up(error);
            take_pattern(piece.bytes);
            consumed += static_cast<std::uint32_t>(piece.bytes.size());
            break;
        case rpch::Framer::Kind::rts: {
            rpch::Rts pdu;
            if (const rpch::DecodeResult result = rpch::decode(piece.bytes, pdu); !result.ok())
                give_up(result.error);
            rpch::Effects effects;
            role_.on_out_rts(pdu, effects);
            run(effects);
            break;
        }
        case rpch::Framer::Kind::bad: give_up(std::string("OUT channel: ") + piece.error);
        }
    }
}

void Tunnel::take_pattern(base::Bytes bytes)
{
    if (!common_.pattern.matches(received_, bytes))
        give_up("wrong bytes arrived at the client, offset " + std::to_string(received_));
    received_ += bytes.size();
    common_.counts.verified += bytes.size();
    if (common_.plan.work == Work::down)
        common_.counts.bytes += bytes.size();
}

/// All that one read brought was taken.
void Tunnel::arrived()
{
    Counts& counts = common_.counts;
    if (common_.plan.work != Work::echo) {
        counts.exhausted |= received_ >= stream_limit - (4u << 20);
        return;
    }
    if (received_ < wanted_)
        return;
    if (received_ > wanted_)
        give_up("more came back than was sent");
    counts.bytes += common_.plan.pdu;
    ++counts.messages;
    const std::uint64_t now = now_ns();
    if (counts.recording)
        counts.latencies.push_back(static_cast<std::uint32_t>(now - asked_at_));
    if (wanted_ + common_.plan.pdu > stream_limit) {
        counts.exhausted = true;
        return;
    }
    asked_at_ = now;
    wanted_ += common_.plan.pdu;
    pump();
}

void Tunnel::start()
{
    started_ = true;
    asked_at_ = now_ns();
    switch (common_.plan.work) {
    case Work::echo:
    case Work::down: wanted_ = common_.plan.pdu; break;
    case Work::up: wanted_ = stream_limit; break;
    case Work::idle:
    case Work::churn: return;
    }
    pump();
}

bool Tunnel::admits(std::uint32_t size) const
{
    return common_.plan.relay == Relay::single || (role_.admits(size) && role_.lifetime_admits(size + 4096));
}

void Tunnel::pump()
{
    const std::uint32_t pdu = common_.plan.pdu;
    if (common_.plan.relay == Relay::single) {
        in_.stream(wanted_ - admitted_);
        admitted_ = wanted_;
    }
    while (wanted_ - admitted_ >= pdu && admits(pdu)) {
        role_.sent(pdu);
        in_.stream(pdu);
        admitted_ += pdu;
    }
    in_.flush();
}

void Tunnel::run(const rpch::Effects& effects)
{
    for (const rpch::Effect& effect : effects) {
        switch (effect.kind) {
        case rpch::Effect::Kind::send: {
            Channel& channel = effect.leg == rpch::Leg::in ? in_ : out_;
            channel.control(effect.pdu);
            channel.flush();
            break;
        }
        case rpch::Effect::Kind::flow:
            if (started_)
                pump();
            break;
        case rpch::Effect::Kind::opened: common_.host.tunnel_opened(*this); break;
        case rpch::Effect::Kind::close: give_up(effect.reason);
        case rpch::Effect::Kind::connect_server:
        case rpch::Effect::Kind::respond:
        case rpch::Effect::Kind::keep_alive: break;
        }
    }
}

} // namespace bench
