#include "access/password.h"
#include "base/base64.h"
#include "base/log.h"
#include "daemon/instance.h"
#include "rpch/rts_fields.h"
#include "unit/base/log_capture.h"
#include "unit/directory/fixture.h"
#include "unit/rpch/role_fixture.h"

#include <netinet/in.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <CppUTest/TestHarness.h>

// The whole daemon, ended in every phase of its life and with clients in every state. That nothing is used after its end,
// and in no two threads at once, is for the sanitizers to say.

namespace {

using namespace std::chrono_literals;

sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

std::string text_of(base::Bytes bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t entries(const char* folder)
{
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

struct Client {
    base::UniqueFd fd;

    Client(std::uint16_t port, const std::string& words) : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const sockaddr_in address = loopback(port);
        LONGS_EQUAL(0, ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
        LONGS_EQUAL(words.size(), ::send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL));
        const timeval patience{5, 0};
        ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    /// Waits for bytes that hold `words`.
    bool hears(const std::string& words)
    {
        std::string got;
        char piece[4096];
        for (ssize_t n; got.find(words) == got.npos && (n = ::recv(fd.get(), piece, sizeof piece, 0)) > 0;)
            got.append(piece, static_cast<std::size_t>(n));
        return got.find(words) != got.npos;
    }
    /// Waits for the end of the stream, which may be a reset.
    bool ends()
    {
        char piece[4096];
        ssize_t n;
        while ((n = ::recv(fd.get(), piece, sizeof piece, 0)) > 0) {
        }
        return n == 0 || errno == ECONNRESET;
    }
};

enum class Phase { made, started, told_before, serving, draining, second_signal, reloading_twice, locked };

/// Sends it to this process, and waits until the daemon has taken it. False when it does not.
bool tell(int signal)
{
    const auto end = std::chrono::steady_clock::now() + 2s;
    sigset_t pending;
    ::kill(::getpid(), signal);
    do {
        std::this_thread::yield();
        sigpending(&pending);
    } while (sigismember(&pending, signal) && std::chrono::steady_clock::now() < end);
    return !sigismember(&pending, signal);
}

} // namespace

TEST_GROUP(Instance)
{
    TemporaryDirectory directory;
    base::UniqueFd service;
    std::uint16_t service_port = 0, port = 0;
    sigset_t signals_before;
    rlimit descriptors_before, core_before;

    void setup() override
    {
        base::log::set_level(base::log::Level::error);
        // As main() does it, and as it was before, for the other tests.
        sigset_t signals;
        sigemptyset(&signals);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP})
            sigaddset(&signals, signal);
        pthread_sigmask(SIG_BLOCK, &signals, &signals_before);
        getrlimit(RLIMIT_NOFILE, &descriptors_before);
        getrlimit(RLIMIT_CORE, &core_before);

        service.reset(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        LONGS_EQUAL(0, ::bind(service.get(), reinterpret_cast<sockaddr*>(&address), size));
        ::listen(service.get(), 16);
        ::getsockname(service.get(), reinterpret_cast<sockaddr*>(&address), &size);
        service_port = ntohs(address.sin_port);

        CHECK(directory.accounts().add("alice", {{"", "alice"}}, auth::hash_password("secret")).ok());
        const std::string entry = "localhost:" + std::to_string(service_port);
        directory.add_server("LOCALHOST", "localhost.test", directory::Role::cas);
        CHECK(directory.servers().add_endpoint({"LOCALHOST", service_port, directory::Transport::ncacn_ip_tcp, "127.0.0.1", service_port, false}).ok());
        directory.allow(entry.c_str());
        directory.database.reset(); // while it is open, SQLite keeps the files of others open too
    }
    void teardown() override
    {
        pthread_sigmask(SIG_SETMASK, &signals_before, nullptr);
        setrlimit(RLIMIT_NOFILE, &descriptors_before);
        setrlimit(RLIMIT_CORE, &core_before);
        prctl(PR_SET_DUMPABLE, 1);
        base::log::set_level(base::log::Level::info);
    }

    std::string head(const char* method, std::uint64_t length, const char* login = "alice:secret")
    {
        return std::string(method) + " /rpc/rpcproxy.dll?localhost:" + std::to_string(service_port) +
               " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(length) + "\r\nAuthorization: Basic " +
               base::base64_encode(base::bytes_of(std::string_view(login))) + "\r\n\r\n";
    }
    std::string in(std::uint8_t vc) { return head("RPC_IN_DATA", 1 << 30) + text_of(rpch::encode(role_test::conn_b1(300'000, vc))); }
    std::string out(std::uint8_t vc) { return head("RPC_OUT_DATA", 76) + text_of(rpch::encode(role_test::conn_a1(65536, vc))); }

    /// One client in each state that it can stay in, and a crowd that waits for hashes.
    std::vector<Client> clients()
    {
        std::vector<Client> all;
        // Four virtual connections, so that both shards have some and streams move between them.
        for (std::uint8_t vc = 1; vc <= 4; ++vc) {
            all.emplace_back(port, out(vc));
            all.emplace_back(port, in(vc));
            CHECK_TRUE(all[all.size() - 2].hears("HTTP/1.1 200 Success"));
        }
        all.emplace_back(port, "");
        all.emplace_back(port, "RPC_IN_DATA /rpc");
        all.emplace_back(port, "RPC_IN_DATA / HTTP/1.1\r\nHost: x\r\nContent-Length: 76\r\n\r\n");
        all.emplace_back(port, head("RPC_IN_DATA", 1 << 30));
        all.emplace_back(port, head("RPC_IN_DATA", 1 << 30) + "half");
        all.emplace_back(port, in(100));
        all.emplace_back(port, out(101));
        for (int i = 0; i < 40; ++i)
            all.emplace_back(port, head("RPC_IN_DATA", 1 << 30, ("nobody" + std::to_string(i) + ":x").c_str()));
        // And many on their way from one shard to the other.
        for (std::uint8_t vc = 150; vc < 250; ++vc)
            all.emplace_back(port, in(vc));
        return all;
    }

    std::string config_path() const { return directory.folder + "/rpctunneld.conf"; }
    rpctunneld::Config config(const std::string& more)
    {
        const std::string path = config_path(); // which a reload reads again
        std::ofstream(path) << "listen = 127.0.0.1:0\nbasic_without_tls = yes\nworkers = 2\npassword_threads = 2\n"
                               "directory_threads = 2\ndatabase = " << directory.path << '\n' << more;
        rpctunneld::ConfigResult read = rpctunneld::read_config(path);
        if (!read.errors.empty())
            FAIL(read.errors[0].c_str());
        return std::move(read.config);
    }

    /// A life up to `phase`, its end, and what is left of it.
    void live(Phase phase, const std::string& more)
    {
        std::thread([] {}).join(); // with the first one a sanitizer starts one that stays
        const std::size_t descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
        std::vector<Client> all;
        std::optional<directory::Database> locked;
        {
            rpctunneld::Instance instance(config(more));
            const std::string ready = instance.ready_line();
            port = static_cast<std::uint16_t>(std::stoi(ready.substr(ready.find("plain=127.0.0.1:") + 16)));
            if (phase >= Phase::started) {
                instance.start();
                all = clients();
            } else {
                all.emplace_back(port, in(1)); // whom the kernel alone has taken in
            }
            if (phase == Phase::told_before) {
                ::kill(::getpid(), SIGTERM);
                instance.serve();
            }
            if (phase >= Phase::serving) {
                if (phase == Phase::locked) { // a rebuild would write, and hangs
                    locked.emplace(directory.path, directory::Database::Mode::write);
                    directory::Servers(*locked).add({"EX9", "ex9.example", directory::Role::mailbox, "2013", "", true});
                    locked->execute("BEGIN EXCLUSIVE");
                }
                std::thread serving([&] { instance.serve(); });
                bool taken = true;
                if (phase == Phase::serving)
                    ::kill(::getpid(), SIGHUP); // perhaps together with the end
                for (int i = 0; i < 2 && phase >= Phase::reloading_twice; ++i)
                    taken = tell(SIGHUP) && taken;
                if (phase == Phase::locked)
                    std::this_thread::sleep_for(20ms); // nothing tells that somebody waits for a lock
                taken = tell(SIGTERM) && taken;
                if (phase == Phase::second_signal) {
                    std::ofstream(config_path()) << "nonsense\n";
                    taken = tell(SIGHUP) && taken; // is for nobody any more
                    taken = tell(SIGTERM) && taken;
                }
                serving.join();
                CHECK_TRUE_TEXT(taken, "a signal was not taken at once");
            }
        }
        locked.reset();
        for (Client& client : all)
            CHECK_TRUE(client.ends());
        all.clear();
        // The service's side of each connection has an end too.
        while (base::UniqueFd(::accept4(service.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC))) {
        }
        LONGS_EQUAL(descriptors, entries("/proc/self/fd"));
        LONGS_EQUAL(threads, entries("/proc/self/task"));
    }
};

TEST(Instance, endsBeforeItHasBegun) { live(Phase::made, ""); }
TEST(Instance, endsWithoutServing) { live(Phase::started, ""); }
TEST(Instance, endsWhenItWasToldBefore) { live(Phase::told_before, "drain_time = 0s\n"); }
TEST(Instance, endsWhileItReloads) { live(Phase::serving, ""); }
TEST(Instance, endsWhileItReloadsTwice) { live(Phase::reloading_twice, "drain_time = 0s\n"); }
TEST(Instance, endsInOrder) { live(Phase::draining, "drain_time = 200ms\n"); }

// With other nodes a drain takes its time, and a second signal cuts it.
TEST(Instance, endsAtTheSecondSignal)
{
    const std::string nodes = "pairing_listen = 127.0.0.1:61735\npairing_nodes = 127.0.0.1:61735\npairing_nodes = 127.0.0.2:61735\n";
    const LogCapture log;
    const auto begin = std::chrono::steady_clock::now();
    live(Phase::second_signal, nodes + "drain_time = 1min\n");
    CHECK_TRUE(std::chrono::steady_clock::now() - begin < 30s);
    LONGS_EQUAL(1, log.count("reload-refused error=\"the daemon is about to stop\""));
    LONGS_EQUAL(1, log.count("reload-refused"));
    live(Phase::draining, nodes + "drain_time = 200ms\n");
}

// What waits for a lock of somebody else keeps neither the signal nor the end: a statement alone would wait five seconds.
TEST(Instance, endsWhileTheDirectoryIsLocked)
{
    const auto begin = std::chrono::steady_clock::now();
    live(Phase::locked, "drain_time = 0s\n");
    CHECK_TRUE(std::chrono::steady_clock::now() - begin < 4s);
}
