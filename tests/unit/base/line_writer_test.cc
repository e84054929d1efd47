#include "base/line_writer.h"

#include "base/line_rescue.h"
#include "base/line_sink.h"
#include "unit/base/log_pipe.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <CppUTest/TestHarness.h>

#include <sys/wait.h>

#include <ctime>
#include <numeric>
#include <thread>

using namespace std::chrono_literals;
using base::DescriptorSink;
using base::LineCounts;
using base::log::Level;
namespace line_writer = base::line_writer;

namespace {

DescriptorSink* report_to = nullptr;
LineCounts reported;

std::uint64_t lost(Level level)
{
    return reported[static_cast<std::size_t>(level)];
}

std::uint64_t sum(const LineCounts& counts)
{
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void report(const LineCounts& lost)
{
    for (std::size_t level = 0; level < lost.size(); ++level)
        reported[level] += lost[level];
    line_writer::put({Level::warning, report_to, 0, "lost " + std::to_string(sum(lost)) + '\n'});
}

} // namespace

TEST_GROUP(LineWriter)
{
    LogPipe pipe;
    DescriptorSink sink{pipe.end()};
    std::int64_t time = 0;

    void setup() override
    {
        report_to = &sink;
        reported = {};
        line_writer::start(report);
    }
    void teardown() override { line_writer::end(0ms); }

    void put(const std::string& text, Level level = Level::info) { line_writer::put({level, &sink, ++time, text + '\n'}); }
    /// More lines than pipe and queue take.
    std::uint64_t put_too_many()
    {
        constexpr int many = 4000;
        for (int i = 0; i < many; ++i)
            put(whole_line(i));
        return many;
    }
    static std::string whole_line(int number) { return std::to_string(number) + std::string(100, 'x') + '.'; }
    /// How many lines there are of put_too_many; fails when one is not whole.
    static std::uint64_t count_whole(const std::string& text)
    {
        std::uint64_t count = 0;
        for (const std::string& line : lines_of(text)) {
            if (line.starts_with("lost"))
                continue;
            STRCMP_EQUAL(whole_line(std::stoi(line)).c_str(), line.c_str());
            ++count;
        }
        return count;
    }
};

TEST(LineWriter, writesWhatWasPut)
{
    put("one");
    STRCMP_EQUAL("one\n", pipe.read_to("one\n").c_str());
    put("two");
    put("three");
    line_writer::end(1s);
    STRCMP_EQUAL("two\nthree\n", pipe.read().c_str());
}

TEST(LineWriter, withoutTheThreadTheCallerWrites)
{
    line_writer::end(1s);
    put("after");
    STRCMP_EQUAL("after\n", pipe.read().c_str());
    line_writer::start(report);
    put("within");
    STRCMP_EQUAL("within\n", pipe.read_to("\n").c_str());
}

TEST(LineWriter, linesOfManyThreadsAreWholeAndInOrder)
{
    constexpr int threads = 4, lines = 3000;
    std::thread reader;
    std::string text;
    reader = std::thread([&] { text = pipe.read_to("end\n"); });
    std::vector<std::thread> writers;
    for (int number = 0; number < threads; ++number)
        writers.emplace_back([&, number] {
            for (int i = 0; i < lines; ++i)
                line_writer::put({Level::info, &sink, i, std::to_string(number) + ' ' + std::to_string(i) + " whole\n"});
        });
    for (std::thread& writer : writers)
        writer.join();
    time = lines;
    put("end", Level::error);
    reader.join();
    int last[threads] = {-1, -1, -1, -1}, count = 0;
    std::uint64_t told = 0;
    for (const std::string& line : lines_of(text)) {
        if (line == "end")
            continue;
        if (line.starts_with("lost ")) {
            told += std::stoull(line.substr(5));
            continue;
        }
        const int number = line[0] - '0', i = std::stoi(line.substr(2));
        STRCMP_EQUAL((std::to_string(number) + ' ' + std::to_string(i) + " whole").c_str(), line.c_str());
        CHECK(i > last[number]);
        last[number] = i;
        ++count;
    }
    line_writer::end(1s);
    LONGS_EQUAL(threads * lines, static_cast<std::uint64_t>(count) + lost(Level::info));
    CHECK(told <= sum(reported));
}

TEST(LineWriter, theEarlierLineIsWrittenFirst)
{
    // The pipe is full, so that the next lines of both threads wait.
    put(std::string(LogPipe::capacity - 1, 'x'));
    put("block");
    std::this_thread::sleep_for(20ms);
    const auto put_two = [&](std::int64_t late) {
        for (const std::int64_t round : {0, 1})
            line_writer::put({Level::info, &sink, 100 + 2 * round + late, "ab"[round] + std::to_string(late) + '\n'});
    };
    put_two(1);
    std::thread(put_two, 0).join();
    const std::string text = pipe.read_to("b1\n");
    STRCMP_EQUAL("block\na0\na1\nb0\nb1\n", text.substr(LogPipe::capacity).c_str());
}

TEST(LineWriter, aFullPipeStopsNobodyAndLossesAreToldWhenItIsRead)
{
    const std::uint64_t sent = put_too_many();
    const std::string text = pipe.read_to("lost");
    line_writer::end(1s);
    const std::uint64_t come = count_whole(text + pipe.read());
    CHECK(come < sent);
    LONGS_EQUAL(sent, come + lost(Level::info));
}

TEST(LineWriter, errorsHaveRoomWhenTheRestHasNone)
{
    const std::uint64_t sent = put_too_many();
    put(whole_line(1), Level::error);
    const std::string text = pipe.read_to("lost");
    CHECK(sent > 0);
    LONGS_EQUAL(0, lost(Level::error));
    CHECK(lost(Level::info) > 0);
}

TEST(LineWriter, theEndIsBoundedAndCountsWhatIsLost)
{
    const std::uint64_t sent = put_too_many();
    const auto begin = std::chrono::steady_clock::now();
    line_writer::end(50ms);
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= 50ms);
    CHECK(took < 1s);
    LONGS_EQUAL(sent, count_whole(pipe.read()) + lost(Level::info));
    put("after"); // does not wait, now that there is room
    STRCMP_EQUAL("after\n", pipe.read().c_str());
}

