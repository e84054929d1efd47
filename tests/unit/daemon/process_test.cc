#include "daemon/background.h"
#include "daemon/privileges.h"
#include "daemon/process.h"
#include "unit/base/temporary_name.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include <CppUTest/TestHarness.h>

using namespace rpctunneld;

TEST_GROUP(process)
{
    std::string folder;

    void setup() override
    {
        folder = temporary_name("rpctunneld-test");
        mkdtemp(folder.data());
    }
    void teardown() override
    {
        unsetenv("NOTIFY_SOCKET");
        unlink((folder + "/notify").c_str());
        unlink((folder + "/pid").c_str());
        rmdir(folder.c_str());
    }
    std::string content(const std::string& file)
    {
        std::string line;
        std::getline(std::ifstream(file), line);
        return line;
    }
};

TEST(process, service_manager_hears_the_state)
{
    const std::string path = folder + "/notify";
    const base::UniqueFd manager(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    LONGS_EQUAL(0, bind(manager.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    notify_service_manager("READY=1");
    char text[16] = {};
    LONGS_EQUAL(7, recv(manager.get(), text, sizeof text, 0));
    STRCMP_EQUAL("READY=1", text);
}

TEST(process, no_manager_is_no_error)
{
    notify_service_manager("READY=1");
    for (const std::string& path : {folder + "/nobody", std::string("relative"), std::string(200, '/')}) {
        setenv("NOTIFY_SOCKET", path.c_str(), 1);
        notify_service_manager("READY=1");
    }
}

TEST(process, descriptors_up_to_the_hard_limit)
{
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit low{std::min<rlim_t>(64, before.rlim_max), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    LONGS_EQUAL(before.rlim_max, raise_descriptor_limit());
    setrlimit(RLIMIT_NOFILE, &before);
}

TEST(process, pid_file_holds_the_number_and_goes)
{
    const std::string path = folder + "/pid";
    {
        const PidFile file(path);
        STRCMP_EQUAL(std::to_string(getpid()).c_str(), content(path).c_str());
        CHECK_THROWS(std::runtime_error, PidFile(path));
        STRCMP_EQUAL(std::to_string(getpid()).c_str(), content(path).c_str());
    }
    CHECK(access(path.c_str(), F_OK) != 0);
}

TEST(process, stale_pid_file_is_taken_over)
{
    const std::string path = folder + "/pid";
    std::ofstream(path) << "99999999999\n";
    const PidFile file(path);
    STRCMP_EQUAL(std::to_string(getpid()).c_str(), content(path).c_str());
}

TEST(process, pid_file_needs_its_folder)
{
    CHECK_THROWS(std::runtime_error, PidFile(folder + "/none/pid"));
}

TEST(process, identity)
{
    CHECK_FALSE(find_identity("", "").has_value());
    CHECK_THROWS(std::runtime_error, find_identity("no-such-user-here", ""));
    CHECK_THROWS(std::runtime_error, find_identity("root", "no-such-group-here"));
    if (geteuid() == 0) {
        const auto nobody = find_identity("nobody", "0");
        LONGS_EQUAL(65534, nobody->uid);
        LONGS_EQUAL(0, nobody->gid);
        STRCMP_EQUAL("nobody", find_identity("65534", "")->user.c_str());
    } else {
        CHECK_THROWS(std::runtime_error, find_identity("root", ""));
    }
}

TEST(process, the_environment_leads_libraries_nowhere_else)
{
    for (const char* const name : {"KRB5RCACHENAME", "KRB5_KTNAME", "GSS_MECH_CONFIG", "_NO_WINBINDD"}) {
        setenv(name, "x", 1);
        rpctunneld::clean_environment();
        POINTERS_EQUAL_TEXT(nullptr, getenv(name), name);
    }
}
