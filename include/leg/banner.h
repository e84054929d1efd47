#pragma once

#include "base/cursor.h"

#include <cstdint>
#include <string_view>

namespace leg {

/// The legacy server response `ncacn_http/1.0`, MS-RPCH 2.1.2.2.1: the first bytes that an ncacn_http
/// server sends. Its absence is no error (3.2.3.5.12, 3.2.4.5.15), and it can come in pieces.
class Banner {
public:
    enum class Result : std::uint8_t {
        absent,   ///< not expected (any more), or the stream begins without one
        partial,  ///< more bytes are needed
        complete, ///< the last byte of it was taken now
        wrong,    ///< it begins like one and is another text
    };

    /// What a server sends.
    static constexpr std::string_view text = "ncacn_http/1.0";

    void expect() noexcept { expected_ = true; }
    /// Takes what belongs to the banner from the front of `input`.
    Result take(base::Bytes& input) noexcept;

private:
    bool expected_ = false;
    std::uint8_t seen_ = 0;
};

} // namespace leg
