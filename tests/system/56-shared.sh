#!/usr/bin/env bash
# Goal: behind haproxy in HTTP mode with http-reuse always, users share haproxy's connections to the daemon, and nobody becomes
# another. Each request proves itself: one without credentials is refused right after one that was let in on the same connection,
# and two users who take turns on it both come in as themselves. NTLM, which logs in a connection, is not offered there, and an
# attempt is told as that.
LAB_AUTH='negotiate ntlm basic'
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
for name in "$LAB_USER" "$LAB_OTHER_USER"; do printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$name" on >/dev/null; done
lab_daemon
export LAB_FRONT=$lab_net.41:8080
cat >"$LAB_DIR/haproxy.cfg" <<END
global
    nbthread 1
defaults
    mode http
    http-reuse always
    option forwardfor
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen front
    bind $LAB_FRONT
    server daemon $LAB_PLAIN
END
haproxy -q -db -f "$LAB_DIR/haproxy.cfg" >"$LAB_DIR/haproxy.log" 2>&1 &
lab_pids+=($!)
for _ in $(seq 100); do ! ss -Hltn "src $lab_net.41" | grep -q . || break; sleep 0.05; done
python "$lab_here/shared.py"
