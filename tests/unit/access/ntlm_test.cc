#include "access/authenticator.h"

#include "base/base64.h"
#include "ntlm/initiator.h"
#include "ntlm/text.h"
#include "spnego/initiator.h"
#include "unit/access/fake_accounts.h"

#include <functional>
#include <future>
#include <memory>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using auth::Outcome;
using Kind = auth::Outcome::Kind;

namespace {

/// How a client speaks NTLM.
enum class Way {
    ntlm,           ///< under NTLM
    bare,           ///< the same messages under Negotiate
    spnego,         ///< with NTLM as the first choice
    kerberos_first, ///< it has guessed wrong, and is asked for NTLM
    late_mic,       ///< it signs the list in a token of its own
};
constexpr Way ways[] = {Way::ntlm, Way::bare, Way::spnego, Way::kerberos_first, Way::late_mic};

std::string text(base::Bytes token)
{
    return base::base64_encode(token);
}

class Client {
public:
    Client(Way way, const std::string& user, const std::string& password, const std::string& domain = {},
           const std::optional<ntlm::BindingHash>& binding = std::nullopt)
        : way_(way), initiator_({.user = user, .domain = domain, .workstation = "PC", .nt_hash = ntlm::nt_hash(password).value(),
                                 .target = "HTTP/proxy.test", .binding = binding})
    {
    }

    const char* scheme() const { return way_ == Way::ntlm ? "NTLM" : "Negotiate"; }

    spnego::Token first()
    {
        if (way_ == Way::ntlm || way_ == Way::bare)
            return initiator_.negotiate();
        if (way_ != Way::kerberos_first)
            return negotiation_.start(initiator_.negotiate());
        return negotiation_.start({1, 2, 3}, {std::string(spnego::oid::kerberos), std::string(spnego::oid::ntlmssp)});
    }
    /// The answer to a token of the server.
    spnego::Token next(const std::string& token)
    {
        const std::string bytes = base::base64_decode(token).value();
        if (way_ == Way::ntlm || way_ == Way::bare)
            return third(base::bytes_of(bytes));
        if (way_ == Way::late_mic && answered_) {
            const auto mic = initiator_.session().sign(ntlm::Side::client, negotiation_.mech_list()).value();
            return spnego::NegTokenResp{.state = std::nullopt, .mic = {mic.begin(), mic.end()}}.build();
        }
        const spnego::Step step = negotiation_.read(base::bytes_of(bytes));
        CHECK(step.kind == spnego::Step::Kind::mechanism);
        if (step.token.empty())
            return negotiation_.answer(initiator_.negotiate());
        const ntlm::Message message = third(step.token);
        if (way_ == Way::late_mic) {
            answered_ = true;
            return spnego::NegTokenResp{.state = std::nullopt, .response = message}.build();
        }
        const auto client = initiator_.session().sign(ntlm::Side::client, negotiation_.mech_list()).value();
        const auto server = initiator_.session().sign(ntlm::Side::server, negotiation_.mech_list()).value();
        return negotiation_.finish(message, initiator_.carried_mic(), spnego::Mics{client, server}).value();
    }
    /// What comes with the success.
    bool content_with(const std::string& token)
    {
        const std::string bytes = base::base64_decode(token).value();
        return way_ == Way::late_mic || negotiation_.read(base::bytes_of(bytes)).kind == spnego::Step::Kind::done;
    }

private:
    ntlm::Message third(base::Bytes challenge)
    {
        return initiator_.authenticate(challenge, {{1, 2, 3, 4, 5, 6, 7, 8}, ntlm::Key()}, 0).value();
    }

    const Way way_;
    ntlm::Initiator initiator_;
    spnego::Initiator negotiation_;
    bool answered_ = false;
};

} // namespace

