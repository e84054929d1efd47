#include "base/log.h"
#include "base/text.h"
#include "ctl/command.h"

#include <algorithm>
#include <cstdio>
#include <exception>

namespace ctl {
namespace {

std::string synopsis(const Command& command)
{
    return std::string(command.name) + (*command.syntax ? " " : "") + command.syntax;
}

void print_help()
{
    std::printf("usage: rpctunnelctl [-d DATABASE] [--json] COMMAND ...\n\n"
                "Manages the directory of rpctunneld: servers, mailboxes, users and the allowlist.\n\n");
    for (const Command& command : commands())
        std::printf("  %s\n        %s\n", synopsis(command).c_str(), command.help);
    std::printf("\n  -d DATABASE  the directory database; default %s\n"
                "  --json       results and errors as JSON on standard output\n"
                "  --help       this text, or after a command its own\n"
                "  --version    the version\n\n"
                "Exit status: 0 done, 1 usage, 2 not there, there already or in use,\n"
                "3 database error, 4 explain: the target would be refused.\n",
                default_database);
}

/// The command whose words stand at the front of `words`, the longest name first; they are cut off.
const Command* find_command(std::vector<std::string>& words)
{
    for (std::size_t count = std::min<std::size_t>(2, words.size()); count > 0; --count) {
        const std::string name = count == 2 ? words[0] + ' ' + words[1] : words[0];
        for (const Command& command : commands()) {
            if (name == command.name) {
                words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count));
                return &command;
            }
        }
    }
    return nullptr;
}

Exit unknown_command(const Report& report, const std::vector<std::string>& words)
{
    if (words.empty())
        return report.failed(Exit::usage, "a command is missing; \"rpctunnelctl --help\" lists them");
    std::string known;
    for (const Command& command : commands())
        if (std::string_view(command.name).starts_with(words.front() + ' '))
            known += (known.empty() ? "" : ", ") + std::string(command.name);
    return report.failed(Exit::usage, "there is no command \"" + words.front() +
                                          (words.size() > 1 ? ' ' + words[1] : std::string()) + "\"; " +
                                          (known.empty() ? "\"rpctunnelctl --help\" lists them" : "there is " + known));
}

Exit run(int argc, char** argv)
{
    Context context{default_database, {}, Report(false), nullptr};
    std::vector<std::string> words(argv + 1, argv + argc);

    // Options of the program stand before the command; --json and --help may stand anywhere.
    std::vector<std::string> rest;
    bool help = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (word == "--") {
            rest.insert(rest.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
            break;
        }
        if (word == "--json") {
            context.report.set_json();
        } else if (word == "--help" || word == "-h") {
            help = true;
        } else if (rest.empty() && word == "--version") {
            std::printf("rpctunnelctl %s\n", VERSION);
            return Exit::done;
        } else if (rest.empty() && word == "-d") {
            if (++i == words.size())
                return context.report.failed(Exit::usage, "-d needs the name of the database");
            context.path = words[i];
        } else if (rest.empty() && word.starts_with('-')) {
            return context.report.failed(Exit::usage,
                                         "there is no option " + word + "; \"rpctunnelctl --help\" lists them");
        } else {
            rest.push_back(word);
        }
    }
    if (help && rest.empty()) {
        print_help();
        return Exit::done;
    }

    const Command* command = find_command(rest);
    if (!command)
        return unknown_command(context.report, rest);
    if (help) {
        std::printf("usage: rpctunnelctl %s\n%s\n", synopsis(*command).c_str(), command->help);
        return Exit::done;
    }
    context.report.set_command(command->name);
    std::string error;
    auto arguments = Arguments::parse(command->syntax, rest, error);
    if (!arguments)
        return context.report.failed(Exit::usage, error + "; usage: rpctunnelctl " + synopsis(*command));
    context.arguments = std::move(*arguments);
    try {
        return command->run(context);
    } catch (const std::exception& failure) {
        return context.report.failed(Exit::database, failure.what());
    }
}

} // namespace
} // namespace ctl

int main(int argc, char** argv)
{
    base::log::set_level(base::log::Level::error);
    const ctl::Exit exit = ctl::run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
        std::fputs("rpctunnelctl: the output cannot be written\n", stderr);
        return static_cast<int>(exit == ctl::Exit::done ? ctl::Exit::database : exit);
    }
    return static_cast<int>(exit);
}
