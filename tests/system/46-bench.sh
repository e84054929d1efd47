#!/usr/bin/env bash
# Goal: what `make bench` measures with does not rot. Tunnels open at a rate and at once beside others that talk at a pace, and
# none is lost or refused; one that is refused is counted, not overlooked; what a relay holds up shows in the figures; more
# tunnels than a process has descriptors for go over several; the plot is well-formed and stays inside its frame. No figure has
# to be good, and no other relay is needed.
. "$(dirname "$0")/lab.sh"
python "$lab_here/bench.py"
