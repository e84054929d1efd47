#pragma once

#include "access/account.h"

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Accounts by folded domain and name, and what goes wrong with them.
struct FakeAccounts : auth::AccountSource {
    std::map<std::pair<std::string, std::string>, auth::AccountRecord> rows;
    std::map<std::string, ntlm::Key> nt_hashes; // by canonical name
    std::vector<std::string> hashes;
    std::uint64_t changes = 0;
    int asked = 0;
    bool broken = false;

    std::optional<auth::AccountRecord> find(const auth::Login& login) override
    {
        ++asked;
        if (broken)
            throw std::runtime_error("disk on fire");
        const auto row = rows.find({login.domain, login.name});
        return row == rows.end() ? std::nullopt : std::optional(row->second);
    }
    std::optional<std::string> some_hash(std::uint64_t number) override
    {
        if (hashes.empty())
            return std::nullopt;
        return hashes[number % hashes.size()];
    }
    std::optional<ntlm::Key> nt_hash(const auth::Login& login) override
    {
        ++asked;
        const auto row = rows.find({login.domain, login.name});
        const auto hash = row == rows.end() ? nt_hashes.end() : nt_hashes.find(row->second.canonical);
        return hash == nt_hashes.end() ? std::nullopt : std::optional(hash->second);
    }
    std::uint64_t generation() const noexcept override { return changes; }
};
