#pragma once

#include "base/lane.h"
#include "base/pending.h"
#include "base/retry.h"
#include "directory/directory.h"
#include "net/loop.h"
#include "net/timer.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rpctunneld {

/// Keeps what the daemon knows of the directory up to date: sees changes, rebuilds the generated ValidPorts and takes the list
/// into force. The directory is asked on a lane of its own, one round at a time, so that neither its locks keep the loop nor
/// the questions of clients keep the caretaker. What fails is tried again until it succeeds. One thread, that of the loop.
class Caretaker {
public:
    /// A change takes effect so soon.
    static constexpr net::Millis watch_interval{2000};

    /// What has become of the directory.
    enum class News {
        changed, ///< somebody has committed, or another list is in force: ask for routes again
        asked    ///< nothing new was seen, but a reload wants everything asked anew
    };
    using Listener = std::function<void(News)>;

    /// Both outlive it.
    Caretaker(net::Loop& loop, directory::Directory& directory, Listener listener);

    /// Before the loop runs, and before anybody else uses the directory: the list of the start. Blocks.
    void begin(net::Millis rebuild_interval);
    /// Watches from now on, and rebuilds after each interval; 0: never.
    void watch() { plan(); }
    /// A reload: rebuild and refresh now, whatever is under way; `done` when both have been tried.
    void renew(net::Millis rebuild_interval, std::function<void()> done);
    /// Begins nothing any more, and hears of nothing.
    void end();

private:
    struct Work {
        bool rebuild = false, refresh = false;
    };
    struct Findings {
        bool changed = false;
        std::optional<std::string> refreshed; ///< why it failed, empty when it did not
        std::optional<directory::Rebuild> rebuilt;
    };

    static Findings look(directory::Directory& directory, Work work);
    void on_time();
    void begin_round(Work work);
    void on_found(const std::optional<Findings>& found);
    void note(const Findings& found);
    void plan();

    net::Loop& loop_;
    directory::Directory& directory_;
    const Listener listener_;
    net::Millis rebuild_interval_{};
    std::optional<net::Millis> rebuild_at_, refresh_at_; // of the loop's time
    std::vector<std::function<void()>> asking_;          // for the next round
    std::vector<std::function<void()>> served_;          // by the one that is under way
    base::Retry refresh_retry_{"valid-ports", "not read, the last good list stays in force"};
    base::Retry rebuild_retry_{"valid-ports", "not rebuilt, the last good list stays in force"};
    net::Timer timer_;
    base::Pending round_;
    base::Lane lane_; // ends first: its job works with the directory
};

} // namespace rpctunneld
