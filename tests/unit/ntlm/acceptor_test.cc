#include "unit/ntlm/windows_client.h"

#include <algorithm>
#include <set>

#include "ntlm/text.h"

#include <CppUTest/TestHarness.h>

namespace flags = ntlm::flags;
using ntlm::AvId;
using ntlm::Refusal;
using Mic = WindowsClient::Mic;

namespace {

const ntlm::BindingHash channel = ntlm::binding_hash("tls-server-end-point:this channel");
const ntlm::BindingHash other_channel = ntlm::binding_hash("tls-server-end-point:another");

struct Row {
    const char* name;
    void (*change)(WindowsClient&);
    std::optional<Refusal> outcome;
};

/// Without the MIC, whatever else is changed is judged by itself.
void without_mic(WindowsClient& client)
{
    client.mic = Mic::none;
}

} // namespace

TEST_GROUP(ntlm_acceptor)
{
    void check(std::span<const Row> rows)
    {
        for (const Row& row : rows) {
            TestServer server;
            WindowsClient client;
            row.change(client);
            STRCMP_EQUAL_TEXT(text(row.outcome).c_str(), text(server.login(client)).c_str(), row.name);
        }
    }
};

TEST(ntlm_acceptor, clients_as_they_are)
{
    static const Row rows[] = {
        {"Windows 10", [](WindowsClient&) {}, {}},
        {"with names in Type 1", [](WindowsClient& c) { c.names_in_type1 = true; }, {}},
        {"Windows for HTTP, no integrity", [](WindowsClient& c) { c.flags = 0xa2088207; }, {}},
        {"Type 1 of 32 bytes, a MIC nevertheless", [](WindowsClient& c) { c.type1_size = 32; }, {}},
        {"Type 1 of 32 bytes with names", [](WindowsClient& c) { c.type1_size = 32, c.names_in_type1 = true; }, {}},
        {"Type 1 of 16 bytes", [](WindowsClient& c) { c.type1_size = 16; }, {}},
        {"without a MIC", without_mic, {}},
        {"no VERSION, payload from 64", [](WindowsClient& c) { c.version = false, c.mic = Mic::none; }, {}},
        {"VERSION announced, payload from 64: curl",
         [](WindowsClient& c) { c.version = false, c.mic = Mic::none, c.type1_size = 32, c.flags |= flags::version; }, {}},
        {"no VERSION, MIC at 64", [](WindowsClient& c) { c.version = false; }, {}},
        {"no extended session security", [](WindowsClient& c) { c.flags &= ~flags::extended_security; }, {}},
        {"no key exchange", [](WindowsClient& c) { c.flags &= ~flags::key_exchange; }, {}},
        {"key exchange negotiated and not needed",
         [](WindowsClient& c) { c.flags &= ~(flags::sign | flags::seal); }, {}},
        {"no domain", [](WindowsClient& c) { c.domain.clear(); }, {}},
        {"user@domain", [](WindowsClient& c) { c.user = "user@corp.example", c.domain.clear(); }, {}},
        {"non-ASCII", [](WindowsClient& c) { c.user = "J\xc3\xb6rg", c.domain = "B\xc3\x9cRO"; }, {}},
        {"Greek", [](WindowsClient& c) { c.user = "\xce\x93\xce\xb9\xcf\x8e\xcf\x81\xce\xb3\xce\xbf\xcf\x82"; }, {}},
        {"beyond the first plane", [](WindowsClient& c) { c.user = "\xf0\x90\x90\xa8"; }, {}},
        {"OEM", [](WindowsClient& c) { c.names = WindowsClient::Names::oem; }, {}},
        {"OEM alone", [](WindowsClient& c) { c.names = WindowsClient::Names::oem, c.flags &= ~flags::unicode; }, {}},
        {"an unreadable workstation", [](WindowsClient& c) { c.workstation = "PC\x01"; }, {}},
        {"pairs in another order", [](WindowsClient& c) { c.on_pairs = [](ntlm::AvPairs& p) { std::ranges::reverse(p); }; }, {}},
    };
    check(rows);
}

TEST(ntlm_acceptor, mic)
{
    static const Row rows[] = {
        {"right", [](WindowsClient&) {}, {}},
        {"wrong", [](WindowsClient& c) { c.mic = Mic::wrong; }, Refusal::mic_wrong},
        {"wrong, at 64", [](WindowsClient& c) { c.mic = Mic::wrong, c.version = false; }, Refusal::mic_wrong},
        {"zero though announced", [](WindowsClient& c) { c.mic = Mic::zero; }, Refusal::mic_wrong},
        {"cut", [](WindowsClient& c) { c.mic = Mic::cut; }, Refusal::mic_missing},
        {"cut, and VERSION with it", [](WindowsClient& c) { c.mic = Mic::cut, c.version = false; }, Refusal::mic_missing},
        {"not announced", without_mic, {}},
    };
    check(rows);
}

