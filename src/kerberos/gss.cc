#include "gss.h"

namespace kerberos {
namespace {

std::string status_text(OM_uint32 code, int kind)
{
    std::string text;
    OM_uint32 more = 0;
    do {
        OM_uint32 minor;
        OwnedBuffer words;
        if (GSS_ERROR(gss_display_status(&minor, code, kind, GSS_C_NO_OID, &more, words.place())))
            break;
        text += (text.empty() ? "" : ", ") + std::string(words.text());
    } while (more != 0);
    return text;
}

} // namespace

std::string failure_text(OM_uint32 major, OM_uint32 minor)
{
    const std::string general = status_text(major, GSS_C_GSS_CODE);
    const std::string special = minor != 0 ? status_text(minor, GSS_C_MECH_CODE) : "";
    // A failure that GSSAPI knows no name for is told by the mechanism alone.
    if (special.empty() || special == "Unknown error")
        return general;
    return GSS_ROUTINE_ERROR(major) == GSS_S_FAILURE ? special : general + " (" + special + ')';
}

} // namespace kerberos
