#include "unit/ntlm/windows_client.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ntlm/text.h"

namespace {

using ntlm::AvId;
using ntlm::Message;

Message concat(std::initializer_list<base::Bytes> parts)
{
    Message all;
    for (const base::Bytes part : parts)
        std::copy(part.begin(), part.end(), std::back_inserter(all));
    return all;
}

Message little(std::uint64_t value, std::size_t size)
{
    Message bytes;
    for (std::size_t i = 0; i < size; ++i)
        bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
    return bytes;
}

Message head(std::uint32_t type)
{
    using namespace std::string_view_literals;
    return concat({base::bytes_of("NTLMSSP\0"sv), little(type, 4)});
}

Message field(std::size_t size, std::size_t offset)
{
    return concat({little(size, 2), little(size, 2), little(offset, 4)});
}

Message encoded(const std::string& name, WindowsClient::Names names)
{
    if (names == WindowsClient::Names::unicode)
        return ntlm::to_utf16(name).value();
    return concat({base::bytes_of(name)});
}

std::uint32_t u32_at(base::Bytes message, std::size_t at)
{
    base::Cursor c(message.subspan(at));
    return c.u32();
}

constexpr std::array<std::uint8_t, 8> windows_10{10, 0, 0x61, 0x4a, 0, 0, 0, 15};
constexpr ntlm::Nonce client_challenge{0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa};

} // namespace

Message WindowsClient::type1() const
{
    const std::uint32_t named = names_in_type1 ? ntlm::flags::domain_supplied | ntlm::flags::workstation_supplied : 0;
    Message message = concat({head(1), little(flags | named, 4)});
    if (names_in_type1) {
        // The workstation comes first in the payload.
        const std::size_t at = type1_size;
        message = concat({message, field(domain.size(), at + workstation.size()), field(workstation.size(), at)});
    } else {
        message = concat({message, field(0, 0), field(0, 0)});
    }
    if (type1_size == 40)
        message = concat({message, windows_10});
    message.resize(type1_size);
    return names_in_type1 ? concat({message, base::bytes_of(workstation), base::bytes_of(domain)}) : message;
}

Message WindowsClient::type3(base::Bytes sent, base::Bytes type2)
{
    const std::uint32_t info_size = u32_at(type2, 40) & 0xffff, info_at = u32_at(type2, 44);
    const auto servers = ntlm::parse_av_pairs(type2.subspan(info_at, info_size)).value();
    ntlm::Nonce nonce;
    std::copy_n(type2.begin() + 24, 8, nonce.begin());

    // The server's pairs, then Windows' own in its order.
    std::vector<std::uint8_t> time;
    if (const ntlm::AvPair* pair = find(servers, AvId::timestamp))
        time.assign(pair->value.begin(), pair->value.end());
    const std::vector<std::uint8_t> honest_time = time;
    if (on_timestamp)
        on_timestamp(time);
    ntlm::AvPairs pairs;
    for (const ntlm::AvPair& pair : servers)
        if (pair.id != AvId::timestamp)
            pairs.push_back(pair);
        else if (!time.empty())
            pairs.push_back({AvId::timestamp, time});
    const Message av_flags = little((mic == Mic::none ? 0 : ntlm::av_mic_present) | more_av_flags, 4);
    const Message single_host = concat({little(48, 4), little(0, 4), little(1, 4), little(0x2000, 4), Message(32, 0x17)});
    const ntlm::BindingHash hash = binding.value_or(ntlm::BindingHash());
    const Message spn = ntlm::to_utf16(target).value();
    if (mic != Mic::none || more_av_flags != 0)
        pairs.push_back({AvId::flags, av_flags});
    pairs.push_back({AvId::single_host, single_host});
    if (binding_pair)
        pairs.push_back({AvId::channel_bindings, hash});
    pairs.push_back({AvId::target_name, spn});
    if (on_pairs)
        on_pairs(pairs);

    const Message zeros4(4), zeros6(6);
    const Message list = ntlm::build_av_pairs(pairs);
    const Message blob = concat({Message{1, 1}, zeros6, honest_time, client_challenge, zeros4, list, zeros4});
    const Message key_user = ntlm::to_utf16(user).value(), key_domain = ntlm::to_utf16(domain).value();
    const ntlm::Key owf = ntlm::ntowf_v2(ntlm::nt_hash(password).value(), key_user, key_domain);
    const ntlm::Key proof = ntlm::nt_proof(owf, nonce, blob);
    const ntlm::Key base_key = ntlm::session_base_key(owf, proof);
    Message nt = concat({proof, blob});
    if (on_response)
        on_response(nt);

    session.flags = (flags & u32_at(type2, 20)) | ntlm::flags::target_info;
    if (names == Names::oem)
        session.flags = (session.flags & ~ntlm::flags::unicode) | ntlm::flags::oem;
    session.exported = base_key;
    Message exchanged;
    if (session.flags & ntlm::flags::key_exchange) {
        session.exported = ntlm::Key(Message(16, 0x55));
        exchanged = concat({ntlm::rc4(base_key, session.exported)});
    }

    const Message lm(24), a_domain = encoded(domain, names), a_user = encoded(user, names);
    const Message a_workstation = encoded(workstation, names);
    const std::size_t mic_at = version ? 72 : 64;
    const bool mic_field = mic != Mic::cut && (version || mic != Mic::none);
    std::size_t at = mic_at + (mic_field ? 16 : 0);
    const auto next = [&](const Message& value) { return field(value.size(), std::exchange(at, at + value.size())); };
    const Message domain_field = next(a_domain), user_field = next(a_user), workstation_field = next(a_workstation);
    const Message lm_field = next(lm), nt_field = next(nt), key_field = next(exchanged);
    Message message = concat({head(3), lm_field, nt_field, domain_field, user_field, workstation_field, key_field});
    message = concat({message, little(session.flags, 4)});
    if (version)
        message = concat({message, windows_10});
    if (mic_field)
        message = concat({message, Message(16)});
    message = concat({message, a_domain, a_user, a_workstation, lm, nt, exchanged});
    if (mic == Mic::right || mic == Mic::wrong) {
        ntlm::Key code = ntlm::message_integrity(session.exported, sent, type2, message, mic_at);
        code.data()[0] ^= mic == Mic::wrong;
        std::copy_n(code.data(), 16, message.begin() + static_cast<std::ptrdiff_t>(mic_at));
    }
    return message;
}

std::string text(const std::optional<ntlm::Refusal>& refusal)
{
    return refusal ? std::string(to_text(*refusal)) : "none";
}
