#include "rpch/guid.h"

#include "base/text.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Guid) {
};

TEST(Guid, firstThreeFieldsAreLittleEndianInMemory)
{
    const auto guid = rpch::Guid::parse("44E265DD-7daf-42cd-8560-3cdb6e7a2729");
    CHECK_TRUE(guid.has_value());
    STRCMP_EQUAL("dd65e244af7dcd4285603cdb6e7a2729", base::hex(guid->bytes.data(), 16).c_str());
    STRCMP_EQUAL("44e265dd-7daf-42cd-8560-3cdb6e7a2729", guid->text().c_str());
}

TEST(Guid, refusesAllButTheOneForm)
{
    for (const char* text : {"", "44e265dd-7daf-42cd-8560-3cdb6e7a272", "44e265dd-7daf-42cd-8560-3cdb6e7a27290",
                             "{44e265dd-7daf-42cd-8560-3cdb6e7a2729}", "44e265dd7daf-42cd-8560-3cdb6e7a2729-",
                             "44e265dd-7daf-42cd-8560-3cdb6e7a272g", "44e265dd+7daf-42cd-8560-3cdb6e7a2729",
                             "44e265dd-7daf-42cd-8560-3cdb6e7a27-9", "44e265dd-7daf-42cd-8560-3cdb6e7a27 9"})
        CHECK_FALSE_TEXT(rpch::Guid::parse(text).has_value(), text);
}
