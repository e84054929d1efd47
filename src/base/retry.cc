#include "base/retry.h"

#include "base/log.h"

#include <algorithm>

namespace base {

Retry::Millis Retry::failed(std::string_view reason) noexcept
{
    wait_ = failures_ == 0 ? shortest : std::min(2 * wait_, longest);
    if (failures_++ == 0)
        log::error(event_, {{"result", consequence_}, {"reason", reason}});
    return wait_;
}

void Retry::done() noexcept
{
    if (failures_ != 0)
        log::notice(event_, {{"result", success_}, {"failures", failures_}});
    failures_ = 0;
}

} // namespace base
