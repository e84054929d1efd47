#include "winbind/client.h"

#include "winbind/status.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

extern "C" {
#include <wbclient.h>
}

#include <algorithm>
#include <string_view>
#include <utility>

namespace winbind {
namespace {

constexpr char not_running[] =
    "winbindd does not answer: start it (systemctl start winbind), or look into its log why it hangs";

/// What the library has allocated.
template <class T> class Owned {
public:
    Owned() = default;
    ~Owned() { wbcFreeMemory(pointer_); }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;

    T** place() noexcept { return &pointer_; }
    const T* operator->() const noexcept { return pointer_; }
    explicit operator bool() const noexcept { return pointer_ != nullptr; }

private:
    T* pointer_ = nullptr;
};

std::string text(const char* words)
{
    return words != nullptr ? words : "";
}

std::string sid_text(const wbcDomainSid& sid)
{
    char buffer[WBC_SID_STRING_BUFLEN];
    const int size = wbcSidToStringBuf(&sid, buffer, sizeof buffer);
    return size < 0 || size >= static_cast<int>(sizeof buffer) ? std::string() : std::string(buffer);
}

std::string own_user()
{
    passwd entry, *found = nullptr;
    char room[4096];
    const bool known = getpwuid_r(geteuid(), &entry, room, sizeof room, &found) == 0 && found != nullptr;
    return known ? found->pw_name : std::to_string(geteuid());
}

/// The name of a status that nobody has translated.
std::string status_text(const Owned<wbcAuthErrorInfo>& error, wbcErr result)
{
    return error && error->nt_string != nullptr ? error->nt_string : wbcErrorString(result);
}

} // namespace

bool built_in() noexcept
{
    return true;
}

/// One exchange with winbindd, with its limit.
class Client::Question {
public:
    explicit Question(Client& client) : client_(client), alarm_(client.limit_)
    {
        const std::lock_guard lock(client_.mutex_);
        if (client_.stopped_ || !alarm_)
            return;
        client_.alarms_.insert(&alarm_);
        if (client_.idle_.empty()) {
            context_.reset(wbcCtxCreate());
        } else {
            context_ = std::move(client_.idle_.back());
            client_.idle_.pop_back();
        }
    }
    ~Question()
    {
        const std::lock_guard lock(client_.mutex_);
        client_.alarms_.erase(&alarm_);
        if (context_)
            client_.idle_.push_back(std::move(context_));
    }

