#include "rpch/mgmt.h"

#include <algorithm>
#include <cstddef>

namespace rpch::mgmt {

// rpc_if_id_vector_t: a pointer; then the maximum count, the count, that many pointers, and behind them
// what they point to, 20 bytes each (C706 appendix N).
std::optional<InterfaceIds> decode_inq_if_ids(base::Bytes stub, bool little_endian)
{
    NdrCursor in(stub, little_endian);
    InterfaceIds result;
    if (in.u32() != 0) {
        const std::uint32_t maximum = in.u32();
        const std::uint32_t count = in.u32();
        if (maximum != count || count > in.left() / 4)
            return std::nullopt;
        std::uint32_t present = 0;
        for (std::uint32_t i = 0; i < count; ++i)
            present += in.u32() != 0 ? 1 : 0;
        if (present > in.left() / 20)
            return std::nullopt;
        result.interfaces.reserve(present);
        for (std::uint32_t i = 0; i < present; ++i)
            result.interfaces.push_back(in.syntax());
    }
    result.status = in.u32();
    if (!in.ok())
        return std::nullopt;
    return result;
}

std::optional<ServerListening> decode_is_server_listening(base::Bytes stub, bool little_endian)
{
    NdrCursor in(stub, little_endian);
    ServerListening result;
    result.status = in.u32();
    result.listening = in.u32() != 0;
    if (!in.ok())
        return std::nullopt;
    return result;
}

const char* interface_name(const Guid& uuid) noexcept
{
    struct Row {
        const char* uuid;
        const char* name;
    };
    static constexpr Row rows[] = {
        {"afa8bd80-7d8a-11c9-bef4-08002b102989", "remote management"},
        {"e1af8308-5d1f-11c9-91a4-08002b14a0fa", "endpoint mapper"},
        {"a4f1db00-ca47-1067-b31f-00dd010662da", "EMSMDB, Exchange mailbox store"},
        {"5261574a-4572-206e-b268-6b199213b4e4", "AsyncEMSMDB, Exchange notifications"},
        {"1544f5e0-613c-11d1-93df-00c04fd7bd09", "RFR, Exchange directory referral"},
        {"f5cc5a18-4264-101a-8c59-08002b2f8426", "NSPI, Exchange address book"},
        {"44e265dd-7daf-42cd-8560-3cdb6e7a2729", "TsProxy, Remote Desktop Gateway"},
        {"e3514235-4b06-11d1-ab04-00c04fc2dcd2", "DRSUAPI, directory replication"},
        {"12345778-1234-abcd-ef00-0123456789ab", "LSARPC, local security authority"},
        {"12345778-1234-abcd-ef00-0123456789ac", "SAMR, accounts"},
        {"12345678-1234-abcd-ef00-01234567cffb", "NETLOGON"},
        {"3919286a-b10c-11d0-9ba8-00c04fd92ef5", "DSSETUP, directory roles"},
        {"338cd001-2244-31f1-aaaa-900038001003", "WINREG, registry"},
        {"4b324fc8-1670-01d3-1278-5a47bf6ee188", "SRVSVC, server service"},
        {"6bffd098-a112-3610-9833-46c3f87e345a", "WKSSVC, workstation service"},
        {"4fc742e0-4a10-11cf-8273-00aa004ae673", "NETDFS, distributed file system"},
        {"367abb81-9844-35f1-ad32-98f038001003", "SVCCTL, services"},
        {"12345678-1234-abcd-ef00-0123456789ab", "SPOOLSS, printing"},
    };
    const auto found = std::find_if(std::begin(rows), std::end(rows),
                                    [&](const Row& row) { return Guid::parse(row.uuid) == uuid; });
    return found == std::end(rows) ? nullptr : found->name;
}

} // namespace rpch::mgmt
