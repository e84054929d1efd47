#include "ping/arguments.h"

#include <algorithm>

namespace ping {
namespace {

struct LongOption {
    std::string_view name;
    Slot slot;
    bool value;
};

constexpr LongOption long_options[] = {
    {"ca-file", slot::ca_file, true},
    {"cert", slot::certificate, true},
    {"count", 'i', true},
    {"direct", slot::direct, false},
    {"echo", 'E', false},
    {"endpoint", 'e', true},
    {"help", '?', false},
    {"http-auth", 'H', true},
    {"insecure", slot::insecure, false},
    {"json", slot::json, false},
    {"key", slot::key, true},
    {"no-channel-binding", slot::no_channel_binding, false},
    {"ntlm-v1", slot::ntlm_v1, false},
    {"password-fd", slot::password_fd, true},
    {"proxy", slot::proxy, true},
    {"server", 's', true},
    {"timeout", slot::timeout, true},
    {"v1", slot::v1, false},
    {"version", slot::version, false},
};

constexpr std::string_view letters_with_value = "tseoiPHFvrBR";
constexpr std::string_view letters_alone = "Eqb?";
/// Letters of rpcping that need RPC security, the endpoint mapper or an HTTP proxy.
constexpr std::string_view letters_to_come = "fOuaNICTMAUp";
/// Letters of rpcping that mean something on Windows only.
constexpr std::string_view letters_of_windows = "Scd";

} // namespace

std::string Arguments::read(const std::vector<std::string_view>& arguments)
{
    for (std::size_t at = 0; at < arguments.size(); ++at) {
        const std::string_view argument = arguments[at];
        std::string error;
        if (argument.starts_with("--"))
            error = read_long(arguments, at);
        else if (argument.size() >= 2 && (argument[0] == '-' || argument[0] == '/'))
            error = read_letter(arguments, at);
        else
            error = "\"" + std::string(argument) + "\" is no option";
        if (!error.empty())
            return error;
    }
    return {};
}

std::string Arguments::read_long(const std::vector<std::string_view>& arguments, std::size_t& at)
{
    const std::string_view argument = arguments[at].substr(2);
    const auto equals = argument.find('=');
    const std::string_view word = argument.substr(0, equals);
    const auto option = std::find_if(std::begin(long_options), std::end(long_options),
                                     [&](const LongOption& o) { return o.name == word; });
    const std::string said = "--" + std::string(word);
    if (option == std::end(long_options))
        return "unknown option " + said;
    if (!option->value)
        return equals == std::string_view::npos ? put(option->slot, said, {}, false) : said + " takes no value";
    if (equals != std::string_view::npos)
        return put(option->slot, said, argument.substr(equals + 1), true);
    // A path can begin with a slash, so only a dash says that the value was forgotten.
    if (at + 1 == arguments.size() || arguments[at + 1].starts_with("-"))
        return "the value of " + said + " is missing";
    return put(option->slot, said, arguments[++at], true);
}

std::string Arguments::read_letter(const std::vector<std::string_view>& arguments, std::size_t& at)
{
    const std::string_view argument = arguments[at];
    const char letter = argument[1];
    const std::string said(argument.substr(0, 2));
    const std::string_view attached = argument.substr(2);
    if (letters_to_come.find(letter) != std::string_view::npos)
        return said + " is not available in this version";
    if (letters_of_windows.find(letter) != std::string_view::npos)
        return said + " exists only in Microsoft's rpcping";
    if (letters_alone.find(letter) != std::string_view::npos)
        return attached.empty() ? put(static_cast<Slot>(letter), said, {}, false)
                                : "unknown option " + std::string(argument);
    if (letters_with_value.find(letter) == std::string_view::npos)
        return "unknown option " + said;
    if (!attached.empty())
        return put(static_cast<Slot>(letter), said, attached, true);
    // Published command lines have lost values ("-o -P ..."): never take the next option for one.
    if (at + 1 == arguments.size() || arguments[at + 1].starts_with("-") || arguments[at + 1].starts_with("/"))
        return "the value of " + said + " is missing";
    return put(static_cast<Slot>(letter), said, arguments[++at], true);
}

std::string Arguments::put(Slot option, std::string name, std::string_view value, bool wants_value)
{
    if (given_[option])
        return names_[option] == name ? name + " is given twice"
                                      : names_[option] + " and " + name + " say the same thing twice";
    if (wants_value && value.empty())
        return "the value of " + name + " is empty";
    given_[option] = true;
    values_[option] = value;
    names_[option] = std::move(name);
    return {};
}

} // namespace ping
