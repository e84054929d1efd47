#!/usr/bin/env bash
# Goal: tshark, which nobody here wrote, names the PDUs of all four recycling sequences (MS-RPCH 3.2.1.5.3.2 to .5) in captures
# of both sides: the bodies of the client's requests and the raw RTS PDUs towards the server. Two daemons with one directory
# take the successors; calls run before, during and after. On each connection come exactly the PDUs of the specification, in
# its order, and none is malformed. At the end: which test saw the daemon send and receive each RTS PDU of 2.2.4.
. "$(dirname "$0")/lab.sh"
lab_server http=http plain=tcp
lab_daemon 'channel_lifetime = 2MiB'
lab_mate
lab_capture "$LAB_DIR/all.pcap" "tcp and (net $lab_net.0/24 or port ${LAB_PLAIN##*:})"
python "$lab_here/tshark_recycling.py"
lab_capture_stop
check "the capture lost packets" bash -c '! grep -E "[1-9][0-9]* packets? dropped" "$1"' - "$LAB_DIR/all.pcap.log"
python "$lab_here/pdus_of.py" "$LAB_DIR/all.pcap" "$LAB_DIR/client.pcap" http "${LAB_PLAIN##*:}" "${LAB_MATE##*:}"
python "$lab_here/pdus_of.py" "$LAB_DIR/all.pcap" "$LAB_DIR/server.pcap" rpc "$P_http"
python "$lab_here/tshark_judge.py" "$lab_top"
