#include "bench/steps.h"

#include "bench/plan.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace bench {

Steps::Steps(net::Loop& loop) : loop_(loop), watch_(loop, net::Watch::Callback::of<&Steps::on_input>(this))
{
    if (::fcntl(0, F_SETFL, ::fcntl(0, F_GETFL) | O_NONBLOCK) != 0 || !watch_.add(0))
        give_up(std::string("standard input: ") + std::strerror(errno));
}

void Steps::on_input(std::uint32_t)
{
    std::array<char, 256> buffer;
    for (;;) {
        const ssize_t size = ::read(0, buffer.data(), buffer.size());
        if (size > 0) {
            text_.append(buffer.data(), static_cast<std::size_t>(size));
            continue;
        }
        ended_ |= size == 0 || (errno != EAGAIN && errno != EINTR);
        return;
    }
}

Steps::Step Steps::next(bool poll)
{
    std::size_t end = 0;
    while ((end = text_.find('\n')) == std::string::npos) {
        if (ended_)
            return Step::end;
        loop_.run_once(net::Millis{poll ? 0 : 1000});
    }
    const std::string word = text_.substr(0, end);
    text_.erase(0, end + 1);
    if (word == "open")
        return Step::open;
    if (word == "start")
        return Step::start;
    if (word == "look")
        return Step::look;
    if (word != "end")
        give_up("unknown step: " + word);
    return Step::end;
}

} // namespace bench
