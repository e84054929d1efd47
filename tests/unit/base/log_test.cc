#include "base/log.h"

#include "base/line_queue.h"
#include "unit/base/log_capture.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Log) {};

TEST(Log, theSameLineWithAndWithoutAWriter)
{
    const LogCapture capture;
    base::log::notice("refused", {{"peer", "a b"}, {"n", 7}});
    {
        const base::log::Writer writer;
        base::log::notice("refused", {{"peer", "a b"}, {"n", 7}});
    }
    base::log::notice("refused", {{"peer", "a b"}, {"n", 7}});
    const std::string line = "dddd-dd-ddTdd:dd:dd.dddZ notice refused peer=\"a b\" n=7\n";
    std::string text = capture.text();
    for (std::size_t i = 0; i < text.size(); ++i)
        if (line[i % line.size()] == 'd' && text[i] >= '0' && text[i] <= '9')
            text[i] = 'd';
    STRCMP_EQUAL((line + line + line).c_str(), text.c_str());
}

TEST(Log, aLongLineIsCut)
{
    const LogCapture capture;
    base::log::notice("long", {{"text", std::string(100'000, 'x')}});
    base::log::notice("next", {});
    const std::string text = capture.text();
    const std::size_t end = text.find('\n');
    CHECK(end < base::LineQueue::longest && end > base::LineQueue::longest - 10);
    STRCMP_EQUAL("xx...", text.substr(end - 5, 5).c_str());
    LONGS_EQUAL(1, capture.count("next"));
}
