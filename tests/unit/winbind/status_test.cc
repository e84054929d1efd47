#include "winbind/status.h"

#include <string>

#include <CppUTest/TestHarness.h>

TEST_GROUP(winbind_status) {};

TEST(winbind_status, what_is_said_of_a_user_and_what_is_not)
{
    static constexpr struct {
        std::uint32_t status;
        const char* text; // empty: nobody has judged
    } rows[] = {
        {0xc0000064, "unknown user"},
        {0xc000006a, "wrong password"},
        {0xc0000072, "account disabled"},
        {0xc0000224, "the password must be changed first"},
        {0xc0000418, "the domain does not allow NTLM"},
        {0x00000000, ""},
        {0xc0000022, ""}, // ACCESS_DENIED: we may not ask
        {0xc000005e, ""}, // NO_LOGON_SERVERS
        {0xc000018b, ""}, // NO_TRUST_SAM_ACCOUNT: not a member
        {0xc00000b5, ""}, // IO_TIMEOUT
    };
    for (const auto& row : rows)
        STRCMP_EQUAL(row.text, std::string(winbind::refusal_text(row.status)).c_str());
}
