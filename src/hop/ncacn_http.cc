#include "hop/ncacn_http.h"

#include "net/socket_options.h"

namespace hop {

NcacnHttp::NcacnHttp(const leg::Environment& environment, leg::Side side, const leg::Visitor& visitor, User& user)
    : environment_(environment), side_(side), visitor_(visitor), user_(&user)
{
}

void NcacnHttp::connect()
{
    dialer_ = std::make_unique<leg::Dialer>(environment_);
    dialer_->start(visitor_.grant->route, visitor_.party().target, net::Millis(environment_.settings.connect_timeout),
                   leg::Dialer::Callback::of<&NcacnHttp::on_dialed>(this));
}

void NcacnHttp::on_dialed(leg::Dialer::Outcome outcome)
{
    if (closed_)
        return;
    if (!outcome.fd)
        return fail(outcome.failure);
    user_->hop_routed(outcome.route);
    const bool wait = environment_.settings.require_banner;
    const net::Millis patience(environment_.settings.connect_timeout);
    begin(std::move(outcome.fd), {}, wait ? std::optional(patience) : std::nullopt);
}

void NcacnHttp::adopt(base::UniqueFd fd, const net::Address& node, base::Bytes preamble, net::Millis patience)
{
    node_ = node;
    begin(std::move(fd), preamble, patience);
}

void NcacnHttp::begin(base::UniqueFd fd, base::Bytes preamble, std::optional<net::Millis> banner_patience)
{
    leg_.emplace(environment_.loop, net::Stream(std::move(fd)), static_cast<leg::Leg::Owner&>(*this));
    leg_->expect_banner();
    if (!preamble.empty())
        leg_->outlet().put_control(preamble);
    if (banner_patience) {
        banner_limit_ = std::make_unique<net::Timer>(
            environment_.loop, net::Timer::Callback::of<&NcacnHttp::on_banner_timeout>(this));
        banner_limit_->set(*banner_patience);
    } else {
        connected_ = true;
    }
    if (!leg_->start({}))
        return fail(leg::no_watch());
    if (!banner_patience)
        user_->hop_connected();
    else if (!leg_->outlet().flush())
        fail({.reason = far_end() + ": " + leg_->outlet().failure_text()});
}

std::string NcacnHttp::far_end() const
{
    return node_ ? "node " + node_->text() : visitor_.grant->route.text();
}

void NcacnHttp::leg_banner()
{
    if (connected_)
        return;
    banner_limit_->cancel();
    connected_ = true;
    user_->hop_connected();
}

void NcacnHttp::on_banner_timeout()
{
    fail({.reason = far_end() + " sent no ncacn_http/1.0 banner"});
}

void NcacnHttp::fail(const leg::Failure& failure)
{
    close();
    user_->hop_failed(failure);
}

void NcacnHttp::leg_closed(const std::string& reason)
{
    if (!connected_)
        return fail({.reason = far_end() + ": " + reason});
    user_->hop_closed("server: " + reason);
}

std::size_t NcacnHttp::leg_allowance()
{
    // On the IN side only RTS PDUs come; before require_banner is satisfied nothing else may be read.
    return side_ == leg::Side::in || !connected_ ? net::Loop::scratch_size : user_->hop_allowance(true);
}

void NcacnHttp::send_rts(base::Bytes pdu)
{
    if (leg_)
        leg_->outlet().put_control(pdu);
}

void NcacnHttp::put_rpc(const rpch::Framer::Piece& piece)
{
    if (leg_)
        leg_->outlet().put(piece);
}

void NcacnHttp::send_last(base::Bytes pdu)
{
    if (leg_)
        leg_->outlet().put_last(pdu);
}

void NcacnHttp::flush()
{
    if (!leg_ || closed_)
        return;
    if (!leg_->outlet().flush()) {
        const std::string reason = "server: " + leg_->outlet().failure_text();
        close();
        return user_->hop_closed(reason);
    }
    if (const std::uint32_t consumed = leg_->outlet().take_consumed(); consumed > 0)
        user_->hop_consumed(consumed);
}

std::size_t NcacnHttp::waiting() const
{
    return leg_ ? leg_->waiting() : 0;
}

void NcacnHttp::resume()
{
    if (leg_)
        leg_->resume();
}

void NcacnHttp::keep_alive(std::uint32_t ms)
{
    if (leg_ && !closed_)
        net::set_keep_alive(leg_->stream().fd(), net::Millis(ms));
}

void NcacnHttp::close()
{
    closed_ = true;
    dialer_.reset();
    if (banner_limit_)
        banner_limit_->cancel();
    if (leg_)
        leg_->close();
}

} // namespace hop
