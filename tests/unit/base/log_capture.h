#pragma once

#include "base/unique_fd.h"

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <string_view>

/// The lines written to the log during its life.
class LogCapture {
public:
    LogCapture() : file_(::memfd_create("log", MFD_CLOEXEC)), saved_(::dup(STDERR_FILENO))
    {
        ::dup2(file_.get(), STDERR_FILENO);
    }
    ~LogCapture() { ::dup2(saved_.get(), STDERR_FILENO); }

    std::string text() const
    {
        std::string text(static_cast<std::size_t>(::lseek(file_.get(), 0, SEEK_CUR)), '\0');
        const ssize_t got = ::pread(file_.get(), text.data(), text.size(), 0);
        text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return text;
    }
    /// How many lines hold `words`.
    int count(std::string_view words) const
    {
        int count = 0;
        const std::string all = text();
        for (std::size_t at = all.find(words); at != std::string::npos; at = all.find(words, all.find('\n', at)))
            ++count;
        return count;
    }

private:
    base::UniqueFd file_, saved_;
};