TEST(ntlm_acceptor, carried_mic_tells_whether_there_was_one)
{
    for (const Mic mic : {Mic::right, Mic::none}) {
        TestServer server;
        WindowsClient client;
        client.mic = mic;
        LET_IN(server.login(client));
        CHECK_EQUAL(mic == Mic::right, server.acceptor.carried_mic());
    }
}

TEST(ntlm_acceptor, nothing_of_a_login_is_left_for_the_next)
{
    TestServer server;
    server.protection = {ntlm::Protection::Policy::allow, channel, {}};
    WindowsClient bound, plain;
    bound.binding = channel;
    plain.mic = Mic::none;
    plain.user = "Another";
    plain.workstation = "\x01";
    for (int times = 0; times < 2; ++times) {
        LET_IN(server.login(bound));
        CHECK_TRUE(server.acceptor.carried_mic() && server.acceptor.channel_bound());
        LET_IN(server.login(plain));
        CHECK_FALSE(server.acceptor.carried_mic() || server.acceptor.channel_bound());
        STRCMP_EQUAL("Another", server.acceptor.user().c_str());
        STRCMP_EQUAL("", server.acceptor.workstation().c_str());
    }
    WindowsClient huge;
    huge.on_response = [](ntlm::Message& nt) { nt.resize(ntlm::max_message); };
    REFUSED(Refusal::malformed, server.login(huge));
}

TEST(ntlm_acceptor, what_is_not_version_2)
{
    using ntlm::Message;
    static const Row rows[] = {
        {"24 bytes: NTLMv1", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt.resize(24); }; }, Refusal::not_ntlm_v2},
        {"LM or anonymous", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt.clear(); }; }, Refusal::not_ntlm_v2},
        {"one byte", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt.resize(1); }; }, Refusal::not_ntlm_v2},
        {"25 bytes", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt.resize(25); }; }, Refusal::malformed},
        {"no pairs", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt.resize(44); }; }, Refusal::malformed},
        {"no end", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt.resize(nt.size() - 8); }; }, Refusal::malformed},
        {"RespType", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt[16] = 2; }; }, Refusal::malformed},
        {"HiRespType", [](WindowsClient& c) { c.on_response = [](Message& nt) { nt[17] = 2; }; }, Refusal::malformed},
        {"flags twice",
         [](WindowsClient& c) {
             c.on_pairs = [](ntlm::AvPairs& pairs) { pairs.insert(pairs.begin(), *find(pairs, AvId::flags)); };
         },
         Refusal::malformed},
        {"flags of three bytes",
         [](WindowsClient& c) {
             c.on_pairs = [](ntlm::AvPairs& pairs) {
                 for (ntlm::AvPair& pair : pairs)
                     pair.value = pair.id == AvId::flags ? pair.value.first(3) : pair.value;
             };
         },
         Refusal::malformed},
    };
    check(rows);
}

TEST(ntlm_acceptor, names_and_passwords)
{
    static const Row rows[] = {
        {"another password", [](WindowsClient& c) { c.password = "password"; }, Refusal::wrong_password},
        {"no password", [](WindowsClient& c) { c.password.clear(); }, Refusal::wrong_password},
        {"another proof", [](WindowsClient& c) { c.on_response = [](ntlm::Message& nt) { nt[0] ^= 1; }; }, Refusal::wrong_password},
        {"another blob", [](WindowsClient& c) { c.on_response = [](ntlm::Message& nt) { nt[32] ^= 1; }; }, Refusal::wrong_password},
        {"no name", [](WindowsClient& c) { c.user.clear(); }, Refusal::no_name},
        {"a NUL in the name", [](WindowsClient& c) { c.user.push_back('\0'); }, Refusal::unreadable_name},
        {"a line feed in the domain", [](WindowsClient& c) { c.domain += "\n"; }, Refusal::unreadable_name},
        {"bytes of a code page", [](WindowsClient& c) { c.names = WindowsClient::Names::oem, c.user = "J\xc3\xb6rg"; },
         Refusal::unreadable_name},
    };
    check(rows);
}

