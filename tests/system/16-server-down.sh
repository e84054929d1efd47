#!/usr/bin/env bash
# Goal: a server that cannot be reached. Refused, silent, or a name that does not resolve: OUT is answered with `503 RPC
# Error: 6ba` after A1, IN is closed, both in bounded time and with one reason in the log. A name with several addresses is
# reached at the one that answers, IPv4 or IPv6.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_second() {   # NAME ADDRESS: another server on an address of its own; target test01:70NN
    /usr/bin/python3 "$lab_here/ncacn_http_server.py" --address "$2" "$1=tcp" >"$LAB_DIR/$1.out" 2>"$LAB_DIR/$1.err" &
    lab_pids+=($!)
    local ports
    ports=$(lab_ready "$LAB_DIR/$1.out" $! "$LAB_DIR/$1.err")
    ctl endpoint add TEST01 "$3" --transport ncacn_ip_tcp --connect "localhost:${ports#*=}" >/dev/null
}
closed=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# A listener whose queue is full does not answer.
/usr/bin/python3 - >"$LAB_DIR/silent.out" <<'END' &
import socket, sys, time
full = socket.socket()
full.bind(('127.0.0.1', 0))
full.listen(0)
waiting = []
for _ in range(4):
    waiting.append(socket.socket())
    waiting[-1].setblocking(False)
    waiting[-1].connect_ex(full.getsockname())
time.sleep(0.2)
print('ready', full.getsockname()[1], flush=True)
time.sleep(1000)
END
lab_pids+=($!)
silent=$(lab_ready "$LAB_DIR/silent.out" $! /dev/null)
port=7020
for transport in ncacn_ip_tcp ncacn_http; do
    for where in 127.0.0.1:$closed 127.0.0.1:$silent no-such-name.invalid:6001; do
        ctl endpoint add TEST01 $port --transport $transport --connect $where >/dev/null
        port=$((port + 1))
    done
done
lab_second v4 127.0.0.1 7030
if [ -e /proc/net/if_inet6 ] && grep -q ' lo$' /proc/net/if_inet6 && getent ahostsv6 localhost | grep -q '^::1'; then
    lab_second v6 ::1 7031
    export BOTH='test01:7030 test01:7031'
else
    step "this machine has no IPv6 for localhost: IPv4 alone is tried"
    export BOTH=test01:7030
fi
lab_daemon 'connect_timeout = 700ms' 'setup_timeout = 8s'
python "$lab_here/server_down.py"
