#pragma once

#include "directory/decision.h"

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>
#include <utility>

namespace leg {

/// For whom a virtual connection is. All its channels say the same, or they have no part in it.
struct Party {
    std::string principal; ///< canonical name; empty when the proxy is not one of ours
    std::string target;    ///< `server:port` exactly as it was checked

    bool operator==(const Party&) const = default;
};

/// What a client was granted: to reach its target by a route.
struct Grant {
    Party party;
    bool mailbox = false; ///< the target is GUID@domain:port
    directory::Route route;

    bool operator==(const Grant&) const = default;

    /// By a judgement that allows it.
    static Grant of(Party party, const directory::Decision& decision)
    {
        return {std::move(party), decision.target.mailbox.has_value(), decision.route};
    }
};

/// The grants of one shard. Many tunnels of one user lead to one server, and each has three parts that must know it:
/// all of them share one record. One thread.
class Grants {
public:
    using Shared = std::shared_ptr<const Grant>;

    Shared share(Grant grant);
    std::size_t size() const noexcept { return table_.size(); }

    /// Records that nobody uses any more are kept until there are so many records; then until their number has doubled.
    static constexpr std::size_t least_limit = 64;

private:
    struct Hash {
        std::size_t operator()(const Shared& grant) const noexcept;
    };
    struct Equal {
        bool operator()(const Shared& one, const Shared& other) const noexcept { return *one == *other; }
    };

    std::unordered_set<Shared, Hash, Equal> table_;
    std::size_t limit_ = least_limit;
};

} // namespace leg
