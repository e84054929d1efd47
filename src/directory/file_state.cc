#include "directory/file_state.h"

#include <sys/stat.h>

namespace directory {

std::optional<FileState> FileState::of(const std::string& path) noexcept
{
    struct stat file {};
    if (::stat(path.c_str(), &file) != 0)
        return std::nullopt;
    FileState state;
    state.device = file.st_dev;
    state.inode = file.st_ino;
    state.size = file.st_size;
    state.changed = std::int64_t{file.st_ctim.tv_sec} * 1'000'000'000 + file.st_ctim.tv_nsec;
    return state;
}

} // namespace directory
