#include "daemon/caretaker.h"

#include "net/ask.h"

#include <algorithm>
#include <utility>

namespace rpctunneld {

Caretaker::Caretaker(net::Loop& loop, directory::Directory& directory, Listener listener)
    : loop_(loop), directory_(directory), listener_(std::move(listener)),
      timer_(loop, net::Timer::Callback::of<&Caretaker::on_time>(this)),
      lane_({.resource = base::Resource::directory, .threads = 1, .waiting = 1})
{
}

void Caretaker::begin(net::Millis rebuild_interval)
{
    rebuild_interval_ = rebuild_interval;
    note(look(directory_, {.rebuild = true}));
}

void Caretaker::renew(net::Millis rebuild_interval, std::function<void()> done)
{
    rebuild_interval_ = rebuild_interval;
    asking_.push_back(std::move(done));
    if (!round_)
        begin_round({.rebuild = true, .refresh = true});
}

void Caretaker::end()
{
    timer_.cancel();
    round_.cancel();
    asking_.clear();
    served_.clear();
}

void Caretaker::plan()
{
    net::Millis wait = watch_interval;
    for (const std::optional<net::Millis>& due : {rebuild_at_, refresh_at_})
        if (due)
            wait = std::min(wait, *due - loop_.now());
    timer_.set(wait);
}

void Caretaker::on_time()
{
    const auto due = [&](const std::optional<net::Millis>& at) { return at && *at <= loop_.now(); };
    if (!round_)
        begin_round({.rebuild = due(rebuild_at_), .refresh = due(refresh_at_)});
}

void Caretaker::begin_round(Work work)
{
    timer_.cancel();
    served_ = std::exchange(asking_, {});
    net::ask(lane_, "the watch of the directory", loop_, round_, [&directory = directory_, work] { return look(directory, work); },
             [this](const std::optional<Findings>& found) { on_found(found); });
}

Caretaker::Findings Caretaker::look(directory::Directory& directory, Work work)
{
    Findings found;
    if (work.rebuild)
        found.rebuilt = directory.valid_ports.rebuild();
    found.changed = directory.watch.changed();
    if (found.changed || work.refresh)
        found.refreshed = directory.valid_ports.refresh();
    return found;
}

void Caretaker::on_found(const std::optional<Findings>& found)
{
    if (found) {
        note(*found);
        if (found->refreshed)
            listener_(found->changed ? News::changed : News::asked);
    }
    for (const std::function<void()>& done : std::exchange(served_, {}))
        done();
    if (!asking_.empty())
        return begin_round({.rebuild = true, .refresh = true});
    plan();
}

/// When what has failed is tried again, and what is repeated anyway.
void Caretaker::note(const Findings& found)
{
    if (found.rebuilt && found.rebuilt->kind == directory::Rebuild::Kind::failed) {
        rebuild_at_ = loop_.now() + rebuild_retry_.failed(found.rebuilt->error);
    } else if (found.rebuilt) {
        rebuild_retry_.done();
        rebuild_at_.reset();
        if (rebuild_interval_ != net::Millis(0))
            rebuild_at_ = loop_.now() + rebuild_interval_;
    }
    if (found.refreshed && !found.refreshed->empty()) {
        refresh_at_ = loop_.now() + refresh_retry_.failed(*found.refreshed);
    } else if (found.refreshed) {
        refresh_retry_.done();
        refresh_at_.reset();
    }
}

} // namespace rpctunneld
