#!/usr/bin/env bash
# Goal: the first bytes of real clients (tests/vectors/clients: impacket, Samba, Wine, FreeRDP), replayed as they were captured.
# Those with Basic get through to CONN/C2 and their RPC PDUs reach the server byte for byte; those with NTLM or Negotiate get
# the schemes that are offered, on a connection that stays usable, and get through once their Authorization is Basic. In front
# of both next hops. What is odd about each client is a row of its own.
. "$(dirname "$0")/lab.sh"
lab_server tcp=tcp,record http=http,record
for name in labsrv:6001 localhost:3388; do
    ctl server add "${name%:*}" --fqdn "${name%:*}.lab.example" >/dev/null
    ctl valid-ports add "$name" >/dev/null
done
for hop in tcp http; do
    port=P_$hop transport=ncacn_ip_tcp
    [ $hop = tcp ] || transport=ncacn_http
    for name in labsrv:6001 localhost:3388; do
        [ $hop = tcp ] || ctl endpoint remove "${name%:*}" "${name#*:}" >/dev/null
        ctl endpoint add "${name%:*}" "${name#*:}" --transport $transport --connect "$lab_net.21:${!port}" >/dev/null
    done
    lab_daemon
    step "next hop $transport"
    python "$lab_here/real_clients.py" "$lab_top/tests/vectors/clients" $hop
    lab_daemon_stop
done
