#include "kerberos/service.h"

#include "unit/kerberos/sample.h"

#include <stdexcept>

#include <CppUTest/TestHarness.h>

namespace {

/// Why there is no service of this file, its name left out; empty: there is one.
std::string fault(const std::string& file, const char* name)
{
    try {
        kerberos::Service(file, name);
        return {};
    } catch (const std::runtime_error& error) {
        std::string text = error.what();
        CHECK_TRUE(text.starts_with(file + ": "));
        return text.substr(file.size() + 2);
    }
}

} // namespace

TEST_GROUP(kerberos_service) {};

TEST(kerberos_service, its_key)
{
    const TemporaryFile keytab(sample(sample_keytab));
    for (const char* name : {"HTTP", "HTTP@proxy.lab.example"})
        STRCMP_EQUAL("HTTP/proxy.lab.example@LAB.EXAMPLE", kerberos::Service(keytab.path, name).principal().c_str());
}

TEST(kerberos_service, what_is_wrong_with_a_keytab)
{
    const TemporaryFile keytab(sample(sample_keytab)), empty(std::string("\x05\x02", 2)), text("BEGIN CERTIFICATE"), cut("\x05");
    const struct {
        std::string file;
        const char *name, *says;
    } rows[] = {
        {"/nonexistent/keytab", "HTTP", "No such file or directory"},
        {keytab.path, "HTTP@mail.lab.example", "there is no key of HTTP@mail.lab.example; it has HTTP/proxy.lab.example@LAB.EXAMPLE; add"},
        {keytab.path, "imap", "there is no key of imap; it has HTTP/proxy.lab.example@LAB.EXAMPLE; add"},
        {empty.path, "HTTP", "there is no key of HTTP; it has none; add"},
        {text.path, "HTTP", "this is no keytab: "},
        {cut.path, "HTTP", "this is no keytab: "},
        {"/etc", "HTTP", "this is no keytab: "},
    };
    for (const auto& row : rows)
        STRNCMP_EQUAL(row.says, fault(row.file, row.name).c_str(), std::string(row.says).size());
}
