#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kerberos {

/// The tickets that a service gets with a key of its own, to present them to other services. They are kept in memory, and
/// renewed before they end. Any thread.
class Tickets {
public:
    /// `keytab`: a file. `principal`: of the key; empty: the first one. Throws std::runtime_error that says what is wrong with the
    /// keytab. Does not ask the KDC yet.
    Tickets(const std::string& keytab, const std::string& principal);
    ~Tickets();
    Tickets(const Tickets&) = delete;
    Tickets& operator=(const Tickets&) = delete;

    struct Credential; ///< the library's
    const Credential& credential() const noexcept { return *credential_; }

private:
    std::unique_ptr<const Credential> credential_;
};

/// The client's side of one login with a ticket, inside SPNEGO (RFC 4559), by MIT's GSSAPI. It blocks: the first step may ask the
/// KDC. One thread at a time.
class Initiator {
public:
    /// What keeps a ticket from being there, in classes that differ in their remedy.
    enum class Trouble {
        none,
        no_ticket,       ///< nobody has called kinit
        expired,
        unknown_service, ///< the KDC has no principal of this name
        clock,           ///< this machine's clock is too far from the KDC's
        no_kdc,          ///< none answers, or none is known
        other
    };

    struct Step {
        enum class Kind {
            go_on, ///< send `token`; the server's answer goes to next()
            done,  ///< both sides are sure of each other; send `token` if it is not empty
            failed ///< by `trouble`; `why` is the library's sentence
        };
        Kind kind;
        std::vector<std::uint8_t> token = {};
        Trouble trouble = Trouble::none;
        std::string why = {};
    };

    /// For the service HTTP@`host`. `binding`: the application data of the channel bindings (RFC 5929, "tls-server-end-point:" and
    /// the hash); empty: none. `tickets`: null: those of this user's default credential cache, as kinit leaves them; else they
    /// outlive it.
    Initiator(std::string host, std::string binding, const Tickets* tickets = nullptr);
    ~Initiator();
    Initiator(const Initiator&) = delete;
    Initiator& operator=(const Initiator&) = delete;

    /// `token` is the server's; empty at first.
    Step next(base::Bytes token);

    /// Whose ticket it is, "anna@CORP.EXAMPLE"; empty before the first step, and of `tickets`.
    const std::string& principal() const noexcept { return principal_; }

private:
    struct Handles;

    Step failed(std::uint32_t major, std::uint32_t minor) const;
    bool acquire(Step& step);
    Step diagnose() const;

    const std::string host_, binding_;
    const Tickets* const tickets_;
    std::string principal_;
    std::unique_ptr<Handles> handles_;
};

} // namespace kerberos
