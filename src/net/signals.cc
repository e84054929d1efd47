#include "net/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace net {
namespace {

sigset_t set_of(std::initializer_list<int> signals) noexcept
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    return set;
}

} // namespace

Signals::Signals(Loop& loop, std::initializer_list<int> signals, Callback callback)
    : callback_(callback), watch_(loop, Watch::Callback::of<&Signals::on_events>(this))
{
    const sigset_t set = set_of(signals);
    fd_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd_ || !watch_.add(fd_.get(), EPOLLIN | EPOLLET))
        throw std::system_error(errno, std::generic_category(), "signalfd");
}

void Signals::on_events(std::uint32_t)
{
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) == sizeof info)
        callback_(static_cast<int>(info.ssi_signo));
}

} // namespace net
