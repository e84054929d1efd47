#!/usr/bin/env bash
# Goal: two nodes share the work without affinity. IN and OUT on either, in all four combinations, in front of a plain
# DCE/RPC server and of a real ncacn_http server; channels are replaced on either node between calls. A pairing port with a
# target is an ncacn_http server for every proxy, and for clients without one. What may not join is refused alone. A node that dies takes the tunnels
# with it that ran over it, and new ones work at once; a channel can come to it again when it is back.
. "$(dirname "$0")/lab.sh"
lab_server http=http plain=tcp
ctl endpoint add TEST01 7050 --transport ncacn_http --connect "$lab_net.2:6001" >/dev/null
lab_daemon "${LAB_NODES[@]}" "pairing_listen = $lab_net.2:6001 $T_plain" 'setup_timeout = 3s' 'channel_lifetime = 2MiB'
lab_mate
direct() { "$OBJ/rpctunnel-ping" --direct -s "$lab_net.2" "$@"; }
direct -e 6001 -i 200 >"$LAB_DIR/direct" || fail "a client without a proxy at a pairing port: $(cat "$LAB_DIR/direct")"
check "calls without a proxy" grep -q '200 of 200 calls' "$LAB_DIR/direct"
check "version 1 at the port of the nodes" bash -c '! "$@" >/dev/null 2>&1' - "$OBJ/rpctunnel-ping" --direct --timeout=2 -s "$lab_net.2" -e 6010
LAB_NET=$lab_net /usr/bin/python3 "$lab_here/nodes.py" &
test=$!
lab_pids+=("$test")
# It ends the second node when it is ready for that, and goes on when that is back.
until [ -e "$LAB_DIR/mate-gone" ] || ! kill -0 "$test" 2>/dev/null; do sleep 0.05; done
wait "$LAB_MATE_PID" 2>/dev/null || :
LAB_MATE_PID=0
lab_mate
echo "$LAB_MATE" >"$LAB_DIR/mate-back"
wait "$test" || fail "nodes.py: $?"
