#include "access/admission.h"

#include "base/fold.h"
#include "base/login.h"
#include "base/pasted.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

namespace auth {
namespace {

constexpr struct {
    const char* word;
    Admission::Rule::Kind kind;
} words[] = {
    {"realm", Admission::Rule::Kind::realm},
    {"domain", Admission::Rule::Kind::domain},
    {"group", Admission::Rule::Kind::group},
};

/// MS-DTYP 2.4.2.1: "S-1-" and an authority, then up to 15 numbers.
bool is_sid(std::string_view text)
{
    constexpr std::uint64_t longest_authority = (std::uint64_t(1) << 48) - 1;
    const std::vector<std::string_view> parts = base::split(text, '-');
    if (parts.size() < 3 || parts.size() > 18 || parts[0] != "S" || parts[1] != "1" ||
        !base::parse_decimal(parts[2], longest_authority))
        return false;
    return std::all_of(parts.begin() + 3, parts.end(), [](std::string_view part) { return base::parse_decimal(part, UINT32_MAX); });
}

bool is_group_name(std::string_view text)
{
    const std::size_t slash = text.find('\\');
    return slash != text.npos && slash != 0 && slash + 1 != text.size() && text.find('\\', slash + 1) == text.npos;
}

} // namespace

Admission::Parsed Admission::parse(std::string_view text)
{
    const std::string_view word = text.substr(0, std::min(text.find_first_of(" \t"), text.size()));
    const std::string_view name = base::unwrapped(text.substr(word.size()));
    const auto row = std::find_if(std::begin(words), std::end(words), [&](const auto& one) { return one.word == word; });
    if (row == std::end(words) || name.empty())
        return {{}, "this is not \"realm NAME\", \"domain NAME\" or \"group NAME\""};
    if (const std::string byte = base::unseen_byte(name); !byte.empty())
        return {{}, base::quoted(name)};
    Rule rule{row->kind, std::string(name), std::string(word) + ' ' + std::string(name)};
    if (rule.kind == Rule::Kind::group) {
        if (!is_sid(name) && !is_group_name(name))
            return {{}, base::quoted(name) + " is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"};
        return {std::move(rule), {}};
    }
    // What can stand in a login behind the @, and nothing else.
    const std::optional<base::Login> login = base::Login::parse("x@" + std::string(name));
    if (!login)
        return {{}, base::quoted(name) + " is no name of a " + row->word};
    rule.name = login->folded().domain;
    return {std::move(rule), {}};
}

bool Admission::fits(const Rule& rule, const Applicant& applicant) const
{
    const auto is = [&](const std::string& name) { return !name.empty() && base::fold(name) == rule.name; };
    const auto has = [&](const std::string& sid) {
        return std::find(applicant.sids.begin(), applicant.sids.end(), sid) != applicant.sids.end();
    };
    switch (rule.kind) {
    case Rule::Kind::realm:
        return is(applicant.realm);
    case Rule::Kind::domain:
        return is(applicant.domain) || is(applicant.dns_domain);
    case Rule::Kind::group:
        break;
    }
    if (!rule.by_name())
        return has(rule.name);
    const auto found = sids_.find(rule.name);
    return found != sids_.end() && found->second && has(*found->second);
}

Admission::Answer Admission::judge(const Applicant& applicant) const
{
    const std::lock_guard lock(mutex_);
    for (const Rule& rule : rules_)
        if (fits(rule, applicant))
            return {Answer::Kind::admitted, rule.text};
    for (const Rule& rule : rules_)
        if (rule.by_name() && !sids_.contains(rule.name))
            return {Answer::Kind::unknown, "the group of \"" + rule.text + "\" is not looked up yet"};
    return {Answer::Kind::refused, "no rule of admit lets it in"};
}

std::vector<std::string> Admission::group_names() const
{
    std::vector<std::string> names;
    for (const Rule& rule : rules_)
        if (rule.by_name())
            names.push_back(rule.name);
    return names;
}

std::vector<std::string> Admission::learn(std::map<std::string, std::optional<std::string>> sids)
{
    const std::lock_guard lock(mutex_);
    sids_ = std::move(sids);
    std::vector<std::string> dead;
    for (const Rule& rule : rules_)
        if (const auto found = sids_.find(rule.name); rule.by_name() && found != sids_.end() && !found->second)
            dead.push_back(rule.text);
    return std::exchange(dead_, dead) == dead ? std::vector<std::string>() : dead;
}

} // namespace auth
