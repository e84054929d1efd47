#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ctl {

/// The words of a command line after the command's name, sorted by a syntax such as
///
///     NAME --fqdn FQDN [--role mailbox|cas|dc] [--upn U]... [-v]
///
/// which is also what help prints, so that help and parser cannot disagree. A word in capitals is an operand, one
/// in brackets may be left out, lower-case words between '|' are the only values, "..." may be repeated.
class Arguments {
public:
    /// Nothing, with a sentence in `error`, when the words do not fit.
    static std::optional<Arguments> parse(std::string_view syntax, const std::vector<std::string>& words,
                                          std::string& error);

    /// The operand at `index`; empty when it was left out.
    std::string operand(std::size_t index) const;
    bool has_operand(std::size_t index) const noexcept { return index < operands_.size(); }
    /// Whether the option, with its dashes, was given.
    bool has(std::string_view option) const noexcept;
    /// Its last value.
    std::optional<std::string> value(std::string_view option) const;
    std::vector<std::string> values(std::string_view option) const;

private:
    std::vector<std::string> operands_;
    std::vector<std::pair<std::string, std::string>> options_;
};

} // namespace ctl
