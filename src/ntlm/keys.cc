#include "ntlm/keys.h"

#include <nettle/arcfour.h>
#include <nettle/hmac.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <nettle/memops.h>

#include <algorithm>
#include <cassert>
#include <initializer_list>

#include "ntlm/flags.h"
#include "ntlm/text.h"

namespace ntlm {
namespace {

/// A context of nettle, wiped when it goes.
template <class Context> struct Wiped : Context {
    ~Wiped() { explicit_bzero(static_cast<Context*>(this), sizeof(Context)); }
};

Key hmac_md5(base::Bytes key, std::initializer_list<base::Bytes> parts)
{
    Wiped<hmac_md5_ctx> context;
    hmac_md5_set_key(&context, key.size(), key.data());
    for (const base::Bytes part : parts)
        hmac_md5_update(&context, part.size(), part.data());
    Key result;
    hmac_md5_digest(&context, Key::size, result.data());
    return result;
}

Key md5(std::initializer_list<base::Bytes> parts)
{
    Wiped<md5_ctx> context;
    md5_init(&context);
    for (const base::Bytes part : parts)
        md5_update(&context, part.size(), part.data());
    Key result;
    md5_digest(&context, Key::size, result.data());
    return result;
}

/// SIGNKEY and SEALKEY of 3.4.5.2 and 3.4.5.3; the NUL belongs to the text.
base::Bytes magic(Side from, bool seal)
{
    using namespace std::string_view_literals;
    constexpr std::string_view texts[] = {
        "session key to client-to-server signing key magic constant\0"sv,
        "session key to server-to-client signing key magic constant\0"sv,
        "session key to client-to-server sealing key magic constant\0"sv,
        "session key to server-to-client sealing key magic constant\0"sv,
    };
    return base::bytes_of(texts[2 * seal + (from == Side::server)]);
}

} // namespace

Key::Key(base::Bytes bytes) noexcept
{
    assert(bytes.size() == size);
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

bool equal(base::Bytes a, base::Bytes b) noexcept
{
    return a.size() == b.size() && memeql_sec(a.data(), b.data(), a.size()) != 0;
}

std::optional<Key> nt_hash(std::string_view password)
{
    auto utf16 = to_utf16(password);
    if (!utf16)
        return std::nullopt;
    Wiped<md4_ctx> context;
    md4_init(&context);
    md4_update(&context, utf16->size(), utf16->data());
    Key result;
    md4_digest(&context, Key::size, result.data());
    if (!utf16->empty())
        explicit_bzero(utf16->data(), utf16->size());
    return result;
}

Key ntowf_v2(const Key& nt_hash, base::Bytes user, base::Bytes domain)
{
    return hmac_md5(nt_hash, {upper_utf16(user), domain});
}

Key nt_proof(const Key& ntowf_v2, const Nonce& challenge, base::Bytes blob)
{
    return hmac_md5(ntowf_v2, {challenge, blob});
}

Key session_base_key(const Key& ntowf_v2, const Key& nt_proof)
{
    return hmac_md5(ntowf_v2, {nt_proof});
}

Key lm_proof(const Key& ntowf_v2, const Nonce& challenge, const Nonce& client_challenge)
{
    return hmac_md5(ntowf_v2, {challenge, client_challenge});
}

Key rc4(const Key& key, base::Bytes bytes)
{
    assert(bytes.size() == Key::size);
    Wiped<arcfour_ctx> context;
    arcfour_set_key(&context, Key::size, key.data());
    Key result;
    arcfour_crypt(&context, Key::size, result.data(), bytes.data());
    return result;
}

Key message_integrity(const Key& exported_session_key, base::Bytes negotiate, base::Bytes challenge, base::Bytes authenticate,
                      std::size_t mic_offset)
{
    assert(mic_offset + mic_size <= authenticate.size());
    constexpr std::array<std::uint8_t, mic_size> zeros{};
    return hmac_md5(exported_session_key, {negotiate, challenge, authenticate.first(mic_offset), zeros,
                                           authenticate.subspan(mic_offset + mic_size)});
}

BindingHash binding_hash(std::string_view data)
{
    // Address types and lengths of both ends, all zero, then the length of the data (RFC 4121 4.1.1.2).
    std::array<std::uint8_t, 20> head{};
    base::Writer writer(head);
    writer.zeros(16);
    writer.u32(static_cast<std::uint32_t>(data.size()));
    const Key hash = md5({head, base::bytes_of(data)});
    BindingHash result;
    std::copy_n(hash.data(), result.size(), result.begin());
    return result;
}

std::optional<Signature> Session::sign(Side from, base::Bytes message) const
{
    if ((flags & flags::extended_security) == 0)
        return std::nullopt;
    constexpr std::array<std::uint8_t, 4> sequence{};
    constexpr std::size_t checksum_size = 8;
    const Key signing = md5({exported, magic(from, false)});
    const Key checksum = hmac_md5(signing, {sequence, message});

    Signature signature{};
    base::Writer writer(signature);
    writer.u32(1); // Version
    writer.bytes(base::Bytes(checksum).first(checksum_size));
    writer.bytes(sequence);
    if (flags & flags::key_exchange) {
        const std::size_t strength = flags & flags::key_128 ? 16 : flags & flags::key_56 ? 7
                                                                                         : 5;
        const Key sealing = md5({base::Bytes(exported).first(strength), magic(from, true)});
        Wiped<arcfour_ctx> context;
        arcfour_set_key(&context, Key::size, sealing.data());
        arcfour_crypt(&context, checksum_size, signature.data() + 4, signature.data() + 4);
    }
    return signature;
}

} // namespace ntlm
