#!/usr/bin/env bash
# Goal: rpctunnel-ping logs in with every scheme, by what is asked for and by what is offered, alone and through the whole tunnel,
# bound to the TLS channel. What can go wrong with a login is really made to go wrong, and gets a verdict that names it: wrong
# password, no hash, extended protection behind a front that ends TLS, a front that uses another connection for each request,
# proxies that break the protocols. It proves that NTLM version 1 is refused, and says so loudly where it is not. A client
# certificate is shown where one is demanded.
LAB_AUTH='negotiate ntlm basic'
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$LAB_USER" on >/dev/null
lab_daemon

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=front.test -addext 'subjectAltName=IP:127.0.0.1' \
    -keyout "$LAB_DIR/front.key" -out "$LAB_DIR/front.crt" 2>"$LAB_DIR/openssl.log" || fail "$(cat "$LAB_DIR/openssl.log")"
for name in anna stranger; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name -keyout "$LAB_DIR/$name.key" \
        -out "$LAB_DIR/$name.crt" 2>"$LAB_DIR/openssl.log" || fail "$(cat "$LAB_DIR/openssl.log")"
done
python "$lab_here/ping_login.py"
lab_daemon_stop

for policy in allow require; do
    echo "extended_protection = $policy" >>"$LAB_DIR/rpctunneld.conf"
    [ $policy = allow ] || sed -i '/^listen =/d; /^extended_protection = allow/d' "$LAB_DIR/rpctunneld.conf"
    lab_daemon_again
    python "$lab_here/ping_login.py" $policy
    lab_daemon_stop
done
check "the log shows the password" bash -c '! grep -F -e "$LAB_PASSWORD" "$LAB_LOG"'
