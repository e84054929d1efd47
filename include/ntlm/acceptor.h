#pragma once

#include "ntlm/av_pairs.h"
#include "ntlm/keys.h"
#include "ntlm/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ntlm {

/// 100 ns since 1601, UTC (FILETIME).
using FileTime = std::uint64_t;
FileTime file_time(std::int64_t unix_seconds, std::uint32_t nanoseconds) noexcept;

/// What the challenge tells of us; UTF-8. The NetBIOS names are ASCII by nature.
struct Identity {
    std::string netbios_domain, netbios_computer;
    std::string dns_domain, dns_computer;
    bool domain_member = false; ///< accounts are the domain's, and the target is named after it
};

/// Extended protection. A policy that is not off asks for what ties a login to this channel and this service.
struct Protection {
    enum class Policy {
        off,
        allow,  ///< what the client says must be right; it may say nothing
        require ///< it must say it
    };
    Policy policy = Policy::off;
    /// Of this channel. Without one `allow` cannot judge the client's, and `require` lets nobody in.
    std::optional<BindingHash> binding;
    /// Service principal names that mean us, "HTTP/mail.corp.example"; letters of either case. Empty: any is right.
    std::vector<std::string> targets;
};

/// Why a client was not let in. For the log: the client gets one answer for all.
enum class Refusal {
    malformed,       ///< no NTLM message, or not this one of the three
    no_challenge,    ///< an AUTHENTICATE without a challenge, or a second one for it
    not_ntlm_v2,     ///< NTLM version 1, LM, or anonymous: the response has 24 bytes at most
    unreadable_name, ///< not UTF-16, a control character, or bytes of an unknown code page
    no_name,
    wrong_password,
    wrong_timestamp, ///< not that of our challenge: somebody has changed it on the way
    mic_missing,     ///< announced and not there: somebody has cut it off
    mic_wrong,
    binding_missing,
    binding_wrong,
    target_missing,
    target_wrong,
};

/// "the message integrity code is announced and missing"
std::string_view to_text(Refusal refusal) noexcept;

/// The server's side of one login, MS-NLMP 3.2.5.1, NTLM version 2 only. One thread at a time. It does no I/O: the random
/// bytes and the time are told, and between read() and verify() the caller finds out what the account's secret is.
///
///     challenge(type 1) -> type 2;  read(type 3) -> who;  verify(their NT hash) -> in or not
///
/// A challenge is good for one read(), that for one verify(); challenge() begins anew at any time.
class Acceptor {
public:
    /// `identity` outlives the object.
    explicit Acceptor(const Identity& identity) noexcept : identity_(identity) {}
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    /// CHALLENGE_MESSAGE for `negotiate`. `nonce` is fresh random. Nullopt when the message is malformed or offers no
    /// encoding of text; nothing is challenged then.
    [[nodiscard]] std::optional<Message> challenge(base::Bytes negotiate, const Nonce& nonce, FileTime now);

    /// Takes AUTHENTICATE_MESSAGE. Nullopt: the names below are set, and verify() can be called.
    [[nodiscard]] std::optional<Refusal> read(base::Bytes authenticate);

    // After read(): what the client says. UTF-8.
    const std::string& user() const noexcept { return user_; }
    const std::string& domain() const noexcept { return domain_; }
    /// Empty when it is not there or unreadable: nothing depends on it.
    const std::string& workstation() const noexcept { return workstation_; }
    // And what a domain controller needs to judge it.
    const Nonce& nonce() const noexcept { return nonce_; }
    base::Bytes lm_response() const noexcept { return type3_.lm; }
    base::Bytes nt_response() const noexcept { return type3_.nt; }

    /// Nullopt: the client knows the password. For a user who does not exist pass a random hash, so that it takes as long.
    [[nodiscard]] std::optional<Refusal> verify(const Key& nt_hash, const Protection& protection);
    /// The same when somebody else, a domain controller, has found the response right: it has told SessionBaseKey.
    [[nodiscard]] std::optional<Refusal> verify_session(const Key& session_base_key, const Protection& protection);

    // After a verify() that let the client in.
    const Session& session() const noexcept { return session_; }
    bool channel_bound() const noexcept { return channel_bound_; } ///< the client's binding is that of the channel
    bool carried_mic() const noexcept { return carried_mic_; }     ///< mechListMIC depends on it

private:
    enum class State {
        idle,
        challenged,
        read
    };

    std::optional<Refusal> parse_response();
    std::optional<Refusal> check(const Key& session_base_key, const Protection& protection);
    std::optional<Refusal> check_mic();
    std::optional<Refusal> check_binding(const Protection& protection);
    std::optional<Refusal> check_target(const Protection& protection) const;

    const Identity& identity_;
    State state_ = State::idle;
    Nonce nonce_{};
    Nonce timestamp_{}; // of the challenge, as it stands there
    Message messages_[3];
    Authenticate type3_; // views into messages_[2]
    base::Bytes blob_;   // NTLMv2_CLIENT_CHALLENGE
    AvPairs pairs_;
    std::uint32_t av_flags_ = 0;
    std::string user_, domain_, workstation_;
    Session session_;
    bool channel_bound_ = false;
    bool carried_mic_ = false;
};

} // namespace ntlm
