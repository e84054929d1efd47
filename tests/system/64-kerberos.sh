#!/usr/bin/env bash
# Goal: a ticket of a real MIT KDC logs in, in SPNEGO and raw, through the whole tunnel and with mutual authentication, whose last
# token comes with the 200; a replayed, expired or foreign one, one for another service, and one of a realm or an account that is
# not let in gets the same 401 as all, and the log tells which it was. Channel bindings count as extended_protection wants. A KDC
# says whether a password of Basic is right; while it is silent nobody else waits, and the daemon ends. A keytab without the key is
# told at the start, by -t and at a reload, and a new key in it counts at once.
LAB_AUTH='negotiate ntlm basic'
. "$(dirname "$0")/lab.sh"
. "$lab_here/kdc.sh"
lab_kdc
lab_samba 1
lab_server plain=tcp http=http
printf '%s\n' "$LAB_PASSWORD" | ctl user add gone --upn gone@lab.example >/dev/null
ctl user disable gone >/dev/null
for user in alice gone "$LAB_USER"; do kadmin_local addprinc -pw "$LAB_PASSWORD" "$user"; done
kadmin_local addprinc -randkey HTTP/other.lab.example
kadmin_local addprinc -randkey host/proxy.lab.example
kadmin_local ktadd -k "$LAB_KEYTAB" host/proxy.lab.example
for user in alice gone "$LAB_USER"; do lab_ticket "$user"; done
lines=("kerberos_keytab = $LAB_KEYTAB" "kerberos_passwords = yes" "admit = realm LAB.EXAMPLE" "admit = realm HANGING.EXAMPLE")
lab_daemon "${lines[@]}"

step "curl"
ask() {   # STATUS USER ARGUMENT ...
    local status=$1 user=$2 found
    shift 2
    found=$(KRB5CCNAME=FILE:$LAB_DIR/tickets-$user curl -sk -o /dev/null -w '%{http_code}' -m 20 -X RPC_IN_DATA \
        --connect-to "proxy.lab.example::${LAB_PLAIN%:*}:${LAB_PLAIN##*:}" "$@") || :
    check "$user, curl $*: $found instead of $status" [ "$found" = "$status" ]
}
for user in alice "$LAB_USER"; do
    ask 200 "$user" --negotiate -u : "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"
done
ask 401 gone --negotiate -u : "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"
ask 401 alice --negotiate -u : --connect-to "other.lab.example::${LAB_PLAIN%:*}:${LAB_PLAIN##*:}" \
    "http://other.lab.example/rpc/rpcproxy.dll?$T_plain"
for user in alice@LAB.EXAMPLE alice@lab.example; do
    ask 200 nobody --basic -u "$user:$LAB_PASSWORD" "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"
done
ask 200 nobody --basic -u "$LAB_USER@lab.example:$LAB_PASSWORD" "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"
for user in alice@lab.example:wrong nobody@lab.example:wrong "alice@else.example:$LAB_PASSWORD" "alice:$LAB_PASSWORD" \
    "gone@lab.example:$LAB_PASSWORD"; do
    ask 401 nobody --basic -u "$user" "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"
done

python "$lab_here/kerberos.py" tickets
step "rpctunnel-ping, through the whole tunnel"
kadmin_local addprinc -randkey HTTP/localhost
kadmin_local ktadd -k "$LAB_KEYTAB" HTTP/localhost
for address in "http://localhost:${LAB_PLAIN##*:}" "https://localhost:${LAB_TLS##*:} --insecure"; do
    # shellcheck disable=SC2086
    found=$(KRB5CCNAME=FILE:$LAB_DIR/tickets-alice "$OBJ/rpctunnel-ping" --proxy $address -H Negotiate -s exch01 -e 6001 2>&1) ||
        check "rpctunnel-ping: $found" false
    check "no word of the ticket: $found" grep -q 'a Kerberos ticket of alice@LAB.EXAMPLE' <<<"$found"
done

step "a service with a key of its own gets its tickets itself"
kadmin_local ktadd -k "$LAB_DIR/node.keytab" alice
python "$lab_here/kerberos.py" service
kadmin_local cpw -pw "$LAB_PASSWORD" alice
lab_ticket alice

lab_mute_kdc
python "$lab_here/kerberos.py" silence
step "nor the end of the daemon"   # for as long as the library waits, half a minute
lab_daemon_stop
check "a line tells of it" have_line kdc-silent
lab_daemon_again
lab_kdc_stop
python "$lab_here/kerberos.py" stopped
lab_kdc_start

step "a new key counts at once"
kadmin_local ktadd -k "$LAB_KEYTAB" HTTP/proxy.lab.example
lab_ticket alice
ask 200 alice --negotiate -u : "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"

step "a reload without the keytab is refused, and tickets are taken on"
mv "$LAB_KEYTAB" "$LAB_KEYTAB.aside"
kill -HUP "$LAB_PID"
check "no line" wait_line reload-refused kerberos_keytab 'No such file'
mv "$LAB_KEYTAB.aside" "$LAB_KEYTAB"
ask 200 alice --negotiate -u : "http://proxy.lab.example/rpc/rpcproxy.dll?$T_plain"
lab_daemon_stop

step "a keytab without the key"
kadmin_local ktadd -k "$LAB_DIR/host.keytab" host/proxy.lab.example
for file in "$LAB_DIR/host.keytab" "$LAB_DIR/nothing.keytab" "$LAB_DIR/cert.pem"; do
    sed "s,^kerberos_keytab.*,kerberos_keytab = $file," "$LAB_DIR/rpctunneld.conf" >"$LAB_DIR/bad.conf"
    for way in -t -f; do
        found=$("$OBJ/rpctunneld" $way -c "$LAB_DIR/bad.conf" 2>&1 >/dev/null) && fail "$way with $file"
        case $found in
        *"kerberos_keytab: $file: "*"No such file"* | *"there is no key of HTTP; it has host/proxy.lab.example@LAB.EXAMPLE; add one"* | \
            *"this is no keytab"*) ;;
        *) check "$way with $file: $found" false ;;
        esac
    done
done

step "extended protection"
binding=$({ printf tls-server-end-point: && openssl x509 -in "$LAB_DIR/cert.pem" -outform DER | openssl dgst -sha256 -binary; } | base64 -w 0)
for policy in off allow require; do
    sed -i '/^extended_protection/d' "$LAB_DIR/rpctunneld.conf"
    echo "extended_protection = $policy" >>"$LAB_DIR/rpctunneld.conf"
    [ $policy != require ] || sed -i '/^listen =/d' "$LAB_DIR/rpctunneld.conf"
    lab_daemon_again
    python "$lab_here/kerberos.py" binding $policy "$binding"
    lab_daemon_stop
done

step "two users, and neither password nor token in the log"
check "the log shows a secret" bash -c '! grep -F -e "$LAB_PASSWORD" -e "Negotiate YI" "$LAB_LOG"'
