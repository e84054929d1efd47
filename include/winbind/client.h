#pragma once

#include "winbind/alarm.h"
#include "winbind/service.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

struct wbcContext;

namespace winbind {

/// Whether this program was built with libwbclient. Without it every answer of a Client is that there is none.
bool built_in() noexcept;

/// The winbindd of this machine, by libwbclient. Any thread; each question under way has a connection of its own.
///
/// The library waits for winbindd for five minutes and more. An Alarm ends that: its waits do not go on after EINTR but make
/// the question fail.
class Client final : public Service {
public:
    /// `limit`: of one question.
    explicit Client(std::chrono::milliseconds limit);
    /// No question is under way any more.
    ~Client() override;

    Judgement judge(const Login& login) override;
    State look(const std::vector<std::string>& groups) override;
    /// Questions under way fail within moments, and those to come at once.
    void stop() noexcept;

private:
    class Question;
    struct Free {
        void operator()(wbcContext* context) const noexcept;
    };
    using Context = std::unique_ptr<wbcContext, Free>;

    std::optional<std::string> dns_domain(Question& question, const std::string& domain);

    const std::chrono::milliseconds limit_;
    std::mutex mutex_;
    bool stopped_ = false;
    std::set<Alarm*> alarms_;   // of the questions under way
    std::vector<Context> idle_; // connections between questions
    std::map<std::string, std::string> dns_domains_; // by NetBIOS name
};

} // namespace winbind
