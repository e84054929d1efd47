#!/usr/bin/env bash
# Goal: what does not belong into a recycling. Each of its PDUs in each state in which it may not come, from the client on each
# of its channels and from the server on each of its legs; wrong cookies; successors of other users, to other targets, of unknown
# virtual connections, and such that never complete. Each is refused as it should be, with the reason in the log: the virtual
# connection ends, or the newcomer alone. Tunnels beside them run calls all the while and notice nothing.
. "$(dirname "$0")/lab.sh"
lab_server http=http plain=tcp
lab_daemon 'setup_timeout = 2s' 'channel_lifetime = 128KiB'
lab_mate
python "$lab_here/bad_recycling.py"
python "$lab_here/bad_successors.py"
