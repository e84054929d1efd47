#include "access/authenticator.h"

#include "base/text.h"

#include <cassert>

namespace auth {

Authenticator::Authenticator(const Backends& backends, Channel channel) : backends_(backends), channel_(channel) {}

std::optional<Outcome> Authenticator::quick(std::optional<std::string_view> authorization, bool shared)
{
    if (shared && !shared_) {
        shared_ = true;
        stays_ = false;
        who_.reset();
        state_.reset();
        current_ = nullptr;
    }
    if (!authorization) {
        if (stays_)
            return Outcome{Outcome::Kind::authenticated, {}, who_, {}};
        return refuse(Outcome::Kind::challenge, "no credentials");
    }
    const std::optional<Credentials> credentials = recognise(*authorization);
    if (!credentials)
        return refuse(Outcome::Kind::denied,
                      shared_ ? "scheme not offered on the connection of a front, which users share" : "scheme not offered");
    std::optional<Attempt> attempt = state_of(*credentials->scheme).glance(credentials->rest);
    if (!attempt)
        return std::nullopt;
    return conclude(*credentials->scheme, std::move(*attempt));
}

Outcome Authenticator::look_up(std::string_view authorization)
{
    const std::optional<Credentials> credentials = recognise(authorization);
    if (!credentials)
        return refuse(Outcome::Kind::denied, "scheme not offered");
    return conclude(*credentials->scheme, state_of(*credentials->scheme).look_up(credentials->rest));
}

Outcome Authenticator::checked()
{
    assert(current_ != nullptr);
    return conclude(*current_, state_->checked());
}

bool Authenticator::offered(const Scheme& scheme) const
{
    return scheme.allowed(backends_.policy, channel_) && !(scheme.for_connection && shared_);
}

std::optional<Authenticator::Credentials> Authenticator::recognise(std::string_view authorization) const
{
    authorization = base::trim(authorization);
    const auto blank = authorization.find(' ');
    const Scheme* scheme = find_scheme(backends_.policy.schemes, authorization.substr(0, blank));
    if (scheme == nullptr || !offered(*scheme))
        return std::nullopt;
    const std::string_view rest = blank == std::string_view::npos ? std::string_view() : authorization.substr(blank);
    return Credentials{scheme, base::trim(rest)};
}

SchemeState& Authenticator::state_of(const Scheme& scheme)
{
    if (current_ != &scheme) {
        state_ = scheme.begin(backends_, channel_);
        current_ = &scheme;
    }
    return *state_;
}

Outcome Authenticator::conclude(const Scheme& scheme, Attempt&& attempt)
{
    switch (attempt.kind) {
    case Attempt::Kind::continues:
        return {Outcome::Kind::challenge, {std::string(scheme.name) + ' ' + attempt.text}, std::nullopt, "next leg"};
    case Attempt::Kind::busy:
        return {Outcome::Kind::too_busy, {}, std::nullopt, std::move(attempt.text)};
    case Attempt::Kind::check:
        return {Outcome::Kind::check, {}, std::nullopt, {}, std::move(attempt.check)};
    case Attempt::Kind::again:
        return {Outcome::Kind::again, {}, std::nullopt, {}};
    case Attempt::Kind::refused:
        state_.reset();
        current_ = nullptr;
        return refuse(Outcome::Kind::denied, std::move(attempt.text));
    case Attempt::Kind::accepted:
        break;
    }
    if (scheme.for_connection) { // it is over, and its state would stay as long as the connection
        state_.reset();
        current_ = nullptr;
    }
    Principal who{std::move(attempt.text), scheme.name};
    Outcome outcome{Outcome::Kind::authenticated, {}, who, {}};
    if (!attempt.token.empty())
        outcome.www_authenticate.push_back(std::string(scheme.name) + ' ' + attempt.token);
    if (shared_)
        return outcome;
    if (who_ && who_->canonical != who.canonical)
        return refuse(Outcome::Kind::denied, "another principal on an authenticated connection");
    who_ = std::move(who);
    stays_ = stays_ || scheme.for_connection;
    return outcome;
}

Outcome Authenticator::refuse(Outcome::Kind kind, std::string reason) const
{
    Outcome outcome{kind, {}, std::nullopt, std::move(reason)};
    for (const Scheme* scheme : backends_.policy.schemes) {
        if (!offered(*scheme))
            continue;
        const std::string parameters = scheme->parameters(backends_.policy);
        outcome.www_authenticate.push_back(parameters.empty() ? scheme->name : scheme->name + (' ' + parameters));
    }
    return outcome;
}

} // namespace auth
