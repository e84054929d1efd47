#pragma once

#include "base/unique_fd.h"

#include <string>

namespace rpctunneld {

/// Puts the daemon into the background. The parent waits and exits only when the daemon is ready (0) or
/// has ended before (1); until then the daemon has its standard error and says there what is wrong.
class Background {
public:
    /// Returns in the daemon, with its own session and without controlling terminal; never in the parent. Throws
    /// std::runtime_error. Call while one thread runs.
    void enter();
    /// Lets the parent go and leaves the terminal. Does nothing when enter() was not called.
    void ready() noexcept;

private:
    base::UniqueFd parent_;
};

/// A file with the process number, locked as long as the process lives.
class PidFile {
public:
    PidFile() = default;
    /// Throws std::runtime_error: it cannot be written, or another process holds it.
    explicit PidFile(const std::string& path);
    PidFile(PidFile&&) noexcept = default;
    PidFile& operator=(PidFile&&) noexcept = default;
    /// Removes the file, or at least empties it when the folder does not allow that.
    ~PidFile();

private:
    std::string path_;
    base::UniqueFd file_;
};

} // namespace rpctunneld
