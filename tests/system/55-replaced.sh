#!/usr/bin/env bash
# Goal: a database file that is replaced while the daemon serves holds within the watch interval, without a restart: a restored
# copy that is moved over it, with a commit of a moment ago in the old one's log. So does a commit after
# somebody has removed the files of its log. A file that is taken away, or garbage in its
# place, is told once and shown by the health check; tunnels live on, nobody new comes in, and with the good file all is well.
. "$(dirname "$0")/lab.sh"
lab_server http=http
lab_daemon
export LAB_DB=$lab_db CTL="$OBJ/rpctunnelctl"
python "$lab_here/replaced.py"
