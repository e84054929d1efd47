#include "spnego/acceptor.h"

#include <nettle/memops.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace spnego {
namespace {

bool equal(const Token& mic, const std::array<std::uint8_t, 16>& expected) noexcept
{
    return mic.size() == expected.size() && memeql_sec(mic.data(), expected.data(), expected.size()) != 0;
}

} // namespace

std::string_view to_text(Refusal refusal) noexcept
{
    switch (refusal) {
    case Refusal::malformed: return "the SPNEGO token is malformed";
    case Refusal::unexpected: return "an SPNEGO token that is not due";
    case Refusal::no_mechanism: return "SPNEGO offers neither NTLM nor a mechanism that is set up";
    case Refusal::rejected: return "the other side has rejected the negotiation";
    case Refusal::mic_missing: return "the list of mechanisms is not signed";
    case Refusal::mic_wrong: return "the list of mechanisms was changed on the way";
    case Refusal::mic_impossible: return "the list of mechanisms must be signed, and NTLM cannot without extended session security";
    }
    return {};
}

Step Acceptor::refuse(Refusal refusal) noexcept
{
    state_ = State::start;
    return {Step::Kind::refused, {}, refusal};
}

Step Acceptor::read(base::Bytes token)
{
    switch (form_of(token)) {
    case Form::init: return begin(token);
    case Form::response: return go_on(token);
    case Form::kerberos:
        state_ = State::start;
        return kerberos_ ? Step{Step::Kind::kerberos} : refuse(Refusal::no_mechanism);
    case Form::other: break;
    }
    return refuse(Refusal::malformed);
}

Step Acceptor::begin(base::Bytes token)
{
    state_ = State::start;
    auto init = NegTokenInit::parse(token);
    if (!init)
        return refuse(Refusal::malformed);
    const auto& offered = init->mechanisms;
    const bool ntlm = std::ranges::find(offered, oid::ntlmssp) != offered.end();
    const bool kerberos = kerberos_ && (ntlm ? is_kerberos(offered.front()) : std::ranges::any_of(offered, is_kerberos));
    if (kerberos)
        return {Step::Kind::kerberos};
    if (!ntlm)
        return refuse(Refusal::no_mechanism);

    init_ = std::move(*init);
    clients_mic_.clear();
    mechanism_told_ = false;
    first_choice_ = init_.mechanisms.front() == oid::ntlmssp;
    // The token is for the mechanism that is first in the list; NTLM's comes when it is asked for.
    if (first_choice_ && !init_.mech_token.empty()) {
        state_ = State::at_mechanism;
        return {Step::Kind::mechanism, std::move(init_.mech_token)};
    }
    return {Step::Kind::reply, answer({})};
}

Token Acceptor::answer(Token token)
{
    state_ = State::mechanism;
    NegTokenResp response;
    response.state = NegState::accept_incomplete;
    if (!std::exchange(mechanism_told_, true))
        response.mechanism = oid::ntlmssp;
    response.response = std::move(token);
    return response.build();
}

Step Acceptor::go_on(base::Bytes token)
{
    auto response = NegTokenResp::parse(token);
    if (!response)
        return refuse(Refusal::malformed);
    if (response->state == NegState::reject)
        return refuse(Refusal::rejected);
    switch (state_) {
    case State::start:
    case State::at_mechanism: break;
    case State::mechanism:
        if (response->response.empty())
            return refuse(Refusal::unexpected);
        clients_mic_ = std::move(response->mic);
        state_ = State::at_mechanism;
        return {Step::Kind::mechanism, std::move(response->response)};
    case State::mic:
        if (response->mic.empty())
            return refuse(Refusal::mic_missing);
        if (!equal(response->mic, expected_mic_))
            return refuse(Refusal::mic_wrong);
        state_ = State::start;
        return {Step::Kind::done, NegTokenResp{.state = NegState::accept_completed}.build()};
    }
    return refuse(Refusal::unexpected);
}

Step Acceptor::finish(bool carried_mic, const std::optional<Mics>& mics)
{
    assert(state_ == State::at_mechanism);
    NegTokenResp response{.state = NegState::accept_completed};
    if (clients_mic_.empty() && !carried_mic && first_choice_) {
        state_ = State::start;
        return {Step::Kind::done, response.build()};
    }
    if (!mics)
        return refuse(Refusal::mic_impossible);
    response.mic.assign(mics->acceptor.begin(), mics->acceptor.end());
    if (clients_mic_.empty()) {
        expected_mic_ = mics->initiator;
        response.state = NegState::accept_incomplete;
        state_ = State::mic;
        return {Step::Kind::reply, response.build()};
    }
    if (!equal(clients_mic_, mics->initiator))
        return refuse(Refusal::mic_wrong);
    state_ = State::start;
    return {Step::Kind::done, response.build()};
}

} // namespace spnego
