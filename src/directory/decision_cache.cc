#include "directory/decision_cache.h"

namespace directory {

void DecisionCache::forget_the_old()
{
    const std::uint64_t now = policy_.generation();
    if (now != generation_)
        decisions_.clear();
    generation_ = now;
}

const Decision* DecisionCache::find(std::string_view target)
{
    forget_the_old();
    const auto found = decisions_.find(target);
    return found == decisions_.end() ? nullptr : &found->second;
}

void DecisionCache::store(const Decision& decision, std::uint64_t generation)
{
    forget_the_old();
    if (!decision.allowed() || generation != generation_)
        return;
    if (decisions_.size() >= limit)
        decisions_.clear();
    decisions_.insert_or_assign(decision.target.text, decision);
}

} // namespace directory
