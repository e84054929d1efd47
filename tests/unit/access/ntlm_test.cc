#include "access/authenticator.h"

#include "base/base64.h"
#include "ntlm/initiator.h"
#include "spnego/initiator.h"
#include "unit/access/fake_accounts.h"

#include <functional>
#include <memory>
#include <vector>

#include <CppUTest/TestHarness.h>

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
        {"alice", "OTHER", "secret", "unknown user: other\\alice"},
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
