#include "spnego/initiator.h"

#include <nettle/memops.h>

#include <utility>

namespace spnego {

Token Initiator::start(Token token, std::vector<std::string> offered)
{
    NegTokenInit init;
    init.mechanisms = std::move(offered);
    init.mech_token = std::move(token);
    Token built = init.build();
    mech_list_ = mech_list_of(built);
    first_choice_ = init.mechanisms.front() == oid::ntlmssp;
    asked_for_mic_ = false;
    state_ = State::negotiating;
    mics_.reset();
    return built;
}

Token Initiator::answer(Token token) const
{
    NegTokenResp response;
    response.response = std::move(token);
    return response.build();
}

std::optional<Token> Initiator::finish(Token token, bool carried_mic, const std::optional<Mics>& mics)
{
    mics_ = mics;
    state_ = carried_mic || asked_for_mic_ || !first_choice_ ? State::signed_ : State::unsigned_;
    NegTokenResp response;
    response.response = std::move(token);
    if (state_ == State::signed_) {
        if (!mics)
            return std::nullopt;
        response.mic.assign(mics->initiator.begin(), mics->initiator.end());
    }
    return response.build();
}

Step Initiator::read(base::Bytes token)
{
    auto response = NegTokenResp::parse(token);
    if (!response)
        return {Step::Kind::refused, {}, Refusal::malformed};
    if (response->state == NegState::reject)
        return {Step::Kind::refused, {}, Refusal::rejected};
    if (!response->mechanism.empty() && response->mechanism != oid::ntlmssp)
        return {Step::Kind::refused, {}, Refusal::no_mechanism};
    asked_for_mic_ = asked_for_mic_ || response->state == NegState::request_mic;
    if (state_ != State::negotiating)
        return conclude(*response);
    if (response->state == NegState::accept_completed)
        return {Step::Kind::refused, {}, Refusal::unexpected};
    return {Step::Kind::mechanism, std::move(response->response)};
}

Step Initiator::conclude(const NegTokenResp& response)
{
    if (!response.mic.empty()) {
        if (!mics_ || response.mic.size() != mics_->acceptor.size() ||
            memeql_sec(response.mic.data(), mics_->acceptor.data(), response.mic.size()) == 0)
            return {Step::Kind::refused, {}, Refusal::mic_wrong};
    } else if (state_ == State::signed_ || response.state != NegState::accept_completed) {
        return {Step::Kind::refused, {}, Refusal::mic_missing};
    }
    if (response.state == NegState::accept_completed)
        return {Step::Kind::done};
    if (std::exchange(state_, State::answered) != State::unsigned_)
        return {Step::Kind::refused, {}, Refusal::unexpected};
    NegTokenResp reply;
    reply.mic.assign(mics_->initiator.begin(), mics_->initiator.end());
    return {Step::Kind::reply, reply.build()};
}

} // namespace spnego
