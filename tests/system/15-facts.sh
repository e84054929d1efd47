#!/usr/bin/env bash
# Goal: what real clients were found to demand of the first moments of a tunnel, with a raw client: 100 Continue on both
# channels and no 200 before A1 (fact 1), legal numbers in A3 and C2 (5), no chunked OUT (7), A1 and B1 in any order (9),
# Content-Length 1 GiB (10), nothing depends on Host, Accept or User-Agent (13), PDUs pass unchanged (14).
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http late=http,late_open=500
lab_daemon
python "$lab_here/facts.py"
