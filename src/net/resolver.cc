#include "net/resolver.h"

#include "base/no_signals.h"
#include "base/text.h"

#include <algorithm>
#include <csignal>
#include <mutex>
#include <utility>

namespace net {

/// By what the resolver finds who has asked. Both hold it, so that neither has to last for the other's sake.
struct Lookup::Asker {
    const std::string host; // in lower case
    const std::uint16_t port;
    Lookup* lookup; // in its loop's thread only; null: it has gone
    std::mutex mutex;
    Loop* loop;          // guarded by mutex; null: nobody waits
    std::string servers; // guarded by mutex: who is asked

    Asker(std::string name, std::uint16_t to, Lookup& asking, Loop& its_loop)
        : host(std::move(name)), port(to), lookup(&asking), loop(&its_loop)
    {
    }
};

void Lookup::start(const std::string& host, std::uint16_t port)
{
    cancel();
    asker_ = std::make_shared<Asker>(base::lower(host), port, *this, loop_);
    resolver_.loop_.post([&resolver = resolver_, asker = asker_] { resolver.ask(asker); });
}

void Lookup::cancel() noexcept
{
    if (!asker_)
        return;
    asker_->lookup = nullptr;
    {
        const std::lock_guard lock(asker_->mutex);
        asker_->loop = nullptr;
    }
    resolver_.loop_.post([&resolver = resolver_, asker = std::move(asker_)] { resolver.forget(asker); });
    asker_.reset();
}

std::string Lookup::overdue() const
{
    std::string servers;
    if (asker_) {
        const std::lock_guard lock(asker_->mutex);
        servers = asker_->servers;
    }
    return servers.empty() ? "the name was not looked up in time" : "no answer from " + servers;
}

/// A name that is under way, and all who wait for it.
struct Resolver::Question {
    NameQuery query;
    std::vector<std::shared_ptr<Asker>> askers;
};

Resolver::Resolver(std::optional<NameServers> servers) : servers_(std::move(servers))
{
    const base::NoSignals no_signals;
    thread_ = std::thread([this] { loop_.run(); });
}

Resolver::~Resolver()
{
    loop_.stop();
    thread_.join();
}

void Resolver::ask(const std::shared_ptr<Asker>& asker)
{
    std::unique_ptr<Question>& question = under_way_[asker->host];
    if (!question) {
        const bool full = under_way_.size() > limit; // with this one
        question.reset(new Question{{loop_, asker->host, servers_, full ? NameQuery::Sources::files : NameQuery::Sources::all,
                                     NameQuery::Done::of<&Resolver::on_done>(this)}, {}});
        if (std::optional<Resolved> result = question->query.result()) {
            under_way_.erase(asker->host);
            if (full && result->addresses.empty())
                result = Resolved{{}, "too many names are looked up already", base::Resource::look_ups};
            return answer(asker, std::move(*result));
        }
    }
    question->askers.push_back(asker);
    const std::lock_guard lock(asker->mutex);
    asker->servers = question->query.servers();
}

void Resolver::forget(const std::shared_ptr<Asker>& asker)
{
    const auto place = under_way_.find(asker->host);
    if (place == under_way_.end())
        return;
    std::erase(place->second->askers, asker);
    if (place->second->askers.empty())
        under_way_.erase(place);
}

void Resolver::on_done(NameQuery& query)
{
    const auto node = under_way_.extract(query.host());
    for (const std::shared_ptr<Asker>& asker : node.mapped()->askers)
        answer(asker, *query.result());
}

void Resolver::answer(const std::shared_ptr<Asker>& asker, Resolved result)
{
    for (Address& address : result.addresses)
        address.set_port(asker->port);
    const std::lock_guard lock(asker->mutex);
    if (!asker->loop)
        return;
    asker->loop->post([asker, result = std::move(result)] {
        Lookup* const lookup = asker->lookup;
        if (!lookup)
            return;
        lookup->asker_.reset();
        lookup->callback_(result); // may destroy it
    });
}

} // namespace net
