#pragma once

#include "base/base64.h"
#include "unit/base/temporary_name.h"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>

// Made once with a KDC of MIT, of a realm that is no more: what is in them can be read with the key, and is over.

/// A keytab with the key of HTTP/proxy.lab.example@LAB.EXAMPLE.
inline constexpr const char* sample_keytab =
    "BQIAAABZAAIAC0xBQi5FWEFNUExFAARIVFRQABFwcm94eS5sYWIuZXhhbXBsZQAAAAFrCe3lAgASACCy8Myq3Rnvv7YIKJrZw//jA3YYP4yNjR"
    "HOrPgBK+zvtgAAAAIAAABJAAIAC0xBQi5FWEFNUExFAARIVFRQABFwcm94eS5sYWIuZXhhbXBsZQAAAAFrCe3lAgARABA9l6OaHrSJmX1Cs1GP"
    "14abAAAAAg==";

/// A ticket of alice@LAB.EXAMPLE for it, with channel and replay protection, as a client sends it first.
inline constexpr const char* sample_spnego =
    "YIIC/QYGKwYBBQUCoIIC8TCCAu2gDTALBgkqhkiG9xIBAgKiggLaBIIC1mCCAtIGCSqGSIb3EgECAgEAboICwTCCAr2gAwIBBaEDAgEOogcDBQ"
    "AgAAAAo4IB1WGCAdEwggHNoAMCAQWhDRsLTEFCLkVYQU1QTEWiJDAioAMCAQOhGzAZGwRIVFRQGxFwcm94eS5sYWIuZXhhbXBsZaOCAY8wggGL"
    "oAMCARKhAwIBAqKCAX0EggF5jUFp9eieubFZFINPo0mZ0TgBm2pALK3s5P1b3EnRlYZQNXWTtBJh/W4Pl+CnAhkyTHaP1dZL/9kLKV6ORuJs0X"
    "UpMSr758TV2ODuZ2tU1po/VrMaDvfg3f6yQXzjitqgKhDAzUeZLjUyilc4VWb801UxFLCTkziJwBfbQ9LXwPnspfC0XC++XS0i17B6Y3A5Zpix"
    "EqWKXtbP4rXHqhMJxuCnVFE+5msUtoVk1B1zVm9JVG6ZZ5AUOOWnqJT9d33IqC0Z3skVTTSQ/ySf9vSGJdIaGWvhARP0VWvMFFfzTSZVIOCYng"
    "Mp2f+iBjWzuAYHe+1J6dhIg0gBQLl9wK0O9ClGfgEfmHRogk9MeORY68khRRZKVWdPFd8BL7d98pzD89C8HeQQINrzK4lcsAp3ocIcGfNPr6y6"
    "9Cn4zbt9K8UFOiKkKeEBUs4Y4UjCPPoM7Ksi7ThhTBXu6pr2wgc2Jhqqz5oeaKKfGfaLeR+bNhIia8qqd18BDHykgc4wgcugAwIBEqKBwwSBwO"
    "bdSQfXEHp096NDAz5eRMBEn+pM1Q5QbI9eK4/dS/HS6CIijeUxv6OeHeqhI5Gwth4JgFGAIovcWYPhAelFYJSlhmLU+5zoASYpnDgFxpSkJ+mb"
    "QnieyBLQTqM3mL/DkEoEISHJB+0EuKbFB3baYWxOlgxQXzZMUx49GhHPPaxmOKzJmuHMyt4eS5eWkIvYammRcLHb0dEtm3+qeZOH4xgf8H+Rad"
    "FxDXXXpnAZP+TQaGiLUIsYYoucg9XRIIgwDg==";

/// The same, without SPNEGO.
inline constexpr const char* sample_raw =
    "YIIC0gYJKoZIhvcSAQICAQBuggLBMIICvaADAgEFoQMCAQ6iBwMFACAAAACjggHVYYIB0TCCAc2gAwIBBaENGwtMQUIuRVhBTVBMRaIkMCKgAw"
    "IBA6EbMBkbBEhUVFAbEXByb3h5LmxhYi5leGFtcGxlo4IBjzCCAYugAwIBEqEDAgECooIBfQSCAXmNQWn16J65sVkUg0+jSZnROAGbakAsrezk"
    "/VvcSdGVhlA1dZO0EmH9bg+X4KcCGTJMdo/V1kv/2QspXo5G4mzRdSkxKvvnxNXY4O5na1TWmj9WsxoO9+Dd/rJBfOOK2qAqEMDNR5kuNTKKVz"
    "hVZvzTVTEUsJOTOInAF9tD0tfA+eyl8LRcL75dLSLXsHpjcDlmmLESpYpe1s/itceqEwnG4KdUUT7maxS2hWTUHXNWb0lUbplnkBQ45aeolP13"
    "fcioLRneyRVNNJD/JJ/29IYl0hoZa+EBE/RVa8wUV/NNJlUg4JieAynZ/6IGNbO4Bgd77Unp2EiDSAFAuX3ArQ70KUZ+AR+YdGiCT0x45FjryS"
    "FFFkpVZ08V3wEvt33ynMPz0Lwd5BAg2vMriVywCnehwhwZ80+vrLr0KfjNu30rxQU6IqQp4QFSzhjhSMI8+gzsqyLtOGFMFe7qmvbCBzYmGqrP"
    "mh5oop8Z9ot5H5s2EiJryqp3XwEMfKSBzjCBy6ADAgESooHDBIHAJwmYWlXPTmCO4FI2B+YaJNKQ8sWUIcyheXRMxhArlHD8jgDt6oaRCF7Otr"
    "l/2Qpa8D6GVgmnUvqySLFOFR3lnTCUgOuufTTGw4/nIJqMUO/3Np1Pgw0NPOPvYySQahOSn8+qc7ojebf/wpJph7Wjq688fc8SjY1Ub9SVftJ1"
    "AJHEfKGSyUC5nHgH+wtoHwTO5LiXW11hn+wrkBhgRVoWtVmYTRZZVDfjeTeVm7S2qwQGKDkSBKEj4K5vQ0b7HDFb";

inline std::string sample(const char* base64)
{
    return base::base64_decode(base64).value();
}

/// A file with this content.
struct TemporaryFile {
    explicit TemporaryFile(const std::string& content)
    {
        path = temporary_name("rpctunnel-keytab");
        ::close(::mkstemp(path.data()));
        std::ofstream(path, std::ios::binary) << content;
    }
    ~TemporaryFile() { ::unlink(path.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;

    std::string path;
};
