#pragma once

#include <krb5.h>

#include <stdexcept>
#include <string>

// What the files of this room share of the library below GSSAPI.
namespace kerberos {

class Krb5 {
public:
    Krb5()
    {
        if (const krb5_error_code code = krb5_init_context(&context_))
            throw std::runtime_error("Kerberos cannot be set up: " + text(code) + "; see /etc/krb5.conf");
    }
    ~Krb5() { krb5_free_context(context_); }
    Krb5(const Krb5&) = delete;
    Krb5& operator=(const Krb5&) = delete;

    krb5_context get() const noexcept { return context_; }
    std::string text(krb5_error_code code) const
    {
        const char* const words = krb5_get_error_message(context_, code);
        const std::string result(words);
        krb5_free_error_message(context_, words);
        return result;
    }

private:
    krb5_context context_ = nullptr;
};

class Keytab {
public:
    Keytab(const Krb5& library, const std::string& file) : library_(library)
    {
        if (const krb5_error_code code = krb5_kt_resolve(library.get(), ("FILE:" + file).c_str(), &handle_))
            throw std::runtime_error(file + ": " + library.text(code));
    }
    ~Keytab() { krb5_kt_close(library_.get(), handle_); }
    Keytab(const Keytab&) = delete;
    Keytab& operator=(const Keytab&) = delete;

    krb5_keytab get() const noexcept { return handle_; }

private:
    const Krb5& library_;
    krb5_keytab handle_ = nullptr;
};

class Principal {
public:
    /// Nothing when the library does not take the text for one.
    Principal(const Krb5& library, const std::string& text) : library_(library)
    {
        krb5_parse_name(library.get(), text.c_str(), &handle_);
    }
    ~Principal() { krb5_free_principal(library_.get(), handle_); }
    Principal(const Principal&) = delete;
    Principal& operator=(const Principal&) = delete;

    krb5_principal get() const noexcept { return handle_; }

private:
    const Krb5& library_;
    krb5_principal handle_ = nullptr;
};

} // namespace kerberos
