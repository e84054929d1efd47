#pragma once

#include <filesystem>
#include <string>

/// For mkdtemp() and mkstemp(): a name in the folder for temporary files, which TMPDIR names.
inline std::string temporary_name(const char* what)
{
    return (std::filesystem::temp_directory_path() / (std::string(what) + "-XXXXXX")).string();
}
