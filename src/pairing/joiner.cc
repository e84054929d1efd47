#include "pairing/joiner.h"

#include "leg/banner.h"
#include "leg/first_pdu.h"
#include "net/proxy_header.h"

#include <utility>

namespace pairing {

Joiner::Joiner(net::Loop& loop, Host& host, base::UniqueFd socket, const net::Address& peer, const std::string& target)
    : host_(host), node_(target.empty()), prelude_(loop, *this, "the proxy", joining_.stream, joining_.early)
{
    joining_.stream = net::Stream(std::move(socket));
    joining_.peer = peer;
    joining_.party.target = target;
}

void Joiner::start(const leg::Nodes& nodes, net::Millis patience)
{
    if (node_ && !nodes.trusts(joining_.peer))
        return end("the peer is none of pairing_nodes");
    prelude_.start(leg::Banner::text, "the banner", patience, net::Loop::Turn::door);
}

bool Joiner::prelude_grew()
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
    prelude_.done();
    joining_.first_pdu = first.pdu;
    joining_.virtual_connection = first.virtual_connection;
    joining_.early.erase(joining_.early.begin(), joining_.early.begin() + static_cast<std::ptrdiff_t>(first.size));
    host_.joiner_ready(*this, std::move(joining_));
    return true;
}

} // namespace pairing
