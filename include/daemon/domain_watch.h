#pragma once

#include "access/domains.h"
#include "base/pending.h"
#include "base/retry.h"
#include "net/loop.h"
#include "net/timer.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace rpctunneld {

/// Keeps what the daemon knows of the domains up to date: whether winbindd can be asked, this machine's names, and the SIDs of the
/// groups of `admit`, which an administrator may have made only now. Asks on the lane of the domains, never waits for the answer,
/// and says in the log what is wrong and how to mend it. One thread, that of the loop.
class DomainWatch {
public:
    /// A change in the domain is seen so soon.
    static constexpr net::Millis interval{300'000};

    /// Both outlive it.
    DomainWatch(net::Loop& loop, auth::Domains& domains);

    /// Asks now, and from then on at each interval; what fails is tried again until it succeeds. When it asked before, the fault is
    /// told again if it is still there: somebody has asked for a reload to see.
    void begin();
    /// Begins nothing any more, and hears of nothing.
    void end();

private:
    void ask();
    void on_state(const std::optional<winbind::State>& state);

    net::Loop& loop_;
    auth::Domains& domains_;
    base::Retry retry_{"winbind", "domain users cannot log in", "domain users can log in after all"};
    bool told_ = false; // in the log, that it works
    net::Timer timer_;
    base::Pending asked_;
};

} // namespace rpctunneld
