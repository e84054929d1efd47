#!/usr/bin/env bash
# Goal: channels of 128 KiB instead of 1 GiB, in front of a plain DCE/RPC server: megabytes cross many OUT channels (OUT_R2)
# and many IN channels (IN_R2), plain and TLS, both at once, with nothing lost, repeated or out of order; a successor of
# another user, with another target or a wrong predecessor is refused alone; one that never completes costs nothing.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_daemon 'channel_lifetime = 128KiB' 'setup_timeout = 2s'
python "$lab_here/recycling.py"
step "the log counts $(grep -c ' recycled .*channel=out' "$LAB_LOG") OUT and $(grep -c ' recycled .*channel=in' "$LAB_LOG") IN channels replaced"
