#include "leg/farewell.h"

#include "unit/net/test_streams.h"

#include <string>

#include <CppUTest/TestHarness.h>

TEST_GROUP(Farewell) {
    net::Loop loop;
    leg::Farewell farewell{loop};

    std::pair<base::UniqueFd, net::Stream> ends()
    {
        auto [peer, ours] = socket_pair(true);
        return {std::move(peer), net::Stream(std::move(ours))};
    }
    static void say(const base::UniqueFd& peer, const std::string& text)
    {
        LONGS_EQUAL(text.size(), ::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL));
    }
    /// All that comes until the end; "reset" behind it when that is how it ends.
    static std::string all(const base::UniqueFd& peer)
    {
        std::string got;
        char piece[100];
        ssize_t size;
        while ((size = ::recv(peer.get(), piece, sizeof piece, 0)) > 0)
            got.append(piece, static_cast<std::size_t>(size));
        return size == 0 ? got : got + "reset";
    }
    void settle()
    {
        for (int i = 0; i < 5; ++i)
            loop.run_once(net::Millis(1));
    }
};

TEST(Farewell, whoHasSaidHisLastWordIsNotWaitedFor)
{
    auto [peer, stream] = ends();
    ::shutdown(peer.get(), SHUT_WR);
    farewell.say(std::move(stream), base::bytes_of("bye"));
    LONGS_EQUAL(0, farewell.size());
    STRCMP_EQUAL("bye", all(peer).c_str());
}

TEST(Farewell, whoMaySendOnIsListenedTo)
{
    for (const std::string& text : {std::string(), std::string("a few words"), std::string(5000, 'x')}) {
        auto [peer, stream] = ends();
        say(peer, text);
        farewell.say(std::move(stream), base::bytes_of("bye"));
        LONGS_EQUAL(1, farewell.size());
        say(peer, "more");
        settle();
        STRCMP_EQUAL("bye", all(peer).c_str());
        LONGS_EQUAL(1, farewell.size());
        peer.reset();
        settle();
        LONGS_EQUAL(0, farewell.size());
    }
}

TEST(Farewell, moreThanEnoughIsNot)
{
    auto [peer, stream] = ends();
    farewell.say(std::move(stream));
    std::size_t sent = 0;
    for (int i = 0; i < 1000 && farewell.size() == 1; ++i) {
        const std::string piece(16384, 'x');
        const ssize_t size = ::send(peer.get(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += size > 0 ? static_cast<std::size_t>(size) : 0;
        loop.run_once(net::Millis(0));
    }
    LONGS_EQUAL(0, farewell.size());
    CHECK_TRUE(sent >= leg::Farewell::drop_limit);
}

TEST(Farewell, nobodyIsWaitedForForEver)
{
    auto [peer, stream] = ends();
    farewell.say(std::move(stream));
    loop.run_once(net::Millis(0));
    loop.skip(leg::Farewell::patience - net::Millis(100));
    loop.run_once(net::Millis(0));
    LONGS_EQUAL(1, farewell.size());
    loop.skip(net::Millis(100));
    const net::Millis begin = loop.now();
    while (farewell.size() > 0 && loop.now() - begin < net::Millis(10'000))
        loop.run_once(net::Millis(100));
    LONGS_EQUAL(0, farewell.size());
}
