#include "leg/nodes.h"

#include <algorithm>
#include <numeric>
#include <string>

namespace leg {
namespace {

/// FNV-1a. The same on every machine; a client that chooses its cookie chooses its node, which gains it
/// nothing.
std::uint64_t fnv(std::uint64_t hash, const auto& bytes) noexcept
{
    for (const auto byte : bytes)
        hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3;
    return hash;
}

/// Spreads what FNV leaves in the low bits over all of them.
std::uint64_t finish(std::uint64_t hash) noexcept
{
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
    return hash ^ hash >> 31;
}

} // namespace

Nodes::Nodes(std::vector<net::Address> nodes, std::size_t own) : nodes_(std::move(nodes)), own_(own)
{
    for (const net::Address& node : nodes_)
        seeds_.push_back(fnv(0xcbf29ce484222325, node.text()));
}

std::vector<std::size_t> Nodes::rank(const rpch::Cookie& virtual_connection) const
{
    std::vector<std::uint64_t> scores;
    for (const std::uint64_t seed : seeds_)
        scores.push_back(finish(fnv(seed, virtual_connection.bytes)));
    std::vector<std::size_t> order(nodes_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    return order;
}

bool Nodes::trusts(const net::Address& peer) const noexcept
{
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const net::Address& node) {
        return std::equal(node.bytes().begin(), node.bytes().end(), peer.bytes().begin(), peer.bytes().end());
    });
}

} // namespace leg
