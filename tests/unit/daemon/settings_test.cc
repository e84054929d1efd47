#include "daemon/settings.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(settings) {};

TEST(settings, what_ntlm_calls_us)
{
    static constexpr struct {
        const char *host, *netbios, *dns;
    } rows[] = {
        {"Mail.Corp.Example", "MAIL", "mail.corp.example"},
        {"gateway", "GATEWAY", "gateway"},
        {"a-very-long-host-name.test", "A-VERY-LONG-HOS", "a-very-long-host-name.test"},
        {"", "LOCALHOST", "localhost"},
    };
    for (const auto& row : rows) {
        const ntlm::Identity identity = rpctunneld::ntlm_identity(row.host);
        STRCMP_EQUAL(row.netbios, identity.netbios_computer.c_str());
        STRCMP_EQUAL(row.netbios, identity.netbios_domain.c_str());
        STRCMP_EQUAL(row.dns, identity.dns_computer.c_str());
        STRCMP_EQUAL(row.dns, identity.dns_domain.c_str());
        CHECK_FALSE(identity.domain_member);
    }
}
