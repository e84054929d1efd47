#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

/// Who may come in without a local account: rules, of which one that fits is enough. Without a rule nobody may. One per
/// process, any thread.
class Admission {
public:
    struct Rule {
        enum class Kind {
            realm,  ///< of Kerberos
            domain, ///< of NTLM, by its NetBIOS name or its DNS name
            group,  ///< whoever has its SID
        } kind;
        std::string name; ///< folded; of a group "DOMAIN\name" as it was written, or its SID
        std::string text; ///< the whole rule, for people: "group CORP\Mail Users"

        /// A group whose SID is still to be found out.
        bool by_name() const noexcept { return kind == Kind::group && !name.starts_with("S-"); }
    };

    struct Parsed {
        std::optional<Rule> rule;
        std::string error; ///< what is wrong, when there is no rule
    };
    /// "realm CORP.EXAMPLE", "domain CORP", "group CORP\Mail Users" or "group S-1-5-21-..."; the name may stand in quotes.
    static Parsed parse(std::string_view text);

    /// A user whom a domain or realm has vouched for. What does not apply is empty.
    struct Applicant {
        std::string realm;
        std::string domain, dns_domain;
        std::span<const std::string> sids;
    };
    struct Answer {
        enum class Kind {
            admitted,
            refused,
            unknown ///< a group that may be the one is not looked up yet
        } kind;
        std::string text; ///< admitted: the rule; otherwise the reason, for the log
    };

    Admission() = default;
    explicit Admission(std::vector<Rule> rules) : rules_(std::move(rules)) {}

    Answer judge(const Applicant& applicant) const;
    const std::vector<Rule>& rules() const noexcept { return rules_; }

    /// Names whose SIDs are to be told to learn().
    std::vector<std::string> group_names() const;
    /// The SID of each, nothing for a group that does not exist. Answers the rules that it makes good for nobody, if these are
    /// not the same as last time.
    std::vector<std::string> learn(std::map<std::string, std::optional<std::string>> sids);

private:
    bool fits(const Rule& rule, const Applicant& applicant) const;

    std::vector<Rule> rules_;
    mutable std::mutex mutex_;
    std::map<std::string, std::optional<std::string>> sids_; // by group name
    std::vector<std::string> dead_;                          // what learn() answered
};

} // namespace auth
