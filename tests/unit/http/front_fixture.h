#pragma once

#include "access/account.h"
#include "access/cache.h"
#include "access/password_check.h"
#include "access/policy.h"
#include "access/scheme.h"
#include "base/lane.h"
#include "base/unique_fd.h"
#include "directory/directory.h"
#include "http/front.h"
#include "leg/arrival.h"
#include "net/loop.h"
#include "net/tls.h"
#include "unit/base/log_capture.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A scheme whose every answer the test chooses: "good" and "quick" are alice ("quick" from memory), "one" needs
/// another leg, "last" is alice who needs a token still, "slow" is a late alice, "busy" and all else say no.
extern const auth::Scheme test_scheme;

/// Of "secret", cheap.
inline constexpr char carols_hash[] = "$y$j75$i/EFgo2mJX7kvOSZl2VdH/$aYvdAbdh0IvxKn6KqLk5Ei/mSbttvunklztDDPfWqoB";

/// A directory database in a folder of its own: srv:6001-6004 and *.example names are allowed, no mailbox is known.
class TestDirectory {
public:
    TestDirectory();
    ~TestDirectory();
    std::string path() const { return folder_ + "/directory.db"; }

private:
    std::string folder_;
};

struct RecordingReception final : leg::Reception {
    std::vector<leg::Arrival> arrivals;
    void arrive(leg::Arrival&& arrival) override { arrivals.push_back(std::move(arrival)); }
    std::size_t clients() const override { return arrivals.size(); }
};

/// A front in the test's own loop, with everything it needs around it.
struct FrontFixture {
    net::Loop loop;
    RecordingReception reception;
    TestDirectory directory;
    struct : auth::AccountSource {
        std::optional<auth::AccountRecord> find(const auth::Login& login) override
        {
            if (login.name != "carol")
                return std::nullopt;
            return auth::AccountRecord{"carol", true, carols_hash, 1};
        }
        std::optional<std::string> some_hash(std::uint64_t) override { return carols_hash; }
        std::optional<ntlm::Key> nt_hash(const auth::Login& login) override
        {
            return login.name == "carol" ? ntlm::nt_hash("secret") : std::nullopt;
        }
        std::uint64_t generation() const noexcept override { return 0; }
    } accounts;
    auth::Policy access{{&test_scheme, &auth::basic_scheme}, true, "test"};
    auth::Cache cache;
    std::optional<auth::PasswordChecks> passwords;
    std::optional<auth::Backends> backends;
    directory::Directory database{directory.path()};
    http::Limits limits;
    http::RpcConnect rpc_connect = http::RpcConnect::no;
    std::unique_ptr<base::Lane> lane;
    std::unique_ptr<http::Front> front;
    base::UniqueFd listener;

    FrontFixture();
    ~FrontFixture();
    /// Makes the front anew, after a change of `limits` or `rpc_connect`. The numbers are of the directory's lane;
    /// `checks`: of those that wait on the lane of passwords.
    void restart(unsigned threads = 2, std::size_t waiting = 100, std::size_t checks = 100);

    /// The number that the next descriptor will have.
    int newest_descriptor() const { return base::UniqueFd(::dup(listener.get())).get(); }
    /// Rounds of the loop until `done`, for at most three seconds.
    bool wait(const std::function<bool()>& done);
    /// Rounds of the loop for this long.
    void idle(int milliseconds);
    /// What has come is looked at, and then so much time has passed for the front, and for nobody else.
    void pass(net::Millis time);
    /// What the lane of the directory had begun has an answer, and the loop has heard it. Nobody may ask any more.
    void end_lane();
};

/// A client of the fixture's front, in the same thread.
class Client {
public:
    explicit Client(FrontFixture& fixture, const net::TlsServerContext* tls = nullptr);

    int fd() const { return fd_.get(); }
    void send(std::string_view bytes);
    /// Runs the loop until what came holds `end`; gives all of it and forgets it. Empty when it does not come.
    std::string receive(std::string_view end = "\r\n\r\n");
    /// Runs the loop until the front closes; gives what came. `reset()` tells how it ended.
    std::string receive_all();
    /// Nothing came within this time, and the connection is open.
    bool silent(int milliseconds = 30);
    bool reset() const { return reset_; }
    bool ended() const { return ended_; }
    void close() { fd_.reset(); }
    /// Closes with RST.
    void abort();

private:
    void pull();

    FrontFixture& fixture_;
    base::UniqueFd fd_;
    std::string received_;
    bool ended_ = false;
    bool reset_ = false;
};
