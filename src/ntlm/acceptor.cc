#include "ntlm/acceptor.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ntlm/flags.h"
#include "ntlm/text.h"

namespace ntlm {
namespace {

/// What we do when the client asks for it; the rest of our answer is our own.
constexpr std::uint32_t granted = flags::request_target | flags::sign | flags::seal | flags::always_sign |
                                  flags::extended_security | flags::version | flags::key_128 | flags::key_exchange | flags::key_56;

constexpr std::size_t proof_size = Key::size;
constexpr std::size_t v1_size = 24;
constexpr std::size_t blob_head = 28; // NTLMv2_CLIENT_CHALLENGE without AvPairs, MS-NLMP 2.2.2.7

Message encoded(std::string_view utf8, bool unicode)
{
    if (unicode)
        return to_utf16(utf8).value_or(Message());
    const base::Bytes bytes = base::bytes_of(utf8);
    return Message(bytes.begin(), bytes.end());
}

std::optional<std::string> decoded(base::Bytes text, bool unicode)
{
    return unicode ? name_from_utf16(text) : name_from_oem(text);
}

} // namespace

FileTime file_time(std::int64_t unix_seconds, std::uint32_t nanoseconds) noexcept
{
    constexpr std::int64_t from_1601_to_1970 = 11644473600;
    return static_cast<FileTime>(unix_seconds + from_1601_to_1970) * 10000000 + nanoseconds / 100;
}

std::string_view to_text(Refusal refusal) noexcept
{
    switch (refusal) {
    case Refusal::malformed: return "the NTLM message is malformed";
    case Refusal::no_challenge: return "an NTLM response without a challenge, or a second one for it";
    case Refusal::not_ntlm_v2: return "NTLM version 1, LM or anonymous; only NTLM version 2 is accepted";
    case Refusal::unreadable_name: return "the name is not Unicode or has control characters";
    case Refusal::no_name: return "no user name";
    case Refusal::wrong_password: return "wrong password";
    case Refusal::wrong_timestamp: return "the response has not the time of the challenge: it was changed on the way";
    case Refusal::mic_missing: return "the message integrity code is announced and missing";
    case Refusal::mic_wrong: return "the message integrity code is wrong: a message was changed on the way";
    case Refusal::binding_missing: return "no channel binding, and it is required";
    case Refusal::binding_wrong: return "the channel binding is that of another channel";
    case Refusal::target_missing: return "no target name, and it is required";
    case Refusal::target_wrong: return "the target name is that of another service";
    }
    return {};
}

std::optional<Message> Acceptor::challenge(base::Bytes negotiate, const Nonce& nonce, FileTime now)
{
    state_ = State::idle;
    const auto type1 = Negotiate::parse(negotiate);
    if (!type1 || (type1->flags & (flags::unicode | flags::oem)) == 0)
        return std::nullopt;
    const bool unicode = type1->flags & flags::unicode;

    Challenge type2;
    type2.flags = (type1->flags & granted) | flags::ntlm | flags::target_info | (unicode ? flags::unicode : flags::oem);
    Message name;
    if (type1->flags & flags::request_target) {
        type2.flags |= identity_.domain_member ? flags::target_type_domain : flags::target_type_server;
        name = encoded(identity_.domain_member ? identity_.netbios_domain : identity_.netbios_computer, unicode);
    }
    base::Writer time(timestamp_);
    time.u32(static_cast<std::uint32_t>(now));
    time.u32(static_cast<std::uint32_t>(now >> 32));

    // Exactly these, in this order: so do the servers that clients were tried with. Never MsvAvFlags, with which Windows'
    // MIC does not match.
    const Message nb_domain = encoded(identity_.netbios_domain, true), nb_computer = encoded(identity_.netbios_computer, true);
    const Message dns_domain = encoded(identity_.dns_domain, true), dns_computer = encoded(identity_.dns_computer, true);
    const AvPair pairs[] = {
        {AvId::nb_domain_name, nb_domain},
        {AvId::nb_computer_name, nb_computer},
        {AvId::dns_domain_name, dns_domain},
        {AvId::dns_computer_name, dns_computer},
        {AvId::timestamp, timestamp_},
    };
    const Message info = build_av_pairs(pairs);
    type2.target_name = name;
    type2.nonce = nonce;
    type2.target_info = info;

    nonce_ = nonce;
    messages_[0].assign(negotiate.begin(), negotiate.end());
    messages_[1] = type2.build();
    state_ = State::challenged;
    return messages_[1];
}

std::optional<Refusal> Acceptor::read(base::Bytes authenticate)
{
    if (std::exchange(state_, State::idle) != State::challenged)
        return Refusal::no_challenge;
    messages_[2].assign(authenticate.begin(), authenticate.end());
    const auto type3 = Authenticate::parse(messages_[2]);
    if (!type3)
        return Refusal::malformed;
    type3_ = *type3;
    if (type3_.nt.size() <= v1_size)
        return Refusal::not_ntlm_v2;
    if (const auto refusal = parse_response())
        return refusal;

    const bool unicode = type3_.flags & flags::unicode;
    const auto user = decoded(type3_.user, unicode), domain = decoded(type3_.domain, unicode);
    if (!user || !domain)
        return Refusal::unreadable_name;
    if (user->empty())
        return Refusal::no_name;
    user_ = *user;
    domain_ = *domain;
    workstation_ = decoded(type3_.workstation, unicode).value_or(std::string());
    state_ = State::read;
    return std::nullopt;
}

std::optional<Refusal> Acceptor::parse_response()
{
    base::Cursor c(type3_.nt);
    c.skip(proof_size);
    blob_ = type3_.nt.subspan(std::min(proof_size, type3_.nt.size()));
    const bool version_2 = c.u8() == 1 && c.u8() == 1; // RespType, HiRespType
    c.skip(blob_head - 2);
    auto pairs = c.ok() && version_2 ? parse_av_pairs(c.take(c.left())) : std::nullopt;
    if (!pairs)
        return Refusal::malformed;
    pairs_ = std::move(*pairs);

    av_flags_ = 0;
    if (const AvPair* pair = find(pairs_, AvId::flags)) {
        base::Cursor value(pair->value);
        av_flags_ = value.u32();
        if (!value.done())
            return Refusal::malformed;
    }
    return std::nullopt;
}

std::optional<Refusal> Acceptor::verify(const Key& nt_hash, const Protection& protection)
{
    if (std::exchange(state_, State::idle) != State::read)
        return Refusal::no_challenge;
    // The key is made of Unicode, whatever the names came in.
    const bool unicode = type3_.flags & flags::unicode;
    const Message user = unicode ? Message() : encoded(user_, true), domain = unicode ? Message() : encoded(domain_, true);
    const Key ntowf = ntowf_v2(nt_hash, unicode ? type3_.user : user, unicode ? type3_.domain : domain);
    const Key proof = nt_proof(ntowf, nonce_, blob_);
    if (!equal(proof, type3_.nt.first(proof_size)))
        return Refusal::wrong_password;
    return check(session_base_key(ntowf, proof), protection);
}

std::optional<Refusal> Acceptor::verify_session(const Key& session_base_key, const Protection& protection)
{
    if (std::exchange(state_, State::idle) != State::read)
        return Refusal::no_challenge;
    return check(session_base_key, protection);
}

std::optional<Refusal> Acceptor::check(const Key& session_base_key, const Protection& protection)
{
    // KeyExchangeKey is SessionBaseKey in version 2 (3.4.5.1). Who exchanges no key though it is negotiated needs none.
    session_.flags = type3_.flags;
    if ((type3_.flags & flags::key_exchange) != 0 && type3_.session_key.size() == Key::size)
        session_.exported = rc4(session_base_key, type3_.session_key);
    else if ((type3_.flags & flags::key_exchange) != 0 && (type3_.flags & (flags::sign | flags::seal)) != 0)
        return Refusal::malformed;
    else
        session_.exported = session_base_key;

    // Not the time in front of the pairs: some clients put their own there. The pair is a copy of ours.
    const AvPair* time = find(pairs_, AvId::timestamp);
    if (time == nullptr || !std::ranges::equal(time->value, timestamp_))
        return Refusal::wrong_timestamp;
    if (const auto refusal = check_mic())
        return refusal;
    if (const auto refusal = check_binding(protection))
        return refusal;
    return check_target(protection);
}

std::optional<Refusal> Acceptor::check_mic()
{
    carried_mic_ = av_flags_ & av_mic_present;
    if (!carried_mic_)
        return std::nullopt;
    if (type3_.mic_offset == 0)
        return Refusal::mic_missing;
    const Key mic = message_integrity(session_.exported, messages_[0], messages_[1], messages_[2], type3_.mic_offset);
    if (!equal(mic, base::Bytes(messages_[2]).subspan(type3_.mic_offset, mic_size)))
        return Refusal::mic_wrong;
    return std::nullopt;
}

std::optional<Refusal> Acceptor::check_binding(const Protection& protection)
{
    using Policy = Protection::Policy;
    channel_bound_ = false;
    if (protection.policy == Policy::off)
        return std::nullopt;
    constexpr BindingHash none{};
    const AvPair* pair = find(pairs_, AvId::channel_bindings);
    if (pair == nullptr || std::ranges::equal(pair->value, none))
        return protection.policy == Policy::require ? std::optional(Refusal::binding_missing) : std::nullopt;
    if (!protection.binding)
        return protection.policy == Policy::require ? std::optional(Refusal::binding_wrong) : std::nullopt;
    channel_bound_ = equal(pair->value, *protection.binding);
    return channel_bound_ ? std::nullopt : std::optional(Refusal::binding_wrong);
}

std::optional<Refusal> Acceptor::check_target(const Protection& protection) const
{
    using Policy = Protection::Policy;
    if (protection.policy == Policy::off || protection.targets.empty())
        return std::nullopt;
    const AvPair* pair = find(pairs_, AvId::target_name);
    if (pair == nullptr || pair->value.empty() || (av_flags_ & av_untrusted_target) != 0)
        return protection.policy == Policy::require ? std::optional(Refusal::target_missing) : std::nullopt;
    const auto name = name_from_utf16(pair->value);
    const bool ours = name && std::ranges::any_of(protection.targets, [&](const std::string& target) {
        return base::equal_nocase(target, *name);
    });
    return ours ? std::nullopt : std::optional(Refusal::target_wrong);
}

} // namespace ntlm
