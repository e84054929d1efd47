#pragma once

#include "base/cursor.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

/// The three messages of MS-NLMP 2.2.1. What is parsed are views into the message; judged are only the bounds.
namespace ntlm {

using Message = std::vector<std::uint8_t>;
using Nonce = std::array<std::uint8_t, 8>;

/// Our ceiling for a message; the longest that was met has about 1 KiB.
constexpr std::size_t max_message = 8192;

/// What a message starts with whose VERSION says so (2.2.2.10); without the flag the eight bytes are zero.
constexpr Nonce server_version{6, 1, 0, 0, 0, 0, 0, 15};
constexpr Nonce client_version{10, 0, 0x61, 0x4a, 0, 0, 0, 15};

/// MessageType, of whatever begins as an NTLM message; 0 when it does not.
std::uint32_t message_type(base::Bytes message) noexcept;

constexpr std::uint32_t negotiate_type = 1;
constexpr std::uint32_t challenge_type = 2;
constexpr std::uint32_t authenticate_type = 3;

/// NEGOTIATE_MESSAGE, 2.2.1.1. Clients end it early: after the flags, after the names, after VERSION.
struct Negotiate {
    std::uint32_t flags = 0;
    base::Bytes domain, workstation; ///< OEM; empty unless the flags say that they are there

    static std::optional<Negotiate> parse(base::Bytes message) noexcept;
    Message build() const;
};

/// CHALLENGE_MESSAGE, 2.2.1.2.
struct Challenge {
    std::uint32_t flags = 0;
    base::Bytes target_name; ///< in the encoding that the flags tell
    Nonce nonce{};           ///< ServerChallenge
    base::Bytes target_info; ///< AV pairs

    static std::optional<Challenge> parse(base::Bytes message) noexcept;
    Message build() const;
};

/// AUTHENTICATE_MESSAGE, 2.2.1.3.
struct Authenticate {
    std::uint32_t flags = 0;
    base::Bytes lm, nt;                    ///< LmChallengeResponse, NtChallengeResponse
    base::Bytes domain, user, workstation; ///< in the encoding that the flags tell
    base::Bytes session_key;               ///< EncryptedRandomSessionKey
    /// Where MIC is if there is one; 0 when the payload leaves no room for it. VERSION is not always in front of it, nor
    /// does its flag mean that it is: curl sends the flag and a payload from 64.
    std::size_t mic_offset = 0;

    /// Also refuses a payload that reaches into the fixed fields.
    static std::optional<Authenticate> parse(base::Bytes message) noexcept;
    /// As Windows: with VERSION, with 16 zero bytes for the MIC, the names in front of the responses. Sets `mic_offset`.
    Message build();
};

constexpr std::size_t mic_size = 16;

} // namespace ntlm
