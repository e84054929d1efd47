#include "directory/connections.h"

#include "fixture.h"

#include <sys/resource.h>

#include <chrono>
#include <future>
#include <memory>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

using directory::Connections;

namespace {

/// What both threads of a test use.
struct Shared {
    TemporaryDirectory directory;
    std::unique_ptr<Connections> connections;
};

} // namespace

TEST_GROUP(Connections)
{
    std::shared_ptr<Shared> shared;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        shared = std::make_shared<Shared>();
        shared->connections = std::make_unique<Connections>(shared->directory.path);
    }
    void teardown() override { shared.reset(); }
};

TEST(Connections, whoCannotOpenOneWaitsForAnothers)
{
    std::unique_ptr<Connections::Lease> first(new Connections::Lease(shared->connections->take()));
    rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    std::future<std::int64_t> second = std::async(std::launch::async, [own = shared] {
        const Connections::Lease lease = own->connections->take();
        return lease->data_version();
    });
    const bool waits = second.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout;
    first.reset();
    const bool came = second.wait_for(std::chrono::seconds(10)) == std::future_status::ready;
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK_TRUE(waits);
    CHECK_TRUE(came);
    CHECK_TRUE(second.get() > 0);
}

TEST(Connections, theEndWaitsForNoLock)
{
    shared->connections.reset(); // the journal mode is changed by who is alone
    shared->directory.database->execute("PRAGMA journal_mode = DELETE");
    shared->connections = std::make_unique<Connections>(shared->directory.path);
    shared->directory.database->execute("BEGIN EXCLUSIVE");
    std::future<bool> refused = std::async(std::launch::async, [own = shared] {
        try {
            own->connections->take()->data_version();
            return false;
        } catch (const directory::DatabaseError&) {
            return true;
        }
    });
    const bool waits = refused.wait_for(std::chrono::milliseconds(100)) == std::future_status::timeout;
    const auto before = std::chrono::steady_clock::now();
    shared->connections->stop();
    CHECK_TRUE(refused.get());
    CHECK_TRUE(waits);
    CHECK_TRUE(std::chrono::steady_clock::now() - before < std::chrono::seconds(2));
    CHECK_THROWS(directory::DatabaseError, shared->connections->take()->data_version());
    CHECK_TRUE(std::chrono::steady_clock::now() - before < std::chrono::seconds(2));
}