TEST(LineWriter, aLongLineThatIsOutByHalfIsTheLast)
{
    put(std::string(LogPipe::capacity + 1000, 'x'));
    std::this_thread::sleep_for(20ms);
    line_writer::end(10ms);
    LONGS_EQUAL(1, sum(reported));
    put("after");
    CHECK(pipe.read() == std::string(LogPipe::capacity, 'x'));
    put("later");
    STRCMP_EQUAL("", pipe.read().c_str());
}

TEST(LineWriter, aDescriptorThatDoesNotBlock)
{
    ::fcntl(pipe.end(), F_SETFL, O_NONBLOCK);
    const std::uint64_t sent = put_too_many();
    const std::string text = pipe.read_to("lost");
    line_writer::end(1s);
    LONGS_EQUAL(sent, count_whole(text + pipe.read()) + lost(Level::info));
}

TEST(LineWriter, aReaderThatIsGoneIsNoEnd)
{
    LogPipe other;
    DescriptorSink good(other.end());
    report_to = &good;
    pipe.close_reader();
    for (int i = 0; i < 10; ++i)
        put("nobody reads this");
    std::this_thread::sleep_for(20ms);
    LONGS_EQUAL(0, sum(reported));
    line_writer::put({Level::info, &good, ++time, "somebody this\n"});
    STRCMP_EQUAL("somebody this\nlost 10\n", other.read_to("lost 10\n").c_str());
    line_writer::end(1s); // before `good` goes
}

TEST(LineWriter, threadsThatCameAndWentLeaveTheirLines)
{
    for (int i = 0; i < 100; ++i)
        std::thread([&] { put("short"); }).join();
    put("end");
    LONGS_EQUAL(101, lines_of(pipe.read_to("end\n")).size());
}

TEST(LineWriter, aWriterWithoutLinesSleeps)
{
    // How often the writer's thread has gone to sleep, as the kernel counts.
    const auto sleeps = [] {
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::string name, line;
            std::getline(std::ifstream(task.path() / "comm"), name);
            if (name != "log")
                continue;
            std::ifstream status(task.path() / "status");
            while (std::getline(status, line))
                if (line.starts_with("voluntary_ctxt_switches:"))
                    return std::stol(line.substr(line.find(':') + 1));
        }
        return -1L;
    };
    put("one");
    pipe.read_to("one\n");
    std::this_thread::sleep_for(50ms);
    const long before = sleeps();
    std::this_thread::sleep_for(200ms);
    CHECK(before > 0);
    LONGS_EQUAL(before, sleeps());
}

TEST(LineWriter, anAbortLosesNoLine)
{
    line_writer::end(1s);
    const pid_t child = ::fork();
    if (child == 0) {
        line_writer::start(report);
        base::line_rescue::install();
        put("first");
        std::this_thread::sleep_for(2ms); // the writer rests now
        for (int i = 0; i < 1000; ++i)
            put(whole_line(i));
        put("last");
        std::abort();
    }
    pipe.close_writer();
    const std::string text = pipe.read(5000);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CHECK(text.starts_with("first\n") && text.ends_with("\nlast\n"));
    LONGS_EQUAL(1002, lines_of(text).size());
}

TEST(LineWriter, anAbortDoesNotWaitForALogThatNobodyReads)
{
    line_writer::end(1s);
    const pid_t child = ::fork();
    if (child == 0) {
        line_writer::start(report);
        base::line_rescue::install();
        put_too_many();
        std::abort();
    }
    int status = 0;
    ::waitpid(child, &status, 0); // hangs when the child does
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
