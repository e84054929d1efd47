#!/usr/bin/env bash
# Goal: ten thousand calls each way, and megabytes in both directions at once, over channels of 128 KiB: one daemon in front
# of plain DCE/RPC servers; two daemons in front of ncacn_http servers, and of plain ones, with IN and OUT on the same one or on
# different ones, and with successors that stay or move. Every byte is compared; no PDU, no successor and no descriptor is lost.
. "$(dirname "$0")/lab.sh"
python "$lab_here/load.py"
