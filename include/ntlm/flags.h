#pragma once

#include <cstdint>

/// NegotiateFlags of MS-NLMP 2.2.2.5, as far as they are used. The letter is the specification's.
namespace ntlm::flags {

constexpr std::uint32_t unicode = 0x00000001;              ///< A
constexpr std::uint32_t oem = 0x00000002;                  ///< B
constexpr std::uint32_t request_target = 0x00000004;       ///< C
constexpr std::uint32_t sign = 0x00000010;                 ///< D
constexpr std::uint32_t seal = 0x00000020;                 ///< E
constexpr std::uint32_t lm_key = 0x00000080;               ///< G
constexpr std::uint32_t ntlm = 0x00000200;                 ///< H
constexpr std::uint32_t domain_supplied = 0x00001000;      ///< K
constexpr std::uint32_t workstation_supplied = 0x00002000; ///< L
constexpr std::uint32_t always_sign = 0x00008000;          ///< M
constexpr std::uint32_t target_type_domain = 0x00010000;   ///< N
constexpr std::uint32_t target_type_server = 0x00020000;   ///< O
constexpr std::uint32_t extended_security = 0x00080000;    ///< P
constexpr std::uint32_t target_info = 0x00800000;          ///< S
constexpr std::uint32_t version = 0x02000000;              ///< T
constexpr std::uint32_t key_128 = 0x20000000;              ///< U
constexpr std::uint32_t key_exchange = 0x40000000;         ///< V
constexpr std::uint32_t key_56 = 0x80000000;               ///< W

} // namespace ntlm::flags
