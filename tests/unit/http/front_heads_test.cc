#include "front_group.h"

// Heads of which the HTTP library makes more than its pool holds, up to those that fill it exactly, and those that it must
// be able to work with.
TEST_GROUP_BASE(FrontHeads, FrontGroup)
{
    static std::string times(std::size_t count, const std::string& text)
    {
        std::string all;
        for (std::size_t i = 0; i < count; ++i)
            all += text;
        return all;
    }

    /// A head that asks for one answer and the end of the connection; `fields` are filled up so that it has `size` bytes.
    static std::string head(const std::string& target, std::string fields, std::size_t size = 0)
    {
        const std::string start = "RPC_IN_DATA " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
        const std::size_t used = start.size() + fields.size() + 2;
        if (size >= used + 6)
            fields += "X: " + std::string(size - used - 5, 'x') + "\r\n";
        return start + fields + "\r\n";
    }

    /// The status of what the front says until it closes, if that is one answer that is complete.
    std::string status(const std::string& head)
    {
        Client client(f());
        client.send(head);
        const std::string got = client.receive_all();
        const bool alone = got.starts_with("HTTP/1.1 ") && got.find("\r\n\r\n") == got.size() - 4 &&
                           has(got, "\r\nContent-Length: 0\r\n") && has(got, "\r\nConnection: close\r\n");
        return alone ? got.substr(9, 3) : "not one answer: " + got;
    }

    /// True when the library could work with it.
    bool understood(const std::string& name, const std::string& head)
    {
        const std::string got = status(head);
        CHECK_TRUE_TEXT(got == "401" || got == "431", (name + ": " + got).c_str());
        return got == "401";
    }
};

TEST(FrontHeads, everyOneGetsExactlyOneAnswer)
{
    const struct {
        const char* query;
        const char* cookie;
        std::size_t size;
    } kinds[] = {
        {"&", "", 0},     {"a&", "", 0},    {"a=b&", "", 0},  {"%41=%&", "", 0},       {"+=+&", "", 0}, {"&", ";", 0},
        {"", "; ", 0},    {"", "a,", 0},    {"", "a=b; ", 0}, {"", "a=\"b\";", 0},
        {"a&", "", 9000}, {"", "a;", 9000}, {"", "a;", f().limits.head_bytes}, // with the larger pool
    };
    for (const auto& kind : kinds) {
        const std::string name = std::string(kind.query) + kind.cookie + " in " + std::to_string(kind.size);
        const auto understood_with = [&](std::size_t n) {
            const std::string cookies = *kind.cookie ? "Cookie: " + times(n, kind.cookie) + "\r\n" : "";
            return understood(name + " * " + std::to_string(n), head(door + times(n, kind.query), cookies, kind.size));
        };
        std::size_t fits = 1, fills = 8000;
        CHECK_TRUE_TEXT(understood_with(fits), name.c_str());
        CHECK_FALSE_TEXT(understood_with(fills), name.c_str());
        while (fills - fits > 1) {
            const std::size_t middle = (fits + fills) / 2;
            (understood_with(middle) ? fits : fills) = middle;
        }
        for (std::size_t n = fits - 20; n < fits + 60; ++n)
            understood_with(n);
    }
    CHECK_TRUE(all_gone());
    LONGS_EQUAL(0, arrivals().size());
}

TEST(FrontHeads, whateverItsSizeAHeadOfFewPartsIsUnderstood)
{
    const std::size_t most = f().limits.head_bytes;
    const std::string fields = times(http::max_header_fields - 4, "Pragma: MinConnTimeout=200\r\n");
    for (const std::size_t size : {std::size_t(8190), std::size_t(8191), std::size_t(8192), std::size_t(8193), most - 1, most}) {
        const std::string cookie(size - 150, 'c'); // the library copies it
        const std::string name = std::to_string(size);
        STRCMP_EQUAL_TEXT("401", status(head(door, "", size)).c_str(), name.c_str());
        STRCMP_EQUAL_TEXT("401", status(head(door, "Cookie: " + cookie + "\r\n", size)).c_str(), name.c_str());
        STRCMP_EQUAL_TEXT("401", status(head(door, fields, size)).c_str(), name.c_str());
        STRCMP_EQUAL_TEXT("401", status(head(door + "?" + cookie, "", size)).c_str(), name.c_str());
    }
    LONGS_EQUAL(0, log->count("status=431"));
}

TEST(FrontHeads, theLogSaysWhyAndNamesTheRequest)
{
    STRCMP_EQUAL("431", status(head(door + times(600, "a&"), "")).c_str());
    CHECK_TRUE(has(log->text(), "method=RPC_IN_DATA target="));
    CHECK_TRUE(has(log->text(), "status=431 reason=\"the HTTP library has no room for what is in the head\""));
}
