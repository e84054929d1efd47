#include "access/basic.h"

#include "access/password.h"
#include "access/realms.h"
#include "access/scheme.h"
#include "access/seal.h"

#include "base/base64.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>

#include <exception>
#include <utility>

namespace auth {
namespace {

/// As UTF-8; nullopt: it is no text. Whoever gets it wipes it.
std::optional<std::string> read(std::string_view token)
{
    std::optional<std::string> text = base::base64_decode(token);
    if (!text || base::is_utf8(*text))
        return text;
    std::optional<std::string> utf8 = base::from_windows_1252(*text);
    explicit_bzero(text->data(), text->size());
    return utf8;
}

} // namespace

std::optional<BasicCredentials> BasicCredentials::parse(std::string_view token)
{
    // Longest useful text: a name of two parts and a password; base64 makes 4/3 of it.
    constexpr std::size_t max_token = 2048;
    if (token.size() > max_token)
        return std::nullopt;
    std::optional<std::string> text = read(token);
    if (!text)
        return std::nullopt;
    std::optional<BasicCredentials> result;
    if (const auto colon = text->find(':'); colon != std::string::npos) {
        const std::string_view password = std::string_view(*text).substr(colon + 1);
        const std::optional<Login> login = Login::parse(std::string_view(*text).substr(0, colon));
        if (login && !password.empty() && password.size() <= max_password && password.find('\0') == std::string_view::npos)
            result = BasicCredentials{login->folded(), *login, Secret(password)};
    }
    explicit_bzero(text->data(), text->size());
    return result;
}

const char* BasicCredentials::fault(std::string_view token)
{
    if (!base::base64_decode(token))
        return "Basic credentials that are not base64";
    std::optional<std::string> text = read(token);
    if (!text)
        return "Basic credentials that are neither UTF-8 nor Windows-1252";
    explicit_bzero(text->data(), text->size());
    return "malformed Basic credentials";
}

namespace {

class Basic : public SchemeState {
public:
    explicit Basic(const Backends& backends) : backends_(backends) {}

    std::optional<Attempt> glance(std::string_view credentials) override
    {
        const std::optional<BasicCredentials> basic = BasicCredentials::parse(credentials);
        if (!basic)
            return malformed(credentials);
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
            return malformed(credentials);
        const std::shared_ptr<PasswordCheck> right = std::move(right_);
        const std::uint64_t generation = backends_.accounts.generation();
        Aim aim;
        try {
            account_ = backends_.accounts.find(basic->login);
            aim = aim_of(*basic);
            if (account_ && is_proved(*basic, *account_, aim, right.get(), generation))
                return {Attempt::Kind::accepted, account_->canonical};
        } catch (const std::exception& error) {
            return {Attempt::Kind::busy, std::string("accounts cannot be read: ") + error.what()};
        }
        own_ = aim.own;
        check_ = std::make_shared<PasswordCheck>(*aim.lane, std::move(basic->login), std::move(basic->password),
                                                 std::move(aim.text));
        return {Attempt::Kind::check, {}, check_};
    }

    Attempt checked() override
    {
        const std::shared_ptr<PasswordCheck> check = std::move(check_);
        const std::optional<AccountRecord> account = std::exchange(account_, std::nullopt);
        if (!account)
            return refused("unknown user" + advice_on(check->login), check->login);
        if (!account->enabled || !own_) {
            backends_.cache.forget(check->login);
            return refused(account->enabled ? "account without a usable password" : "account disabled", check->login);
        }
        if (!check->found.right)
            return {Attempt::Kind::busy, check->found.reason + ": " + check->login.text()};
        if (!*check->found.right)
            return refused(check->found.reason.empty() ? "wrong password" : check->found.reason, check->login);
        // The account may have changed while the hash had to wait.
        right_ = check;
        return {Attempt::Kind::again, {}};
    }

private:
    static Attempt malformed(std::string_view credentials)
    {
        return {Attempt::Kind::refused, BasicCredentials::fault(credentials)};
    }

    static Attempt refused(const std::string& reason, const Login& login)
    {
        return {Attempt::Kind::refused, reason + ": " + login.text()};
    }

    /// What a password is checked against, and where.
    struct Aim {
        PasswordChecks* lane = nullptr;
        std::string text = {};
        bool own = true; ///< it is the user's own; else nobody comes in by it
    };

    /// Sets account_ for somebody who has none and may come in all the same.
    Aim aim_of(const BasicCredentials& basic)
    {
        if (account_ && usable_hash(account_->pw_crypt))
            return {&backends_.passwords, account_->pw_crypt};
        std::optional<std::string> principal = backends_.realms ? backends_.realms->principal(basic.spelled) : std::nullopt;
        if (!principal) // everybody pays for a hash, so that the time does not tell who exists
            return {&backends_.passwords, somebodys_hash(basic.login), false};
        if (!account_)
            account_ = AccountRecord{backends_.realms->admit(basic.login).canonical, true, {}, 0};
        return {&backends_.realms->passwords(), std::move(*principal)};
    }

    /// Whether the account may come in as it is now, without another check: the one before was `right`, or the cache knows of
    /// one, perhaps of an equal login that was checked while this one waited.
    bool is_proved(const BasicCredentials& basic, const AccountRecord& account, const Aim& aim, const PasswordCheck* right,
                   std::uint64_t generation)
    {
        if (!right || !account.enabled || !aim.own || right->against != aim.text || right->login != basic.login ||
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
    bool own_ = false; // the check is against what is the account's own
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
