#include "spnego/token.h"

#include "unit/spnego/tokens.h"

#include <CppUTest/TestHarness.h>

using spnego::Form;
using spnego::NegState;
using spnego::NegTokenInit;
using spnego::NegTokenResp;
using vectors::hex;
using namespace tokens;
using vectors::unhex;

namespace {

// DER by hand: what Windows sends with NTLM alone, and with Kerberos and NEGOEX in front.
const auto ntlm_init = unhex("602806062b0601050502a01e301ca00e300c060a2b06010401823702020aa20a0408"
                             "4e544c4d53535000");
const auto windows_list = unhex("302e06092a864882f712010202"
                                "06092a864886f712010202"
                                "060a2b06010401823702021e"
                                "060a2b06010401823702020a");

} // namespace

TEST_GROUP(spnego_token) {};

TEST(spnego_token, init_as_windows_sends_it)
{
    const auto init = NegTokenInit::parse(ntlm_init).value();
    LONGS_EQUAL(1, init.mechanisms.size());
    STRCMP_EQUAL(ntlmssp.c_str(), init.mechanisms[0].c_str());
    STRCMP_EQUAL("300c060a2b06010401823702020a", hex(init.mech_list).c_str());
    STRCMP_EQUAL("4e544c4d53535000", hex(init.mech_token).c_str());
    CHECK_TRUE(init.mic.empty());
    STRCMP_EQUAL(hex(ntlm_init).c_str(), hex(init.build()).c_str());
}

TEST(spnego_token, init_with_many_mechanisms)
{
    NegTokenInit init;
    init.mechanisms = {ms_kerberos, kerberos, "1.3.6.1.4.1.311.2.2.30", ntlmssp};
    init.mech_token = {1, 2, 3};
    const auto token = init.build();
    const auto read = NegTokenInit::parse(token).value();
    CHECK_TRUE(init.mechanisms == read.mechanisms);
    STRCMP_EQUAL(hex(windows_list).c_str(), hex(read.mech_list).c_str());
    STRCMP_EQUAL(hex(windows_list).c_str(), hex(spnego::mech_list_of(token)).c_str());
    CHECK_TRUE(spnego::is_kerberos(read.mechanisms[0]) && spnego::is_kerberos(read.mechanisms[1]));
    CHECK_FALSE(spnego::is_kerberos(read.mechanisms[2]) || spnego::is_kerberos(read.mechanisms[3]));
}

TEST(spnego_token, init_with_flags_and_a_mic_or_hints)
{
    const struct {
        const char* tail;
        const char* mic;
    } rows[] = {
        {"a1040302 0560", ""},                       // reqFlags
        {"a3060404 01020304", "01020304"},           // mechListMIC of RFC 4178
        {"a3083006 a0041b026869", ""},               // negHints of MS-SPNG
        {"a3083006 a0041b026869 a4060404 01020304", ""}, // and its mechListMIC behind them
    };
    for (const auto& row : rows) {
        std::string tail;
        for (const char* c = row.tail; *c; ++c)
            if (*c != ' ')
                tail += *c;
        const std::string body = "a00e300c060a2b06010401823702020a" + tail;
        const auto size = [](const std::string& text, std::size_t more) {
            const auto byte = static_cast<std::uint8_t>(text.size() / 2 + more);
            return base::hex(&byte, 1);
        };
        const auto token = unhex("60" + size(body, 12) + "06062b0601050502a0" + size(body, 2) + "30" + size(body, 0) + body);
        const auto init = NegTokenInit::parse(token);
        CHECK_TRUE_TEXT(init.has_value(), row.tail);
        STRCMP_EQUAL(row.mic, hex(init->mic).c_str());
        CHECK_TRUE(init->mech_token.empty());
    }
}

