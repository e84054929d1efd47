#pragma once

#include "directory/policy.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace directory {

/// Permissions that are still good, so that a request need not wait for a worker and the database. What is not
/// allowed is judged anew each time, so nobody fills the cache with names. One thread.
class DecisionCache {
public:
    static constexpr std::size_t limit = 1024;

    explicit DecisionCache(const Policy& policy) noexcept : policy_(policy) {}

    /// The decision on the target, word for word; null when it is not here or may not hold any more.
    const Decision* find(std::string_view target);
    /// `generation`: Policy::generation() from before the decision was asked for. Others than permissions are not kept.
    void store(const Decision& decision, std::uint64_t generation);

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };

    void forget_the_old();

    const Policy& policy_;
    std::uint64_t generation_ = 0;
    std::unordered_map<std::string, Decision, Hash, std::equal_to<>> decisions_;
};

} // namespace directory
