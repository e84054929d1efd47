#include "daemon/background.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace rpctunneld {
namespace {

[[noreturn]] void fail(const std::string& what)
{
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

pid_t checked_fork()
{
    const pid_t child = fork();
    if (child < 0)
        fail("fork");
    return child;
}

} // namespace

void Background::enter()
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        fail("pipe");
    base::UniqueFd reading(ends[0]);
    parent_.reset(ends[1]);
    if (const pid_t child = checked_fork(); child != 0) {
        parent_.reset();
        waitpid(child, nullptr, 0);
        char word;
        ssize_t size;
        while ((size = read(reading.get(), &word, 1)) < 0 && errno == EINTR) {
        }
        _exit(size == 1 ? 0 : 1);
    }
    setsid();
    // The second child leads no session: it cannot get a controlling terminal again.
    if (checked_fork() != 0)
        _exit(0);
    umask(027);
    if (chdir("/") != 0)
        fail("chdir /");
}

void Background::ready() noexcept
{
    if (!parent_)
        return;
    const base::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        dup2(null.get(), standard);
    // A parent that was killed meanwhile does not matter.
    if (write(parent_.get(), "r", 1) < 0)
        return;
    parent_.reset();
}

PidFile::PidFile(const std::string& path) : path_(path)
{
    base::UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file)
        fail(path);
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            throw std::runtime_error(path + ": another rpctunneld runs and holds it");
        fail(path);
    }
    const std::string text = std::to_string(getpid()) + '\n';
    if (ftruncate(file.get(), 0) != 0 || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        fail(path);
    file_ = std::move(file);
}

PidFile::~PidFile()
{
    if (file_ && unlink(path_.c_str()) != 0 && ftruncate(file_.get(), 0) != 0)
        return;
}

} // namespace rpctunneld
