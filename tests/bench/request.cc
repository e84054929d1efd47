#include "bench/request.h"

#include <limits>

namespace bench {
namespace {

constexpr std::size_t head_limit = 4096;

} // namespace

Request::Request(const Means& means, Owner& owner, Kind kind, std::uint32_t body, const std::string& authorization)
    : means_(means), owner_(owner), kind_(kind), body_(body), authorization_(authorization),
      channel_(means.loop, means.pattern, *this)
{
}

void Request::open(const net::Address& relay, const net::Address& from)
{
    relay_ = relay;
    channel_.connect(relay, from, means_.tls);
}

void Request::send_head(std::uint32_t body, const std::string& authorization)
{
    const std::string text =
        std::string(kind_ == Kind::in ? "RPC_IN_DATA" : "RPC_OUT_DATA") + " /rpc/rpcproxy.dll?" + means_.plan.target +
        " HTTP/1.1\r\n"
        "Cache-Control: no-cache\r\nConnection: Keep-Alive\r\nPragma: no-cache\r\nAccept: application/rpc\r\n"
        "User-Agent: MSRPC\r\nHost: bench.example\r\nContent-Length: " +
        std::to_string(body) + "\r\nAuthorization: " + authorization + "\r\n\r\n";
    channel_.control(base::bytes_of(text));
}

void Request::channel_ready(Channel&)
{
    if (means_.plan.relay != Relay::rpch)
        return begin();
    login_ = NtlmLogin::of(authorization_);
    if (!login_) {
        send_head(body_, authorization_);
        return begin();
    }
    send_head(0, login_->begin());
    channel_.flush();
}

void Request::begin()
{
    owner_.request_ready(*this);
    if (kind_ == Kind::out && means_.plan.relay == Relay::pair) {
        answered_ = true;
        left_ = std::numeric_limits<std::uint64_t>::max();
        owner_.request_answered(*this);
    }
}

void Request::channel_bytes(Channel&, base::Bytes bytes)
{
    if (means_.plan.relay == Relay::single) {
        owner_.request_piece(*this, {.bytes = bytes, .kind = rpch::Framer::Kind::rpc});
        return owner_.request_taken(*this);
    }
    if (login_)
        return take_challenge(bytes);
    if (kind_ == Kind::in)
        return refuse("an answer: " + std::string(bytes.begin(), bytes.end()).substr(0, 80));
    if (answered_ || take_head(bytes))
        take_pieces(bytes);
}

void Request::take_challenge(base::Bytes bytes)
{
    answer_.append(bytes.begin(), bytes.end());
    const std::size_t end = answer_.find("\r\n\r\n");
    if (end == std::string::npos && answer_.size() <= head_limit)
        return;
    const auto value = login_->go_on(std::string_view(answer_).substr(0, end));
    if (!value || end + 4 != answer_.size()) // with a body it is none of ours
        return refuse("no challenge: " + answer_.substr(0, answer_.find('\r')));
    answer_.clear();
    login_.reset();
    send_head(body_, *value);
    begin();
}

/// True when the head of the response is complete.
bool Request::take_head(base::Bytes& bytes)
{
    const std::size_t before = answer_.size();
    answer_.append(bytes.begin(), bytes.end());
    const std::size_t end = answer_.find("\r\n\r\n");
    if (end == std::string::npos) {
        if (answer_.size() > head_limit)
            refuse("no end of the response's head");
        return false;
    }
    static constexpr std::string_view length = "\r\nContent-Length: ";
    const std::size_t at = answer_.find(length);
    if (!answer_.starts_with("HTTP/1.1 200 ") || at > end) {
        refuse("answered with " + answer_.substr(0, answer_.find('\r')));
        return false;
    }
    left_ = std::stoull(answer_.substr(at + length.size()));
    bytes = bytes.subspan(end + 4 - before);
    answer_.clear();
    answer_.shrink_to_fit();
    answered_ = true;
    owner_.request_answered(*this);
    return channel_.open();
}

void Request::take_pieces(base::Bytes bytes)
{
    if (bytes.size() > left_)
        return refuse("more than its Content-Length");
    left_ -= bytes.size();
    while (channel_.open()) {
        const rpch::Framer::Piece piece = framer_.next(bytes);
        if (piece.kind == rpch::Framer::Kind::bad)
            return refuse(piece.error);
        if (piece.kind == rpch::Framer::Kind::more)
            break;
        owner_.request_piece(*this, piece);
    }
    owner_.request_taken(*this);
}

void Request::refuse(const std::string& reason)
{
    channel_.close();
    owner_.request_closed(*this, reason);
}

} // namespace bench
