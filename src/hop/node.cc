#include "hop/node.h"

#include "base/log.h"
#include "net/proxy_header.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace hop {

Node::Node(const leg::Environment& environment, pairing::VirtualServer::Finder& finder, leg::Side side, const leg::Visitor& visitor,
                 bool joins, Hop::User& user)
    : environment_(environment), finder_(finder), side_(side), joins_(joins), visitor_(visitor), user_(&user)
{
}

Node::~Node()
{
    close();
}

void Node::serve(Hop::User& user)
{
    user_ = &user;
    if (!trial_)
        inner_->serve(user);
}

void Node::connect()
{
    rank_ = environment_.nodes.rank(visitor_.virtual_connection);
    std::reverse(rank_.begin(), rank_.end());
    try_next();
}

void Node::try_next()
{
    if (rank_.empty())
        return connected_ ? user_->hop_closed(failures_) : user_->hop_failed({rpc_error_, failures_});
    node_ = rank_.back();
    rank_.pop_back();
    const leg::Nodes& nodes = environment_.nodes;
    if (node_ != nodes.own()) {
        connector_ = std::make_unique<net::Connector>(environment_.loop, environment_.resolver);
        connector_->bind_to(nodes.at(nodes.own()));
        return connector_->start(nodes.at(node_).text(), {nodes.at(node_)}, node_patience,
                                 net::Connector::Callback::of<&Node::on_connected>(this));
    }
    if (joins_ && !finder_.find_virtual_server(visitor_, false))
        return pass_over({.reason = "the virtual connection is not on this node"});
    if (!joins_)
        rank_.clear(); // what fails here does not fail for want of a node
    inner_ = std::make_shared<Local>(finder_, side_, visitor_, joins_, static_cast<Hop::User&>(*this));
    inner_->connect();
}

void Node::on_connected(net::ConnectResult result)
{
    connector_.reset();
    if (!result.ok())
        return pass_over({leg::rpc_error_of(result.cause), "node " + result.error});
    net::ProxyHeader header;
    header.source = visitor_.peer;
    header.destination = environment_.nodes.at(environment_.nodes.own());
    header.authority = visitor_.party().target;
    header.user = visitor_.party().principal;
    const auto hop = std::make_shared<NcacnHttp>(environment_, side_, visitor_, static_cast<Hop::User&>(*this));
    inner_ = hop;
    hop->adopt(std::move(result.fd), environment_.nodes.at(node_), header.encode(), node_patience);
}

void Node::hop_connected()
{
    if (!joins_)
        settle();
    if (!std::exchange(connected_, true))
        return user_->hop_connected();
    if (first_) {
        inner_->send_rts(*first_);
        inner_->flush();
    }
}

/// The node has answered: from now on the hop to it and the channel need nobody between them.
void Node::settle()
{
    trial_ = false;
    first_.reset();
    rank_.clear();
    inner_->serve(*user_);
}

void Node::hop_rts(const rpch::Rts& pdu)
{
    settle();
    user_->hop_rts(pdu);
}

void Node::hop_rpc(const rpch::Framer::Piece& piece)
{
    settle();
    user_->hop_rpc(piece);
}

void Node::hop_closed(const std::string& reason)
{
    pass_over({.reason = reason});
}

void Node::pass_over(const leg::Failure& failure)
{
    rpc_error_ = failure.rpc_error;
    failures_ += (failures_.empty() ? "" : "; ") + failure.reason;
    base::log::info("node-passed-over", {{"vc", visitor_.virtual_connection.prefix()},
                                         {"node", environment_.nodes.at(node_).text()}, {"reason", failure.reason}});
    bury_inner();
    if (!closed_)
        try_next();
}

/// It may be on the stack.
void Node::bury_inner()
{
    if (!inner_)
        return;
    inner_->close();
    environment_.loop.defer([last = std::move(inner_)] {});
}

void Node::send_rts(base::Bytes pdu)
{
    if (trial_ && !first_) {
        assert(pdu.size() <= rpch::RtsBytes::capacity);
        first_ = std::make_unique<rpch::RtsBytes>();
        std::copy(pdu.begin(), pdu.end(), first_->buffer.begin());
        first_->size = static_cast<std::uint8_t>(pdu.size());
    }
    if (inner_)
        inner_->send_rts(pdu);
}

void Node::put_rpc(const rpch::Framer::Piece& piece)
{
    if (inner_)
        inner_->put_rpc(piece);
}

void Node::send_last(base::Bytes pdu)
{
    if (inner_)
        inner_->send_last(pdu);
}

void Node::flush()
{
    if (inner_)
        inner_->flush();
}

void Node::resume()
{
    if (inner_)
        inner_->resume();
}

void Node::keep_alive(std::uint32_t ms)
{
    if (inner_)
        inner_->keep_alive(ms);
}

void Node::close()
{
    closed_ = true;
    connector_.reset();
    if (inner_)
        inner_->close();
}

} // namespace hop
