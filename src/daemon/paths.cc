#include "daemon/command_line.h"

namespace rpctunneld {

// The Makefile knows CONFDIR; no other file does.
const char* const default_config_file = CONFDIR "/rpctunneld.conf";

} // namespace rpctunneld
