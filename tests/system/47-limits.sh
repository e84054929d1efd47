#!/usr/bin/env bash
# Goal: at its limits the daemon refuses in order. A tunnel takes exactly the descriptors and local ports that the manual says,
# for each kind of next hop. When ports towards a server run out, clients get RPC Error 6b9 and the log says what to do; with
# connect_from there are as many more as there are addresses, and an address that the machine loses is passed over. When
# descriptors run out - before the first byte, in a request, on the way to the server, in a look-up, in a reload - clients get
# an answer or an orderly end, one line a second tells, established tunnels go on, and all works again when there are some.
# In a network namespace of its own: the range of local ports is made narrow.
if [ "$(id -u)" = 0 ] && [ -z "${LIMITS_NAMESPACE:-}" ]; then
    LIMITS_NAMESPACE=1 exec unshare --net "$(readlink -f "$0")" "$@"
fi
. "$(dirname "$0")/lab.sh"   # which comes back as root

lab_net=198.18.7   # RFC 2544: no machine's own; here they are, on the loopback device
ip link set lo up
echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse   # or a port rests for a minute after its connection
for host in 2 3 21 31 32; do ip address add "$lab_net.$host/32" dev lo; done
LAB_NODES=("pairing_listen = $lab_net.2:6010" "pairing_nodes = $lab_net.2:6010" "pairing_nodes = $lab_net.3:6010")
export LAB_NET=$lab_net MANUAL=$lab_top/man/rpctunneld.8
part() { python "$lab_here/limits.py" "$@"; }
ports() { echo "$*" >/proc/sys/net/ipv4/ip_local_port_range; }
# The daemon with another limit of descriptors.
limited() {
    local limit=$1 bin=$LAB_DIR/limited
    shift
    mkdir -p "$bin"
    printf '#!/bin/sh\nulimit -n %s\nexec %s "$@"\n' "$limit" "$OBJ/rpctunneld" >"$bin/rpctunneld"
    chmod 755 "$bin/rpctunneld"
    ln -sf "$OBJ/rpctunnelctl" "$bin/"
    OBJ=$bin lab_daemon "$@"
}

lab_server http=http plain=tcp
# One more, which is reached by its name, so that that is looked up.
/usr/bin/python3 "$lab_here/ncacn_http_server.py" --address 127.0.0.1 named=http >"$LAB_DIR/named.out" 2>"$LAB_DIR/named.err" &
lab_pids+=($!)
T_named=$(lab_ready "$LAB_DIR/named.out" $! "$LAB_DIR/named.err")
export T_named=localhost:${T_named#named=}
ctl valid-ports add "$T_named" >/dev/null

step "what the manual says about descriptors"
lab_daemon 'rpc_connect = authenticated'
part kinds
lab_daemon_stop
lab_daemon "${LAB_NODES[@]}"
lab_mate
export LAB_MATE_PID
part nodes
lab_daemon_stop

step "local ports run out"
lab_daemon
ports 20000 20019   # outside the usual range: nobody has bound one of them
part ports
check "the log tells what to do" wait_line warning shortage of=ports 'no local port is left' 'add connect_from'
lab_daemon_stop
ports 32768 60999

step "addresses to connect from"
lab_daemon "connect_from = $lab_net.31" "connect_from = $lab_net.32"
ports 20000 20019   # outside the usual range: nobody has bound one of them
part sources
check "the log names the lost address" wait_line warning shortage of=source-address "$lab_net.32"
lab_daemon_stop
ports 32768 60999
sed 's/^connect_from.*32$/connect_from = 192.0.2.1/' "$LAB_DIR/rpctunneld.conf" >"$LAB_DIR/foreign.conf"
line=$(grep -n 192.0.2.1 "$LAB_DIR/foreign.conf" | cut -d: -f1)
for how in -t -f; do
    "$OBJ/rpctunneld" -c "$LAB_DIR/foreign.conf" $how >"$LAB_DIR/foreign" 2>&1 && fail "$how takes a foreign address"
    check "$how: $(cat "$LAB_DIR/foreign")" \
        grep -q "foreign.conf:$line: connect_from: 192.0.2.1 is no address of this machine" "$LAB_DIR/foreign"
done

step "descriptors run short"
limited 256
check "a warning at the start" wait_line warning descriptors-few descriptors=256 connection_limit=20000 LimitNOFILE=
needed=$(have_line descriptors-few | tail -n 1 | sed 's/.*needed=\([0-9]*\).*/\1/')
part short
lab_daemon_stop
limited 256 'connection_limit = 40'
part few
lab_daemon_stop

step "what the warning asks for is enough"
if ulimit -n "$needed" 2>/dev/null; then
    : >"$LAB_LOG"
    limited "$needed"
    check "a warning with $needed descriptors" bash -c "! grep descriptors-few $LAB_LOG"
    lab_daemon_stop
else
    limited 4096 'connection_limit = 1000'
    check "a warning with 4096 descriptors for 1000 connections" bash -c "! tail -n 5 $LAB_LOG | grep descriptors-few"
    lab_daemon_stop
fi

step "no descriptors at all"
lab_daemon
part none
