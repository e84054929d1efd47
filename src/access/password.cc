#include "access/password.h"

#include <crypt.h>
#include <nettle/memops.h>
#include <string.h>

#include <memory>
#include <stdexcept>

#include "access/secret.h"

namespace auth {
namespace {

// yescrypt at its default cost: about 15 ms and 16 MiB an attempt.
constexpr const char* hash_prefix = "$y$";
constexpr unsigned long hash_cost = 5;

// Of a random password that was never written down.
constexpr const char* nobodys_hash = "$y$j9T$sr/sE6gDGCoYJtiJ/PX.b.$w7OMzuL3iXQK4.houzX03WEa30OtsHHgkil2jiX0aEC";

struct Wipe {
    void operator()(crypt_data* data) const noexcept
    {
        explicit_bzero(data, sizeof *data);
        delete data;
    }
};

bool acceptable(std::string_view password) noexcept
{
    return !password.empty() && password.size() <= max_password && password.find('\0') == std::string_view::npos;
}

/// The hash of `password` under `setting`; empty when there is none.
std::string crypt_text(std::string_view password, const char* setting)
{
    const std::unique_ptr<crypt_data, Wipe> data(new crypt_data{});
    const Secret text(password);
    const char* result = crypt_r(text.c_str(), setting, data.get());
    // A failure is a text that can be no hash: "*0" or "*1".
    if (result == nullptr || *result == '*')
        return {};
    return result;
}

} // namespace

std::string hash_password(std::string_view password)
{
    if (!acceptable(password))
        throw std::runtime_error("a password has 1 to " + std::to_string(max_password) + " bytes and no NUL");
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (crypt_gensalt_rn(hash_prefix, hash_cost, nullptr, 0, setting, sizeof setting) == nullptr)
        throw std::runtime_error("the system's crypt library knows no yescrypt");
    std::string hash = crypt_text(password, setting);
    if (hash.empty())
        throw std::runtime_error("the password could not be hashed");
    return hash;
}

bool verify_password(std::string_view password, const std::string& hash)
{
    if (!acceptable(password) || hash.size() >= CRYPT_OUTPUT_SIZE)
        return false;
    const std::string result = crypt_text(password, hash.c_str());
    return !result.empty() && result.size() == hash.size() && memeql_sec(result.data(), hash.data(), hash.size()) != 0;
}

bool usable_hash(const std::string& hash) noexcept
{
    const int answer = crypt_checksalt(hash.c_str());
    return answer != CRYPT_SALT_INVALID && answer != CRYPT_SALT_METHOD_DISABLED;
}

std::string dummy_hash()
{
    return nobodys_hash;
}

} // namespace auth
