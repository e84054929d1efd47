#include "leg/grant.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace leg {

std::size_t Grants::Hash::operator()(const Shared& grant) const noexcept
{
    const std::hash<std::string> hash;
    return (hash(grant->party.principal) * 31 + hash(grant->party.target)) * 31 + hash(grant->route.host);
}

Grants::Shared Grants::share(Grant grant)
{
    if (table_.size() >= limit_) {
        std::erase_if(table_, [](const Shared& one) { return one.use_count() == 1; });
        limit_ = std::max(least_limit, 2 * table_.size());
    }
    return *table_.insert(std::make_shared<const Grant>(std::move(grant))).first;
}

} // namespace leg
