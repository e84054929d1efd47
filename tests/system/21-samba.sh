#!/usr/bin/env bash
# Goal: Samba's client library reaches a real Samba server, plain and TLS (1.3 without session tickets: fact 8), both byte
# orders, one call, thousands, and more than 256 KiB each way though it never acknowledges anything and hangs on any RTS PDU
# after C2 (fact 6, flow control decision 2).
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_server bridge=bridge=$SAMBA1:$SAMBA1_SAMR
lab_daemon

client() {
    timeout -k 1 50 "$lab_here/samba_client.py" "ncacn_http:$1[$2,RpcProxy=$3,HttpAuthOption=basic]" \
        "$LAB_USER" "${PASSWORD:-$LAB_PASSWORD}" "$LAB_DIR/cert.pem" "${@:4}" | tr '\n' ' '
}
for proxy in "$LAB_PLAIN,HttpUseTls=false" "$LAB_TLS"; do
    step "$proxy: $(client exch01 6001 "$proxy" mgmt)"
    step "$proxy: $(client exch01 6001 "$proxy" calls=4000)"
    step "$proxy: $(client exch01.lab.example 6001 "$proxy" samr=12)"
    step "$proxy, read only: $(client exch01 6001 "$proxy" down=700)"
    step "$proxy, big-endian: $(client exch01 "6001,bigendian" "$proxy" mgmt samr=2)"
done

step "next hop ncacn_http: $(client "${T_bridge%:*}" "${T_bridge#*:}" "$LAB_PLAIN,HttpUseTls=false" mgmt samr=12)"
check "the server saw a violation: $(grep violation "$LAB_SERVER_LOG" | head -3)" bash -c '! grep -q violation "$LAB_SERVER_LOG"'

step "a refused target and a wrong password"
refused=$(client nowhere 6001 "$LAB_PLAIN,HttpUseTls=false" mgmt 2>&1) && fail "a refused target was not refused"
denied=$(PASSWORD=wrong client exch01 6001 "$LAB_PLAIN,HttpUseTls=false" mgmt 2>&1) && fail "a wrong password was taken"
check "not told as access denied: $(tail -1 <<<"$denied")" grep -qi 'denied' <<<"$denied"
