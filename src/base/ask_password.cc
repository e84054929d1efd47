#include "base/ask_password.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace base {
namespace {

constexpr std::size_t password_limit = 1024;
constexpr std::array<int, 4> signals{SIGINT, SIGTERM, SIGHUP, SIGTSTP};

volatile sig_atomic_t caught = 0;

void on_signal(int number)
{
    caught = number;
}

/// Echo is off while this lives. A signal must not leave the terminal so: it only ends the read, and is
/// raised again afterwards.
class SilentTerminal {
public:
    explicit SilentTerminal(int fd) : fd_(fd)
    {
        caught = 0;
        struct sigaction action {};
        action.sa_handler = on_signal;
        for (std::size_t i = 0; i < signals.size(); ++i)
            sigaction(signals[i], &action, &old_actions_[i]);
        ok_ = tcgetattr(fd_, &old_) == 0;
        termios silent = old_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        silent.c_lflag |= ECHONL;
        ok_ = ok_ && tcsetattr(fd_, TCSAFLUSH, &silent) == 0;
    }
    ~SilentTerminal()
    {
        if (ok_)
            tcsetattr(fd_, TCSAFLUSH, &old_);
        for (std::size_t i = 0; i < signals.size(); ++i)
            sigaction(signals[i], &old_actions_[i], nullptr);
        if (caught)
            raise(caught);
    }
    SilentTerminal(const SilentTerminal&) = delete;
    SilentTerminal& operator=(const SilentTerminal&) = delete;

    bool ok() const { return ok_; }

private:
    int fd_;
    bool ok_ = false;
    termios old_{};
    std::array<struct sigaction, signals.size()> old_actions_{};
};

} // namespace

std::optional<std::string> ask_password(const std::string& prompt)
{
    const base::UniqueFd terminal(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal)
        return std::nullopt;
    const SilentTerminal silent(terminal.get());
    if (!silent.ok() || write(terminal.get(), prompt.data(), prompt.size()) < 0)
        return std::nullopt;
    return read_password(terminal.get());
}

std::optional<std::string> read_password(int descriptor)
{
    std::string password;
    for (;;) {
        char c;
        const ssize_t size = read(descriptor, &c, 1);
        if (size < 0 && errno == EINTR && !caught)
            continue;
        if (size < 0 || (size == 0 && password.empty()))
            return std::nullopt;
        if (size == 0 || c == '\n')
            break;
        if (password.size() == password_limit)
            return std::nullopt;
        password += c;
    }
    // From a file that was saved on Windows.
    if (password.ends_with('\r'))
        password.pop_back();
    if (constexpr std::string_view mark = "\xef\xbb\xbf"; password.starts_with(mark))
        password.erase(0, mark.size());
    return password;
}

} // namespace base
