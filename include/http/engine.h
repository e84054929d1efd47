#pragma once

#include "base/cursor.h"
#include "http/request.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/stream.h"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

struct MHD_Connection;
struct MHD_Daemon;

namespace http {

class Exchange;

/// An ordinary HTTP reply without body; the engine writes it.
struct Answer {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Who knows what a request is to get. One for each Exchange.
class Guest {
public:
    enum class Ruling {
        answer_now,        ///< answer() goes out at once and ends the connection: the announced body stays unread
        answer_after_body, ///< answer() goes out when the announced body has been fed; the connection may live on
        wait,              ///< not known yet: resume() the exchange when it is, then this is asked again
        leave,             ///< the engine forgets the request without a word
    };

    /// Called from within the library: note the request down, touch neither the exchange nor the engine.
    virtual Ruling rule(Request&& request) = 0;
    /// Asked once, after rule() has said so. Also from within the library.
    virtual const Answer& answer() = 0;
    /// At the end of a round in which the exchange was ruled on or completed; everything is allowed here.
    virtual void moved() = 0;

protected:
    ~Guest() = default;
};

/// The HTTP library of one shard: a libmicrohttpd daemon without listening socket, driven by the shard's loop. It
/// gets one request at a time over a socket pair and sees neither TLS nor the body of a tunnel.
class Engine {
public:
    /// `connections`: exchanges alive at once. `pool`: memory for the head of one request and its reply.
    /// Throws std::runtime_error when the library does not start.
    Engine(net::Loop& loop, unsigned connections, std::size_t pool);
    /// All exchanges must be gone.
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Exchanges that the library has not closed yet.
    std::size_t open() const noexcept { return open_; }

private:
    friend class Exchange;
    friend struct EngineGlue; // the library's callbacks, in engine.cc

    void run() noexcept;
    void on_event(std::uint32_t) noexcept { run(); }

    MHD_Daemon* daemon_ = nullptr;
    Exchange* starting_ = nullptr; // whose connection MHD_add_connection is making
    std::size_t open_ = 0;
    net::Loop& loop_;
    net::Watch watch_;
    net::Task again_;
};

/// One request inside the engine, from its head to its reply. Belongs to the connection that carries the request; its
/// destructor takes the request back, whatever its state.
class Exchange {
public:
    Exchange(Engine& engine, Guest& guest, const HeadFacts& facts) noexcept;
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    /// Hands over the head, and nothing behind it. The guest rules, unless the library refuses the head by itself;
    /// then the exchange completes with a reply. False: no descriptors or no room in the engine.
    [[nodiscard]] bool start(base::Bytes head, const net::Address& client) noexcept;
    /// Bytes of the body that Content-Length announced, never more than that. False when they do not go in.
    [[nodiscard]] bool feed(base::Bytes body) noexcept;
    /// The ruling is known now.
    void resume() noexcept;

    bool suspended() const noexcept { return suspended_; }
    /// The next bytes of the reply; 0 when there are none (yet).
    std::size_t read(std::span<std::uint8_t> out) noexcept;
    /// The library has nothing more to say about this request: what read() has not given yet is the rest.
    bool complete() const noexcept { return complete_; }

private:
    friend struct EngineGlue;

    void tell();

    Engine& engine_;
    Guest* guest_; // null when the request was taken back
    HeadFacts facts_;
    net::Stream ours_;                     // our end of the pair
    MHD_Connection* connection_ = nullptr; // null when the library has closed it
    std::string target_;
    net::Task moved_;
    bool suspended_ = false;
    bool complete_ = false;
};

} // namespace http