    /// Null: the client was stopped, or the system has no room.
    wbcContext* context() const noexcept { return context_.get(); }

private:
    Client& client_;
    Alarm alarm_;
    Context context_;
};

void Client::Free::operator()(wbcContext* context) const noexcept
{
    wbcCtxFree(context);
}

Client::Client(std::chrono::milliseconds limit) : limit_(limit) {}

Client::~Client() = default;

void Client::stop() noexcept
{
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (Alarm* const alarm : alarms_)
        alarm->ring();
}

Judgement Client::judge(const Login& login)
{
    Question question(*this);
    if (question.context() == nullptr)
        return {Judgement::Kind::unavailable, {}, not_running};

    wbcAuthUserParams parameters{};
    parameters.account_name = login.user.c_str();
    parameters.domain_name = login.domain.c_str();
    parameters.workstation_name = login.workstation.c_str();
    parameters.level = wbcAuthUserParams::WBC_AUTH_USER_LEVEL_RESPONSE;
    auto& response = parameters.password.response;
    std::copy(login.challenge.begin(), login.challenge.end(), response.challenge);
    // The library only reads them, and takes no pointer to nothing.
    response.nt_length = static_cast<std::uint32_t>(login.nt.size());
    response.nt_data = login.nt.empty() ? nullptr : const_cast<std::uint8_t*>(login.nt.data());
    response.lm_length = static_cast<std::uint32_t>(login.lm.size());
    response.lm_data = login.lm.empty() ? nullptr : const_cast<std::uint8_t*>(login.lm.data());

    Owned<wbcAuthUserInfo> info;
    Owned<wbcAuthErrorInfo> error;
    const wbcErr result = wbcCtxAuthenticateUserEx(question.context(), &parameters, info.place(), error.place());
    if (result == WBC_ERR_WINBIND_NOT_AVAILABLE)
        return {Judgement::Kind::unavailable, {}, "winbindd does not answer, or does not let us ask"};
    if (result == WBC_ERR_AUTH_ERROR && error)
        if (const std::string_view refusal = refusal_text(error->nt_status); !refusal.empty())
            return {Judgement::Kind::refused, {}, std::string(refusal)};
    if (result != WBC_ERR_SUCCESS || !info)
        return {Judgement::Kind::unavailable, {}, "the domain controller cannot judge logins: " + status_text(error, result)};

    // Instead of whoever it is, some domains let Guest in; with a key that everybody knows.
    if (info->user_flags & WBC_AUTH_USER_INFO_GUEST)
        return {Judgement::Kind::refused, {}, "unknown user, for whom the domain would let Guest in"};

    Judgement judgement{Judgement::Kind::person, {}, {}};
    Person& person = judgement.person;
    person.account = text(info->account_name);
    person.domain = text(info->domain_name);
    for (std::uint32_t i = 0; i < info->num_sids; ++i)
        person.sids.push_back(sid_text(info->sids[i].sid));
    person.session_key = ntlm::Key({info->user_session_key, sizeof info->user_session_key});
    // The name that people are known by: one who has two of them would be two people.
    const std::optional<std::string> dns = dns_domain(question, person.domain);
    if (!dns)
        return {Judgement::Kind::unavailable, {}, "winbindd does not tell the DNS name of " + person.domain};
    person.dns_domain = *dns;
    return judgement;
}

/// Empty when the domain has none. Nullopt: winbindd does not say.
std::optional<std::string> Client::dns_domain(Question& question, const std::string& domain)
{
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = dns_domains_.find(domain); found != dns_domains_.end())
            return found->second;
    }
    Owned<struct wbcDomainInfo> info;
    if (wbcCtxDomainInfo(question.context(), domain.c_str(), info.place()) != WBC_ERR_SUCCESS || !info)
        return std::nullopt;
    const std::lock_guard lock(mutex_);
    return dns_domains_[domain] = text(info->dns_name);
}

State Client::look(const std::vector<std::string>& groups)
{
    State state;
    Question question(*this);
    wbcContext* const context = question.context();
    Owned<struct wbcInterfaceDetails> details;
    if (context == nullptr || wbcCtxInterfaceDetails(context, details.place()) != WBC_ERR_SUCCESS || !details) {
        state.fault = not_running;
        return state;
    }
    state.netbios_name = text(details->netbios_name);
    state.netbios_domain = text(details->netbios_domain);
    state.dns_domain = text(details->dns_domain);

    Owned<wbcAuthErrorInfo> error;
    const wbcErr trust = wbcCtxCheckTrustCredentials(context, nullptr, error.place());
    if (trust == WBC_ERR_WINBIND_NOT_AVAILABLE) {
        const std::string user = own_user();
        state.fault = "winbindd does not let " + user + " ask for logins: usermod -aG winbindd_priv " + user +
                      ", and start rpctunneld again";
    } else if (trust != WBC_ERR_SUCCESS) {
        state.fault = "this machine is no member of " + state.netbios_domain + ", or no domain controller answers (" +
                      status_text(error, trust) + "): see net ads testjoin, join with net ads join";
    }
    if (!state.fault.empty())
        return state;

    for (const std::string& group : groups) {
        const std::size_t slash = group.find('\\');
        wbcDomainSid sid;
        wbcSidType type = WBC_SID_NAME_USE_NONE;
        const std::string domain = group.substr(0, slash), name = group.substr(slash + 1);
        const wbcErr result = wbcCtxLookupName(context, domain.c_str(), name.c_str(), &sid, &type);
        if (result == WBC_ERR_WINBIND_NOT_AVAILABLE) {
            state.fault = not_running;
            return state;
        }
        const bool found = result == WBC_ERR_SUCCESS &&
                           (type == WBC_SID_NAME_DOM_GRP || type == WBC_SID_NAME_ALIAS || type == WBC_SID_NAME_WKN_GRP);
        state.groups[group] = found ? std::optional(sid_text(sid)) : std::nullopt;
    }
    return state;
}

} // namespace winbind
