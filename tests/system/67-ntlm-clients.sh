#!/usr/bin/env bash
# Goal: real clients log in with what a domain leaves them, through the whole tunnel to a real Samba server. Samba's own ncacn_http
# client does it with NTLM, its default, plain and TLS, one call and more than 256 KiB each way, and its NTLM inside the tunnel
# meets the NTLM of its login; a wrong password ends as access denied. smbtorture passes with NTLM as it does with Basic.
# Extended protection that is allowed lets them in, and required, it does not: they have none.
LAB_AUTH=ntlm   # so that nothing else can have been used
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_server plain=tcp bridge=bridge=$SAMBA1:$SAMBA1_SAMR
printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$LAB_USER" on >/dev/null
lab_daemon

client() {
    timeout -k 1 50 "$lab_here/samba_client.py" "ncacn_http:$1[$2,RpcProxy=$3]" "$LAB_USER" "${PASSWORD:-$LAB_PASSWORD}" \
        "$LAB_DIR/cert.pem" "${@:4}" | tr '\n' ' '
}
for option in HttpAuthOption=ntlm ""; do
    for proxy in "$LAB_PLAIN,HttpUseTls=false" "$LAB_TLS"; do
        where=$proxy${option:+,$option}
        step "$where: $(client exch01 6001 "$where" mgmt)"
        step "$where: $(client exch01.lab.example 6001 "$where" samr=5)"
        step "$where, next hop ncacn_http: $(client "${T_bridge%:*}" "${T_bridge#*:}" "$where" mgmt samr=2)"
        denied=$(PASSWORD=wrong client exch01 6001 "$where" mgmt 2>&1) && fail "a wrong password was taken"
        check "not told as access denied: $(tail -1 <<<"$denied")" grep -qi denied <<<"$denied"
    done
done
check "the server saw a violation: $(grep violation "$LAB_SERVER_LOG" | head -3)" bash -c '! grep -q violation "$LAB_SERVER_LOG"'

for proxy in "$LAB_PLAIN,HttpUseTls=false" "$LAB_TLS"; do
    if ! output=$(timeout -k 1 40 smbtorture -s "$LAB_DIR/samba1/smb.conf" -U "$LAB_USER%$LAB_PASSWORD" --option="tls verify peer=no_check" \
        "ncacn_http:exch01[6001,RpcProxy=$proxy,HttpAuthOption=ntlm]" rpc.asyncbind 2>&1); then
        tail -n 20 <<<"$output"
        fail "smbtorture with NTLM over $proxy"
    fi
    step "smbtorture, $proxy: $(grep '^success' <<<"$output")"
done
lab_daemon_stop

# None of the three binds its login to TLS: it is let in as long as it need not.
sed -i '/^listen =/d' "$LAB_DIR/rpctunneld.conf"
for policy in allow require; do
    sed -i '/^extended_protection/d' "$LAB_DIR/rpctunneld.conf"
    echo "extended_protection = $policy" >>"$LAB_DIR/rpctunneld.conf"
    lab_daemon_again
    let_in=
    ! client exch01 6001 "$LAB_TLS" mgmt >"$LAB_DIR/output" 2>&1 || let_in=samba
    ! PROXY_AUTH=ntlm timeout -k 1 50 "$lab_here/impacket_client.py" "https://$LAB_TLS" exch01:6001 "$LAB_USER" "$LAB_PASSWORD" mgmt \
        >"$LAB_DIR/output" 2>&1 || let_in+=' impacket'
    ! curl -skf -o /dev/null -m 20 -X RPC_IN_DATA --ntlm -u "$LAB_USER:$LAB_PASSWORD" "https://$LAB_TLS/rpc/rpcproxy.dll" || let_in+=' curl'
    step "extended protection, $policy: let in: ${let_in:-nobody}"
    case $policy in
    allow) check "not all were let in: $let_in" [ "$let_in" = 'samba impacket curl' ] ;;
    require)
        check "let in without a binding: $let_in" [ -z "$let_in" ]
        check "the log does not say why" have_line refused 'no channel binding, and it is required'
        ;;
    esac
    lab_daemon_stop
done