TEST(ntlm_acceptor, timestamp_is_ours)
{
    static const Row rows[] = {
        {"another", [](WindowsClient& c) { c.on_timestamp = [](auto& time) { time[0] ^= 1; }; }, Refusal::wrong_timestamp},
        {"a short one", [](WindowsClient& c) { c.on_timestamp = [](auto& time) { time.pop_back(); }; }, Refusal::wrong_timestamp},
        {"none", [](WindowsClient& c) { c.on_timestamp = [](auto& time) { time.clear(); }; }, Refusal::wrong_timestamp},
        {"only the one in front of the pairs is the client's",
         [](WindowsClient& c) { c.mic = Mic::none, c.version = false; }, {}},
    };
    check(rows);
}

TEST(ntlm_acceptor, channel_binding)
{
    using Policy = ntlm::Protection::Policy;
    const std::optional<ntlm::BindingHash> none;
    const struct {
        Policy policy;
        std::optional<ntlm::BindingHash> ours, theirs;
        bool pair;
        std::optional<Refusal> outcome;
        bool bound;
    } rows[] = {
        {Policy::off, channel, channel, true, {}, false},
        {Policy::off, channel, other_channel, true, {}, false},
        {Policy::off, channel, none, true, {}, false},
        {Policy::allow, channel, channel, true, {}, true},
        {Policy::allow, channel, other_channel, true, Refusal::binding_wrong, false},
        {Policy::allow, channel, none, true, {}, false},
        {Policy::allow, channel, none, false, {}, false},
        {Policy::allow, none, channel, true, {}, false},
        {Policy::require, channel, channel, true, {}, true},
        {Policy::require, channel, other_channel, true, Refusal::binding_wrong, false},
        {Policy::require, channel, none, true, Refusal::binding_missing, false},
        {Policy::require, channel, none, false, Refusal::binding_missing, false},
        {Policy::require, none, channel, true, Refusal::binding_wrong, false},
        {Policy::require, none, none, true, Refusal::binding_missing, false},
    };
    for (const auto& row : rows)
        for (const Mic mic : {Mic::right, Mic::none}) {
            TestServer server;
            server.protection.policy = row.policy;
            server.protection.binding = row.ours;
            WindowsClient client;
            client.mic = mic;
            client.binding = row.theirs;
            client.binding_pair = row.pair;
            STRCMP_EQUAL(text(row.outcome).c_str(), text(server.login(client)).c_str());
            if (!row.outcome)
                CHECK_EQUAL(row.bound, server.acceptor.channel_bound());
        }
}

TEST(ntlm_acceptor, target_name)
{
    using Policy = ntlm::Protection::Policy;
    const std::vector<std::string> any, two{"HTTP/mail.corp.example", "HTTP/proxy.corp.example"};
    const struct {
        Policy policy;
        std::vector<std::string> ours;
        const char* theirs;
        std::uint32_t more_flags;
        std::optional<Refusal> outcome;
    } rows[] = {
        {Policy::off, two, "HTTP/evil.example", 0, {}},
        {Policy::allow, any, "HTTP/evil.example", 0, {}},
        {Policy::allow, two, "HTTP/mail.corp.example", 0, {}},
        {Policy::allow, two, "http/PROXY.corp.example", 0, {}},
        {Policy::allow, two, "HTTP/evil.example", 0, Refusal::target_wrong},
        {Policy::allow, two, "HTTP/mail.corp.example.evil.example", 0, Refusal::target_wrong},
        {Policy::allow, two, "cifs/PROXY", 0, Refusal::target_wrong},
        {Policy::allow, two, "", 0, {}},
        {Policy::allow, two, "HTTP/evil.example", ntlm::av_untrusted_target, {}},
        {Policy::require, two, "HTTP/proxy.corp.example", 0, {}},
        {Policy::require, two, "HTTP/evil.example", 0, Refusal::target_wrong},
        {Policy::require, two, "", 0, Refusal::target_missing},
        {Policy::require, two, "HTTP/proxy.corp.example", ntlm::av_untrusted_target, Refusal::target_missing},
        {Policy::require, any, "", 0, {}},
    };
    for (const auto& row : rows) {
        TestServer server;
        server.protection = {row.policy, channel, row.ours};
        WindowsClient client;
        client.binding = channel;
        client.target = row.theirs;
        client.more_av_flags = row.more_flags;
        STRCMP_EQUAL_TEXT(text(row.outcome).c_str(), text(server.login(client)).c_str(), row.theirs);
    }
}

