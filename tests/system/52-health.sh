#!/usr/bin/env bash
# Goal: a load balancer knows which node works. haproxy asks the page that Exchange has, by GET, HEAD and its own OPTIONS, plain
# and over TLS, or only connects: the node is up, down while its directory cannot be read, up again, and down as soon as it
# drains, with tunnels still open. None of this is worth a line in the log.
. "$(dirname "$0")/lab.sh"
lab_server http=http
lab_daemon "${LAB_NODES[@]}" 'drain_time = 3s'
cat >"$LAB_DIR/haproxy.cfg" <<END
global
    stats socket $LAB_DIR/haproxy.sock
defaults
    mode tcp
    timeout connect 1s
    timeout client 10s
    timeout server 10s
    timeout check 1s
    default-server inter 100ms fall 2 rise 2
backend get
    option httpchk GET /rpc/healthcheck.htm
    http-check expect status 200
    server plain $LAB_PLAIN check
    server tls $LAB_TLS check check-ssl verify none
backend head
    option httpchk
    http-check send meth HEAD uri /RPC/HealthCheck.htm ver HTTP/1.1 hdr Host mail.example.com
    server plain $LAB_PLAIN check
    server tls $LAB_TLS check check-ssl verify none
backend options
    option httpchk
    server plain $LAB_PLAIN check
    server tls $LAB_TLS check check-ssl verify none
backend path_alone
    option httpchk /rpc/healthcheck.htm
    server plain $LAB_PLAIN check
backend connect
    server plain $LAB_PLAIN check
    server tls $LAB_TLS check
END
haproxy -q -db -f "$LAB_DIR/haproxy.cfg" >"$LAB_DIR/haproxy.log" 2>&1 &
lab_pids+=($!)
LAB_DB=$lab_db /usr/bin/python3 "$lab_here/health.py" || fail "$(cat "$LAB_DIR/haproxy.log")"
status=0
wait "$LAB_PID" || status=$?
LAB_PID=0
check "the drained node ended with $status" [ $status = 0 ]
check "a sanitizer or an assertion has spoken" bash -c '! grep -E "ERROR: |WARNING: Thread|runtime error:|Assertion" "$1"' - "$LAB_LOG"
