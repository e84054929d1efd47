#!/usr/bin/env bash
# Goal: an OUT channel that has been idle for half the connection timeout (a minute, the least there is) gets one Ping, a
# used one gets none; Pings and Keep-Alives from the client are taken and not passed on; the call after them is answered.
# Samba's kind of client (HTTP/1.0, 262144) gets none before the first answer and survives what it gets.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
lab_daemon
python "$lab_here/ping.py"
