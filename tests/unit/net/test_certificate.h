#pragma once

#include <string>
#include <vector>

/// A self-signed certificate with its P-256 key, made at run time.
struct TestCertificate {
    std::string certificate, key; ///< PEM
    std::string der;              ///< the certificate

    /// `names` are host names and numeric addresses; the first is the subject.
    explicit TestCertificate(const std::vector<std::string>& names);
};

/// A file that goes away with the object.
class TestFile {
public:
    explicit TestFile(const std::string& content);
    ~TestFile();
    TestFile(const TestFile&) = delete;
    TestFile& operator=(const TestFile&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};