TEST(spnego_token, response_both_ways)
{
    const struct {
        NegTokenResp response;
        const char* der;
    } rows[] = {
        {{NegState::accept_completed}, "a1073005a0030a0100"},
        {{NegState::accept_incomplete, ntlmssp}, "a1153013a0030a0101a10c060a2b06010401823702020a"},
        {{NegState::request_mic, ntlmssp}, "a1153013a0030a0103a10c060a2b06010401823702020a"},
        {{NegState::reject}, "a1073005a0030a0102"},
        {{{}, "", {0xaa, 0xbb}}, "a1083006a2040402aabb"},
        {{{}, "", {}, {0xcc}}, "a1073005a3030401cc"},
        {{NegState::accept_incomplete, ntlmssp, {0xaa}, {0xcc}},
         "a11f301da0030a0101a10c060a2b06010401823702020aa2030401aaa3030401cc"},
        {{}, "a1023000"},
    };
    for (const auto& row : rows) {
        STRCMP_EQUAL(row.der, hex(row.response.build()).c_str());
        const auto read = NegTokenResp::parse(unhex(row.der));
        CHECK_TRUE_TEXT(read.has_value(), row.der);
        CHECK_TRUE(row.response.state == read->state);
        STRCMP_EQUAL(row.response.mechanism.c_str(), read->mechanism.c_str());
        STRCMP_EQUAL(hex(row.response.response).c_str(), hex(read->response).c_str());
        STRCMP_EQUAL(hex(row.response.mic).c_str(), hex(read->mic).c_str());
    }
}

TEST(spnego_token, long_tokens)
{
    for (const std::size_t size : {100u, 127u, 128u, 200u, 255u, 256u, 5000u, 65000u}) {
        NegTokenInit init;
        init.mechanisms = {ntlmssp};
        init.mech_token.assign(size, 0x5a);
        CHECK_TRUE(NegTokenInit::parse(init.build()).value().mech_token == init.mech_token);
        NegTokenResp response;
        response.response.assign(size, 0x5a);
        CHECK_TRUE(NegTokenResp::parse(response.build()).value().response == response.response);
    }
    NegTokenInit init;
    init.mechanisms = {ntlmssp};
    init.mech_token.assign(spnego::max_token, 0x5a);
    CHECK_FALSE(NegTokenInit::parse(init.build()).has_value());
}

TEST(spnego_token, too_many_mechanisms)
{
    NegTokenInit init;
    init.mechanisms.assign(spnego::max_mechanisms, ntlmssp);
    CHECK_TRUE(NegTokenInit::parse(init.build()).has_value());
    init.mechanisms.push_back(ntlmssp);
    CHECK_FALSE(NegTokenInit::parse(init.build()).has_value());
    init.mechanisms.clear();
    CHECK_FALSE(NegTokenInit::parse(unhex("601006062b0601050502a0063004a0023000")).has_value());
}

TEST(spnego_token, forms)
{
    const struct {
        const char* token;
        Form form;
    } rows[] = {
        {"602806062b0601050502", Form::other}, // says more than is there
        {"600806062b0601050502", Form::init},
        {"600b06092a864886f712010202", Form::kerberos},
        {"600b06092a864882f712010202", Form::kerberos},
        {"600c060a2b06010401823702020a", Form::other},
        {"a1023000", Form::response},
        {"4e544c4d53535000", Form::other},
        {"", Form::other},
        {"60", Form::other},
        {"6080", Form::other},
        {"60840000000806062b0601050502", Form::init},
        {"6002", Form::other},
        {"60020608", Form::other},
        {"6084ffffffff06062b0601050502", Form::other},
    };
    for (const auto& row : rows)
        CHECK_TRUE_TEXT(row.form == spnego::form_of(unhex(row.token)), row.token);
}

TEST(spnego_token, malformed)
{
    for (std::size_t size = 0; size < ntlm_init.size(); ++size)
        CHECK_FALSE(NegTokenInit::parse(base::Bytes(ntlm_init).first(size)).has_value());
    auto longer = ntlm_init;
    longer.push_back(0);
    CHECK_FALSE(NegTokenInit::parse(longer).has_value());
    const char* const rows[] = {
        "a1073005a0030a0104",     // no such state
        "a1083006a0040a020001",   // a state of two bytes
        "a1073005a0030a01",       // cut
        "a102300000",             // something behind it
        "a1053003a0030a0100",     // the lengths disagree
        "a1803005a0030a01000000", // an indefinite length
        "a1023002",
    };
    for (const char* token : rows)
        CHECK_FALSE_TEXT(NegTokenResp::parse(unhex(token)).has_value(), token);
    CHECK_FALSE(NegTokenResp::parse(ntlm_init).has_value());
    CHECK_FALSE(NegTokenInit::parse(unhex("a1073005a0030a0100")).has_value());
    // A response where an init belongs.
    CHECK_FALSE(NegTokenInit::parse(unhex("601106062b0601050502a1073005a0030a0100")).has_value());
}
