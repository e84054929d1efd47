#pragma once

#include "ntlm/acceptor.h"
#include "ntlm/flags.h"

#include <functional>
#include <optional>
#include <string>

/// A client that speaks NTLM as Windows does, with whatever of it can be wrong as a knob. It lays its messages out itself: what
/// it shares with the programs are the keys, which the vectors of MS-NLMP prove.
struct WindowsClient {
    enum class Mic {
        right,
        wrong,
        zero, ///< the field is there
        cut,  ///< the payload starts where it was
        none  ///< and not announced
    };
    enum class Names {
        unicode,
        oem
    };

    std::string user = "User", domain = "Domain", workstation = "COMPUTER", password = "Password";
    std::uint32_t flags = 0xe2088297;
    bool names_in_type1 = false;
    std::size_t type1_size = 40; ///< 32: without VERSION
    bool version = true;         ///< false: no VERSION, the MIC or the payload from 64
    Mic mic = Mic::right;
    Names names = Names::unicode;
    std::optional<ntlm::BindingHash> binding; ///< without: 16 zero bytes
    bool binding_pair = true;
    std::string target = "HTTP/proxy.corp.example"; ///< empty: an empty pair
    std::uint32_t more_av_flags = 0;
    std::function<void(std::vector<std::uint8_t>&)> on_timestamp; ///< changes the pair; empty afterwards: no pair
    std::function<void(ntlm::Message&)> on_response;              ///< changes the NT response
    std::function<void(ntlm::AvPairs&)> on_pairs;

    ntlm::Message type1() const;
    /// `sent` is its first message as it went over the wire.
    ntlm::Message type3(base::Bytes sent, base::Bytes type2);

    ntlm::Session session; ///< after type3()
};

/// The other side, with everything in one: nullopt is a login.
struct TestServer {
    static constexpr ntlm::Nonce nonce{1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    static constexpr ntlm::FileTime now = 0x01d97e755b9b1be2;

    ntlm::Identity identity{"CORP", "PROXY", "corp.example", "proxy.corp.example"};
    ntlm::Protection protection;
    std::string password = "Password";
    ntlm::Acceptor acceptor{identity};

    std::optional<ntlm::Refusal> login(base::Bytes type3)
    {
        if (const auto refusal = acceptor.read(type3))
            return refusal;
        return acceptor.verify(ntlm::nt_hash(password).value(), protection);
    }
    /// All three messages, none changed on the way.
    std::optional<ntlm::Refusal> login(WindowsClient& client)
    {
        const ntlm::Message type1 = client.type1();
        const auto type2 = acceptor.challenge(type1, nonce, now);
        return type2 ? login(client.type3(type1, *type2)) : ntlm::Refusal::malformed;
    }
};

/// For failures: "none" is a login.
std::string text(const std::optional<ntlm::Refusal>& refusal);

#define LET_IN(outcome) STRCMP_EQUAL("none", text(outcome).c_str())
#define REFUSED(why, outcome) STRCMP_EQUAL(text(why).c_str(), text(outcome).c_str())
#define LET_IN_TEXT(outcome, name) STRCMP_EQUAL_TEXT("none", text(outcome).c_str(), name)
#define REFUSED_TEXT(why, outcome, name) STRCMP_EQUAL_TEXT(text(why).c_str(), text(outcome).c_str(), name)
