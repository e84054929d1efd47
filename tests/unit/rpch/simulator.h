#pragma once

#include "rpch/client.h"
#include "rpch/inbound_proxy.h"
#include "rpch/outbound_proxy.h"
#include "rpch/server.h"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

/// One virtual connection in memory: a client, proxies on several nodes, a server, and FIFO connections
/// between them. Nothing happens by itself: a step delivers one message, lets an application read or write,
/// or breaks something, and the order is the test's choice. RPC PDUs are numbered in both directions.
namespace simulator {

struct Settings {
    std::uint32_t seed = 1;
    std::size_t nodes = 2;
    std::uint32_t window = 8192;          ///< of every receiver
    std::uint32_t in_lifetime = 30'000;
    std::uint32_t out_lifetime = 131'072; ///< the smallest that may be announced
    std::uint32_t largest_pdu = 2000;
    std::optional<bool> same_node{};      ///< where successors land; nothing: anywhere
};

struct Message {
    enum class Kind : std::uint8_t { head, rts, rpc, end } kind;
    rpch::RtsBytes pdu{};
    std::uint32_t number = 0, size = 0;
};

class Party;

/// One end of a connection, and what its owner has still to write there.
struct Port {
    Party* owner = nullptr; ///< null while nobody has accepted it
    rpch::Leg leg{};
    bool closed = false;
    bool blocked = false; ///< the socket takes nothing
    std::deque<Message> inbox;
    std::deque<Message> waiting; ///< RPC PDUs
    std::optional<rpch::RtsBytes> last;
    bool last_gone = false;
    Port* peer = nullptr;
};

struct Connection {
    Port ends[2];
    std::size_t node = 0; ///< where it leads to, until it is accepted
    rpch::Role to{};
    bool frozen = false;
};

class World {
public:
    explicit World(const Settings& settings);
    ~World();

    /// One random step of what can happen without a fault; false: nothing can.
    bool step(bool traffic);
    /// Steps until nothing can happen any more, however long it is silent.
    void settle();
    /// Every timer that runs expires.
    void expire();

    bool recycle_in();
    bool recycle_out();
    /// Faults: one at random. Text: which one it was.
    std::string break_something();
    void close_client();
    /// From now on no request of the client for a successor gets through, and it hears nothing of that.
    void lose_successors() { loses_successors_ = true; }

    bool client_alive() const;
    bool server_alive() const;
    /// Who holds data or an application up; empty: nobody.
    std::string stuck() const;
    bool all_delivered() const { return up_sent == up_received && down_sent == down_received; }
    std::size_t connections() const;
    std::size_t proxies() const { return proxies_.size(); }
    std::size_t most_waiting() const { return most_waiting_; }
    std::string describe() const;

    std::uint32_t up_sent = 0, up_received = 0, down_sent = 0, down_received = 0; ///< RPC PDUs
    std::size_t in_recycled = 0, out_recycled = 0;
    std::size_t windows_lifted = 0; ///< of clients who have read everything and acknowledge nothing
    std::string violation; ///< the first one; empty: none
    std::map<rpch::RtsId, std::size_t> seen;
    std::deque<std::string> reasons; ///< of the last closes

private:
    friend class Party;
    friend class ClientParty;
    friend class ServerParty;
    friend class InboundParty;
    friend class OutboundParty;
    struct Node {
        Party* inbound = nullptr;
        Party* outbound = nullptr;
    };

    std::uint32_t random(std::uint32_t below)
    {
        return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(random_);
    }
    /// For every receiver whose sender may wait; `rest`: nothing else happens. False: there is none.
    bool fall_silent(bool rest);
    Port& connect(rpch::Role to, std::size_t node);
    void deliver(Connection& connection, Port& port);
    void accept(Connection& connection, Port& port, const Message& first);
    void close(Port& port);
    void cut(Connection& connection);
    void forge();
    void later(Party& party, rpch::Leg leg)
    {
        if (!loses_successors_ || (leg != rpch::Leg::in_successor && leg != rpch::Leg::out_successor))
            events_.push_back({&party, leg});
    }
    void leave_table(Party& party);
    void bury();
    std::size_t node_for_successor(std::size_t now);

    Settings settings_;
    std::mt19937 random_;
    std::list<Connection> connections_;
    std::vector<Node> nodes_;
    std::list<std::unique_ptr<Party>> proxies_;
    std::unique_ptr<Party> client_, server_;
    struct Event {
        Party* party;
        rpch::Leg leg;
    };
    struct Choice {
        enum class Kind : std::uint8_t { deliver, unblock, connect, consume, produce } kind;
        Connection* connection = nullptr;
        Port* port = nullptr;
        Party* party = nullptr;
        std::size_t event = 0;
    };
    std::vector<Event> events_; ///< connections that come up, in any order
    std::vector<Choice> choices_;
    std::size_t most_waiting_ = 0;
    bool loses_successors_ = false;
};

} // namespace simulator
