#include "directory/watch.h"

#include "base/log.h"
#include "directory/judge.h"

#include <exception>
#include <utility>

namespace directory {

Watch::Watch(Connections& readers)
    : readers_(readers), own_(std::make_unique<Database>(readers.path(), Database::Mode::read)),
      seen_version_(own_->data_version())
{
}

bool Watch::changed() noexcept
{
    const std::lock_guard lock(mutex_);
    bool moved = false;
    try {
        const std::int64_t version = own_->data_version();
        moved = std::exchange(seen_version_, version) != version;
        if (moved)
            ++generation_;
        if (moved || !usable_)
            Judge::ask_about_nobody(*readers_.take());
        usable_ = true;
        if (std::exchange(told_, false))
            base::log::notice("directory", {{"result", "can be read again"}});
    } catch (const std::exception& error) {
        usable_ = false;
        if (!std::exchange(told_, true))
            base::log::error("directory", {{"result", "cannot be read"}, {"reason", error.what()}});
    }
    return moved;
}

} // namespace directory
