#!/usr/bin/env bash
# Goal: FreeRDP is the one real client that recycles OUT channels. A client that does what its gateway code does, PDU by PDU, and
# gives up where that gives up, is taken through one replacement and through many in a row under load in both directions, over
# TLS, in front of both next hops.
. "$(dirname "$0")/lab.sh"
lab_server tcp=tcp http=http
ctl server add localhost --fqdn localhost.lab.example >/dev/null
ctl valid-ports add localhost:3388 >/dev/null
for hop in tcp http; do
    port=P_$hop transport=ncacn_ip_tcp
    [ $hop = tcp ] || { transport=ncacn_http; ctl endpoint remove localhost 3388 >/dev/null; }
    ctl endpoint add localhost 3388 --transport $transport --connect "$lab_net.21:${!port}" >/dev/null
    lab_daemon 'channel_lifetime = 128KiB'
    lab_mate
    step "next hop $transport"
    python "$lab_here/freerdp.py" "$lab_top/tests/vectors/clients/freerdp-ntlm.txt" $hop
    lab_daemon_stop
done
