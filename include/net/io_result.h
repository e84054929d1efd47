#pragma once

#include <cstddef>

namespace net {

/// What came of one read or write.
///
/// ok: `size` bytes (more than 0, except for an empty span). again: nothing now, nor an end: an event will come.
/// eof (read only): the peer will send nothing more; TLS: close_notify, or the connection's end without it,
/// which many clients leave out (RPC PDUs carry their own lengths). error: the stream is dead, `error` is
/// an errno value: ECONNRESET, EPIPE, ETIMEDOUT ..., EPROTO for a broken TLS peer.
struct IoResult {
    enum class Kind { ok, again, eof, error };

    Kind kind = Kind::ok;
    std::size_t size = 0;
    int error = 0;
    /// Reads of kind ok: false when the socket was found empty, so that the next bytes bring a new event and
    /// a further read() can be saved. An event that carried EPOLLRDHUP, EPOLLHUP or EPOLLERR calls for one
    /// more read nevertheless: the end may wait behind these bytes. True: read again, no event may come.
    bool more = false;

    bool ok() const noexcept { return kind == Kind::ok; }
};

} // namespace net
