#include "base/log.h"
#include "daemon/background.h"
#include "daemon/command_line.h"
#include "daemon/config.h"
#include "daemon/instance.h"
#include "daemon/option_table.h"
#include "daemon/process.h"
#include "daemon/settings.h"
#include "kerberos/service.h"
#include "winbind/client.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

using namespace rpctunneld;

namespace {

// Exit codes, as rpctunneld(8) documents them.
constexpr int good = 0, failed = 1, usage = 2;

int tell(const std::vector<std::string>& errors)
{
    for (const std::string& error : errors)
        std::fprintf(stderr, "%s\n", error.c_str());
    return errors.empty() ? good : failed;
}

int run(const CommandLine& line, Config&& config)
{
    base::log::set_level(config.log_level);
    // Before any thread: they all inherit it, and the main thread's loop takes them as events.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&signals, signal);
    sigprocmask(SIG_BLOCK, &signals, nullptr);

    Background background;
    if (!line.foreground) {
        background.enter();
        base::log::use_syslog("rpctunneld");
    }
    std::optional<base::log::Writer> log;
    {
        Instance instance(std::move(config));
        // What was said before is out. The thread has the rights that the daemon keeps, and no shard ever waits for the log.
        log.emplace();
        instance.start();
        if (line.foreground) {
            std::printf("%s\n", instance.ready_line().c_str());
            std::fflush(stdout);
        }
        background.ready();
        instance.serve();
        if (!instance.can_end()) {
            base::log::notice("stopped", {});
            log.reset();
            std::_Exit(good);
        }
    }
    base::log::notice("stopped", {});
    return good;
}

int act(const CommandLine& line)
{
    switch (line.action) {
    case CommandLine::Action::wrong:
        std::fprintf(stderr, "rpctunneld: %s\n%s", line.error.c_str(), help_text().c_str());
        return usage;
    case CommandLine::Action::help:
        std::printf("%s", help_text().c_str());
        return good;
    case CommandLine::Action::version:
        std::printf("rpctunneld %s\n%s Kerberos, %s winbind\n", VERSION, kerberos::built_in() ? "with" : "without",
                    winbind::built_in() ? "with" : "without");
        return good;
    case CommandLine::Action::options:
        std::printf("%s", options_text().c_str());
        return good;
    case CommandLine::Action::run:
    case CommandLine::Action::check:
        break;
    }
    ConfigResult read = read_config(line.config_file);
    if (!read.errors.empty())
        return tell(read.errors);
    if (line.action == CommandLine::Action::check)
        return tell(check_surroundings(read.config));
    return run(line, std::move(read.config));
}

} // namespace

int main(int argc, char** argv)
try {
    hold_standard_descriptors();
    clean_environment();
    return act(parse_command_line(argc, argv));
} catch (const ConfigError& error) {
    return tell({error.what()});
} catch (const std::exception& error) {
    std::fprintf(stderr, "rpctunneld: %s\n", error.what());
    return failed;
}