TEST_GROUP(ntlm_schemes)
{
    FakeAccounts accounts;
    auth::Policy policy{{&auth::negotiate_scheme, &auth::ntlm_scheme},
                        false,
                        "test",
                        ntlm::Protection::Policy::off,
                        {"PROXY", "PROXY", "proxy.test", "proxy.test"}};
    auth::Cache cache;
    auth::PasswordChecks passwords{0, 1};
    std::unique_ptr<auth::Authenticator> auth;
    std::string last; // what came last from the server: a token

    void setup() override
    {
        connect();
        for (const char* domain : {"", "corp", "corp.example"})
            accounts.rows[{domain, "alice"}] = {"alice", true, "!", 1};
        accounts.rows[{"", "bob"}] = {"bob", true, "!", 1};
        accounts.rows[{"", "carol"}] = {"carol", false, "!", 1};
        accounts.rows[{"", "dave"}] = {"dave", true, "!", 1};
        for (const char* canonical : {"alice", "carol", "dave"})
            accounts.nt_hashes[canonical] = ntlm::nt_hash("secret").value();
    }
    void connect(const std::string& end_point = {})
    {
        const auth::Channel channel{!end_point.empty(), end_point};
        auth = std::make_unique<auth::Authenticator>(auth::Backends{policy, accounts, cache, passwords}, channel);
    }

    Outcome said(const std::string& header)
    {
        const auto quick = auth->quick(header);
        const Outcome outcome = quick ? *quick : auth->look_up(header);
        last.clear();
        if (outcome.www_authenticate.size() == 1)
            last = outcome.www_authenticate[0].substr(outcome.www_authenticate[0].find(' ') + 1);
        return outcome;
    }
    Outcome said(const char* scheme, base::Bytes token) { return said(std::string(scheme) + ' ' + text(token)); }
    /// To its end.
    Outcome login(Client& client)
    {
        Outcome outcome = said(client.scheme(), client.first());
        while (outcome.kind == Kind::challenge)
            outcome = said(client.scheme(), client.next(last));
        return outcome;
    }
    Outcome login(Client&& client) { return login(client); }
    void denied(const char* reason, const Outcome& outcome)
    {
        STRCMP_EQUAL(reason, outcome.reason.c_str());
        CHECK(outcome.kind == Kind::denied);
        CHECK_FALSE(outcome.who.has_value());
        LONGS_EQUAL(2, outcome.www_authenticate.size());
        STRCMP_EQUAL("Negotiate", outcome.www_authenticate[0].c_str());
        STRCMP_EQUAL("NTLM", outcome.www_authenticate[1].c_str());
    }
};

TEST(ntlm_schemes, the_right_password_and_every_spelling)
{
    static constexpr struct {
        const char *user, *domain;
    } spellings[] = {{"alice", ""}, {"Alice", "CORP"}, {"ALICE@corp.Example", ""}, {"CORP\\alice", ""}};
    for (const Way way : ways)
        for (const auto& row : spellings) {
            connect();
            Client client(way, row.user, "secret", row.domain);
            const Outcome outcome = login(client);
            STRCMP_EQUAL_TEXT("", outcome.reason.c_str(), row.user);
            CHECK(outcome.kind == Kind::authenticated);
            STRCMP_EQUAL("alice", outcome.who->canonical.c_str());
            STRCMP_EQUAL(client.scheme(), outcome.who->scheme.c_str());
            const bool wrapped = way != Way::ntlm && way != Way::bare;
            LONGS_EQUAL(wrapped ? 1 : 0, outcome.www_authenticate.size());
            CHECK(!wrapped || client.content_with(last));
            CHECK(auth->quick(std::nullopt)->who->canonical == "alice");
        }
}

TEST(ntlm_schemes, every_refusal_looks_the_same_and_costs_the_same)
{
    static constexpr struct {
        const char *user, *domain, *password, *reason;
    } rows[] = {
        {"alice", "", "wrong", "wrong password: alice"},
        {"alice", "OTHER", "secret", "unknown user, or a domain that neither default_domain nor a login of the account names: other\\alice"},
        {"nobody", "", "secret", "unknown user: nobody"},
        {"carol", "", "secret", "account disabled: carol"},
        {"bob", "", "secret", "NTLM is not on for the account, see \"user ntlm\": bob"},
        {"a:b", "", "secret", "this is no login: a:b"},
        {"alice@corp.example", "CORP", "secret", "this is no login: CORP\\alice@corp.example"},
    };
    for (const Way way : ways)
        for (const auto& row : rows) {
            accounts.asked = 0;
            denied(row.reason, login(Client(way, row.user, row.password, row.domain)));
            LONGS_EQUAL(2, accounts.asked);
            CHECK(auth->quick(std::nullopt)->kind == Kind::challenge);
        }
    CHECK(login(Client(Way::ntlm, "alice", "secret")).kind == Kind::authenticated);
}

