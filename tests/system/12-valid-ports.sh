#!/usr/bin/env bash
# Goal: deny is the default. What the list generated from the directory and the operator's entries do not name is refused
# with `503 RPC Error: 6ba` before any name is looked up or any connection made; operator's entries live beside the
# generated ones; `explain` gives the same answer as the daemon.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
# A mailbox server of our own: its list entry is generated, its endpoints lead to the test server.
ctl server add EXCH09 --fqdn exch09.lab.example --role mailbox >/dev/null
for port in 6001 6002 6004 6003; do
    ctl endpoint add EXCH09 $port --transport ncacn_ip_tcp --connect "$lab_net.21:$P_plain" >/dev/null
done
ctl server add OUT01 --fqdn out01.lab.example --role mailbox >/dev/null
ctl endpoint add OUT01 6001 --transport ncacn_ip_tcp --connect "$lab_net.21:$P_plain" >/dev/null
ctl server out-of-service OUT01 >/dev/null
ctl valid-ports add 'wild*:7001' >/dev/null
lab_daemon

step "the list: $(ctl valid-ports list)"
for entry in exch09:6001-6002 exch09:6004 exch09.lab.example:6001-6002 exch09.lab.example:6004 test01:7001-7099; do
    check "$entry is not in the list" grep -qi "$entry" <(ctl valid-ports list)
done
check "a server out of service is in the list" bash -c "! grep -qi out01 <<<'$(ctl valid-ports list)'"

export REAL="127.0.0.1:${LAB_PLAIN##*:}" SERVER_DIRECT="$lab_net.21:$P_plain"
python "$lab_here/valid_ports.py"

step "explain agrees"
for target in exch09:6001 EXCH09.LAB.EXAMPLE:6004 test01:7001; do
    check "explain $target" bash -c "[[ \$($(printf '%q ' "$OBJ/rpctunnelctl" -d "$lab_db") explain $target 2>&1) == *allow* ]]"
done
for target in exch09:6003 nowhere:6001 localhost:22 out01:6001; do
    check "explain $target" bash -c "[[ \$($(printf '%q ' "$OBJ/rpctunnelctl" -d "$lab_db") explain $target 2>&1) != *allowed* ]]"
done

step "bad entries are refused by rpctunnelctl"
for entry in 'a' 'a:' ':1' 'a:0' 'a:65536' 'a:2-1' 'a*b:1' 'a:1-' 'a:x'; do
    check "entry $entry was taken" bash -c "! $(printf '%q ' "$OBJ/rpctunnelctl" -d "$lab_db" valid-ports add "$entry") >/dev/null 2>&1"
done
