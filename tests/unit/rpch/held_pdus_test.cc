#include "rpch/held_pdus.h"
#include "unit/rpch/role_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace role_test;
using rpch::HeldPdus;
using rpch::RtsId;

TEST_GROUP(HeldPdus)
{
    HeldPdus held;

    static rpch::Rts acknowledgement(std::uint32_t received, std::uint8_t channel)
    {
        return ack_to(rpch::Destination::client, received, 65536, channel);
    }
    std::string released()
    {
        rpch::Effects effects;
        for (const rpch::RtsBytes& pdu : held.release())
            effects.send(rpch::Leg::client, pdu);
        return words(effects);
    }
};

TEST(HeldPdus, comeInTheirOrderAndOnce)
{
    CHECK_TRUE(held.empty());
    CHECK_TRUE(held.hold(make(RtsId::in_r1_a3)));
    CHECK_TRUE(held.hold(make(RtsId::in_r2_a3)));
    CHECK_FALSE(held.empty());
    STRCMP_EQUAL("client:IN_R1/A3 client:IN_R2/A3", released().c_str());
    CHECK_TRUE(held.empty());
    STRCMP_EQUAL("", released().c_str());
}

// Of the acknowledgements for one channel the latest is kept, in the place of the first.
TEST(HeldPdus, theLatestAcknowledgementOfAChannelIsKept)
{
    for (std::uint32_t received = 0; received < 100; ++received)
        for (const std::uint8_t channel : {in, in_next})
            CHECK_TRUE(held.hold(acknowledgement(received, channel)));
    const std::vector<rpch::RtsBytes> pdus = held.release();
    LONGS_EQUAL(2, pdus.size());
    CHECK(parse(pdus[0]).list[1].ack.channel == cookie(in));
    CHECK(parse(pdus[1]).list[1].ack.channel == cookie(in_next));
    for (const rpch::RtsBytes& pdu : pdus)
        LONGS_EQUAL(99, parse(pdu).list[1].ack.bytes_received);
}

// What is no acknowledgement replaces nothing, and there is an end.
TEST(HeldPdus, tooManyAreRefused)
{
    for (std::size_t i = 0; i < HeldPdus::limit; ++i)
        CHECK_TRUE(held.hold(make(RtsId::in_r1_a3)));
    CHECK_FALSE(held.hold(make(RtsId::in_r1_a3)));
    CHECK_FALSE(held.hold(acknowledgement(1, in)));
    LONGS_EQUAL(HeldPdus::limit, held.release().size());
}