// A challenge is good for one answer, whether that was right or wrong, and a newer one takes its place.
TEST(ntlm_schemes, a_challenge_is_for_one_answer)
{
    constexpr char none[] = "an NTLM response without a challenge, or a second one for it";
    for (const char* password : {"secret", "wrong"}) {
        connect();
        Client client(Way::ntlm, "alice", password);
        said("NTLM", client.first());
        const spnego::Token third = client.next(last);
        CHECK((said("NTLM", third).kind == Kind::authenticated) == (password == std::string("secret")));
        denied(none, said("NTLM", third));
    }
    connect();
    Client client(Way::ntlm, "alice", "secret");
    said("NTLM", client.first());
    const spnego::Token third = client.next(last);
    said("NTLM", client.first());
    const spnego::Token another = client.next(last);
    connect();
    denied(none, said("NTLM", third));
    said("NTLM", client.first());
    said("NTLM", client.first());
    denied("wrong password: alice", said("NTLM", another));
    CHECK(login(client).kind == Kind::authenticated);
}

TEST(ntlm_schemes, a_login_is_finished_as_it_was_begun)
{
    Client client(Way::ntlm, "alice", "secret");
    said("NTLM", client.first());
    denied("an NTLM response without a challenge, or a second one for it", said("Negotiate", client.next(last)));

    Client wrapped(Way::spnego, "alice", "secret");
    said("Negotiate", wrapped.first());
    const std::string bytes = base::base64_decode(last).value();
    const auto response = spnego::NegTokenResp::parse(base::bytes_of(bytes));
    denied("an NTLM message outside SPNEGO, in which the login has begun",
           said("Negotiate", client.next(text(response->response))));

    Client bare(Way::bare, "alice", "secret");
    said("Negotiate", bare.first());
    denied("an SPNEGO token that is not due",
           said("Negotiate", spnego::NegTokenResp{.state = std::nullopt, .response = bare.next(last)}.build()));
}

TEST(ntlm_schemes, nonsense_is_refused_without_a_look_up)
{
    const std::string type1 = text(Client(Way::ntlm, "alice", "secret").first());
    const spnego::NegTokenInit kerberos{{std::string(spnego::oid::kerberos)}, {}, {1}, {}};
    const spnego::NegTokenResp response{.state = std::nullopt, .response = {1}};
    const std::string init = text(Client(Way::spnego, "alice", "secret").first());
    const struct {
        std::string header;
        const char* reason;
    } rows[] = {
        {"NTLM", "the token is not base64"},
        {"NTLM " + type1 + "!", "the token is not base64"},
        {"NTLM " + type1.substr(1), "the token is not base64"},
        {"NTLM " + text(base::bytes_of("NTLMSSP")), "the token is no NTLM message"},
        {"NTLM " + text(base::bytes_of(std::string_view("NTLMSSP\0\1\0\0\0", 12))), "the NTLM message is malformed"},
        {"NTLM " + text(base::bytes_of(std::string_view("NTLMSSP\0\2\0\0\0", 12))),
         "an NTLM response without a challenge, or a second one for it"},
        {"NTLM " + init, "the token is no NTLM message"},
        {"NTLM " + std::string(87384, 'A'), "the token is no NTLM message"},
        {"NTLM " + std::string(87388, 'A'), "the token is too long"},
        {"Negotiate " + text(base::bytes_of("x")), "the SPNEGO token is malformed"},
        {"Negotiate " + init.substr(0, 24), "the SPNEGO token is malformed"},
        {"Negotiate " + text(kerberos.build()),
         "SPNEGO offers neither NTLM nor a mechanism that is set up"},
        {"Negotiate " + text(response.build()), "an SPNEGO token that is not due"},
    };
    for (const auto& row : rows)
        denied(row.reason, said(row.header));
    LONGS_EQUAL(0, accounts.asked);
}

