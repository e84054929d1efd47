#pragma once

#include "bench/channel.h"
#include "bench/login.h"
#include "bench/plan.h"
#include "net/tls.h"
#include "rpch/framer.h"

#include <cstdint>
#include <optional>
#include <string>

namespace bench {

/// One request of the client end, IN or OUT, and what is answered. Without HTTP (Relay::pair, Relay::single) it is
/// the bare connection.
///
/// Destroy it with Loop::defer when one of its callbacks may be running.
class Request final : private Channel::Owner {
public:
    class Owner {
    public:
        /// The head was written. Then the callbacks below, in any number; request_closed is the last one.
        virtual void request_ready(Request& request) = 0;
        virtual void request_answered(Request& request) = 0; ///< OUT, with status 200
        virtual void request_piece(Request& request, const rpch::Framer::Piece& piece) = 0;
        virtual void request_taken(Request& request) = 0; ///< all that one read brought
        virtual void request_drained(Request& request) = 0;
        virtual void request_closed(Request& request, const std::string& reason) = 0;

    protected:
        ~Owner() = default;
    };
    /// What all requests share.
    struct Means {
        net::Loop& loop;
        const Plan& plan;
        const Pattern& pattern;
        const net::TlsClientContext* tls;
    };
    enum class Kind : std::uint8_t { in, out };

    /// `body`: the Content-Length. `authorization` outlives the request.
    Request(const Means& means, Owner& owner, Kind kind, std::uint32_t body, const std::string& authorization);

    void open(const net::Address& relay, const net::Address& from);
    void close() { channel_.close(); }

    Channel& channel() noexcept { return channel_; }
    const net::Address& relay() const noexcept { return relay_; }

private:
    void channel_ready(Channel&) override;
    void channel_bytes(Channel&, base::Bytes bytes) override;
    void channel_drained(Channel&) override { owner_.request_drained(*this); }
    void channel_closed(Channel&, const std::string& reason) override { owner_.request_closed(*this, reason); }

    void send_head(std::uint32_t body, const std::string& authorization);
    void begin();
    void take_challenge(base::Bytes bytes);
    bool take_head(base::Bytes& bytes);
    void take_pieces(base::Bytes bytes);
    void refuse(const std::string& reason);

    const Means& means_;
    Owner& owner_;
    const Kind kind_;
    const std::uint32_t body_;
    const std::string& authorization_;
    net::Address relay_;
    Channel channel_;
    std::optional<NtlmLogin> login_; // under way
    rpch::Framer framer_;
    std::string answer_; // the head of the response, while incomplete
    std::uint64_t left_ = 0; // of the response's Content-Length
    bool answered_ = false;
};

} // namespace bench
