#!/usr/bin/env bash
# Goal: whatever arrives gets a clean refusal or a clean close in bounded time and one log line with the reason, harms no
# other connection, and opens no connection to a server: malformed and truncated RTS, PDUs that are not the client's to
# send, cookies that are not its own, broken targets, huge heads, RST at any moment.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
ctl valid-ports add 'srv:6001' >/dev/null
lab_daemon 'setup_timeout = 2s' 'head_timeout = 5s'
python "$lab_here/bad_input.py"
