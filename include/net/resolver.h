#pragma once

#include "base/delegate.h"
#include "net/loop.h"
#include "net/name_query.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace net {

class Resolver;

/// The look-up of a name on behalf of one loop. Belongs to its loop's thread, and must be gone before the loop and the
/// resolver.
///
/// One callback per start(), never inside start(); none after cancel() or the destructor. The callback may destroy the
/// look-up or start it again. The resolver has no patience of its own beyond that of resolv.conf(5): who waits cancels.
class Lookup {
public:
    using Callback = base::Delegate<void(Resolved)>;

    Lookup(Loop& loop, Resolver& resolver, Callback callback) noexcept : loop_(loop), resolver_(resolver), callback_(callback) {}
    ~Lookup() { cancel(); }
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    /// A name, not a numeric host; whatever cannot be one gets an error as its answer. The addresses come with `port`.
    /// Cancels what ran before.
    void start(const std::string& host, std::uint16_t port);
    void cancel() noexcept;
    bool busy() const noexcept { return static_cast<bool>(asker_); }
    /// What is told when the asker's patience ends: "no answer from the name server (192.0.2.1)".
    std::string overdue() const;

private:
    friend class Resolver;
    struct Asker;

    Loop& loop_;
    Resolver& resolver_;
    const Callback callback_;
    std::shared_ptr<Asker> asker_; // while busy
};

/// Looks host names up, in a thread of its own that never waits for one of them: however many name servers are silent,
/// all other names and those of /etc/hosts are answered at once. One for the process.
///
/// Equal names that are under way are asked for once. Nothing is remembered beyond that: answers are kept by the name
/// server. The thread ends with the destructor, whatever is under way.
class Resolver {
public:
    /// Names that name servers are asked for at one time. When there are as many, only /etc/hosts is looked into for
    /// others; those that it does not have are refused, with base::Resource::look_ups.
    static constexpr std::size_t limit = 512;

    /// Throws std::system_error without descriptors or a thread.
    explicit Resolver(std::optional<NameServers> servers = {});
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

private:
    friend class Lookup;
    using Asker = Lookup::Asker;
    struct Question;

    void ask(const std::shared_ptr<Asker>& asker);
    void forget(const std::shared_ptr<Asker>& asker);
    void on_done(NameQuery& query);
    static void answer(const std::shared_ptr<Asker>& asker, Resolved result);

    const std::optional<NameServers> servers_;
    Loop loop_;
    std::unordered_map<std::string, std::unique_ptr<Question>> under_way_;
    std::thread thread_;
};

} // namespace net
