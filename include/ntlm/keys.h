#pragma once

#include "ntlm/message.h"

#include <string.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

/// The computations of MS-NLMP 3.3.2 (NTLM v2), 3.4 and 3.1.5.1.2, on nettle's MD4, MD5, HMAC-MD5 and RC4.
namespace ntlm {

/// Sixteen bytes that nobody may see: wiped when they go.
class Key {
public:
    static constexpr std::size_t size = 16;

    Key() = default;
    /// `bytes` are as many.
    explicit Key(base::Bytes bytes) noexcept;
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key() { explicit_bzero(bytes_.data(), size); }

    std::uint8_t* data() noexcept { return bytes_.data(); }
    const std::uint8_t* data() const noexcept { return bytes_.data(); }
    operator base::Bytes() const noexcept { return bytes_; }

private:
    std::array<std::uint8_t, size> bytes_{};
};

/// In constant time; false when the sizes differ.
bool equal(base::Bytes a, base::Bytes b) noexcept;

/// NTOWFv1 (3.3.1): what directories keep. Nullopt when `password` is not UTF-8.
std::optional<Key> nt_hash(std::string_view password);

/// NTOWFv2. Both names in UTF-16 as the client sent them.
Key ntowf_v2(const Key& nt_hash, base::Bytes user, base::Bytes domain);

/// NTProofStr. `blob` is the client's NTLMv2_CLIENT_CHALLENGE, all that follows the proof in its response.
Key nt_proof(const Key& ntowf_v2, const Nonce& challenge, base::Bytes blob);

Key session_base_key(const Key& ntowf_v2, const Key& nt_proof);

/// LMv2_RESPONSE without the client's challenge behind it.
Key lm_proof(const Key& ntowf_v2, const Nonce& challenge, const Nonce& client_challenge);

/// RC4K of 16 bytes: the exchange of the session key, both ways.
Key rc4(const Key& key, base::Bytes bytes);

/// MIC of 2.2.1.3 over the messages as they went over the wire. The one at `mic_offset` counts as zero.
Key message_integrity(const Key& exported_session_key, base::Bytes negotiate, base::Bytes challenge, base::Bytes authenticate,
                      std::size_t mic_offset);

/// The bytes of MsvAvChannelBindings: MD5 of the gss_channel_bindings_struct whose application data is `data` (RFC 5929:
/// "tls-server-end-point:" and the hash of the server's certificate).
using BindingHash = std::array<std::uint8_t, 16>;
BindingHash binding_hash(std::string_view data);

enum class Side {
    client,
    server
};

using Signature = std::array<std::uint8_t, 16>;

/// What a login leaves.
struct Session {
    Key exported; ///< ExportedSessionKey
    std::uint32_t flags = 0;

    /// NTLMSSP_MESSAGE_SIGNATURE of 3.4.4.2 for the first message of `from`, sequence number 0. It leaves nothing behind:
    /// RC4 begins anew each time, as MS-SPNG 3.3.5.1 wants it after mechListMIC, the only thing that is signed here.
    /// Nullopt without extended session security: both sides would share one RC4 stream.
    std::optional<Signature> sign(Side from, base::Bytes message) const;
};

} // namespace ntlm
