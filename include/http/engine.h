#pragma once

#include "base/cursor.h"
#include "http/request.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/stream.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct MHD_Connection;
struct MHD_Daemon;

namespace http {

class Exchange;

/// An ordinary HTTP reply; the engine writes it, without the body when the method is HEAD.
struct Answer {
    unsigned status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// Who knows what a request is to get. One for each Exchange.
class Guest {
public:
    enum class Ruling {
        answer_and_close, ///< conclude() gives answer(), which ends the connection: the announced body stays unread
        answer_and_stay,  ///< conclude() gives answer(); the connection may live on when the announced body has come
        wait,             ///< not known yet: resume() the exchange when it is, then this is asked again
        leave,            ///< the engine forgets the request without a word
    };

    /// Called from within the library: note the request down, touch neither the exchange nor the engine.
    virtual Ruling rule(Request&& request) = 0;
    /// After rule() has said so; also from within the library.
    virtual const Answer& answer() = 0;
    /// At the end of a round in which the exchange was ruled on; everything is allowed here.
    virtual void moved() = 0;

protected:
    ~Guest() = default;
};

/// The HTTP library of one shard: a libmicrohttpd daemon without listening socket, driven by the shard's loop. It
/// gets one request at a time over a socket pair and sees neither TLS nor any body.
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
///
/// The library runs out of its pool with heads that make much work, and what it does then is no reply: it waits for more
/// of a head that it has thrown away, or writes two heads. So its word counts only where it has asked the guest and has
/// written exactly the answer that it was given.
class Exchange {
public:
    Exchange(Engine& engine, Guest& guest, const HeadFacts& facts) noexcept;
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    enum class Start {
        asked,   ///< the guest has been asked for its ruling
        unheard, ///< the library cannot work with the head
        no_room, ///< no descriptors, or no room in the engine; errno may say why
    };
    /// Hands over the head, and nothing behind it.
    [[nodiscard]] Start start(base::Bytes head, const net::Address& client) noexcept;
    /// The ruling is known now.
    void resume() noexcept;
    bool suspended() const noexcept { return suspended_; }
    /// After the ruling to answer: the reply. Empty when the library has not written exactly the guest's answer.
    std::string conclude();

private:
    friend struct EngineGlue;

    bool feed(base::Bytes bytes) noexcept;
    bool is_answer(std::string_view reply) const;
    void tell();

    Engine& engine_;
    Guest* guest_; // null when the request was taken back
    HeadFacts facts_;
    net::Stream ours_;                     // our end of the pair
    MHD_Connection* connection_ = nullptr; // null when the library has closed it
    std::string target_;
    net::Task moved_;
    bool asked_ = false;
    bool suspended_ = false;
    bool stays_ = false;     // answer_and_stay
    bool head_only_ = false; // the method is HEAD
    bool complete_ = false;
};

} // namespace http
