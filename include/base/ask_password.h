#pragma once

#include <optional>
#include <string>

namespace base {

/// Asks on the terminal, without echo. Nothing when there is no terminal or the user gave up.
std::optional<std::string> ask_password(const std::string& prompt);

/// The first line that can be read from `descriptor`, at most 1024 bytes. Nothing when reading fails or it
/// is longer.
std::optional<std::string> read_password(int descriptor);

} // namespace base