TEST(ntlm_acceptor, tells_who_asks)
{
    TestServer server;
    WindowsClient client;
    client.user = "J\xc3\xb6rg";
    LET_IN(server.login(client));
    STRCMP_EQUAL("J\xc3\xb6rg", server.acceptor.user().c_str());
    STRCMP_EQUAL("Domain", server.acceptor.domain().c_str());
    STRCMP_EQUAL("COMPUTER", server.acceptor.workstation().c_str());
}

TEST(ntlm_acceptor, has_the_clients_keys)
{
    const ntlm::Message message{1, 2, 3};
    for (const std::uint32_t without : {0u, flags::key_exchange, flags::key_128}) {
        TestServer server;
        WindowsClient client;
        client.flags &= ~without;
        LET_IN(server.login(client));
        for (const ntlm::Side side : {ntlm::Side::client, ntlm::Side::server})
            CHECK_TRUE(client.session.sign(side, message) == server.acceptor.session().sign(side, message));
        CHECK_TRUE(ntlm::equal(client.session.exported, server.acceptor.session().exported));
    }
}

TEST(ntlm_acceptor, which_key_is_the_sessions)
{
    const struct {
        std::uint32_t without;     // of the flags
        std::uint8_t key;          // bytes of EncryptedRandomSessionKey
        std::uint8_t not_in_type3; // of the highest byte of its flags
        std::optional<Refusal> outcome;
        bool exchanged;
    } rows[] = {
        {0, 16, 0, {}, true},
        {flags::sign, 16, 0, {}, true},
        {0, 16, 0x40, {}, false}, // a key that nobody has negotiated
        {0, 8, 0, Refusal::malformed, false},
        {0, 0, 0, Refusal::malformed, false},
        {flags::sign, 0, 0, {}, false}, // negotiated, and nothing to protect with it
    };
    for (const std::uint32_t protects : {flags::sign, flags::seal})
        for (const auto& row : rows) {
            TestServer server;
            WindowsClient client;
            client.mic = Mic::none;
            client.flags = ((client.flags & ~flags::sign) | protects) & ~(row.without ? flags::sign | flags::seal : 0);
            const auto type1 = client.type1();
            const auto type2 = server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value();
            ntlm::Message type3 = client.type3(type1, type2);
            type3[52] = type3[54] = row.key;
            type3[63] &= static_cast<std::uint8_t>(~row.not_in_type3);
            STRCMP_EQUAL(text(row.outcome).c_str(), text(server.login(type3)).c_str());
            if (!row.outcome)
                CHECK_EQUAL(row.exchanged, ntlm::equal(client.session.exported, server.acceptor.session().exported));
        }
}

TEST(ntlm_acceptor, a_domain_controller_may_have_judged)
{
    for (const Mic mic : {Mic::right, Mic::wrong}) {
        TestServer server;
        WindowsClient client;
        client.mic = mic;
        const auto type1 = client.type1();
        const auto type2 = server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value();
        LET_IN(server.acceptor.read(client.type3(type1, type2)));

        // What it gets is enough for it to find the session key.
        const ntlm::Key owf = ntlm::ntowf_v2(ntlm::nt_hash("Password").value(), ntlm::to_utf16(server.acceptor.user()).value(),
                                             ntlm::to_utf16(server.acceptor.domain()).value());
        const base::Bytes response = server.acceptor.nt_response();
        const ntlm::Key proof = ntlm::nt_proof(owf, server.acceptor.nonce(), response.subspan(16));
        CHECK_TRUE(ntlm::equal(proof, response.first(16)));
        LONGS_EQUAL(24, server.acceptor.lm_response().size());
        const auto outcome = server.acceptor.verify_session(ntlm::session_base_key(owf, proof), server.protection);
        if (mic == Mic::right)
            LET_IN(outcome);
        else
            REFUSED(Refusal::mic_wrong, outcome);
        REFUSED(Refusal::no_challenge, server.acceptor.verify_session(ntlm::session_base_key(owf, proof), server.protection));
    }
}

