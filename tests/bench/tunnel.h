#pragma once

#include "bench/channel.h"
#include "bench/plan.h"
#include "rpch/client.h"
#include "rpch/framer.h"

#include <cstdint>
#include <string>

namespace bench {

/// The client end of one tunnel: one connection without protocol, or two with MS-RPCH's client role on them,
/// with HTTP requests (Relay::rpch) or without (Relay::pair).
class Tunnel final : private Channel::Owner {
public:
    class Host {
    public:
        virtual void tunnel_opened(Tunnel& tunnel) = 0;

    protected:
        ~Host() = default;
    };
    /// What all tunnels share.
    struct Common {
        net::Loop& loop;
        const Plan& plan;
        const Pattern& pattern;
        const net::TlsClientContext* tls;
        Counts& counts;
        Host& host;
    };

    Tunnel(const Common& common, const net::Address& from);
    ~Tunnel() { close(); }

    void open();
    /// Begins the work of the plan.
    void start();
    void close();

    std::string describe() const { return in_.describe(); }

private:
    void channel_ready(Channel& channel) override;
    void channel_bytes(Channel& channel, base::Bytes bytes) override;
    void channel_closed(Channel& channel, const std::string& reason) override;

    bool take_head(base::Bytes& bytes);
    void take_pdus(base::Bytes bytes);
    void take_pattern(base::Bytes bytes);
    void arrived();
    void run(const rpch::Effects& effects);
    void pump();
    bool admits(std::uint32_t size) const;

    const Common& common_;
    const net::Address from_;
    Channel in_;  // with Relay::single: the only one
    Channel out_;
    rpch::Client role_;
    rpch::Framer framer_;
    std::string head_; // of the OUT response, while incomplete
    bool responded_ = false;
    bool started_ = false;
    std::uint64_t wanted_ = 0;   // bytes of the pattern to send
    std::uint64_t admitted_ = 0; // of these given to in_
    std::uint64_t received_ = 0; // bytes of the pattern
    std::uint64_t asked_at_ = 0; // ns
};

/// Nanoseconds, monotonic.
std::uint64_t now_ns() noexcept;

} // namespace bench
