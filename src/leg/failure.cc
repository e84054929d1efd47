#include "leg/failure.h"

#include "base/shortage.h"

#include <cerrno>
#include <cstring>

namespace leg {

Failure no_watch()
{
    const int error = errno;
    const char* const reason = std::strerror(error);
    base::report_shortage(base::resource_of(error).value_or(base::Resource::watches), "another connection", reason);
    return {rpc_code::out_of_resources, std::string("the system watches no more connections: ") + reason};
}

} // namespace leg
