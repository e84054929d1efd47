#include "ping/plain.h"

#include "ping/explain.h"

#include <string>
#include <string_view>

namespace ping {
namespace {

constexpr std::string_view banner = "ncacn_http/1.0"; // MS-RPCH 2.1.2.2.1

std::string_view text_of(base::Bytes bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace

bool PlainCaller::open()
{
    return entrance_.enter(channel_) && (options_.direct ? await_banner() : ask_proxy());
}

bool PlainCaller::ask_proxy()
{
    report_.begin(Place::general, "RPC_CONNECT");
    const Deadline deadline(options_.timeout_s);
    // A proxy may have refused the request and closed before it took all of it.
    const bool sent = channel_.send(entrance_.request("RPC_CONNECT", channel_, std::nullopt), deadline);
    const Channel::Event event = channel_.wait(deadline);
    if (event != Channel::Event::head) {
        report_.failed(sent && event == Channel::Event::nothing ? explain_plain_silence(options_, false)
                                                                : explain_plain_end(false, channel_.error()));
        return false;
    }
    const web::Response& response = channel_.response();
    // The body of a mixed proxy has no length and no coding.
    if (response.status / 100 != 2 || response.content_length || response.chunked) {
        report_.failed(entrance_.judge(channel_).value_or(explain_response(response, options_)));
        return false;
    }
    report_.passed(response.line(), {}, response.status);
    return true;
}

bool PlainCaller::await_banner()
{
    report_.begin(Place::general, "banner");
    channel_.expect_body();
    const Deadline deadline(options_.timeout_s);
    std::string got;
    while (got.size() < banner.size() && banner.starts_with(got)) {
        if (channel_.wait(deadline) != Channel::Event::body) {
            report_.failed(explain_no_banner(options_, got, channel_.error()));
            return false;
        }
        got += text_of(channel_.body());
    }
    if (got != banner) {
        report_.failed(got.starts_with(banner) ? explain_broken("bytes behind the banner before a call")
                                               : explain_no_banner(options_, got, {}));
        return false;
    }
    report_.passed(got);
    return true;
}

std::optional<rpch::RpcAnswer> PlainCaller::exchange(base::Bytes pdu)
{
    const Deadline deadline(options_.timeout_s);
    trace_rpc(Place::general, ">", pdu);
    if (!channel_.send(pdu, deadline)) {
        failure_ = explain_plain_end(true, channel_.error());
        return std::nullopt;
    }
    while (!answered()) {
        switch (channel_.wait(deadline)) {
        case Channel::Event::body:
            if (const char* const reason = take_bytes(channel_.body())) {
                failure_ = explain_broken(reason);
                return std::nullopt;
            }
            break;
        case Channel::Event::nothing:
            failure_ = explain_plain_silence(options_, true);
            return std::nullopt;
        case Channel::Event::head:
        case Channel::Event::end:
        case Channel::Event::closed:
        case Channel::Event::failed:
            failure_ = explain_plain_end(true, channel_.error());
            return std::nullopt;
        }
    }
    return answer();
}

/// Null, or how the bytes break the protocol.
const char* PlainCaller::take_bytes(base::Bytes bytes)
{
    for (;;) {
        const rpch::Framer::Piece piece = framer_.next(bytes);
        switch (piece.kind) {
        case rpch::Framer::Kind::more:
            return nullptr;
        case rpch::Framer::Kind::bad:
            return piece.error;
        case rpch::Framer::Kind::rts:
            return "RTS PDU in version 1 of the protocol";
        case rpch::Framer::Kind::rpc:
            if (const char* const reason = take(Place::general, piece))
                return reason;
        }
    }
}

} // namespace ping
