#!/usr/bin/env bash
# Goal: a node that is told to end lets go of its tunnels softly. A client whose channels meet on the other node, and whose IN
# channel is there, is asked for a new OUT channel, brings it there, and loses not one call. What cannot go on without the node
# ends one after the other, not all at once; the node is gone within its drain_time, and new tunnels work on the other one.
. "$(dirname "$0")/lab.sh"
lab_server http=http plain=tcp
lab_daemon "${LAB_NODES[@]}" 'drain_time = 4s'
lab_mate
python "$lab_here/drain.py"
status=0
wait "$LAB_PID" || status=$?
LAB_PID=0
check "the drained node ended with $status" [ $status = 0 ]
check "a sanitizer or an assertion has spoken" bash -c '! grep -E "ERROR: |WARNING: Thread|runtime error:|Assertion" "$1"' - "$LAB_LOG"
check "the drain was cut" bash -c '! grep drain-cut "$1"' - "$LAB_LOG"
