#pragma once

#include "base/unique_fd.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

/// A pipe that takes 4 KiB: what is written to `end`, the test reads, or leaves.
class LogPipe {
public:
    static constexpr int capacity = 4096;

    LogPipe()
    {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0 || ::fcntl(ends[1], F_SETPIPE_SZ, capacity) < 0)
            std::abort();
        reading_.reset(ends[0]);
        writing_.reset(ends[1]);
    }

    int end() const { return writing_.get(); }
    void close_reader() { reading_.reset(); }
    void close_writer() { writing_.reset(); }

    /// What comes until there was nothing for `patience` milliseconds, or to the end when nobody writes any more.
    std::string read(int patience = 0)
    {
        std::string text;
        pollfd ready{reading_.get(), POLLIN, 0};
        char some[4096];
        for (ssize_t size; ::poll(&ready, 1, patience) == 1 && (size = ::read(reading_.get(), some, sizeof some)) > 0;)
            text.append(some, static_cast<std::size_t>(size));
        return text;
    }
    /// Reads until `word` has come; what came.
    std::string read_to(const std::string& word)
    {
        std::string text;
        for (int i = 0; i < 1000 && text.find(word) == std::string::npos; ++i)
            text += read(10);
        return text;
    }

private:
    base::UniqueFd reading_, writing_;
};

/// The lines of a text; what follows the last line end is one more.
inline std::vector<std::string> lines_of(const std::string& text)
{
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}
