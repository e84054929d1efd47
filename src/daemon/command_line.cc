#include "daemon/command_line.h"

#include <getopt.h>

#include <filesystem>

namespace rpctunneld {
namespace {

constexpr option long_options[] = {
    {"config", required_argument, nullptr, 'c'}, {"check", no_argument, nullptr, 't'},
    {"foreground", no_argument, nullptr, 'f'},   {"options", no_argument, nullptr, 'o'},
    {"help", no_argument, nullptr, 'h'},         {"version", no_argument, nullptr, 'V'},
    {nullptr, 0, nullptr, 0},
};

} // namespace

CommandLine parse_command_line(int argc, char** argv)
{
    CommandLine line;
    line.config_file = default_config_file;
    optind = 0; // start anew: tests parse more than one line
    opterr = 0;
    for (int letter; (letter = getopt_long(argc, argv, ":c:tfhV", long_options, nullptr)) != -1;) {
        switch (letter) {
        case 'c':
            line.config_file = optarg;
            break;
        case 't':
            line.action = CommandLine::Action::check;
            break;
        case 'f':
            line.foreground = true;
            break;
        case 'o':
            line.action = CommandLine::Action::options;
            return line;
        case 'h':
            line.action = CommandLine::Action::help;
            return line;
        case 'V':
            line.action = CommandLine::Action::version;
            return line;
        case ':':
            line.action = CommandLine::Action::wrong;
            line.error = std::string(argv[optind - 1]) + " needs a value";
            return line;
        default:
            line.action = CommandLine::Action::wrong;
            line.error = std::string("unknown option ") + argv[optind - 1];
            return line;
        }
    }
    if (optind < argc) {
        line.action = CommandLine::Action::wrong;
        line.error = std::string("unexpected argument ") + argv[optind];
    }
    // A daemon changes its working folder.
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(line.config_file, ignored);
    if (!ignored)
        line.config_file = absolute.string();
    return line;
}

std::string help_text()
{
    return std::string("usage: rpctunneld [-c FILE] [-t] [-f]\n"
                       "  -c, --config FILE   the configuration; default ") +
           default_config_file +
           "\n"
           "  -t, --check         check the configuration and exit\n"
           "  -f, --foreground    stay in the foreground, log to standard error, print \"ready\"\n"
           "      --options       print the table of configuration options and exit\n"
           "  -h, --help          print this and exit\n"
           "  -V, --version       print the version and exit\n";
}

} // namespace rpctunneld