TEST(ntlm_acceptor, a_challenge_is_good_for_one_answer)
{
    TestServer server;
    WindowsClient client;
    const auto type1 = client.type1();
    const auto others = TestServer().acceptor.challenge(type1, TestServer::nonce, TestServer::now).value();
    REFUSED(Refusal::no_challenge, server.login(client.type3(type1, others)));

    const auto type3 = client.type3(type1, server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value());
    LET_IN(server.login(type3));
    REFUSED(Refusal::no_challenge, server.login(type3));
    REFUSED(Refusal::no_challenge, server.acceptor.verify(ntlm::nt_hash("Password").value(), server.protection));

    // Neither is it after an answer that was wrong, or malformed.
    for (const std::size_t size : {std::size_t{0}, std::size_t{20}, type3.size()}) {
        CHECK_TRUE(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).has_value());
        auto wrong = type3;
        wrong.resize(size);
        if (!wrong.empty())
            wrong.back() ^= 1;
        CHECK_TRUE(server.login(wrong).has_value());
        REFUSED(Refusal::no_challenge, server.login(type3));
    }

    // One read, one verify.
    CHECK_TRUE(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).has_value());
    LET_IN(server.acceptor.read(type3));
    REFUSED(Refusal::wrong_password, server.acceptor.verify(ntlm::nt_hash("another").value(), server.protection));
    REFUSED(Refusal::no_challenge, server.acceptor.verify(ntlm::nt_hash("Password").value(), server.protection));
}

TEST(ntlm_acceptor, a_type_1_begins_anew)
{
    TestServer server;
    WindowsClient client;
    const auto type1 = client.type1();
    const auto first = server.acceptor.challenge(type1, {1, 1, 1, 1, 1, 1, 1, 1}, TestServer::now).value();
    LET_IN(server.acceptor.read(client.type3(type1, first)));
    CHECK_TRUE(server.acceptor.challenge(type1, {2, 2, 2, 2, 2, 2, 2, 2}, TestServer::now).has_value());
    REFUSED(Refusal::no_challenge, server.acceptor.verify(ntlm::nt_hash("Password").value(), server.protection));
    const auto second = server.acceptor.challenge(type1, {2, 2, 2, 2, 2, 2, 2, 2}, TestServer::now).value();
    REFUSED(Refusal::wrong_password, server.login(client.type3(type1, first)));
    CHECK_TRUE(server.acceptor.challenge(type1, {2, 2, 2, 2, 2, 2, 2, 2}, TestServer::now).has_value());
    LET_IN(server.login(client.type3(type1, second)));

    // A malformed one leaves no challenge.
    CHECK_TRUE(server.acceptor.challenge(type1, {2, 2, 2, 2, 2, 2, 2, 2}, TestServer::now).has_value());
    CHECK_FALSE(server.acceptor.challenge(base::Bytes(type1).first(15), {}, TestServer::now).has_value());
    REFUSED(Refusal::no_challenge, server.login(client.type3(type1, second)));
}

TEST(ntlm_acceptor, every_bit_of_every_message_counts)
{
    TestServer server;
    WindowsClient client;
    const auto type1 = client.type1();
    const auto type2 = server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).value();
    const auto type3 = client.type3(type1, type2);
    LET_IN(server.login(type3));

    const auto flipped = [](ntlm::Message message, std::size_t bit) {
        message[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        return message;
    };
    for (std::size_t bit = 0; bit < 8 * type3.size(); ++bit) {
        CHECK_TRUE(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).has_value());
        CHECK_TRUE_TEXT(server.login(flipped(type3, bit)).has_value(), ("type 3, bit " + std::to_string(bit)).c_str());
    }
    // Changed on its way to us, and to the client.
    for (std::size_t bit = 0; bit < 8 * type1.size(); ++bit) {
        const auto challenge = server.acceptor.challenge(flipped(type1, bit), TestServer::nonce, TestServer::now);
        if (challenge) {
            const auto outcome = server.login(client.type3(type1, *challenge));
            CHECK_TRUE_TEXT(outcome.has_value(), ("type 1, bit " + std::to_string(bit)).c_str());
        }
    }
    for (std::size_t bit = 0; bit < 8 * type2.size(); ++bit) {
        CHECK_TRUE(server.acceptor.challenge(type1, TestServer::nonce, TestServer::now).has_value());
        const auto changed = flipped(type2, bit);
        const auto read = ntlm::Challenge::parse(changed);
        if (read && ntlm::parse_av_pairs(read->target_info)) {
            const auto outcome = server.login(client.type3(type1, changed));
            CHECK_TRUE_TEXT(outcome.has_value(), ("type 2, bit " + std::to_string(bit)).c_str());
        }
    }
}

TEST(ntlm_acceptor, each_refusal_has_words_of_its_own)
{
    std::set<std::string_view> texts;
    constexpr int all = static_cast<int>(Refusal::target_wrong) + 1;
    for (int i = 0; i < all; ++i)
        texts.insert(to_text(static_cast<Refusal>(i)));
    LONGS_EQUAL(all, texts.size());
    CHECK_FALSE(texts.contains(""));
}
