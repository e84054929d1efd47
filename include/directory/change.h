#pragma once

#include <string>
#include <utility>

namespace directory {

/// How an administrator's change ended. Whatever is not `done` changed nothing.
struct Change {
    enum class Kind {
        done,
        exists,  ///< what is to be added is there already
        missing, ///< what is named is not there
        refused  ///< it would leave the directory in a state that makes no sense
    };

    Kind kind = Kind::done;
    std::string reason; ///< a sentence for people: what, why, what to do

    bool ok() const noexcept { return kind == Kind::done; }

    static Change exists(std::string reason) { return {Kind::exists, std::move(reason)}; }
    static Change missing(std::string reason) { return {Kind::missing, std::move(reason)}; }
    static Change refused(std::string reason) { return {Kind::refused, std::move(reason)}; }
};

} // namespace directory
