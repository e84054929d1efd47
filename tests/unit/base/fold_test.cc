#include "base/fold.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Fold) {};

TEST(Fold, isOfUnicode)
{
    struct Row { const char* text; const char* folded; };
    static constexpr Row rows[] = {
        {"", ""}, {"CaROL", "carol"}, {"J\xc3\x96RG", "j\xc3\xb6rg"}, {"\xd0\x98\xd0\x92\xd0\x90\xd0\x9d", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd"},
        {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"}, {"\xc0\x80", nullptr}, {"\xed\xa0\x80", nullptr}, {"\xe2\x82", nullptr},
        {"\xf4\x90\x80\x80", nullptr}, {"\x80", nullptr}, {"a\x01", nullptr}, {"\xc2\x85", nullptr}, {"\xe0\x80\x80", nullptr},
    };
    for (const Row& row : rows) {
        const auto folded = base::fold(row.text);
        CHECK_EQUAL_TEXT(row.folded != nullptr, folded.has_value(), row.text);
        if (row.folded)
            STRCMP_EQUAL(row.folded, folded->c_str());
    }
}
