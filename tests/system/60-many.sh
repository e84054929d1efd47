#!/usr/bin/env bash
# Goal: 200 tunnels at once, over both next hops, plain and TLS, all of them working; afterwards descriptors are back where
# they were, and memory does not grow from round to round. SIGTERM with tunnels open ends them in order.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
lab_daemon 'drain_time = 2s'
python "$lab_here/many.py"

step "SIGTERM with 20 tunnels open"
python - <<'END'
import os, signal, time, lab, rpch_client
tunnels = [lab.tunnel(os.environ[('T_plain', 'T_http')[n % 2]]).open() for n in range(20)]
for one in tunnels:
    one.bind()
os.kill(lab.PID, signal.SIGTERM)
start = time.monotonic()
for number, one in enumerate(tunnels):
    try:
        lab.check(one.outward.closed(6), f'tunnel {number}: RST instead of a close')
    except rpch_client.Slow:
        lab.check(False, f'tunnel {number}: still open 6 s after SIGTERM')
lab.check(time.monotonic() - start < 6, 'the end took too long')
lab.done()
END
