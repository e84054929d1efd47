#include "base/lane.h"

#include "log_capture.h"

#include <sys/resource.h>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using base::Lane;
using Turn = base::Lane::Turn;
using std::chrono::milliseconds;

namespace {

/// A job that keeps a thread until it is let go.
struct Keeper {
    std::shared_ptr<std::promise<void>> begun = std::make_shared<std::promise<void>>();
    std::shared_ptr<std::promise<void>> release = std::make_shared<std::promise<void>>();

    Lane::Job job() const
    {
        return [begun_ = begun, may_go = std::make_shared<std::future<void>>(release->get_future())](Turn) {
            begun_->set_value();
            may_go->wait();
        };
    }
    void wait() const { begun->get_future().wait(); }
    void let_go() const { release->set_value(); }
};

} // namespace

TEST_GROUP(Lane)
{
    LogCapture log;

    void setup() override { MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads(); }
};

TEST(Lane, jobsWaitInTurnAndNoMoreThanItsBound)
{
    std::vector<int> order;
    Lane lane({base::Resource::watches, 1, 2});
    const Keeper keeper;
    CHECK_TRUE(lane.submit("a test", keeper.job()));
    keeper.wait();
    std::promise<void> done;
    CHECK_TRUE(lane.submit("a test", [&](Turn turn) { order.push_back(turn == Turn::came ? 1 : -1); }));
    CHECK_TRUE(lane.submit("a test", [&](Turn turn) { order.push_back(turn == Turn::came ? 2 : -1); done.set_value(); }));
    CHECK_FALSE(lane.submit("a test", [&](Turn) { order.push_back(3); }));
    keeper.let_go();
    done.get_future().wait();
    CHECK(order == std::vector({1, 2}));
}

TEST(Lane, whoseTurnComesLateIsTold)
{
    Lane lane({base::Resource::watches, 1, 2, milliseconds(0)});
    std::promise<Turn> turn;
    CHECK_TRUE(lane.submit("a test", [&](Turn came) { turn.set_value(came); }));
    CHECK(turn.get_future().get() == Turn::late);
}

TEST(Lane, noLaneWaitsForAnother)
{
    Lane slow({base::Resource::watches, 1, 1}), other({base::Resource::watches, 1, 1});
    const Keeper keeper;
    CHECK_TRUE(slow.submit("a test", keeper.job()));
    keeper.wait();
    CHECK_TRUE(slow.submit("a test", [](Turn) {}));
    CHECK_FALSE(slow.submit("a test", [](Turn) {}));
    std::promise<void> done;
    CHECK_TRUE(other.submit("a test", [&](Turn) { done.set_value(); }));
    done.get_future().wait();
    keeper.let_go();
}

TEST(Lane, itsEndDropsWhatHasNotBegun)
{
    std::atomic<bool> ran = false;
    const auto held = std::make_shared<int>();
    const Keeper keeper;
    std::thread later;
    {
        Lane lane({base::Resource::watches, 1, 2});
        CHECK_TRUE(lane.submit("a test", keeper.job()));
        keeper.wait();
        CHECK_TRUE(lane.submit("a test", [&ran, held](Turn) { ran = true; }));
        later = std::thread([&] {
            while (held.use_count() > 1) // the destructor has begun
                std::this_thread::yield();
            keeper.let_go();
        });
    }
    later.join();
    LONGS_EQUAL(1, held.use_count());
    CHECK_FALSE(ran);
}

TEST(Lane, aLaneThatYieldsDoesSoAlone)
{
    for (const bool yields : {false, true}) {
        Lane lane({base::Resource::watches, 1, 1, milliseconds(10000), yields});
        std::promise<int> nice;
        CHECK_TRUE(lane.submit("a test", [&](Turn) { nice.set_value(::getpriority(PRIO_PROCESS, 0)); }));
        LONGS_EQUAL(::getpriority(PRIO_PROCESS, 0) + (yields ? 5 : 0), nice.get_future().get());
    }
}