TEST(ntlm_schemes, five_tokens_are_the_most_for_a_login)
{
    Client client(Way::kerberos_first, "alice", "secret"), type1(Way::ntlm, "alice", "secret");
    const spnego::Token again = spnego::NegTokenResp{.state = std::nullopt, .response = type1.first()}.build();
    CHECK(said("Negotiate", client.first()).kind == Kind::challenge);
    for (int token = 2; token <= 5; ++token)
        CHECK(said("Negotiate", again).kind == Kind::challenge);
    denied("too many tokens for one login", said("Negotiate", again));
    // Each that begins anew is the first one.
    for (int login = 0; login < 9; ++login) {
        CHECK(said("Negotiate", client.first()).kind == Kind::challenge);
        CHECK(said("Negotiate", type1.first()).kind == Kind::challenge);
    }
}

TEST(ntlm_schemes, an_account_that_goes_during_the_login_is_out)
{
    const std::function<void()> changes[] = {
        [this] { accounts.rows.at({"", "dave"}).enabled = false; },
        [this] { accounts.rows.erase({"", "dave"}); },
        [this] { accounts.rows[{"", "dave"}] = {"another dave", true, "!", 2}; },
    };
    for (const auto& change : changes) {
        accounts.rows[{"", "dave"}] = {"dave", true, "!", 1};
        Client client(Way::late_mic, "dave", "secret");
        said("Negotiate", client.first());
        CHECK(said("Negotiate", client.next(last)).kind == Kind::challenge);
        change();
        denied("account removed or disabled during the login: dave", said("Negotiate", client.next(last)));
    }
}

TEST(ntlm_schemes, extended_protection)
{
    using Policy = ntlm::Protection::Policy;
    const ntlm::BindingHash ours = ntlm::binding_hash("ours"), another = ntlm::binding_hash("another");
    const struct {
        Policy policy;
        std::optional<ntlm::BindingHash> says;
        const char* refusal;
    } rows[] = {
        {Policy::off, std::nullopt, nullptr},
        {Policy::off, ours, nullptr},
        {Policy::off, another, nullptr},
        {Policy::allow, std::nullopt, nullptr},
        {Policy::allow, ours, nullptr},
        {Policy::allow, another, "the channel binding is that of another channel: alice"},
        {Policy::require, std::nullopt, "no channel binding, and it is required: alice"},
        {Policy::require, ours, nullptr},
        {Policy::require, another, "the channel binding is that of another channel: alice"},
    };
    for (const Way way : ways)
        for (const auto& row : rows) {
            policy.protection = row.policy;
            connect("ours");
            const Outcome outcome = login(Client(way, "alice", "secret", "", row.says));
            if (row.refusal != nullptr)
                denied(row.refusal, outcome);
            else
                CHECK(outcome.kind == Kind::authenticated);
        }
}

TEST(ntlm_schemes, busy_is_not_a_refusal)
{
    for (const Way way : {Way::ntlm, Way::spnego}) {
        Client client(way, "alice", "secret");
        said(client.scheme(), client.first());
        accounts.broken = true;
        const Outcome outcome = said(client.scheme(), client.next(last));
        accounts.broken = false;
        CHECK(outcome.kind == Kind::too_busy);
        STRCMP_EQUAL("accounts cannot be read: disk on fire", outcome.reason.c_str());
    }
}

TEST(ntlm_schemes, another_principal_on_the_same_connection)
{
    CHECK(login(Client(Way::ntlm, "alice", "secret")).kind == Kind::authenticated);
    denied("another principal on an authenticated connection", login(Client(Way::spnego, "dave", "secret")));
    CHECK(login(Client(Way::spnego, "alice", "secret", "CORP")).kind == Kind::authenticated);
    CHECK(auth->quick(std::nullopt)->who->canonical == "alice");
}

namespace {

/// A domain controller with one user, eve, whose password is "secret".
struct FakeDomain final : winbind::Service {
    winbind::Judgement::Kind otherwise = winbind::Judgement::Kind::refused;
    std::vector<std::string> sids = {"S-1-5-21-1-2-3-1200", "S-1-5-21-1-2-3-1105"};
    std::string dns_domain = "corp.example";

