// bench-load: the load generator of `make bench`. tests/bench/run starts it; see there for what it is asked.

#include "bench/load.h"

#include <charconv>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace {

using bench::give_up;

template <class Number> void number(Number& out, std::string_view text)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size())
        give_up("no number: " + std::string(text));
}

template <class Enum> void choose(Enum& out, std::string_view text, std::initializer_list<const char*> names)
{
    int value = 0;
    for (const char* const name : names) {
        if (text == name) {
            out = static_cast<Enum>(value);
            return;
        }
        ++value;
    }
    give_up("unknown word: " + std::string(text));
}

void address(net::Address& out, std::string_view text)
{
    const auto parsed = net::Address::parse(text);
    if (!parsed)
        give_up("no address: " + std::string(text));
    out = *parsed;
}

/// "ADDRESS,ADDRESS"
void addresses(std::vector<net::Address>& out, std::string_view text)
{
    out.clear();
    for (std::size_t end = 0; end != text.npos; text.remove_prefix(end == text.npos ? 0 : end + 1)) {
        end = text.find(',');
        address(out.emplace_back(), text.substr(0, end));
    }
}

void hold(bench::Hold& out, std::string_view text)
{
    const auto parsed = bench::parse_hold(text);
    if (!parsed)
        give_up("not like IN_R2/A5=200: " + std::string(text));
    out = *parsed;
}

bench::Plan read_options(int count, char** words)
{
    bench::Plan plan;
    using Setter = std::function<void(std::string_view)>;
    const auto to = [](auto& out) { return Setter([&out](std::string_view text) { number(out, text); }); };
    const std::map<std::string_view, Setter> options{
        {"--relay", [&](auto text) { choose(plan.relay, text, {"rpch", "pair", "single"}); }},
        {"--hop", [&](auto text) { choose(plan.hop, text, {"tcp", "http"}); }},
        {"--work", [&](auto text) { choose(plan.work, text, {"echo", "up", "down", "both", "idle", "churn"}); }},
        {"--connect",
         [&](auto text) {
             addresses(plan.connect_in, text);
             plan.connect_out = plan.connect_in;
         }},
        {"--connect-in", [&](auto text) { addresses(plan.connect_in, text); }},
        {"--connect-out", [&](auto text) { addresses(plan.connect_out, text); }},
        {"--listen", [&](auto text) { address(plan.listen, text); }},
        {"--target", [&](auto text) { plan.target = text; }},
        {"--authorization", [&](auto text) { plan.authorizations.emplace_back(text); }},
        {"--tls", [&](auto text) { choose(plan.tls, text, {"no", "yes"}); }},
        {"--tunnels", to(plan.tunnels)},
        {"--warm-tunnels", to(plan.warm_tunnels)},
        {"--concurrency", to(plan.concurrency)},
        {"--rate", to(plan.rate)},
        {"--pace", to(plan.pace)},
        {"--pdu", to(plan.pdu)},
        {"--window", to(plan.window)},
        {"--lifetime", to(plan.lifetime)},
        {"--recycle-in-every", to(plan.recycle_in_every)},
        {"--hold", [&](auto text) { hold(plan.holds.emplace_back(), text); }},
        {"--calls", to(plan.calls)},
        {"--mib", to(plan.mib)},
        {"--milliseconds", to(plan.milliseconds)},
        {"--warm-up", to(plan.warm_up)},
        {"--steps", [&](auto text) { choose(plan.steps, text, {"no", "yes"}); }},
        {"--poll", [&](auto text) { choose(plan.poll, text, {"no", "yes"}); }},
        {"--relay-pid", [&](auto text) { number(plan.relay_pids.emplace_back(), text); }},
    };
    for (int i = 1; i < count; i += 2) {
        const auto option = options.find(words[i]);
        if (option == options.end() || i + 1 == count)
            give_up(std::string("unknown option or no value: ") + words[i]);
        option->second(words[i + 1]);
    }
    if (plan.connect_in.empty() || (plan.connect_out.empty() && plan.relay != bench::Relay::single))
        give_up("no address of a relay");
    if ((plan.calls || plan.pace) && plan.work != bench::Work::echo)
        give_up("--calls and --pace are for echo");
    if (!plan.steps && (plan.pace || plan.rate || plan.poll || plan.work == bench::Work::idle))
        give_up("--pace, --rate, --poll and idle need steps");
    if (plan.authorizations.empty())
        plan.authorizations.emplace_back();
    if (plan.mib && plan.work != bench::Work::up && plan.work != bench::Work::down && plan.work != bench::Work::both)
        give_up("--mib is for up, down and both");
    return plan;
}

} // namespace

int main(int count, char** words)
{
    try {
        bench::Load(read_options(count, words)).run();
        std::cout.flush();
        std::_Exit(0); // thousands of connections need no farewell
    } catch (const std::exception& error) {
        give_up(error.what());
    }
}
