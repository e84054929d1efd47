#!/usr/bin/env bash
# Goal: impacket reaches a real Samba server, plain and TLS, with one call, with thousands, and with more than 256 KiB each
# way; over ncacn_http as next hop too. It insists on 100 Continue on both channels (fact 1).
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_server bridge=bridge=$SAMBA1:$SAMBA1_SAMR
lab_daemon

client() { timeout -k 1 50 "$lab_here/impacket_client.py" "$1" "$2" "$LAB_USER" "$LAB_PASSWORD" "${@:3}"; }
enough() {   # at least 256 KiB of RPC each way
    local up down
    up=$(grep -o 'up=[0-9]*' <<<"$1" | cut -d= -f2) down=$(grep -o 'down=[0-9]*' <<<"$1" | cut -d= -f2)
    [ "$up" -gt 262144 ] && [ "$down" -gt 262144 ]
}

for url in "http://$LAB_PLAIN" "https://$LAB_TLS"; do
    step "${url%%:*}: $(client "$url" exch01:6001 mgmt)"
    many=$(client "$url" exch01:6001 calls=3000)
    step "${url%%:*}: $many"
    check "less than 256 KiB each way: $many" enough "$many"
    big=$(client "$url" exch01.lab.example:6001 samr=9)
    step "${url%%:*}: $big"
    check "less than 256 KiB each way: $big" enough "$big"
done

step "next hop ncacn_http: $(client "http://$LAB_PLAIN" "$T_bridge" mgmt samr=9 | tr '\n' ' ')"
check "the server saw a violation: $(grep violation "$LAB_SERVER_LOG" | head -3)" bash -c '! grep -q violation "$LAB_SERVER_LOG"'

step "a refused target and a wrong password are told as such"
refused=$(client "http://$LAB_PLAIN" nowhere:6001 mgmt 2>&1) && fail "a refused target was not refused"
check "not told as 6ba: $(tail -1 <<<"$refused")" grep -qi '6ba\|SERVER_UNAVAILABLE' <<<"$refused"
denied=$(timeout 20 "$lab_here/impacket_client.py" "http://$LAB_PLAIN" exch01:6001 "$LAB_USER" wrong mgmt 2>&1) && fail "a wrong password was taken"
check "not told as 401: $(tail -1 <<<"$denied")" grep -q 401 <<<"$denied"
