#include "access/basic.h"

#include "access/password.h"
#include "access/scheme.h"
#include "access/seal.h"

#include "base/base64.h"
#include "base/text.h"

#include <string.h>

#include <exception>
#include <utility>

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
            result = BasicCredentials{login->folded(), Secret(password)};
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
        std::optional<std::string> canonical =
            backends_.cache.find(basic->login, basic->password.view(), backends_.accounts.generation());
        if (!canonical)
            return std::nullopt;
        return Attempt{Attempt::Kind::accepted, std::move(*canonical)};
    }

    Attempt look_up(std::string_view credentials) override
    {
        std::optional<BasicCredentials> basic = BasicCredentials::parse(credentials);
        if (!basic)
            return malformed();
        const std::shared_ptr<PasswordCheck> right = std::move(right_);
        const std::uint64_t generation = backends_.accounts.generation();
        std::string hash;
        try {
            account_ = backends_.accounts.find(basic->login);
            if (account_ && is_proved(*basic, *account_, right.get(), generation))
                return {Attempt::Kind::accepted, account_->canonical};
            hash = somebodys_hash(basic->login);
        } catch (const std::exception& error) {
            return {Attempt::Kind::busy, std::string("accounts cannot be read: ") + error.what()};
        }
        // Everybody pays for a hash, so that the time does not tell who exists.
        hashed_ = account_ && usable_hash(account_->pw_crypt);
        if (hashed_)
            hash = account_->pw_crypt;
        check_ = std::make_shared<PasswordCheck>(backends_.passwords, std::move(basic->login), std::move(basic->password),
                                                 std::move(hash));
        return {Attempt::Kind::check, {}, check_};
    }

    Attempt checked() override
    {
        const std::shared_ptr<PasswordCheck> check = std::move(check_);
        const std::optional<AccountRecord> account = std::exchange(account_, std::nullopt);
        if (!account)
            return refused("unknown user", check->login);
        if (!account->enabled || !hashed_) {
            backends_.cache.forget(check->login);
            return refused(account->enabled ? "account without a usable password" : "account disabled", check->login);
        }
        if (!check->equal)
            return refused("wrong password", check->login);
        // The account may have changed while the hash had to wait.
        right_ = check;
        return {Attempt::Kind::again, {}};
    }

private:
    static Attempt malformed() { return {Attempt::Kind::refused, "malformed Basic credentials"}; }

    static Attempt refused(const char* reason, const Login& login)
    {
        return {Attempt::Kind::refused, std::string(reason) + ": " + login.text()};
    }

    /// Whether the account may come in as it is now, without another hash: the one before was `right`, or the cache knows of
    /// one, perhaps of an equal login that was checked while this one waited.
    bool is_proved(const BasicCredentials& basic, const AccountRecord& account, const PasswordCheck* right,
                   std::uint64_t generation)
    {
        if (!right || !account.enabled || right->hash != account.pw_crypt || right->login != basic.login ||
            right->password.view() != basic.password.view())
            return backends_.cache.confirm(basic.login, basic.password.view(), account, generation);
        backends_.cache.store(basic.login, basic.password.view(), account, generation);
        return true;
    }

    /// What a login is checked against that has no hash of its own. Hashes of other methods take other times, so it is that
    /// of an account, always the same one for the same login: among many logins each time occurs as often as among the
    /// accounts. The choice is secret, and outlives the process, because its key is a hash too.
    std::string somebodys_hash(const Login& login)
    {
        const std::optional<std::string> key = backends_.accounts.some_hash(0);
        const Seal::Tag tag = Seal(key.value_or("")).of({login.domain, login.name});
        std::uint64_t number = 0;
        for (std::size_t i = 0; i < 7; ++i)
            number = number << 8 | tag[i];
        const std::optional<std::string> hash = backends_.accounts.some_hash(number);
        return hash && usable_hash(*hash) ? *hash : dummy_hash();
    }

    const Backends backends_;
    // Between look_up() and checked().
    std::shared_ptr<PasswordCheck> check_;
    std::optional<AccountRecord> account_;
    bool hashed_ = false; // the check is against the account's own hash
    std::shared_ptr<PasswordCheck> right_; // between checked() and another look_up()
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
