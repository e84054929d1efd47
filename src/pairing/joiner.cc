#include "pairing/joiner.h"

#include "leg/banner.h"
#include "leg/failure.h"
#include "leg/first_pdu.h"
#include "net/proxy_header.h"

#include <array>
#include <utility>

namespace pairing {
namespace {

/// Enough for a header and a first PDU of the usual sizes; what follows them is not needed here.
constexpr std::size_t read_size = 512;

} // namespace

Joiner::Joiner(net::Loop& loop, Host& host, base::UniqueFd socket, const net::Address& peer, const std::string& target)
    : host_(host), node_(target.empty()), watch_(loop, net::Watch::Callback::of<&Joiner::on_events>(this)),
      limit_(loop, net::Timer::Callback::of<&Joiner::on_timeout>(this))
{
    joining_.stream = net::Stream(std::move(socket));
    joining_.peer = peer;
    joining_.party.target = target;
}

void Joiner::start(const leg::Nodes& nodes, net::Millis patience)
{
    if (node_ && !nodes.trusts(joining_.peer))
        return end("the peer is none of pairing_nodes");
    const net::IoResult result = joining_.stream.write(leg::Banner::bytes());
    if (!result.ok() || result.size != leg::Banner::bytes().size())
        return end("the peer does not take the banner");
    limit_.set(patience);
    if (!watch_.add(joining_.stream.fd(), net::Watch::all_events, net::Loop::Turn::door))
        return end(leg::no_watch().reason);
    on_events(EPOLLIN);
}

void Joiner::on_events(std::uint32_t)
{
    while (!done_) {
        std::array<std::uint8_t, read_size> piece;
        const net::IoResult result = joining_.stream.read(piece);
        switch (result.kind) {
        case net::IoResult::Kind::ok: break;
        case net::IoResult::Kind::again: return;
        case net::IoResult::Kind::eof: return end("closed by the proxy before its first PDU");
        case net::IoResult::Kind::error: return end("before the first PDU: " + joining_.stream.error_text(result));
        }
        joining_.early.insert(joining_.early.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(result.size));
        if (take_first_words())
            return;
    }
}

void Joiner::on_timeout()
{
    end("no first PDU within the time limit");
}

/// True when the matter is decided, for better or worse.
bool Joiner::take_first_words()
{
    const auto refuse = [&](const std::string& reason) {
        end(reason);
        return true;
    };
    base::Bytes bytes = joining_.early;
    if (node_ && !introduced_) {
        net::ProxyHeader header;
        switch (header.decode(bytes)) {
        case net::ProxyHeader::Result::partial: return false;
        case net::ProxyHeader::Result::absent: return refuse("the node sent no PROXY header, so it names no target");
        case net::ProxyHeader::Result::bad: return refuse("malformed PROXY header");
        case net::ProxyHeader::Result::taken: break;
        }
        introduced_ = true;
        joining_.client = header.source;
        joining_.party = {header.user, header.authority};
        joining_.early.erase(joining_.early.begin(), joining_.early.end() - static_cast<std::ptrdiff_t>(bytes.size()));
    }
    leg::FirstPdu first = leg::read_first_pdu(joining_.early);
    switch (first.kind) {
    case leg::FirstPdu::Kind::partial: return false;
    case leg::FirstPdu::Kind::rpc:
        if (node_)
            return refuse("the first PDU is no RTS PDU");
        joining_.version_1 = true;
        break;
    case leg::FirstPdu::Kind::bad: return refuse(first.error);
    case leg::FirstPdu::Kind::rts: break;
    }
    done_ = true;
    watch_.remove();
    limit_.cancel();
    joining_.first_pdu = first.pdu;
    joining_.virtual_connection = first.virtual_connection;
    joining_.early.erase(joining_.early.begin(), joining_.early.begin() + static_cast<std::ptrdiff_t>(first.size));
    host_.joiner_ready(*this, std::move(joining_));
    return true;
}

void Joiner::end(const std::string& reason)
{
    if (done_)
        return;
    done_ = true;
    watch_.remove();
    limit_.cancel();
    host_.joiner_failed(*this, reason);
}

} // namespace pairing
