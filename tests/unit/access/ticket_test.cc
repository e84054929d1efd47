#include "access/ticket.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(ticket) {};

TEST(ticket, which_login_a_principal_is)
{
    static constexpr struct {
        const char *principal, *login; ///< null: none
    } rows[] = {
        {"bob@LAB.EXAMPLE", "bob@LAB.EXAMPLE"},
        {"\\bob@LAB.EXAMPLE", nullptr}, // a backspace and "ob"
        {"\\nick@LAB.EXAMPLE", nullptr},
        {"b\\tb@LAB.EXAMPLE", nullptr},
        {"a\\@b@LAB.EXAMPLE", nullptr},
        {"LAB\\bob", nullptr},
        {"HTTP/proxy.lab.example@LAB.EXAMPLE", nullptr},
        {"", nullptr},
    };
    for (const auto& row : rows) {
        const auto login = auth::login_of(row.principal);
        STRCMP_EQUAL(row.login ? row.login : "", login ? login->text().c_str() : "");
    }
}
