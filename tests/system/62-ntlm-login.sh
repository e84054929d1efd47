#!/usr/bin/env bash
# Goal: NTLM and Negotiate log in, raw and inside SPNEGO. curl does it, on both methods, with --ntlm, with --anyauth, and with --negotiate over
# gss-ntlmssp; impacket makes calls through the whole tunnel, plain and TLS. A wrong password, an account without NTLM and a
# disabled one get the same 401. A connection stays logged in, as whom it was first; behind a front it does not. The last token
# of SPNEGO comes with the 200, of the OUT channel too. With extended protection a login is good for the channel that it names.
# The log shows no hash and no token.
LAB_AUTH='negotiate ntlm basic'
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_server plain=tcp http=http
for name in "$LAB_USER" "$LAB_OTHER_USER"; do printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$name" on >/dev/null; done
printf '%s\n' "$LAB_PASSWORD" | ctl user add nohash >/dev/null
printf '%s\n' "$LAB_PASSWORD" | ctl user add gone --ntlm >/dev/null
ctl user disable gone >/dev/null
lab_daemon

step "curl"
plugin=$(find /usr/lib -name gssntlmssp.so | head -1)
[ -n "$plugin" ] || fail "gssntlmssp.so of gss-ntlmssp is not there"
echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $plugin" >"$LAB_DIR/mech"
touch "$LAB_DIR/krb5.conf"
echo "LAB:$LAB_USER:$LAB_PASSWORD" >"$LAB_DIR/right"
echo "LAB:$LAB_USER:wrong" >"$LAB_DIR/wrong"
ask() {   # STATUS ARGUMENT ...
    local status=$1 method found
    shift
    for method in RPC_IN_DATA RPC_OUT_DATA; do
        found=$(curl -sk -o /dev/null -w '%{http_code}' -m 20 -X $method "$@") || :
        check "curl -X $method $*: $found instead of $status" [ "$found" = "$status" ]
    done
}
for url in "http://$LAB_PLAIN/rpc/rpcproxy.dll?$T_plain" "https://$LAB_TLS/rpc/rpcproxy.dll?$T_plain"; do
    for user in "$LAB_USER" "LAB\\$LAB_USER" "lab\\${LAB_USER^^}"; do
        ask 200 --ntlm -u "$user:$LAB_PASSWORD" "$url"
    done
    ask 200 --basic -u "$LAB_USER:$LAB_PASSWORD" "$url"
    for user in "$LAB_USER:wrong" "nobody:$LAB_PASSWORD" "nohash:$LAB_PASSWORD" "gone:$LAB_PASSWORD" \
        "OTHER\\$LAB_USER:$LAB_PASSWORD"; do
        ask 401 --ntlm -u "$user" "$url"
    done
    export GSS_MECH_CONFIG=$LAB_DIR/mech KRB5_CONFIG=$LAB_DIR/krb5.conf KRB5CCNAME=MEMORY: LM_COMPAT_LEVEL=5
    NTLM_USER_FILE=$LAB_DIR/right ask 200 --negotiate -u : "$url"
    NTLM_USER_FILE=$LAB_DIR/right ask 200 --anyauth -u : "$url"
    NTLM_USER_FILE=$LAB_DIR/wrong ask 401 --negotiate -u : "$url"
done
for reason in "wrong password: $LAB_USER" "unknown user: nobody" "NTLM is not on for the account" "account disabled: gone"; do
    check "the log does not say \"$reason\"" have_line refused "$reason"
done

step "impacket through the whole tunnel"
export PROXY_AUTH=ntlm
client() { timeout -k 1 50 "$lab_here/impacket_client.py" "$1" "$2" "$LAB_USER" "$3" "${@:4}"; }
for url in "http://$LAB_PLAIN" "https://$LAB_TLS"; do
    step "${url%%:*}: $(client "$url" exch01:6001 "$LAB_PASSWORD" mgmt samr=3 | tr '\n' ' ')"
    denied=$(client "$url" exch01:6001 wrong mgmt 2>&1) && fail "a wrong password was taken"
    check "not told as 401: $(tail -1 <<<"$denied")" grep -q 401 <<<"$denied"
done

python "$lab_here/ntlm_login.py"
lab_daemon_stop

binding_of() { { printf tls-server-end-point: && openssl dgst -sha256 -binary; } | base64 -w 0; }
binding=$(openssl x509 -in "$LAB_DIR/cert.pem" -outform DER | binding_of)
other=$(binding_of <"$LAB_DIR/cert.pem")
for policy in allow require; do
    sed -i '/^extended_protection/d' "$LAB_DIR/rpctunneld.conf"
    echo "extended_protection = $policy" >>"$LAB_DIR/rpctunneld.conf"
    [ $policy = allow ] || sed -i '/^listen =/d' "$LAB_DIR/rpctunneld.conf"
    lab_daemon_again
    python "$lab_here/ntlm_login.py" $policy "$binding" "$other"
    lab_daemon_stop
done
check "the log shows a secret" bash -c '! grep -F -e "$LAB_PASSWORD" -e TlRMTVNTUA "$LAB_LOG"'
