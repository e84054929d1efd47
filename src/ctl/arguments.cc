#include "ctl/arguments.h"

#include "base/pasted.h"
#include "base/text.h"

#include <algorithm>

namespace ctl {
namespace {

/// An operand or an option of a syntax.
struct Item {
    std::string name;                 ///< "--role", or "NAME" of an operand
    bool option = false;
    bool required = true;
    bool takes_value = false;
    bool repeated = false;
    std::vector<std::string> choices; ///< the only values; empty = any
};

/// Reads "[--role mailbox|cas|dc]" and its like.
Item read_item(std::string_view text)
{
    Item item;
    if (text.ends_with("...")) {
        item.repeated = true;
        text.remove_suffix(3);
    }
    if (text.starts_with('[')) {
        item.required = false;
        text = text.substr(1, text.size() - 2);
    }
    const auto blank = text.find(' ');
    item.name = text.substr(0, blank);
    item.option = item.name.front() == '-';
    item.takes_value = blank != text.npos;
    if (item.takes_value && text.find('|', blank) != text.npos)
        for (const std::string_view choice : base::split(text.substr(blank + 1), '|'))
            item.choices.emplace_back(choice);
    return item;
}

/// Items are separated by blanks; a bracket or an option name keeps its value with it.
std::vector<Item> read_syntax(std::string_view syntax)
{
    std::vector<Item> items;
    while (!syntax.empty()) {
        std::size_t end;
        if (syntax.front() == '[') {
            end = syntax.find(' ', syntax.find(']'));
        } else {
            end = syntax.find(' ');
            if (syntax.front() == '-' && end != syntax.npos)
                end = syntax.find(' ', end + 1);
        }
        items.push_back(read_item(syntax.substr(0, end)));
        syntax.remove_prefix(end == syntax.npos ? syntax.size() : end + 1);
    }
    return items;
}

std::string bad_choice(const Item& item, const std::string& value)
{
    std::string text = item.name + " cannot be " + base::quoted(value) + "; it is one of";
    for (const std::string& choice : item.choices)
        text += (&choice == &item.choices.front() ? " " : ", ") + choice;
    return text;
}

} // namespace

std::optional<Arguments> Arguments::parse(std::string_view syntax, const std::vector<std::string>& words,
                                          std::string& error)
{
    const std::vector<Item> items = read_syntax(syntax);
    Arguments result;
    const auto refused = [&](std::string sentence) {
        error = std::move(sentence);
        return std::nullopt;
    };

    bool options_end = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        if (!options_end && word == "--") {
            options_end = true;
            continue;
        }
        if (options_end || word.size() < 2 || word.front() != '-') {
            result.operands_.push_back(word);
            continue;
        }
        const auto equals = word.starts_with("--") ? word.find('=') : word.npos;
        const std::string name = word.substr(0, equals);
        const auto item = std::find_if(items.begin(), items.end(),
                                       [&](const Item& one) { return one.option && one.name == name; });
        if (item == items.end())
            return refused("there is no option " + name);
        if (result.has(name) && !item->repeated)
            return refused("option " + name + " is given twice");
        std::string value;
        if (item->takes_value) {
            if (equals != word.npos)
                value = word.substr(equals + 1);
            else if (++i < words.size())
                value = words[i];
            else
                return refused("option " + name + " needs a value");
            const auto& choices = item->choices;
            if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
                return refused(bad_choice(*item, value));
        } else if (equals != word.npos) {
            return refused("option " + name + " takes no value");
        }
        result.options_.emplace_back(name, std::move(value));
    }

    std::size_t place = 0;
    for (const Item& item : items) {
        if (item.option) {
            if (item.required && !result.has(item.name))
                return refused("option " + item.name + " is missing");
        } else if (place++ >= result.operands_.size() && item.required) {
            return refused(item.name + " is missing");
        }
    }
    if (result.operands_.size() > place)
        return refused("\"" + result.operands_[place] + "\" is one word too many");
    return result;
}

std::string Arguments::operand(std::size_t index) const
{
    return has_operand(index) ? operands_[index] : std::string();
}

bool Arguments::has(std::string_view option) const noexcept
{
    return std::any_of(options_.begin(), options_.end(), [&](const auto& one) { return one.first == option; });
}

std::optional<std::string> Arguments::value(std::string_view option) const
{
    const std::vector<std::string> all = values(option);
    return all.empty() ? std::nullopt : std::optional(all.back());
}

std::vector<std::string> Arguments::values(std::string_view option) const
{
    std::vector<std::string> result;
    for (const auto& [name, value] : options_)
        if (name == option)
            result.push_back(value);
    return result;
}

} // namespace ctl
