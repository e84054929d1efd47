#include "bench/pattern.h"

#include "rpch/pdu.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <span>

namespace bench {
namespace {

constexpr std::size_t run_limit = 64 * 1024;
constexpr std::size_t wanted_period = 192 * 1024;

} // namespace

Pattern::Pattern(std::uint32_t pdu_size)
    : pdu_size_(pdu_size), period_(std::max<std::size_t>(wanted_period / pdu_size, 2) * pdu_size), bytes_(period_ + run_limit)
{
    assert(pdu_size >= rpch::header_size && pdu_size <= rpch::max_pdu_size);
    std::uint64_t state = 0x9e3779b97f4a7c15;
    for (std::size_t i = 0; i < period_; ++i) {
        state = state * 6364136223846793005 + 1442695040888963407;
        bytes_[i] = static_cast<std::uint8_t>(state >> 56);
    }
    for (std::size_t start = 0; start < period_; start += pdu_size) {
        base::Writer out(std::span<std::uint8_t>(bytes_).subspan(start, rpch::header_size));
        rpch::PduHeader header;
        header.frag_length = static_cast<std::uint16_t>(pdu_size);
        header.call_id = static_cast<std::uint32_t>(start / pdu_size + 1);
        header.encode(out);
    }
    for (std::size_t i = 0; i < run_limit; ++i)
        bytes_[period_ + i] = bytes_[i % period_];
}

base::Bytes Pattern::at(std::uint64_t offset, std::uint64_t size) const noexcept
{
    return base::Bytes(bytes_).subspan(offset % period_, std::min<std::uint64_t>(size, run_limit));
}

bool Pattern::matches(std::uint64_t offset, base::Bytes bytes) const noexcept
{
    while (!bytes.empty()) {
        const base::Bytes expected = at(offset, bytes.size());
        if (std::memcmp(expected.data(), bytes.data(), expected.size()) != 0)
            return false;
        offset += expected.size();
        bytes = bytes.subspan(expected.size());
    }
    return true;
}

} // namespace bench
