#include "winbind/client.h"

#include <CppUTest/TestHarness.h>

TEST_GROUP(winbind_client) {};

// Whatever winbindd the machine has or has not, it is not asked.
TEST(winbind_client, a_stopped_one_judges_nobody)
{
    winbind::Client client(std::chrono::seconds(1));
    client.stop();
    const winbind::Judgement judgement = client.judge({"alice", "CORP", "PC", {}, {1}, {2}});
    CHECK(judgement.kind == winbind::Judgement::Kind::unavailable);
    CHECK_FALSE(judgement.reason.empty());
    const winbind::State state = client.look({"CORP\\Mail Users"});
    CHECK_FALSE(state.fault.empty());
    CHECK(state.groups.empty());
}
