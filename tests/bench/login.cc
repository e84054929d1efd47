#include "bench/login.h"

#include "base/base64.h"
#include "bench/plan.h"

#include <sys/random.h>

#include <span>

namespace bench {
namespace {

constexpr std::string_view scheme = "NTLM ";

void randomise(std::span<std::uint8_t> bytes)
{
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        give_up("no random bytes");
}

std::string value(base::Bytes message)
{
    return std::string(scheme) + base::base64_encode(message);
}

} // namespace

std::optional<NtlmLogin> NtlmLogin::of(std::string_view authorization)
{
    if (!authorization.starts_with(scheme))
        return std::nullopt;
    authorization.remove_prefix(scheme.size());
    const std::size_t colon = authorization.find(':');
    const auto hash = ntlm::nt_hash(colon == authorization.npos ? "" : authorization.substr(colon + 1));
    if (!hash)
        give_up("not like NTLM NAME:PASSWORD");
    ntlm::Initiator::Login login;
    login.user = authorization.substr(0, colon);
    login.nt_hash = *hash;
    return NtlmLogin(std::move(login));
}

std::string NtlmLogin::begin()
{
    return value(initiator_.negotiate());
}

std::optional<std::string> NtlmLogin::go_on(std::string_view answer)
{
    static constexpr std::string_view field = "\r\nWWW-Authenticate: NTLM ";
    const std::size_t at = answer.find(field);
    if (!answer.starts_with("HTTP/1.1 401 ") || at == answer.npos)
        return std::nullopt;
    const std::string_view rest = answer.substr(at + field.size());
    const auto challenge = base::base64_decode(rest.substr(0, rest.find('\r')));
    ntlm::Initiator::Random random;
    randomise(random.client_challenge);
    randomise({random.session_key.data(), ntlm::Key::size});
    const auto message = challenge ? initiator_.authenticate(base::bytes_of(*challenge), random, 0) : std::nullopt;
    return message ? std::optional(value(*message)) : std::nullopt;
}

} // namespace bench
