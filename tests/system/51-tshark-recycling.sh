#!/usr/bin/env bash
# Goal: tshark, which nobody here wrote, names the PDUs of all four recycling sequences (MS-RPCH 3.2.1.5.3.2 to .5) in captures
# of both sides: the bodies of the client's requests and the raw RTS PDUs towards the server, once a server that is not ours,
# once a pairing port of ours, and between two nodes. Two daemons with one directory take the successors; calls run before,
# during and after. On each connection come exactly the PDUs of the specification, in its order, and none is malformed. Our own
# client replaces its channels over both. At the end: which test saw each RTS PDU of 2.2.4 sent and received by its roles.
. "$(dirname "$0")/lab.sh"
lab_server http=http plain=tcp
export LAB_NET=$lab_net BENCH=$lab_net.22:7060 OBJ
ctl endpoint add TEST01 7050 --transport ncacn_http --connect "$lab_net.2:6001" >/dev/null
ctl endpoint add TEST01 7060 --transport ncacn_http --connect "$BENCH" >/dev/null
lab_daemon "${LAB_NODES[@]}" "pairing_listen = $lab_net.2:6001 $T_plain" 'channel_lifetime = 1280KiB'
lab_mate
lab_capture "$LAB_DIR/all.pcap" "tcp and (port ${LAB_PLAIN##*:} or port ${LAB_MATE##*:} or port $P_http or port 6001 or port 6010)"
python "$lab_here/tshark_recycling.py"
lab_capture_stop
check "the capture lost packets" bash -c '! grep -E "[1-9][0-9]* packets? dropped" "$1"' - "$LAB_DIR/all.pcap.log"
pdus() { python "$lab_here/pdus_of.py" "$LAB_DIR/all.pcap" "$LAB_DIR/$1.pcap" "${@:2}"; }
pdus client http "$LAB_PLAIN" "$LAB_MATE"
pdus other rpc "$lab_net.21:$P_http"
pdus ours rpc "$lab_net.2:6001"
pdus nodes rpc "$lab_net.2:6010" "$lab_net.3:6010"
python "$lab_here/tshark_judge.py" "$lab_top"
