#include "base/line_sink.h"

#include "unit/base/log_pipe.h"

#include <CppUTest/TestHarness.h>

#include <csignal>
#include <thread>

using base::DescriptorSink;
using base::log::Level;

TEST_GROUP(LineSink)
{
    LogPipe pipe;
    DescriptorSink sink{pipe.end()};
    std::atomic<bool> give_up{false};

    std::size_t write(const std::string& text) { return sink.write(Level::info, text, give_up); }
    std::size_t write_at_once(const std::string& text) { return sink.write_at_once(Level::info, text); }
};

TEST(LineSink, whatDoesNotFitWaitsForTheReader)
{
    for (const int flags : {0, O_NONBLOCK}) {
        ::fcntl(pipe.end(), F_SETFL, flags);
        const std::string text = std::string(3 * LogPipe::capacity, 'x') + '\n';
        std::string read;
        std::thread reader([&] { read = pipe.read_to("\n"); });
        LONGS_EQUAL(text.size(), write(text));
        reader.join();
        CHECK(read == text);
    }
}

TEST(LineSink, atOnceIsWhatThePipeTakes)
{
    LONGS_EQUAL(4, write_at_once("one\n"));
    LONGS_EQUAL(0, write_at_once(std::string(LogPipe::capacity, 'x')));
    STRCMP_EQUAL("one\n", pipe.read().c_str());
}

TEST(LineSink, noLineIsGluedToATornOne)
{
    LONGS_EQUAL(LogPipe::capacity, write_at_once(std::string(LogPipe::capacity + 10, 'x') + '\n'));
    LONGS_EQUAL(0, write_at_once("lost\n"));
    const std::string torn = pipe.read();
    LONGS_EQUAL(5, write("next\n"));
    LONGS_EQUAL(5, write("last\n"));
    STRCMP_EQUAL("\nnext\nlast\n", pipe.read().c_str());
    CHECK(torn == std::string(LogPipe::capacity, 'x'));
}

TEST(LineSink, aReaderThatIsGoneCostsTheLine)
{
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    pipe.close_reader();
    LONGS_EQUAL(0, write("one\n"));
    LONGS_EQUAL(0, write_at_once("one\n"));
    std::signal(SIGPIPE, before);
}
