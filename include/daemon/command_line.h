#pragma once

#include <string>

namespace rpctunneld {

/// What was asked for on the command line.
struct CommandLine {
    enum class Action { run, check, options, help, version, wrong };

    Action action = Action::run;
    std::string config_file; ///< absolute
    bool foreground = false;
    std::string error;       ///< with wrong
};

CommandLine parse_command_line(int argc, char** argv);
std::string help_text();

/// Where the configuration is installed; from the build.
extern const char* const default_config_file;

} // namespace rpctunneld
