#pragma once

#include <cstdint>
#include <string_view>

namespace winbind {

/// What a domain controller means by an NTSTATUS (MS-ERREF 2.3.1): "wrong password". Empty when the status says nothing of the
/// user, so that nobody has judged the login.
std::string_view refusal_text(std::uint32_t nt_status) noexcept;

} // namespace winbind
