#pragma once

#include "base/fifo.h"
#include "base/pending.h"
#include "base/unique_fd.h"
#include "http/engine.h"
#include "http/front.h"
#include "http/gate.h"
#include "http/head.h"
#include "leg/reply.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/timer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace http {

/// One client's connection, from the accepted socket to its end or to the tunnel.
///
///     handshake -> head -> judging -> [body ->] replying -> [dropping ->] head ... or lingering
///                              \-> the tunnel's
///
/// The engine gets a request only when its head is complete and sound, and only for as long as it works on it, so a
/// silent client costs this object and the bytes it has sent.
///
/// A reply goes out as soon as it is known, since the client may wait for it before it sends its body. A small body is
/// then read and dropped by its announced length (RFC 9112 section 6.3), so that the connection can live on: a client
/// that sends its next request in place of the body has that taken for the body, and nothing else would be safe.
class Connection final : private Guest, public std::enable_shared_from_this<Connection> {
public:
    Connection(Front& front, std::uint64_t id, base::UniqueFd socket, const net::Address& peer,
               std::unique_ptr<net::TlsSession> tls);
    ~Connection();

    /// Begins to listen to the client. False when the kernel has no room for a watch: then errno says why, and the client
    /// has been told, if he can be.
    [[nodiscard]] bool start();
    /// No further request: closed at once when none is under way.
    void drain();
    /// Closes the descriptor and leaves the front; nothing is called back afterwards. `reason` is empty when the end is
    /// an ordinary one.
    void close(std::string_view reason);

private:
    enum class State {
        handshake,
        head,      ///< collecting a request head, or idle between two
        judging,   ///< on its way over the lanes, or the engine is about to say
        body,      ///< the reply is known, but the client looks for it only behind its body
        replying,  ///< the reply is on its way
        dropping,  ///< written all; the body is still to come
        lingering, ///< written all; reading on so that the client can read too
        closed,
    };

    /// One request on its way to a verdict. Shared with a lane, which has the authenticator alone while `asked_`.
    struct Question {
        Request request;
        Verdict verdict;
        std::shared_ptr<auth::Authenticator> authenticator;
    };

    // connection.cc: what happens, and in which order
    void on_event(std::uint32_t events);
    void on_deadline();
    void advance();
    void on_handshake();
    void next_request();

    // connection_request.cc: from the head to the verdict
    void read_head();
    bool take_head();
    void begin(base::Bytes head, const HeadCheck& check);
    Ruling rule(Request&& request) override;
    const Answer& answer() override;
    void moved() override;
    void ask();
    void ask_directory();
    void make_check();
    void on_judged();
    void give_up();
    void act();
    void depart();

    // connection_reply.cc: from the verdict to the end
    void refuse(unsigned status, std::string_view reason, std::string_view method, std::string_view target,
                std::uint32_t rpc_error = leg::rpc_code::out_of_resources);
    bool reply_follows_body() const;
    void drop_body();
    void reply_own();
    void reply(std::string_view bytes, bool close_after);
    void flush();
    void linger();
    void discard();
    void log_refusal(const Verdict& verdict) const;

    Front& front_;
    const std::uint64_t id_;
    base::UniqueFd socket_;                // until the handshake is done
    std::unique_ptr<net::TlsSession> tls_; // likewise
    net::Stream stream_;
    const net::Address peer_;
    net::Watch watch_;
    net::Timer deadline_;

    State state_ = State::handshake;
    bool readable_ = false;
    bool idle_ = false;        // between two requests, nothing of the next one has come
    bool close_after_ = false;

    base::Fifo input_;  // read and not used: a head in the making, early body, pipelined requests
    base::Fifo output_; // reply bytes that the client has not taken
    HeadScanner scanner_;
    HeadFacts facts_;
    std::uint64_t body_left_ = 0;
    std::size_t discarded_ = 0;
    std::shared_ptr<auth::Authenticator> authenticator_; // from the first request on
    std::shared_ptr<Question> question_;
    base::Pending asked_;
    std::optional<Exchange> exchange_;
};

} // namespace http
