#include "ntlm/initiator.h"

#include <algorithm>
#include <iterator>

#include "ntlm/flags.h"
#include "ntlm/text.h"

namespace ntlm {
namespace {

Nonce encoded(FileTime time) noexcept
{
    Nonce bytes;
    base::Writer writer(bytes);
    writer.u32(static_cast<std::uint32_t>(time));
    writer.u32(static_cast<std::uint32_t>(time >> 32));
    return bytes;
}

/// What the server has told stays in its order; what is the client's to tell follows, in Windows' order.
AvPairs clients_pairs(const AvPairs& servers)
{
    AvPairs pairs;
    std::ranges::copy_if(servers, std::back_inserter(pairs), [](const AvPair& pair) {
        return pair.id != AvId::flags && pair.id != AvId::single_host && pair.id != AvId::target_name &&
               pair.id != AvId::channel_bindings;
    });
    return pairs;
}

/// NTLMv2_CLIENT_CHALLENGE and the four zero bytes that the computation of 3.3.2 has behind it.
Message client_blob(const Nonce& time, const Nonce& client_challenge, base::Bytes pairs)
{
    Message blob(28 + pairs.size() + 4);
    base::Writer writer(blob);
    writer.u8(1); // RespType
    writer.u8(1); // HiRespType
    writer.zeros(6);
    writer.bytes(time);
    writer.bytes(client_challenge);
    writer.zeros(4);
    writer.bytes(pairs);
    writer.zeros(4);
    return blob;
}

Message joined(base::Bytes a, base::Bytes b)
{
    Message result(a.size() + b.size());
    base::Writer writer(result);
    writer.bytes(a);
    writer.bytes(b);
    return result;
}

} // namespace

Message Initiator::negotiate()
{
    Negotiate type1;
    type1.flags = login_.flags & ~(flags::domain_supplied | flags::workstation_supplied);
    const auto supply = [&](const std::string& name, base::Bytes& field, std::uint32_t flag) {
        if (!login_.names_in_negotiate || name.empty() || !name_from_oem(base::bytes_of(name)))
            return;
        field = base::bytes_of(name);
        type1.flags |= flag;
    };
    supply(login_.domain, type1.domain, flags::domain_supplied);
    supply(login_.workstation, type1.workstation, flags::workstation_supplied);
    return negotiate_ = type1.build();
}

std::optional<Message> Initiator::authenticate(base::Bytes challenge, const Random& random, FileTime now)
{
    const auto type2 = Challenge::parse(challenge);
    if (!type2 || (type2->flags & flags::unicode) == 0)
        return std::nullopt;
    const auto servers = type2->target_info.empty() ? AvPairs() : parse_av_pairs(type2->target_info);
    const auto user = to_utf16(login_.user), domain = to_utf16(login_.domain), workstation = to_utf16(login_.workstation);
    const auto target = to_utf16(login_.target);
    if (!servers || !user || !domain || !workstation || !target)
        return std::nullopt;

    const AvPair* servers_time = find(*servers, AvId::timestamp);
    Nonce time = encoded(now);
    carried_mic_ = servers_time != nullptr;
    if (carried_mic_) {
        if (servers_time->value.size() != time.size())
            return std::nullopt;
        std::ranges::copy(servers_time->value, time.begin());
    }

    AvPairs pairs = clients_pairs(*servers);
    std::array<std::uint8_t, 4> av_flags{};
    base::Writer(av_flags).u32(av_mic_present);
    if (carried_mic_)
        pairs.push_back({AvId::flags, av_flags});
    const BindingHash binding = login_.binding.value_or(BindingHash());
    pairs.push_back({AvId::channel_bindings, binding});
    pairs.push_back({AvId::target_name, *target});

    const Message blob = client_blob(time, random.client_challenge, build_av_pairs(pairs));
    const Key ntowf = ntowf_v2(login_.nt_hash, *user, *domain);
    const Key proof = nt_proof(ntowf, type2->nonce, blob);
    const Key base_key = session_base_key(ntowf, proof);
    const Message nt = joined(proof, blob);
    // Who tells the time wants no LM response (3.1.5.1.2).
    const Message lm = carried_mic_ ? Message(24)
                                    : joined(lm_proof(ntowf, type2->nonce, random.client_challenge), random.client_challenge);

    Authenticate type3;
    type3.flags = login_.flags & type2->flags & ~flags::oem;
    type3.flags |= flags::target_info & type2->flags;
    session_.flags = type3.flags;
    session_.exported = base_key;
    Key exchanged;
    if ((type3.flags & flags::key_exchange) != 0 && (type3.flags & (flags::sign | flags::seal)) != 0) {
        session_.exported = random.session_key;
        exchanged = rc4(base_key, random.session_key);
        type3.session_key = exchanged;
    }
    type3.lm = lm;
    type3.nt = nt;
    type3.domain = *domain;
    type3.user = *user;
    type3.workstation = *workstation;
    Message message = type3.build();
    if (carried_mic_) {
        const Key mic = message_integrity(session_.exported, negotiate_, challenge, message, type3.mic_offset);
        std::ranges::copy(base::Bytes(mic), message.begin() + static_cast<std::ptrdiff_t>(type3.mic_offset));
    }
    return message;
}

} // namespace ntlm
