#!/usr/bin/env bash
# Goal: rpctunnel-ping makes real calls through the daemon and names what is wrong with the right exit code and Win32
# number; proxies and servers that lie, stop anywhere, trickle or flood get a verdict in bounded time and never a crash.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http nak=tcp,bind_nak big=tcp,big_endian mute=http,mute closing=tcp,close=request
lab_daemon
ctl valid-ports add test01:7998 >/dev/null
ctl endpoint add TEST01 7998 --transport ncacn_ip_tcp --connect "$lab_net.21:1" >/dev/null
lab_daemon_stop
lab_daemon_again
python "$lab_here/rpctunnel_ping.py"
