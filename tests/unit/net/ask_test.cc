#include "net/ask.h"

#include "unit/base/log_capture.h"

#include <future>
#include <memory>
#include <optional>
#include <thread>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using base::Lane;
using std::chrono::milliseconds;

TEST_GROUP(Ask)
{
    LogCapture log;
    net::Loop loop;
    std::optional<int> got;
    int answers = 0;
    bool nothing = false;

    void setup() override { MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads(); }

    template <class Work> void ask(Lane& lane, base::Pending& pending, Work work)
    {
        net::ask(lane, "a test", loop, pending, std::move(work), [this, thread = std::this_thread::get_id()](std::optional<int> answer) {
            CHECK(thread == std::this_thread::get_id());
            ++answers;
            got = answer;
        });
    }
    void wait()
    {
        for (int i = 0; i < 500 && answers == 0; ++i)
            loop.run_once(net::Millis(10));
    }
};

TEST(Ask, theAnswerComesInTheLoop)
{
    Lane lane({base::Resource::watches, 1, 1});
    base::Pending pending;
    CHECK_FALSE(pending);
    ask(lane, pending, [mine = std::this_thread::get_id()] { return mine == std::this_thread::get_id() ? 1 : 2; });
    CHECK_TRUE(static_cast<bool>(pending));
    wait();
    LONGS_EQUAL(2, got.value());
    CHECK_FALSE(pending);
    LONGS_EQUAL(1, answers);
}

TEST(Ask, aLaneThatIsTooBusyIsToldLater)
{
    Lane full({base::Resource::watches, 1, 0}), late({base::Resource::watches, 1, 1, milliseconds(0)});
    for (Lane* lane : {&full, &late}) {
        answers = 0;
        got = 1;
        base::Pending pending;
        ask(*lane, pending, [] { return 2; });
        LONGS_EQUAL(0, answers);
        wait();
        LONGS_EQUAL(1, answers);
        CHECK_FALSE(got.has_value());
    }
}

// Before the work, in its course, and when the answer is on its way.
TEST(Ask, whatIsCancelledIsNotAnswered)
{
    for (const int when : {0, 1, 2}) {
        std::promise<void> begun, release;
        int worked = 0;
        {
            Lane lane({base::Resource::watches, 1, 2});
            std::optional<base::Pending> pending;
            pending.emplace();
            if (when == 0) {
                CHECK_TRUE(lane.submit("a test", [&](Lane::Turn) { begun.set_value(); release.get_future().wait(); }));
                begun.get_future().wait();
            }
            ask(lane, *pending, [&] {
                if (when != 0) {
                    begun.set_value();
                    release.get_future().wait();
                }
                return ++worked;
            });
            if (when != 0)
                begun.get_future().wait();
            if (when == 2)
                release.set_value();
            std::promise<void> behind;
            CHECK_TRUE(lane.submit("a test", [&](Lane::Turn) { behind.set_value(); }));
            if (when == 2)
                behind.get_future().wait(); // the answer is in the loop's mailbox
            pending.reset();
            if (when != 2) {
                release.set_value();
                behind.get_future().wait();
            }
        }
        loop.run_once(net::Millis(0));
        LONGS_EQUAL(0, answers);
        LONGS_EQUAL(when == 0 ? 0 : 1, worked);
    }
}

// A second question in the same place is the only one.
TEST(Ask, whatBeginsAnewCancelsWhatWasBefore)
{
    Lane lane({base::Resource::watches, 1, 2});
    base::Pending pending;
    ask(lane, pending, [] { return 1; });
    ask(lane, pending, [] { return 2; });
    wait();
    loop.run_once(net::Millis(20));
    LONGS_EQUAL(2, got.value());
    LONGS_EQUAL(1, answers);
}
