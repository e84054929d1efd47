#pragma once

#include "base/cursor.h"
#include "rpch/guid.h"
#include "rpch/pdu.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rpch {

/// An interface or a transfer syntax with its version (C706 12.6.3.1, p_syntax_id_t).
struct Syntax {
    Guid uuid;
    std::uint16_t major = 0;
    std::uint16_t minor = 0;

    auto operator<=>(const Syntax&) const = default;
    /// "afa8bd80-7d8a-11c9-bef4-08002b102989 v1.0"
    std::string text() const;
};

/// NDR, 8a885d04-1ceb-11c9-9fe8-08002b104860 v2.0: the only transfer syntax that is offered.
inline constexpr Syntax ndr_syntax{
    {{0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60}}, 2, 0};

/// The largest fragment that is offered and asked for, in bytes: what every runtime can take.
constexpr std::uint16_t rpc_fragment_size = 4088;

/// A bind PDU (C706 12.6.4.3) for `interface` in presentation context 0, without authentication.
std::vector<std::uint8_t> bind_pdu(std::uint32_t call_id, const Syntax& interface);

/// A request PDU (C706 12.6.4.9) in one fragment, in context 0, without object and authentication.
/// `stub` is at most `rpc_fragment_size` - 24 bytes.
std::vector<std::uint8_t> request_pdu(std::uint32_t call_id, std::uint16_t opnum, base::Bytes stub);

/// Reads the fields of a PDU in the byte order of its sender, and aligned as NDR wants (C706 14.2). The
/// error is sticky, as in base::Cursor.
class NdrCursor {
public:
    NdrCursor(base::Bytes input, bool little_endian) noexcept;

    std::uint8_t u8() noexcept { return cursor_.u8(); }
    std::uint16_t u16() noexcept;
    std::uint32_t u32() noexcept;
    Guid guid() noexcept;
    Syntax syntax() noexcept; ///< GUID, u16 major, u16 minor
    base::Bytes take(std::size_t n) noexcept { return cursor_.take(n); }
    void skip(std::size_t n) noexcept { cursor_.skip(n); }
    /// Skips to the next multiple of `n`, counted from the begin of the input.
    void align(std::size_t n) noexcept;

    bool ok() const noexcept { return cursor_.ok(); }
    bool done() const noexcept { return cursor_.done(); }
    std::size_t left() const noexcept { return cursor_.left(); }

private:
    base::Cursor cursor_;
    std::size_t size_;
    bool little_endian_;
};

/// What a server answered to a bind or a request.
struct RpcAnswer {
    PacketType type = PacketType::response; ///< bind_ack, bind_nak, response or fault
    std::uint32_t call_id = 0;
    bool little_endian = true;

    std::uint32_t association_group = 0; ///< bind_ack
    std::string secondary_address;       ///< bind_ack; as the server wrote it, without the NUL
    std::uint16_t result = 0;            ///< bind_ack, of context 0: 0 acceptance, 1 user, 2 provider rejection
    std::uint16_t reason = 0;            ///< bind_ack of context 0, bind_nak: why not
    std::uint32_t status = 0;            ///< fault
    std::vector<std::uint8_t> stub;      ///< response, all fragments
};

/// Puts the answers of a server together out of PDUs: responses can come in fragments (C706 12.6.3.4).
///
/// One call is outstanding at a time. The peer is hostile: everything is bounded.
class RpcReader {
public:
    enum class Kind : std::uint8_t { more, answer, bad };

    /// A response of more than `stub_limit` bytes is bad.
    explicit RpcReader(std::size_t stub_limit) noexcept : stub_limit_(stub_limit) {}

    /// Takes one whole PDU of the server.
    ///   more:   the answer is not complete, or the PDU means nothing here (shutdown)
    ///   answer: see answer(), until the next call
    ///   bad:    see error(); the connection cannot go on
    Kind take(base::Bytes pdu, std::uint32_t call_id);

    const RpcAnswer& answer() const noexcept { return answer_; }
    const char* error() const noexcept { return error_; } ///< static text

private:
    Kind fail(const char* error) noexcept;
    Kind take_bind_ack(NdrCursor body);
    Kind take_bind_nak(NdrCursor body);
    Kind take_response(const PduHeader& header, NdrCursor body);
    Kind take_fault(NdrCursor body);

    std::size_t stub_limit_;
    bool within_response_ = false;
    RpcAnswer answer_;
    const char* error_ = nullptr;
};

} // namespace rpch
