#pragma once

#include "net/address.h"
#include "rpch/cookie.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace leg {

/// The nodes that share the work, `pairing_nodes` of the configuration, each by the address of its
/// pairing_listen. For a plain DCE/RPC service the two channels of a virtual connection must meet in one
/// process; every node finds the same one, without a word between them.
///
/// Rendezvous hashing: each node has a score for the cookie of the virtual connection, and the highest one
/// pairs. When a node goes or comes, only the virtual connections for which it is the first change
/// their place. Immutable; any thread.
class Nodes {
public:
    Nodes() = default;
    /// `own` is the index of this node in `nodes`.
    Nodes(std::vector<net::Address> nodes, std::size_t own);

    /// Without other nodes everything is paired here.
    bool alone() const noexcept { return nodes_.size() < 2; }
    /// The nodes, by index, the first choice first. The same on every node that knows the same addresses, in
    /// whatever order.
    std::vector<std::size_t> rank(const rpch::Cookie& virtual_connection) const;
    const net::Address& at(std::size_t node) const noexcept { return nodes_[node]; }
    std::size_t own() const noexcept { return own_; }
    /// Whether one of the nodes has this host: only they are believed what they say about a client.
    bool trusts(const net::Address& peer) const noexcept;

private:
    std::vector<net::Address> nodes_;
    std::vector<std::uint64_t> seeds_; // hash of each node's text
    std::size_t own_ = 0;
};

} // namespace leg
