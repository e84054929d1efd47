#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The text of NTLM is UTF-16, little-endian, without a terminator (MS-NLMP 2.2).
namespace ntlm {

/// Nullopt when `utf8` is none.
std::optional<std::vector<std::uint8_t>> to_utf16(std::string_view utf8);

/// Nullopt when there is half a character, a surrogate without its mate, or a control character: no name has one.
std::optional<std::string> name_from_utf16(base::Bytes utf16);

/// The same for the text of clients that know no Unicode. What its other half means only the client's code page tells, so
/// that ASCII is all that is read.
std::optional<std::string> name_from_oem(base::Bytes oem);

/// UpperCase() of MS-NLMP 6, for the user name in NTOWFv2: each unit by itself, as Windows does.
std::vector<std::uint8_t> upper_utf16(base::Bytes utf16);

} // namespace ntlm
