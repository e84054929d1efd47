#include "ntlm/message.h"

#include <algorithm>

#include "ntlm/flags.h"

namespace ntlm {
namespace {

constexpr std::array<std::uint8_t, 8> signature{'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};
constexpr std::size_t version_size = 8;
constexpr std::size_t negotiate_size = 32; // VERSION not counted
constexpr std::size_t challenge_size = 48;
constexpr std::size_t authenticate_size = 64;

/// A length, an allocated length that is ignored, an offset (2.2.1.1 DomainNameFields).
struct Field {
    std::uint16_t length;
    std::uint32_t offset;

    explicit Field(base::Cursor& c) noexcept : length(c.u16())
    {
        c.skip(2);
        offset = c.u32();
    }

    /// What it points to; an empty one may point anywhere. Fails the cursor of the header when that is not in the message
    /// behind its first `least` bytes.
    base::Bytes of(base::Bytes message, std::size_t least, base::Cursor& c) const noexcept
    {
        if (length == 0)
            return {};
        if (offset < least || offset > message.size() || length > message.size() - offset) {
            c.fail();
            return {};
        }
        return message.subspan(offset, length);
    }
};

/// The header and the payload of a message in the making.
class Builder {
public:
    Builder(Message& message, std::size_t payload)
        : header_(message), payload_(std::span(message).subspan(payload)), offset_(payload)
    {
    }

    void start(std::uint32_t type) noexcept
    {
        header_.bytes(signature);
        header_.u32(type);
    }
    void field(base::Bytes value) noexcept
    {
        const auto length = static_cast<std::uint16_t>(value.size());
        header_.u16(length);
        header_.u16(length);
        header_.u32(static_cast<std::uint32_t>(offset_ + payload_.size()));
        payload_.bytes(value);
    }
    /// A field whose value stands elsewhere in the payload.
    void field(base::Bytes value, std::size_t offset) noexcept
    {
        const auto length = static_cast<std::uint16_t>(value.size());
        header_.u16(length);
        header_.u16(length);
        header_.u32(static_cast<std::uint32_t>(offset));
    }
    base::Writer& header() noexcept { return header_; }
    base::Writer& payload() noexcept { return payload_; }

private:
    base::Writer header_, payload_;
    std::size_t offset_;
};

/// Past the signature and the type, or failed.
base::Cursor start(base::Bytes message, std::uint32_t type) noexcept
{
    base::Cursor c(message_type(message) == type && message.size() <= max_message ? message : base::Bytes());
    c.skip(signature.size() + 4);
    return c;
}

} // namespace

std::uint32_t message_type(base::Bytes message) noexcept
{
    base::Cursor c(message);
    const base::Bytes begin = c.take(signature.size());
    return std::equal(begin.begin(), begin.end(), signature.begin(), signature.end()) ? c.u32() : 0;
}

std::optional<Negotiate> Negotiate::parse(base::Bytes message) noexcept
{
    base::Cursor c = start(message, negotiate_type);
    Negotiate result;
    result.flags = c.u32();
    const std::uint32_t named = result.flags & (flags::domain_supplied | flags::workstation_supplied);
    if (named != 0) {
        const Field domain(c), workstation(c);
        if (named & flags::domain_supplied)
            result.domain = domain.of(message, negotiate_size, c);
        if (named & flags::workstation_supplied)
            result.workstation = workstation.of(message, negotiate_size, c);
    }
    return c.ok() ? std::optional(result) : std::nullopt;
}

Message Negotiate::build() const
{
    Message message(negotiate_size + version_size + domain.size() + workstation.size());
    Builder builder(message, negotiate_size + version_size);
    builder.start(negotiate_type);
    builder.header().u32(flags);
    builder.field(domain);
    builder.field(workstation);
    if (flags & flags::version)
        builder.header().bytes(client_version);
    return message;
}

std::optional<Challenge> Challenge::parse(base::Bytes message) noexcept
{
    base::Cursor c = start(message, challenge_type);
    Challenge result;
    const Field name(c);
    result.flags = c.u32();
    c.copy(result.nonce);
    if (result.flags & flags::target_info) {
        c.skip(8); // Reserved
        const Field info(c);
        result.target_info = info.of(message, challenge_size, c);
    }
    result.target_name = name.of(message, result.flags & flags::target_info ? challenge_size : 32, c);
    return c.ok() ? std::optional(result) : std::nullopt;
}

Message Challenge::build() const
{
    Message message(challenge_size + version_size + target_name.size() + target_info.size());
    Builder builder(message, challenge_size + version_size);
    builder.start(challenge_type);
    builder.field(target_name);
    builder.header().u32(flags);
    builder.header().bytes(nonce);
    builder.header().zeros(8); // Reserved
    builder.field(target_info);
    if (flags & flags::version)
        builder.header().bytes(server_version);
    return message;
}

std::optional<Authenticate> Authenticate::parse(base::Bytes message) noexcept
{
    base::Cursor c = start(message, authenticate_type);
    Authenticate result;
    std::size_t payload = message.size();
    const auto next = [&] {
        const Field field(c);
        if (field.length != 0)
            payload = std::min<std::size_t>(payload, field.offset);
        return field.of(message, authenticate_size, c);
    };
    result.lm = next();
    result.nt = next();
    result.domain = next();
    result.user = next();
    result.workstation = next();
    result.session_key = next();
    result.flags = c.u32();
    if (!c.ok())
        return std::nullopt;
    if (payload >= authenticate_size + version_size + mic_size)
        result.mic_offset = authenticate_size + version_size;
    else if (payload >= authenticate_size + mic_size)
        result.mic_offset = authenticate_size;
    return result;
}

Message Authenticate::build()
{
    mic_offset = authenticate_size + version_size;
    const std::size_t head = mic_offset + mic_size;
    const std::size_t names = domain.size() + user.size() + workstation.size();
    Message message(head + names + lm.size() + nt.size() + session_key.size());
    Builder builder(message, head);
    builder.start(authenticate_type);
    builder.field(lm, head + names);
    builder.field(nt, head + names + lm.size());
    builder.field(domain);
    builder.field(user);
    builder.field(workstation);
    builder.payload().bytes(lm);
    builder.payload().bytes(nt);
    builder.field(session_key);
    builder.header().u32(flags);
    if (flags & flags::version)
        builder.header().bytes(client_version);
    return message;
}

} // namespace ntlm
