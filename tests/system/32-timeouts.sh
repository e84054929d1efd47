#!/usr/bin/env bash
# Goal: everything that waits, waits for a bounded time, and idle tunnels live and cost nothing. Channels that never find
# their mate, heads that come a byte a second, silence after the connect, a server that never answers; MinConnTimeout in A3;
# no ping while a tunnel is used; a silent tunnel that is cut tells how long each direction was silent.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http mute=http,mute
lab_daemon 'setup_timeout = 2s' 'head_timeout = 3s' 'idle_timeout = 3s' 'connect_timeout = 2s' 'connection_timeout = 3min'
python "$lab_here/timeouts.py"
