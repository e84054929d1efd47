#pragma once

#include "ping/explain_login.h"
#include "ping/login.h"
#include "ping/proxy.h"
#include "ping/scheme.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ping {

/// The scheme to log in with: the strongest that is offered and that -H allows. Without -H that is Basic over TLS only.
std::optional<Scheme> choose_scheme(const Options& options, const std::vector<std::string>& offered);

/// Lets connections in at the proxy: which scheme, its messages up to the last, what the answer means. Every step is
/// reported.
class Entrance {
public:
    Entrance(const Options& options, Report& report, Proxy& proxy) : options_(options), report_(report), proxy_(proxy) {}

    /// Connects the channel and logs in as far as the last message, which goes with request(). The first channel, unless -F 2
    /// forbids it, also asks what the proxy offers.
    bool enter(Channel& channel);
    /// The same without asking: with this scheme, and with this login in place of the one that the scheme has for -P unless
    /// it is null.
    bool enter(Channel& channel, Scheme scheme, std::unique_ptr<Login> login);

    /// The next request for the target on a channel that has entered.
    web::Request request(std::string_view method, const Channel& channel, std::optional<std::uint64_t> content_length);
    /// Once the head of its answer is there. Nullopt: it is a 200, and if it brought a last message, that is right.
    std::optional<Failure> judge(const Channel& channel);

    /// The connection has ended without an answer to a request, or in the middle of a login. Nullopt: authentication has
    /// nothing to do with it.
    std::optional<Failure> explain_end(const Channel& channel) const;

private:
    /// One connection.
    struct Visit {
        std::unique_ptr<Login> login;
        Tried tried;
        std::string authorization; // of the next request; Basic's is that of all
    };

    Visit& visit(const Channel& channel) { return visits_[static_cast<std::size_t>(channel.place())]; }
    bool ask(Channel& channel);
    bool begin(Channel& channel);
    std::unique_ptr<Login> make_login(const Channel& channel, std::string& error) const;
    std::string binding(const Channel& channel) const;
    bool converse(Channel& channel);
    enum class Leg {
        answered, // with a token
        let_in,   // without a login
        failed
    };
    Leg send_leg(Channel& channel, std::vector<std::uint8_t>& token);

    const Options& options_;
    Report& report_;
    Proxy& proxy_;
    bool chosen_ = false;
    std::optional<Scheme> scheme_; // nothing: no credentials
    std::array<Visit, 4> visits_;
};

} // namespace ping
