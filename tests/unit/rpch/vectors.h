#pragma once

#include "base/text.h"
#include "rpch/rts.h"

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace vectors {

/// One line of tests/vectors/rts_vectors.txt.
struct Vector {
    std::string name;
    std::vector<std::uint8_t> bytes;
};

inline std::vector<std::uint8_t> unhex(std::string_view text)
{
    const auto digit = [](char c) { return c <= '9' ? c - '0' : base::lower(c) - 'a' + 10; };
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    return bytes;
}

inline std::string hex(base::Bytes bytes)
{
    return base::hex(bytes.data(), bytes.size());
}

inline std::vector<Vector> load()
{
    std::vector<Vector> all;
    std::ifstream file("tests/vectors/rts_vectors.txt");
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#')
            continue;
        const auto fields = base::split(line, '\t');
        if (fields.size() == 3)
            all.push_back({std::string(fields[0]), unhex(fields[2])});
    }
    return all;
}

/// The bytes of one vector; empty when there is none of that name.
inline std::vector<std::uint8_t> bytes(std::string_view name)
{
    for (const Vector& v : load())
        if (v.name == name)
            return v.bytes;
    return {};
}

/// An RPC PDU of `size` bytes whose body counts up from `seed`.
inline std::vector<std::uint8_t> rpc_pdu(std::size_t size, std::uint8_t type, bool little_endian, std::uint8_t seed)
{
    std::vector<std::uint8_t> pdu(size);
    for (std::size_t i = 0; i < size; ++i)
        pdu[i] = static_cast<std::uint8_t>(seed + i);
    pdu[0] = 5;
    pdu[1] = 0;
    pdu[2] = type;
    pdu[3] = 3;
    pdu[4] = little_endian ? 0x10 : 0;
    pdu[5] = pdu[6] = pdu[7] = 0;
    pdu[little_endian ? 8 : 9] = static_cast<std::uint8_t>(size);
    pdu[little_endian ? 9 : 8] = static_cast<std::uint8_t>(size >> 8);
    return pdu;
}

} // namespace vectors
