#pragma once

#include "base/pending.h"

#include <functional>

namespace auth {

/// Something that a login depends on and that takes long, or can block: it is made on a lane of its own, whose thread writes what
/// came of it into the object. The scheme that wants it keeps it and reads the result in checked().
class Check {
public:
    virtual ~Check() = default;
    /// Called once, in any thread, perhaps inside begin(). False: too many wait, and nothing was found out.
    using Done = std::function<void(bool made)>;
    /// Once. The object lives until `done` was called; the work is not begun when `asker` does not want it any more.
    virtual void begin(base::Pending::Ticket asker, Done done) = 0;
    /// For the log: what there is too much of when it cannot be made.
    virtual const char* crowd() const noexcept = 0;
};

} // namespace auth
