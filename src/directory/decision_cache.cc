#include "directory/decision_cache.h"

#include <exception>
#include <utility>

namespace directory {

DecisionCache::DecisionCache(Directory& directory)
    : judge_(directory.judge), observer_(directory.readers, Connections::Observer::AtALock::fail)
{
}

void DecisionCache::forget() noexcept
{
    ++stamp_;
    young_.clear();
    old_.clear();
}

DecisionCache::Stamp DecisionCache::look() noexcept
{
    const bool known = std::exchange(known_, false);
    try {
        const std::uint64_t generation = judge_.generation();
        const Connections::Observer::View view = observer_.look();
        if (!known || view != view_ || generation != generation_)
            forget();
        view_ = view;
        generation_ = generation;
        known_ = true;
    } catch (const std::exception&) { // locked as a whole, or no database any more; who asks gets the reason
        forget();
    }
    return stamp_;
}

std::shared_ptr<const Decision> DecisionCache::find(std::string_view target)
{
    if (const auto found = young_.find(target); found != young_.end())
        return found->second;
    const auto found = old_.find(target);
    if (found == old_.end())
        return nullptr;
    const std::shared_ptr<const Decision> decision = found->second;
    store(decision, stamp_);
    return decision;
}

void DecisionCache::store(const std::shared_ptr<const Decision>& decision, Stamp asked_at)
{
    if (!known_ || asked_at != stamp_ || !decision || !decision->allowed())
        return;
    if (young_.size() >= limit) {
        old_ = std::move(young_);
        young_ = {};
    }
    young_.insert_or_assign(decision->target.text, decision);
}

} // namespace directory