    winbind::Judgement judge(const winbind::Login& login) override
    {
        const auto user = ntlm::to_utf16(login.user), domain = ntlm::to_utf16(login.domain);
        const ntlm::Key key = ntlm::ntowf_v2(ntlm::nt_hash("secret").value(), *user, *domain);
        const base::Bytes response(login.nt);
        const ntlm::Key proof = ntlm::nt_proof(key, login.challenge, response.subspan(16));
        if (otherwise == winbind::Judgement::Kind::unavailable)
            return {otherwise, {}, "no domain controller"};
        if (!ntlm::equal(proof, response.first(16)))
            return {winbind::Judgement::Kind::refused, {}, "wrong password"};
        return {winbind::Judgement::Kind::person, {"Eve", "CORP", dns_domain, sids, ntlm::session_base_key(key, proof)}, {}};
    }
    winbind::State look(const std::vector<std::string>&) override
    {
        return {"", "PROXY", "CORP", "corp.example", {{"CORP\\Mail Users", "S-1-5-21-1-2-3-1105"}}};
    }
};

} // namespace

TEST_GROUP(ntlm_of_a_domain)
{
    FakeAccounts accounts;
    auth::Policy policy{{&auth::negotiate_scheme, &auth::ntlm_scheme}, false, "test", ntlm::Protection::Policy::off, {}};
    auth::Cache cache;
    auth::PasswordChecks passwords{0, 1};
    FakeDomain domain;
    std::optional<auth::Admission> admission;
    std::optional<auth::Domains> domains;
    std::unique_ptr<auth::Authenticator> auth;
    base::Pending asker;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        admit("group CORP\\Mail Users");
        domains->learn(domain.look({}));
        accounts.rows[{"", "alice"}] = {"alice", true, "!", 1};
        accounts.nt_hashes["alice"] = ntlm::nt_hash("secret").value();
        connect();
    }
    void teardown() override { auth.reset(); }
    void admit(const char* rule)
    {
        domains.reset();
        admission.emplace(std::vector{*auth::Admission::parse(rule).rule});
        domains.emplace(domain, *admission, policy.server, 1, 4);
    }
    void connect(const std::string& end_point = {})
    {
        auth = std::make_unique<auth::Authenticator>(auth::Backends{policy, accounts, cache, passwords, nullptr, &*domains},
                                                     auth::Channel{!end_point.empty(), end_point});
    }
    /// What the daemon makes of one token.
    Outcome said(const std::string& header)
    {
        const auto quick = auth->quick(header);
        Outcome outcome = quick ? *quick : auth->look_up(header);
        if (outcome.kind == Kind::check) {
            std::promise<void> made;
            outcome.check->begin(asker.begin(), [&made](bool) { made.set_value(); });
            made.get_future().wait();
            outcome = auth->checked();
        }
        return outcome.kind == Kind::again ? auth->look_up(header) : outcome;
    }
    Outcome login(Client&& client, const std::function<void()>& meanwhile = [] {},
                  const std::function<void(spnego::Token&)>& change = [](spnego::Token&) {})
    {
        Outcome outcome = said(client.scheme() + (' ' + text(client.first())));
        while (outcome.kind == Kind::challenge) {
            const std::string& line = outcome.www_authenticate.at(0);
            spnego::Token token = client.next(line.substr(line.find(' ') + 1));
            meanwhile();
            change(token);
            outcome = said(client.scheme() + (' ' + text(token)));
        }
        return outcome;
    }
};

TEST(ntlm_of_a_domain, one_principal_for_every_spelling)
{
    static constexpr struct {
        const char *user, *domain;
    } spellings[] = {{"eve", "CORP"}, {"EVE", "corp.example"}, {"eve@corp.example", ""}, {"eve", ""}};
    for (const Way way : ways)
        for (const auto& row : spellings) {
            connect();
            const Outcome outcome = login(Client(way, row.user, "secret", row.domain));
            STRCMP_EQUAL_TEXT("", outcome.reason.c_str(), row.user);
            CHECK(outcome.kind == Kind::authenticated);
            STRCMP_EQUAL("eve@corp.example", outcome.who->canonical.c_str());
            CHECK(auth->quick(std::nullopt)->who->canonical == "eve@corp.example");
        }
    domain.dns_domain.clear();
    connect();
    STRCMP_EQUAL("corp\\eve", login(Client(Way::ntlm, "eve", "secret", "CORP")).who->canonical.c_str());
}

