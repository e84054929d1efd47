#pragma once

#include "ntlm/initiator.h"

#include <optional>
#include <string>
#include <string_view>

namespace bench {

/// A login with NTLM that precedes a request, on its connection.
class NtlmLogin {
public:
    /// Of a plan's authorization. Nullopt: it is the value of the header field as it stands.
    static std::optional<NtlmLogin> of(std::string_view authorization);

    /// The value for the empty request that begins it.
    std::string begin();
    /// That for the request itself. `answer` is the whole head of the response, without its end. Nullopt: it is no challenge.
    std::optional<std::string> go_on(std::string_view answer);

private:
    explicit NtlmLogin(ntlm::Initiator::Login login) : initiator_(std::move(login)) {}

    ntlm::Initiator initiator_;
};

} // namespace bench
