#include "base/retry.h"

#include "base/log.h"
#include "log_capture.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(Retry) {};

TEST(Retry, waitsLongerEachTimeAndTellsTheBeginningAndTheEnd)
{
    base::log::set_level(base::log::Level::info);
    const LogCapture log;
    base::Retry retry("recheck", "not done", "done after all");
    retry.done();
    LONGS_EQUAL(0, log.count("recheck"));
    for (const int round : {0, 1}) {
        auto wait = base::Retry::shortest;
        for (int i = 0; i < 10; ++i) {
            CHECK(retry.failed("locked") == wait);
            wait = std::min(2 * wait, base::Retry::longest);
        }
        LONGS_EQUAL(round + 1, log.count("error recheck result=\"not done\" reason=locked"));
        LONGS_EQUAL(round, log.count("notice recheck result=\"done after all\" failures=10"));
        retry.done();
        retry.done();
        LONGS_EQUAL(round + 1, log.count("notice recheck result=\"done after all\" failures=10"));
    }
}
