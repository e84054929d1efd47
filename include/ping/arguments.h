#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ping {

/// Names an option: its letter, or a number above the letters for one that has a long name only.
using Slot = unsigned char;

namespace slot {
inline constexpr Slot ca_file = 128, insecure = 129, json = 130, password_fd = 131, proxy = 132, timeout = 133,
                      version = 134, direct = 135, v1 = 136, ntlm_v1 = 137, no_channel_binding = 138, certificate = 139,
                      key = 140;
}

/// What the command line says, before it is judged: at most one value an option. A long option with the
/// meaning of a letter fills the slot of the letter.
class Arguments {
public:
    /// Empty, or one sentence that says what is wrong. Keeps views into the arguments.
    std::string read(const std::vector<std::string_view>& arguments);

    bool has(Slot option) const { return given_[option]; }
    std::string_view value(Slot option) const { return values_[option]; }
    /// As the user wrote it ("-s", "/s", "--server").
    const std::string& name(Slot option) const { return names_[option]; }

private:
    std::string read_long(const std::vector<std::string_view>& arguments, std::size_t& at);
    std::string read_letter(const std::vector<std::string_view>& arguments, std::size_t& at);
    std::string put(Slot option, std::string name, std::string_view value, bool wants_value);

    bool given_[256] = {};
    std::string_view values_[256];
    std::string names_[256];
};

} // namespace ping
