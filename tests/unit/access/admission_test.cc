#include "access/admission.h"

#include <CppUTest/TestHarness.h>

using auth::Admission;
using Kind = Admission::Answer::Kind;

namespace {

Admission::Rule rule(const char* text)
{
    const Admission::Parsed parsed = Admission::parse(text);
    CHECK_TEXT(parsed.rule.has_value(), parsed.error.c_str());
    return *parsed.rule;
}

constexpr char mail_users[] = "S-1-5-21-1-2-3-1105", staff[] = "S-1-5-21-1-2-3-1106";

} // namespace

TEST_GROUP(admission) {};

TEST(admission, what_is_a_rule)
{
    static constexpr struct {
        const char *text, *name, *shown;
    } rows[] = {
        {"domain CORP", "corp", "domain CORP"},
        {"domain  corp.example", "corp.example", "domain corp.example"},
        {"realm CORP.EXAMPLE", "corp.example", "realm CORP.EXAMPLE"},
        {"domain Süd", "süd", "domain Süd"},
        {"group CORP\\Mail Users", "CORP\\Mail Users", "group CORP\\Mail Users"},
        {"group \"CORP\\Mail Users\"", "CORP\\Mail Users", "group CORP\\Mail Users"},
        {"group S-1-5-21-1-2-3-1105", "S-1-5-21-1-2-3-1105", "group S-1-5-21-1-2-3-1105"},
        {"group S-1-281474976710655", "S-1-281474976710655", "group S-1-281474976710655"},
        {"group S-1-x\\Mail", "S-1-x\\Mail", "group S-1-x\\Mail"},
    };
    for (const auto& row : rows) {
        const Admission::Rule read = rule(row.text);
        STRCMP_EQUAL(row.name, read.name.c_str());
        STRCMP_EQUAL(row.shown, read.text.c_str());
    }
}

TEST(admission, what_is_none)
{
    static constexpr char no_rule[] = "this is not \"realm NAME\", \"domain NAME\" or \"group NAME\"";
    static constexpr struct {
        const char *text, *error;
    } rows[] = {
        {"", no_rule},
        {"CORP", no_rule},
        {"domain", no_rule},
        {"domain \"\"", no_rule},
        {"Domain CORP", no_rule},
        {"user CORP\\alice", no_rule},
        {"domain CORP\\x", "\"CORP\\x\" is no name of a domain"},
        {"realm a b/c", "\"a b/c\" is no name of a realm"},
        {"domain C\xe2\x80\x8bORP", "\"C\xe2\x80\x8bORP\" with byte 0xe2 (zero width space) at position 2"},
        {"group Mail Users", "\"Mail Users\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group CORP\\", "\"CORP\\\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group \\Mail", "\"\\Mail\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group A\\B\\C", "\"A\\B\\C\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group S-1", "\"S-1\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group S-2-5-32", "\"S-2-5-32\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group S-1-5-4294967296", "\"S-1-5-4294967296\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group S-1-281474976710656", "\"S-1-281474976710656\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
        {"group S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
         "\"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16\" is no group, as CORP\\Mail Users or S-1-5-21-1-2-3-1105"},
    };
    for (const auto& row : rows) {
        const Admission::Parsed parsed = Admission::parse(row.text);
        CHECK_FALSE_TEXT(parsed.rule.has_value(), row.text);
        STRCMP_EQUAL(row.error, parsed.error.c_str());
    }
}

TEST(admission, whom_a_rule_lets_in)
{
    static constexpr struct {
        const char* rule;
        const char *realm, *domain, *dns_domain, *sid;
        Kind answer;
    } rows[] = {
        {"domain CORP", "", "corp", "", "", Kind::admitted},
        {"domain corp.example", "", "CORP", "Corp.Example", "", Kind::admitted},
        {"domain CORP", "", "OTHER", "corp.other", "", Kind::refused},
        {"domain corp.example", "CORP.EXAMPLE", "", "", "", Kind::refused},
        {"realm corp.example", "CORP.EXAMPLE", "", "", "", Kind::admitted},
        {"realm corp.example", "", "CORP", "corp.example", "", Kind::refused},
        {"group S-1-5-21-1-2-3-1105", "", "CORP", "", mail_users, Kind::admitted},
        {"group S-1-5-21-1-2-3-1105", "", "CORP", "", staff, Kind::refused},
        {"group S-1-5-21-1-2-3-1105", "", "CORP", "", "", Kind::refused},
        {"group CORP\\Mail Users", "", "CORP", "", mail_users, Kind::admitted},
        {"group CORP\\Mail Users", "", "CORP", "", staff, Kind::refused},
        {"group CORP\\None", "", "CORP", "", mail_users, Kind::refused},
        {"group CORP\\Never Looked Up", "", "CORP", "", mail_users, Kind::unknown},
    };
    for (const auto& row : rows) {
        Admission admission({rule(row.rule)});
        admission.learn({{"CORP\\Mail Users", mail_users}, {"CORP\\None", std::nullopt}});
        const std::vector<std::string> sids = {"S-1-5-21-1-2-3-500", row.sid};
        const Admission::Answer answer = admission.judge({row.realm, row.domain, row.dns_domain, sids});
        CHECK_TRUE_TEXT(answer.kind == row.answer, row.rule);
        if (answer.kind == Kind::admitted)
            STRCMP_EQUAL(row.rule, answer.text.c_str());
        else
            CHECK_FALSE(answer.text.empty());
    }
}

TEST(admission, one_rule_of_many_is_enough_and_none_lets_nobody_in)
{
    const std::vector<std::string> sids = {staff};
    const Admission::Applicant applicant{"", "CORP", "corp.example", sids};
    const Admission many({rule("group CORP\\Mail Users"), rule("domain OTHER"), rule("group S-1-5-21-1-2-3-1106"), rule("domain CORP")});
    STRCMP_EQUAL("group S-1-5-21-1-2-3-1106", many.judge(applicant).text.c_str());
    const Admission none;
    STRCMP_EQUAL("no rule of admit lets it in", none.judge(applicant).text.c_str());
}

TEST(admission, groups_are_learnt_by_name_and_the_missing_told_once)
{
    Admission admission({rule("group CORP\\Mail Users"), rule("group S-1-5-21-1-2-3-1106"), rule("group CORP\\None"), rule("domain CORP")});
    CHECK((admission.group_names() == std::vector<std::string>{"CORP\\Mail Users", "CORP\\None"}));
    const std::vector<std::string> nothing, told = {"group CORP\\None"};
    CHECK(admission.learn({{"CORP\\Mail Users", mail_users}, {"CORP\\None", std::nullopt}}) == told);
    CHECK(admission.learn({{"CORP\\Mail Users", mail_users}, {"CORP\\None", std::nullopt}}) == nothing);
    CHECK(admission.learn({{"CORP\\Mail Users", mail_users}, {"CORP\\None", staff}}) == nothing);
    CHECK(admission.learn({{"CORP\\Mail Users", mail_users}, {"CORP\\None", std::nullopt}}) == told);
}
