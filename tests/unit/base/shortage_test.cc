#include "base/shortage.h"

#include "base/log.h"
#include "log_capture.h"

#include <cerrno>

#include <CppUTest/TestHarness.h>

using base::Resource;

TEST_GROUP(Shortage) {};

TEST(Shortage, whatAnErrorNumberMeans)
{
    CHECK(base::resource_of(EMFILE) == Resource::descriptors);
    CHECK(base::resource_of(ENFILE) == Resource::system_descriptors);
    CHECK(base::resource_of(ENOSPC) == Resource::watches);
    CHECK(base::resource_of(ENOBUFS) == Resource::memory);
    CHECK_FALSE(base::resource_of(EADDRNOTAVAIL).has_value());
    CHECK_FALSE(base::resource_of(0).has_value());
}

// The time of the last line is that of the process, so every resource is used once here, and by no other test.
TEST(Shortage, aLineASecondForEachResource)
{
    base::log::set_level(base::log::Level::info);
    const LogCapture log;
    for (int i = 0; i < 3; ++i)
        base::report_shortage(Resource::system_descriptors, "a client", "Too many open files in system");
    base::report_shortage(Resource::memory, "a connection", "Cannot allocate memory");
    LONGS_EQUAL(1, log.count("of=system-descriptors needed_for=\"a client\" reason=\"Too many open files in system\""
                             " count=1 advice=\"raise fs.file-max\""));
    LONGS_EQUAL(1, log.count("warning shortage of=memory needed_for=\"a connection\""));
    LONGS_EQUAL(2, log.count("shortage"));
}
