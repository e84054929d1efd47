#include "daemon/command_line.h"

#include <initializer_list>
#include <vector>

#include <CppUTest/TestHarness.h>

using rpctunneld::CommandLine;
using Action = rpctunneld::CommandLine::Action;

TEST_GROUP(command_line)
{
    CommandLine parse(std::initializer_list<const char*> words)
    {
        std::vector<char*> arguments{const_cast<char*>("rpctunneld")};
        for (const char* word : words)
            arguments.push_back(const_cast<char*>(word));
        arguments.push_back(nullptr);
        return rpctunneld::parse_command_line(static_cast<int>(arguments.size()) - 1, arguments.data());
    }
};

TEST(command_line, actions)
{
    CHECK(parse({}).action == Action::run);
    CHECK(parse({"-t"}).action == Action::check);
    CHECK(parse({"-t", "-c", "x"}).action == Action::check);
    CHECK(parse({"--options"}).action == Action::options);
    CHECK(parse({"--help"}).action == Action::help);
    CHECK(parse({"-V"}).action == Action::version);
    CHECK(parse({"-x"}).action == Action::wrong);
    CHECK(parse({"x"}).action == Action::wrong);
}

TEST(command_line, foreground_and_file)
{
    CHECK_FALSE(parse({}).foreground);
    CHECK(parse({"-f"}).foreground);
    CHECK(parse({"-fc", "/a/b.conf"}).foreground);
    STRCMP_EQUAL("/a/b.conf", parse({"-fc", "/a/b.conf"}).config_file.c_str());
    STRCMP_EQUAL(rpctunneld::default_config_file, parse({}).config_file.c_str());
    CHECK_TEXT(parse({"-c", "b.conf"}).config_file.starts_with('/'), "the daemon changes its folder");
}

TEST(command_line, errors_name_the_word)
{
    STRCMP_EQUAL("unknown option -x", parse({"-x"}).error.c_str());
    STRCMP_EQUAL("unknown option --verbose", parse({"--verbose"}).error.c_str());
    STRCMP_EQUAL("-c needs a value", parse({"-c"}).error.c_str());
    STRCMP_EQUAL("--config needs a value", parse({"-f", "--config"}).error.c_str());
    STRCMP_EQUAL("unexpected argument x", parse({"-f", "x"}).error.c_str());
}
