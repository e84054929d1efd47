#include "leg/outlet.h"

#include "rpch/acknowledgement.h"
#include "rpch/pdu.h"
#include "rpch/rts.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace leg {

void Outlet::put(const rpch::Framer::Piece& piece)
{
    const auto size = static_cast<std::uint32_t>(piece.bytes.size());
    pending_ += size;
    coming_ = (piece.first ? piece.frag_length : coming_) - size;
    if (!gated_.empty() || (piece.first && !gate_->admits(piece.frag_length))) {
        gated_.push(piece.bytes);
    } else {
        if (piece.first) {
            assert(open_ == 0);
            commit_urgent(); // what was put first leaves first
            gate_->sent(piece.frag_length);
            open_ = piece.frag_length;
        }
        open_ -= size;
        commit(piece.bytes);
        if (open_ == 0 && !blocked_)
            commit_urgent();
    }
    if (coming_ == 0 && !last_.empty()) {
        place_last(last_.front());
        last_.clear();
    }
}

void Outlet::put_last(base::Bytes pdu)
{
    if (coming_ != 0)
        last_.push(pdu);
    else
        place_last(pdu);
}

void Outlet::place_last(base::Bytes pdu)
{
    if (gated_.empty())
        put_control(pdu);
    else
        gated_.push(pdu);
}

void Outlet::put_control(base::Bytes bytes)
{
    if (open_ != 0 || blocked_)
        return queue_urgent(bytes);
    write_run();
    spill_cleared();
    ready_.push(bytes);
}

void Outlet::queue_urgent(base::Bytes pdu)
{
    rpch::Rts newer;
    [[maybe_unused]] const rpch::DecodeResult whole = rpch::decode(pdu, newer);
    assert(whole.ok());
    for (std::size_t at = 0; at < urgent_.size();) {
        const base::Bytes rest = urgent_.front().subspan(at);
        const std::size_t size = rpch::frag_length(rest.first<rpch::framing_size>());
        rpch::Rts older;
        if (rpch::decode(rest.first(size), older).ok() && rpch::supersedes(newer, older) && size == pdu.size())
            return urgent_.overwrite(at, pdu);
        at += size;
    }
    if (urgent_.size() + pdu.size() > most_urgent)
        dead_ = unread_ = true;
    else
        urgent_.push(pdu);
}

std::string Outlet::failure_text() const
{
    if (unread_)
        return "too many RTS PDUs wait, and none is read";
    return stream_.error_text({net::IoResult::Kind::error, 0, error_});
}

bool Outlet::flush()
{
    if (dead_ || !write_run())
        return false;
    for (;;) {
        Written written = write(ready_, ready_.size());
        if (written != Written::all)
            return written == Written::some;
        if (open_ == 0)
            commit_urgent();
        if (ready_.empty())
            admit();
        if (!ready_.empty())
            continue;
        if (cleared_ == 0)
            return true;
        written = write(gated_, cleared_);
        if (written != Written::all)
            return written == Written::some;
    }
}

std::uint32_t Outlet::take_consumed() noexcept
{
    const std::uint32_t left = std::min(pending_, static_cast<std::uint32_t>(waiting() + run_.size()));
    return std::exchange(pending_, left) - left;
}

/// Appends admitted bytes to what is on its way; nothing is gated.
void Outlet::commit(base::Bytes bytes)
{
    if (run_.empty() && ready_.empty()) {
        run_ = bytes;
    } else if (!run_.empty() && run_.data() + run_.size() == bytes.data()) {
        run_ = {run_.data(), run_.size() + bytes.size()};
    } else {
        write_run();
        if (ready_.empty())
            run_ = bytes;
        else
            ready_.push(bytes);
    }
}

void Outlet::commit_urgent()
{
    if (urgent_.empty())
        return;
    write_run();
    spill_cleared();
    ready_.push(urgent_.front());
    urgent_.clear();
}

/// Asks the gate for the RPC PDUs that wait, as far as it lets them go.
void Outlet::admit()
{
    while (cleared_ < gated_.size()) {
        const base::Bytes rest = gated_.front().subspan(cleared_);
        if (open_ == 0) {
            // The framer's first piece of a PDU is never shorter than this.
            const std::uint32_t size = rpch::frag_length(rest.first<rpch::framing_size>());
            // The gate is for RPC PDUs; an RTS PDU among them is the one that put_last() has put there.
            if (static_cast<rpch::PacketType>(rest[2]) != rpch::PacketType::rts) {
                if (!gate_->admits(size))
                    return;
                gate_->sent(size);
            }
            open_ = size;
        }
        const std::uint32_t part = std::min(open_, static_cast<std::uint32_t>(rest.size()));
        cleared_ += part;
        open_ -= part;
        if (open_ == 0 && !urgent_.empty())
            return commit_urgent();
    }
}

void Outlet::spill_cleared()
{
    if (cleared_ == 0)
        return;
    ready_.push(gated_.front().first(cleared_));
    gated_.pop(cleared_);
    cleared_ = 0;
}

bool Outlet::write_run()
{
    if (run_.empty())
        return true;
    const base::Bytes run = std::exchange(run_, {});
    std::size_t size = 0;
    const Written written = ready_.empty() ? write(run, size) : Written::some;
    if (written == Written::some)
        ready_.push(run.subspan(size));
    return written != Written::dead;
}

Outlet::Written Outlet::write(base::Bytes bytes, std::size_t& size)
{
    for (size = 0; size < bytes.size() || stream_.flushing();) {
        net::IoResult result = stream_.flushing() ? stream_.flush() : net::IoResult{};
        if (result.ok() && size < bytes.size()) {
            result = stream_.write(bytes.subspan(size));
            size += result.ok() ? result.size : 0;
        }
        if (result.kind == net::IoResult::Kind::again) {
            blocked_ = true;
            return Written::some;
        }
        if (!result.ok()) {
            error_ = result.error;
            dead_ = true;
            return Written::dead;
        }
        if (!stream_.tls() && size < bytes.size()) {
            blocked_ = true;
            return Written::some; // a short write: the socket's buffer is full
        }
    }
    blocked_ = false;
    return Written::all;
}

Outlet::Written Outlet::write(base::Fifo& queue, std::size_t limit)
{
    std::size_t size = 0;
    const Written written = write(queue.front().first(limit), size);
    queue.pop(size);
    if (&queue == &gated_)
        cleared_ -= static_cast<std::uint32_t>(size);
    return written;
}

} // namespace leg
