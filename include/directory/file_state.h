#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace directory {

/// What a path leads to just now, as far as that can be told without opening it.
struct FileState {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = 0;
    std::int64_t changed = 0; ///< content, name or rights, in ns of the system's clock

    /// Nullopt: to nothing, or it cannot be told.
    static std::optional<FileState> of(const std::string& path) noexcept;

    bool same_file(const FileState& other) const noexcept { return device == other.device && inode == other.inode; }
    bool operator==(const FileState&) const = default;
};

} // namespace directory
