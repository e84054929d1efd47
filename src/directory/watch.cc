#include "directory/watch.h"

#include "base/log.h"
#include "directory/judge.h"

#include <exception>
#include <utility>

namespace directory {

Watch::Watch(Connections& readers)
    : readers_(readers), own_(readers, Connections::Observer::AtALock::wait)
{
    readers_.empty_log();
    seen_ = own_.look();
}

bool Watch::changed() noexcept
{
    const std::lock_guard lock(mutex_);
    bool moved = false;
    try {
        if (readers_.follow() == Connections::Followed::another_file && !told_)
            base::log::notice("directory", {{"result", "the file was replaced and is read anew"}, {"file", readers_.path()}});
        moved = own_.look() != seen_;
        if (moved) {
            readers_.empty_log();
            seen_ = own_.look(); // the one and the other, and what was committed meanwhile
            ++generation_;
        }
        if (moved || !usable_)
            Judge::ask_about_nobody(*readers_.take());
        usable_ = true;
        if (std::exchange(told_, false))
            base::log::notice("directory", {{"result", "can be read again"}});
    } catch (const std::exception& error) {
        usable_ = false;
        if (std::exchange(told_, true))
            return moved;
        ++generation_; // what was said before may hold no longer
        base::log::error("directory", {{"result", "cannot be read"}, {"reason", error.what()}});
    }
    return moved;
}

} // namespace directory
