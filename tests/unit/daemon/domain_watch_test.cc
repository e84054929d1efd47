#include "daemon/domain_watch.h"

#include "base/log.h"
#include "unit/base/log_capture.h"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using rpctunneld::DomainWatch;

namespace {

using namespace std::chrono_literals;

struct Service final : winbind::Service {
    std::atomic<bool> works{false}, has_group{false};
    std::atomic<int> looks{0};

    winbind::Judgement judge(const winbind::Login&) override { return {}; }
    winbind::State look(const std::vector<std::string>& groups) override
    {
        winbind::State state{works ? "" : "start it", "PROXY", "CORP", "corp.example", {}};
        for (const std::string& group : groups)
            state.groups[group] = has_group ? std::optional<std::string>("S-1-1-0") : std::nullopt;
        ++looks;
        return state;
    }
};

constexpr char fault[] = "error winbind result=\"domain users cannot log in\" reason=\"start it\"";
constexpr char works[] = "notice winbind domain=CORP dns_domain=corp.example computer=PROXY";
constexpr char dead[] = "warning admit rule=\"group CORP\\\\Staff\"";

} // namespace

TEST_GROUP(DomainWatch)
{
    LogCapture log;
    Service service;
    auth::Admission admission{{*auth::Admission::parse("group CORP\\Staff").rule}};
    const ntlm::Identity alone{};
    net::Loop loop;
    std::optional<auth::Domains> domains;
    std::optional<DomainWatch> watch;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        domains.emplace(service, admission, alone, 1, 4);
        watch.emplace(loop, *domains);
    }
    void teardown() override
    {
        watch.reset();
        domains.reset();
    }
    template <class Done> void until(Done done)
    {
        const auto end = std::chrono::steady_clock::now() + 5s;
        while (!done()) {
            CHECK_TRUE_TEXT(std::chrono::steady_clock::now() < end, "it did not happen within 5 s");
            loop.run_once(net::Millis(5));
        }
    }
    /// One more look after so much time, and what it does.
    void look(net::Millis time)
    {
        const int before = service.looks;
        loop.skip(time);
        until([&] { return service.looks > before; });
        for (int i = 0; i < 5; ++i)
            loop.run_once(net::Millis(5));
    }
};

TEST(DomainWatch, aFaultIsToldAndTriedAgainUntilItWorks)
{
    watch->begin();
    until([&] { return log.count(fault) == 1; });
    look(base::Retry::longest);
    look(base::Retry::longest);
    LONGS_EQUAL(1, log.count(fault));
    CHECK_FALSE(domains->identity()->domain_member);
    service.works = service.has_group = true;
    look(base::Retry::longest);
    LONGS_EQUAL(1, log.count("winbind result=\"domain users can log in after all\" failures=3"));
    LONGS_EQUAL(1, log.count(works));
    CHECK_TRUE(domains->identity()->domain_member);
}

TEST(DomainWatch, aReloadTellsTheFaultAgain)
{
    watch->begin();
    until([&] { return log.count(fault) == 1; });
    watch->begin();
    until([&] { return log.count(fault) == 2; });
}

TEST(DomainWatch, groupsAreLookedUpRegularly)
{
    service.works = true;
    watch->begin();
    until([&] { return log.count(dead) == 1; });
    look(DomainWatch::interval);
    LONGS_EQUAL(1, log.count(dead));
    LONGS_EQUAL(1, log.count(works));
    const std::vector<std::string> sids = {"S-1-1-0"};
    CHECK(admission.judge({{}, "CORP", {}, sids}).kind == auth::Admission::Answer::Kind::refused);
    service.has_group = true;
    look(DomainWatch::interval);
    CHECK(admission.judge({{}, "CORP", {}, sids}).kind == auth::Admission::Answer::Kind::admitted);
}

TEST(DomainWatch, afterItsEndNothingIsAsked)
{
    watch->begin();
    watch->end();
    const int looks = service.looks;
    loop.skip(DomainWatch::interval);
    for (int i = 0; i < 20; ++i)
        loop.run_once(net::Millis(5));
    CHECK(service.looks <= looks + 1); // the one that had begun
    LONGS_EQUAL(0, log.count("winbind"));
}
