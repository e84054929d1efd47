#include "winbind/client.h"

// Of a build without libwbclient.
namespace winbind {
namespace {

constexpr char absent[] = "this rpctunneld was built without winbind";

} // namespace

bool built_in() noexcept
{
    return false;
}

void Client::Free::operator()(wbcContext*) const noexcept {}

Client::Client(std::chrono::milliseconds limit) : limit_(limit) {}

Client::~Client() = default;

Judgement Client::judge(const Login&)
{
    return {Judgement::Kind::unavailable, {}, absent};
}

State Client::look(const std::vector<std::string>&)
{
    State state;
    state.fault = absent;
    return state;
}

void Client::stop() noexcept {}

} // namespace winbind
