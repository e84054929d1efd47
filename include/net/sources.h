#pragma once

#include "net/address.h"
#include "net/wheel.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace net {

/// The addresses of this machine that connections to servers come from, each in its turn: every one brings the local
/// ports of a whole range towards each server. One thread.
///
/// It remembers where no port was left: to find that out the kernel looks at every port of the range, which takes a
/// millisecond, and a thousand clients who try again must not cost others a second.
class Sources {
public:
    /// The addresses for one peer, beginning with the one whose turn it is. Empty: the kernel chooses. Valid as long as
    /// the pool.
    class Turn {
    public:
        Turn() noexcept = default;
        Turn(std::span<const Address> addresses, std::size_t first) noexcept : addresses_(addresses), first_(first) {}

        std::size_t size() const noexcept { return addresses_.size(); }
        bool empty() const noexcept { return addresses_.empty(); }
        const Address& operator[](std::size_t i) const noexcept
        {
            return addresses_[(first_ + i) % addresses_.size()];
        }

    private:
        std::span<const Address> addresses_;
        std::size_t first_ = 0;
    };

    /// The kernel chooses always.
    Sources() = default;
    /// `first`: a number by which several pools of the same addresses begin at different ones. Ports do not count.
    explicit Sources(const std::vector<Address>& addresses, std::size_t first = 0);

    /// Of the peer's family; a loopback peer is reached from loopback addresses only, and from those no other is.
    Turn next(const Address& peer) noexcept;

    /// No port is left from `source` (the unspecified address: from what the kernel chooses) towards `peer`.
    void note_used_up(const Address& source, const Address& peer, Millis now) noexcept;
    /// That was so a moment ago.
    bool used_up(const Address& source, const Address& peer, Millis now) const noexcept;

    static constexpr Millis rest{100};

private:
    struct UsedUp {
        Address source, peer;
        Millis until{};
    };
    struct Kind {
        std::vector<Address> addresses;
        std::size_t turn = 0;
    };
    Kind& kind_of(const Address& address) noexcept;

    std::array<Kind, 4> kinds_; // by family and whether loopback
    std::array<UsedUp, 16> used_up_; // the latest ones
    std::size_t oldest_ = 0;
    Millis until_{}; // of the youngest
};

} // namespace net
