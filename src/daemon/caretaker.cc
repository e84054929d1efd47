#include "daemon/caretaker.h"

#include "net/ask.h"

#include <algorithm>
#include <utility>

namespace rpctunneld {

Caretaker::Caretaker(net::Loop& loop, directory::Directory& directory, Listener listener)
    : loop_(loop), directory_(directory), listener_(std::move(listener)),
      look_timer_(loop, net::Timer::Callback::of<&Caretaker::begin_look>(this)),
      rebuild_timer_(loop, net::Timer::Callback::of<&Caretaker::begin_rebuild>(this)),
      lane_({.resource = base::Resource::directory, .threads = 2, .waiting = 2})
{
}

void Caretaker::begin(net::Millis rebuild_interval)
{
    rebuild_interval_ = rebuild_interval;
    note(directory_.valid_ports.rebuild());
    note(look(directory_, false));
}

void Caretaker::renew(net::Millis rebuild_interval, Done done)
{
    rebuild_interval_ = rebuild_interval;
    to_rebuild_.push_back({std::move(done)});
    begin_rebuild();
}

void Caretaker::end()
{
    look_timer_.cancel();
    rebuild_timer_.cancel();
    look_.cancel();
    rebuild_.cancel();
    for (Renewals* const renewals : {&to_rebuild_, &rebuilding_, &to_look_, &looking_})
        renewals->clear();
}

void Caretaker::plan()
{
    if (!look_)
        look_timer_.set(refresh_at_ ? std::min(watch_interval, *refresh_at_ - loop_.now()) : watch_interval);
    if (!rebuild_ && rebuild_at_)
        rebuild_timer_.set(*rebuild_at_ - loop_.now());
}

void Caretaker::begin_look()
{
    look_again_ = static_cast<bool>(look_);
    if (look_again_)
        return;
    look_timer_.cancel();
    looking_ = std::exchange(to_look_, {});
    const bool refresh = !looking_.empty() || (refresh_at_ && *refresh_at_ <= loop_.now());
    net::ask(lane_, "the watch of the directory", loop_, look_, [&directory = directory_, refresh] { return look(directory, refresh); },
             [this](const std::optional<Findings>& found) { on_looked(found); });
}

Caretaker::Findings Caretaker::look(directory::Directory& directory, bool refresh)
{
    Findings found;
    found.changed = directory.watch.changed();
    if (found.changed || refresh)
        found.refreshed = directory.valid_ports.refresh();
    return found;
}

void Caretaker::on_looked(const std::optional<Findings>& found)
{
    if (found) {
        note(*found);
        if (found->refreshed)
            listener_(found->changed ? News::changed : News::asked);
    }
    const bool good = found && found->refreshed == "";
    for (const Renewal& renewal : std::exchange(looking_, {}))
        renewal.done(renewal.good && good);
    if (look_again_)
        begin_look();
    plan();
}

void Caretaker::note(const Findings& found)
{
    if (found.refreshed && !found.refreshed->empty()) {
        refresh_at_ = loop_.now() + refresh_retry_.failed(*found.refreshed);
    } else if (found.refreshed) {
        refresh_retry_.done();
        refresh_at_.reset();
    }
}

void Caretaker::begin_rebuild()
{
    if (rebuild_)
        return;
    rebuild_timer_.cancel();
    rebuilding_ = std::exchange(to_rebuild_, {});
    net::ask(lane_, "a rebuild of ValidPorts", loop_, rebuild_, [&directory = directory_] { return directory.valid_ports.rebuild(); },
             [this](const std::optional<directory::Rebuild>& rebuilt) { on_rebuilt(rebuilt); });
}

void Caretaker::on_rebuilt(const std::optional<directory::Rebuild>& rebuilt)
{
    const bool good = rebuilt && rebuilt->kind != directory::Rebuild::Kind::failed;
    if (rebuilt)
        note(*rebuilt);
    for (Renewal& renewal : std::exchange(rebuilding_, {}))
        to_look_.push_back({std::move(renewal.done), renewal.good && good});
    // Its own commit is a change that tunnels have to hear of.
    if (!to_look_.empty() || (rebuilt && rebuilt->kind == directory::Rebuild::Kind::changed))
        begin_look();
    if (!to_rebuild_.empty())
        begin_rebuild();
    plan();
}

void Caretaker::note(const directory::Rebuild& rebuilt)
{
    if (rebuilt.kind == directory::Rebuild::Kind::failed) {
        rebuild_at_ = loop_.now() + rebuild_retry_.failed(rebuilt.error);
        return;
    }
    rebuild_retry_.done();
    rebuild_at_.reset();
    if (rebuild_interval_ != net::Millis(0))
        rebuild_at_ = loop_.now() + rebuild_interval_;
}

} // namespace rpctunneld
