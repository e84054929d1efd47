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
/// into force. The directory is asked on a lane of its own, so that neither its locks keep the loop nor the questions of clients
/// keep the caretaker. A look and a rebuild are two jobs, one of each at a time: a rebuild writes, and may have to wait for
/// somebody else's lock, which keeps nobody from looking. What fails is tried again until it succeeds. One thread, that of the
/// loop.
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
    /// A reload: rebuild, then read everything anew, whatever is under way. `done` when both have been tried; `good`: and have
    /// succeeded.
    using Done = std::function<void(bool good)>;
    void renew(net::Millis rebuild_interval, Done done);
    /// Begins nothing any more, and hears of nothing.
    void end();

private:
    struct Findings {
        bool changed = false;
        std::optional<std::string> refreshed; ///< why it failed, empty when it did not
    };
    struct Renewal {
        Done done;
        bool good = true;
    };
    using Renewals = std::vector<Renewal>;

    static Findings look(directory::Directory& directory, bool refresh);
    void begin_look();
    void on_looked(const std::optional<Findings>& found);
    void note(const Findings& found);
    void begin_rebuild();
    void on_rebuilt(const std::optional<directory::Rebuild>& rebuilt);
    void note(const directory::Rebuild& rebuilt);
    void plan();

    net::Loop& loop_;
    directory::Directory& directory_;
    const Listener listener_;
    net::Millis rebuild_interval_{};
    std::optional<net::Millis> rebuild_at_, refresh_at_; // of the loop's time
    Renewals to_rebuild_, rebuilding_, to_look_, looking_; // the way of a renewal
    bool look_again_ = false;                              // when the one that is under way has ended
    base::Retry refresh_retry_{"valid-ports", "not read, the last good list stays in force", "read after all"};
    base::Retry rebuild_retry_{"valid-ports", "not rebuilt, the last good list stays in force", "rebuilt after all"};
    net::Timer look_timer_, rebuild_timer_;
    base::Pending look_, rebuild_;
    base::Lane lane_; // ends first: its jobs work with the directory
};

} // namespace rpctunneld
