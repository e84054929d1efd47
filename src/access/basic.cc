#include "access/basic.h"

#include "access/scheme.h"

#include "base/base64.h"
#include "base/text.h"

#include <string.h>

#include <exception>

namespace auth {

std::optional<BasicCredentials> BasicCredentials::parse(std::string_view token)
{
    // Longest useful text: a name of two parts and a password; base64 makes 4/3 of it.
    constexpr std::size_t max_token = 2048;
    if (token.size() > max_token)
        return std::nullopt;
    std::optional<std::string> text = base::base64_decode(token);
    if (!text)
        return std::nullopt;
    std::optional<BasicCredentials> result;
    if (const auto colon = text->find(':'); colon != std::string::npos) {
        const std::string_view password = std::string_view(*text).substr(colon + 1);
        const std::optional<Login> login = Login::parse(std::string_view(*text).substr(0, colon));
        if (login && !password.empty() && password.size() <= max_password && password.find('\0') == std::string_view::npos)
            result = BasicCredentials{*login, Secret(password)};
    }
    explicit_bzero(text->data(), text->size());
    return result;
}

namespace {

class Basic : public SchemeState {
public:
    explicit Basic(const Backends& backends) : backends_(backends) {}

    std::optional<Attempt> glance(std::string_view credentials) override
    {
        const std::optional<BasicCredentials> basic = BasicCredentials::parse(credentials);
        if (!basic)
            return malformed();
        std::optional<std::string> canonical = backends_.cache.find(basic->login, basic->password.view());
        if (!canonical)
            return std::nullopt;
        return Attempt{Attempt::Kind::accepted, std::move(*canonical)};
    }

    Attempt check(std::string_view credentials) override
    {
        const std::optional<BasicCredentials> basic = BasicCredentials::parse(credentials);
        return basic ? judge(*basic) : malformed();
    }

private:
    static Attempt malformed() { return {Attempt::Kind::refused, "malformed Basic credentials"}; }

    static Attempt refused(const char* reason, const Login& login)
    {
        return {Attempt::Kind::refused, std::string(reason) + ": " + login.text()};
    }

    Attempt judge(const BasicCredentials& basic)
    {
        const std::uint64_t generation = backends_.cache.generation();
        std::optional<AccountRecord> account;
        try {
            account = backends_.accounts.find(basic.login);
        } catch (const std::exception& error) {
            return {Attempt::Kind::busy, std::string("accounts cannot be read: ") + error.what()};
        }
        // Everybody pays for a hash, so that the time does not tell who exists.
        const bool hashed = account && usable_hash(account->pw_crypt);
        const std::optional<bool> equal =
            backends_.passwords.verify(basic.password.view(), hashed ? account->pw_crypt : dummy_hash());
        if (!equal)
            return {Attempt::Kind::busy, "too many password checks wait"};
        if (!account)
            return refused("unknown user", basic.login);
        if (!account->enabled || !hashed) {
            backends_.cache.forget(basic.login);
            return refused(account->enabled ? "account without a usable password" : "account disabled", basic.login);
        }
        if (!*equal)
            return refused("wrong password", basic.login);
        backends_.cache.store(basic.login, basic.password.view(), account->pw_version, account->canonical, generation);
        return {Attempt::Kind::accepted, account->canonical};
    }

    const Backends backends_;
};

bool allowed(const Policy& policy, const Channel& channel)
{
    return channel.tls || policy.basic_without_tls;
}

std::string parameters(const Policy& policy)
{
    return "realm=\"" + policy.realm + "\", charset=\"UTF-8\"";
}

std::unique_ptr<SchemeState> begin(const Backends& backends, const Channel&)
{
    return std::make_unique<Basic>(backends);
}

} // namespace

const Scheme basic_scheme = {"Basic", false, allowed, parameters, begin};

} // namespace auth
