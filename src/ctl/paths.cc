#include "ctl/command.h"

namespace ctl {

// The Makefile knows STATEDIR; no other file of the program does.
const char* const default_database = STATEDIR "/directory.db";

} // namespace ctl
