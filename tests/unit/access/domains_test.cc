#include "access/domains.h"

#include "unit/base/log_capture.h"

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include <CppUTest/TestHarness.h>

#include <CppUTest/MemoryLeakWarningPlugin.h>

using auth::DomainLogin;
using auth::Domains;
using std::chrono::milliseconds;

namespace {

struct CountingService final : winbind::Service {
    std::atomic<int> judged{0};

    winbind::Judgement judge(const winbind::Login& login) override
    {
        ++judged;
        return {winbind::Judgement::Kind::refused, {}, "not " + login.user};
    }
    winbind::State look(const std::vector<std::string>& groups) override
    {
        winbind::State state{"", "PROXY", "CORP", "corp.example", {}};
        for (const std::string& group : groups)
            state.groups[group] = "S-1-1-0";
        return state;
    }
};

} // namespace

TEST_GROUP(Domains)
{
    LogCapture log;
    CountingService service;
    auth::Admission admission{{*auth::Admission::parse("group CORP\\Staff").rule}};
    const ntlm::Identity alone{"HOST", "HOST", "host.test", "host.test"};
    base::Pending asker;

    void setup() override { MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads(); }

    /// What is told of a login, and what came of it.
    static std::future<bool> begin(const std::shared_ptr<DomainLogin>& login, const base::Pending::Ticket& ticket)
    {
        const auto promise = std::make_shared<std::promise<bool>>();
        login->begin(ticket, [promise](bool made) { promise->set_value(made); });
        return promise->get_future();
    }
    static std::shared_ptr<DomainLogin> login(Domains& domains, const char* user)
    {
        winbind::Login said;
        said.user = user;
        return std::make_shared<DomainLogin>(domains, said);
    }
};

TEST(Domains, a_login_is_judged_on_the_lane)
{
    Domains domains(service, admission, alone, 1, 4);
    const auto alice = login(domains, "alice"), bob = login(domains, "bob");
    const auto ticket = asker.begin();
    auto first = begin(alice, ticket), second = begin(bob, ticket);
    CHECK_TRUE(first.get());
    CHECK_TRUE(second.get());
    STRCMP_EQUAL("not alice", alice->judgement.reason.c_str());
    STRCMP_EQUAL("not bob", bob->judgement.reason.c_str());
}

TEST(Domains, a_full_lane_and_a_late_turn_are_told)
{
    Domains full(service, admission, alone, 0, 0), late(service, admission, alone, 1, 4, milliseconds(0));
    CHECK_FALSE(begin(login(full, "alice"), asker.begin()).get());
    CHECK_FALSE(begin(login(late, "alice"), asker.begin()).get());
    LONGS_EQUAL(0, service.judged);
}

TEST(Domains, whoever_has_gone_is_not_judged)
{
    Domains domains(service, admission, alone, 1, 4);
    base::Pending gone;
    const auto ticket = gone.begin();
    gone.cancel();
    login(domains, "alice")->begin(ticket, [](bool) {});
    CHECK_TRUE(begin(login(domains, "bob"), asker.begin()).get());
    LONGS_EQUAL(1, service.judged);
}

TEST(Domains, what_clients_are_told_once_winbindd_has_answered)
{
    Domains domains(service, admission, alone, 0, 0);
    const auto before = domains.identity();
    CHECK_FALSE(before->domain_member);
    STRCMP_EQUAL("HOST", before->netbios_domain.c_str());
    CHECK(domains.learn(domains.look()).empty());
    const auto after = domains.identity();
    CHECK_TRUE(after->domain_member);
    STRCMP_EQUAL("CORP", after->netbios_domain.c_str());
    STRCMP_EQUAL("PROXY", after->netbios_computer.c_str());
    STRCMP_EQUAL("corp.example", after->dns_domain.c_str());
    STRCMP_EQUAL("host.test", after->dns_computer.c_str());
    STRCMP_EQUAL("HOST", before->netbios_computer.c_str()); // whoever logs in with it may go on
    const std::vector<std::string> everybody = {"S-1-1-0"};
    CHECK(domains.admission().judge({{}, "CORP", {}, everybody}).kind == auth::Admission::Answer::Kind::admitted);
}
