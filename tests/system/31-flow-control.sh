#!/usr/bin/env bash
# Goal: flow control with clients that take part, and the five decisions for those that do not: a window of 65536
# acknowledged at half of it (1), silence towards an HTTP/1.0 client that announced 262144 (2), both guesses heal themselves
# (3), no RTS PDU between C2 and the server's first answer (4), bounded memory when a client does not read (5).
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http late=tcp,late_bind=700 late_http=http,late_bind=700
lab_daemon
python "$lab_here/flow_control.py"
