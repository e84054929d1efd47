#!/usr/bin/env bash
# Goal: no head is read in two ways. Whatever could make another HTTP program see the end of a request elsewhere is refused
# and the connection ended; what follows such a head is never taken for a request.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_daemon 'head_timeout = 3s'
python "$lab_here/smuggling.py"
