#pragma once

// Included last: it brings CppUTest, whose macros redefine new.

#include "front_fixture.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CppUTest/TestHarness.h>
#include <CppUTest/MemoryLeakWarningPlugin.h>

/// The credentials that test_scheme takes.
inline const std::string good = "Authorization: Test good\r\n";
inline const std::string slow = "Authorization: Test slow\r\n";
inline const std::string keep = "Connection: keep-alive\r\n";

/// The head of a request that announces `length` bytes.
inline std::string request(const std::string& method, const std::string& target, std::uint64_t length,
                           const std::string& fields = good, const char* version = "1.1")
{
    return method + ' ' + target + " HTTP/" + version + "\r\nHost: localhost\r\nContent-Length: " +
           std::to_string(length) + "\r\n" + fields + "\r\n";
}

inline const std::string door = "/rpc/rpcproxy.dll?srv:6001";
inline const std::string echo_head = request("RPC_IN_DATA", door, 0);
inline const std::string in_head = request("RPC_IN_DATA", door, 1073741824);
inline const std::string out_head = request("RPC_OUT_DATA", door, 76);

/// MS-RPCH section 2.1.2.1.6.
inline const std::string echo_end("\x40\0\0\0", 4);
inline const std::string echo_reply =
    "HTTP/1.1 200 Success\r\nContent-Type: application/rpc\r\nContent-Length: 20\r\nConnection: Keep-Alive\r\n\r\n" +
    std::string("\5\0\x14\3\x10\0\0\0\x14\0\0\0\0\0\0\0", 16) + echo_end;

inline bool has(const std::string& text, std::string_view words)
{
    return text.find(words) != std::string::npos;
}

#define STARTS(expected, actual)                                                                                       \
    do {                                                                                                               \
        const std::string starts_with = (expected), starts_text = (actual);                                            \
        STRCMP_EQUAL(starts_with.c_str(), starts_text.substr(0, starts_with.size()).c_str());                          \
    } while (0)

/// A front, and the log of what it does.
struct FrontGroup : Utest {
    std::optional<LogCapture> log;
    std::optional<FrontFixture> fixture;

    void setup() override
    {
        MemoryLeakWarningPlugin::turnOnThreadSafeNewDeleteOverloads();
        log.emplace();
        fixture.emplace();
    }
    void teardown() override
    {
        fixture.reset();
        log.reset();
    }

    FrontFixture& f() { return *fixture; }
    std::vector<leg::Arrival>& arrivals() { return f().reception.arrivals; }
    bool arrived()
    {
        return f().wait([this] { return !arrivals().empty(); });
    }
    bool all_gone()
    {
        return f().wait([this] { return f().front->connections() == 0 && f().front->exchanges() == 0; });
    }
};
