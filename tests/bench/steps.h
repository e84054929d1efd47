#pragma once

#include "net/loop.h"

#include <cstdint>
#include <string>

namespace bench {

/// Standard input, where the runner says what comes next, a word a line. Several generators so begin their work at
/// the same time, and one can be measured while another one does something.
class Steps {
public:
    enum class Step : std::uint8_t {
        open,  ///< the tunnels of the plan
        start, ///< their work
        look,  ///< nothing new
        end,   ///< also the end of the file
    };

    /// The file descriptor 0 becomes non-blocking.
    explicit Steps(net::Loop& loop);

    /// Runs the loop until a step is told. `poll`: without sleeping.
    Step next(bool poll);

private:
    void on_input(std::uint32_t events);

    net::Loop& loop_;
    net::Watch watch_;
    std::string text_; // not yet taken
    bool ended_ = false;
};

} // namespace bench