TEST(ntlm_of_a_domain, who_is_not_let_in)
{
    const auto twisted = [](spnego::Token& token) { token.at(token.size() - 1) ^= 1; };
    const auto straight = [](spnego::Token&) {};
    const struct {
        const char* what;
        const char* password;
        std::function<void()> before;
        std::function<void(spnego::Token&)> change;
        Kind kind;
        const char* reason;
    } rows[] = {
        {"nothing", "secret", [] {}, straight, Kind::authenticated, ""},
        {"another password", "wrong", [] {}, straight, Kind::denied, "wrong password: corp\\eve"},
        {"a message that was changed", "secret", [] {}, twisted, Kind::denied,
         "the message integrity code is wrong: a message was changed on the way: corp\\eve"},
        {"no group", "secret", [this] { domain.sids = {"S-1-5-21-1-2-3-1200"}; }, straight, Kind::denied,
         "no rule of admit lets it in: CORP\\Eve"},
        {"groups not looked up", "secret", [this] { admission->learn({}); }, straight, Kind::too_busy,
         "the group of \"group CORP\\Mail Users\" is not looked up yet: CORP\\Eve"},
        {"no domain controller", "secret", [this] { domain.otherwise = winbind::Judgement::Kind::unavailable; }, straight,
         Kind::too_busy, "no domain controller: corp\\eve"},
        {"a local account", "secret", [this] { accounts.rows[{"corp.example", "eve"}] = {"evelyn", true, "!", 1}; }, straight, Kind::denied,
         "there is a local account of this login, which counts: eve@corp.example"},
        {"a local account that is disabled", "secret", [this] { accounts.rows[{"corp.example", "eve"}] = {"evelyn", false, "!", 1}; },
         straight, Kind::denied, "account disabled: eve@corp.example"},
        {"a local account of the same spelling", "secret", [this] { accounts.rows[{"corp", "eve"}] = {"evelyn", true, "!", 1}; }, straight,
         Kind::denied, "NTLM is not on for the account, see \"user ntlm\": corp\\eve"},
        {"accounts that cannot be read", "secret", [this] { accounts.broken = true; }, straight, Kind::too_busy,
         "accounts cannot be read: disk on fire"},
    };
    for (const auto& row : rows) {
        domain = FakeDomain();
        domains->learn(domain.look({}));
        accounts.broken = false;
        accounts.rows.erase({"corp.example", "eve"});
        accounts.rows.erase({"corp", "eve"});
        connect();
        const Outcome outcome = login(Client(Way::ntlm, "eve", row.password, "CORP"), row.before, row.change);
        STRCMP_EQUAL_TEXT(row.reason, outcome.reason.c_str(), row.what);
        CHECK_TRUE_TEXT(outcome.kind == row.kind, row.what);
        CHECK_EQUAL_TEXT(row.kind == Kind::authenticated, outcome.who.has_value(), row.what);
    }
}

TEST(ntlm_of_a_domain, local_accounts_ask_nobody)
{
    domain.otherwise = winbind::Judgement::Kind::unavailable;
    for (const Way way : ways) {
        connect();
        STRCMP_EQUAL("alice", login(Client(way, "alice", "secret")).who->canonical.c_str());
    }
}

// Responses that were made for other names than the domain knows would be refused by it as wrong.
TEST(ntlm_of_a_domain, nobody_is_asked_before_winbindd_has_told_our_names)
{
    admit("domain CORP");
    connect();
    const Outcome outcome = login(Client(Way::ntlm, "eve", "secret", "CORP"));
    CHECK(outcome.kind == Kind::too_busy);
    STRCMP_EQUAL("winbindd has not told this machine's place in the domain yet: corp\\eve", outcome.reason.c_str());
}

TEST(ntlm_of_a_domain, extended_protection)
{
    policy.protection = ntlm::Protection::Policy::require;
    const ntlm::BindingHash ours = ntlm::binding_hash("ours"), another = ntlm::binding_hash("another");
    connect("ours");
    CHECK(login(Client(Way::spnego, "eve", "secret", "CORP", ours)).kind == Kind::authenticated);
    connect("ours");
    CHECK(login(Client(Way::spnego, "eve", "secret", "CORP", another)).kind == Kind::denied);
    connect("ours");
    CHECK(login(Client(Way::spnego, "eve", "secret", "CORP")).kind == Kind::denied);
}
