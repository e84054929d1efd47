#!/usr/bin/env bash
# Goal: a mailbox GUID leads to the server with the active copy, on Samba's real servers. An unknown mailbox gets 404 with
# X-CasErrorCode. When the active copy moves, the tunnel to the old server is closed and the next call lands on the other.
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_samba 2
ctl database add DB01 >/dev/null
ctl copy add DB01 EXCH01 >/dev/null
ctl copy add DB01 EXCH02 >/dev/null
ctl activate DB01 EXCH01 >/dev/null
export MAILBOX=ad44b1e0-e44f-4a16-9396-3a437f594f88@tailspintoys.com
ctl mailbox add "$MAILBOX" DB01 >/dev/null
export CTL="$OBJ/rpctunnelctl -d $lab_db"
lab_daemon
python "$lab_here/guid.py"
