#!/usr/bin/env bash
# Goal: users of a domain log in with NTLM, without an account here. A Samba AD domain controller and winbindd of this machine, its
# member, run for it. NTLM raw and in SPNEGO, curl and impacket, every spelling of a name; a wrong password, and accounts that
# are disabled, expired, locked out by a group, or to change their password, get the same 401 and the log says why. Only the groups of
# admit come in. A local account of the same login counts for more. winbindd that does not run, may not be asked or is stopped
# keeps nobody else, nor the end of the daemon, and a domain controller that is gone is no wrong password: the log tells the remedy,
# and nothing needs a restart but the group.
lab_private=1
LAB_AUTH='negotiate ntlm basic'
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_samba 1
printf 'Other1!\n' | ctl user add local --domain CORP --ntlm >/dev/null
printf 'Other1!\n' | ctl user add shut --domain CORP --ntlm >/dev/null
ctl user disable shut >/dev/null
printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$LAB_USER" on >/dev/null

winbindd_start() {
    winbindd -F --no-process-group >>"$LAB_DIR/winbindd.log" 2>&1 &
    winbindd_pid=$!
    lab_pids+=($winbindd_pid)
    for _ in $(seq 200); do ! wbinfo -t >/dev/null 2>&1 || return 0; sleep 0.05; done
    fail "winbindd does not come up: $(tail -5 "$LAB_DIR/winbindd.log")"
}
logins() { python "$lab_here/domain_login.py" "$@"; }

step "winbindd does not run: told at once, local users come in"
# The least that the daemon needs: it is an ordinary user, who owns its database.
lab_certificate
chown -R daemon "$(dirname "$lab_db")" "$LAB_DIR/key.pem"
lab_daemon 'user = daemon' 'winbind = yes' 'admit = group "CORP\Mail Users"' 'admit = group CORP\No Such Group'
wait_line winbind 'domain users cannot log in' 'systemctl start winbind' || fail "the log does not tell the remedy"
told=$("$OBJ/rpctunneld" -t -c "$LAB_DIR/rpctunneld.conf" 2>&1) && fail "-t finds nothing wrong"
check "-t: $told" grep -q 'winbind: winbindd does not answer' <<<"$told"
logins unavailable 'has not told'

step "a domain, and this machine its member"
"$lab_here/ad-server.sh" "$LAB_DIR/ad" "$LAB_PASSWORD" >"$LAB_DIR/ad.out" 2>"$LAB_DIR/ad.err" &
ad_pid=$!
lab_pids+=($ad_pid)
lab_ready "$LAB_DIR/ad.out" $ad_pid "$LAB_DIR/ad.err" 60 >/dev/null
winbindd_start

step "winbindd may not be asked: told with the remedy"
kill -HUP "$LAB_PID"
wait_line winbind 'usermod -aG winbindd_priv daemon' || fail "the log does not tell the remedy"
logins unavailable 'has not told'
usermod -aG winbindd_priv daemon
lab_daemon_stop
lab_daemon_again
wait_line winbind domain=CORP dns_domain=corp.example computer=PROXY || fail "winbindd is not found"
wait_line admit 'No Such Group' 'lets nobody in' || fail "the log does not tell of a group that is not there"
"$OBJ/rpctunneld" -t -c "$LAB_DIR/rpctunneld.conf" || fail "-t"

logins people

step "curl"
ask() {   # STATUS USER PASSWORD
    local found
    found=$(curl -sk -o /dev/null -w '%{http_code}' -m 20 --ntlm -u "$2:$3" -X RPC_IN_DATA "https://$LAB_TLS/rpc/rpcproxy.dll?$T_plain") || :
    check "curl $2: $found instead of $1" [ "$found" = "$1" ]
}
for user in alice 'CORP\alice' 'corp\ALICE' alice@corp.example; do ask 200 "$user" "$LAB_PASSWORD"; done
ask 401 'CORP\alice' wrong
ask 401 'CORP\bob' "$LAB_PASSWORD"

step "impacket through the whole tunnel"
export PROXY_AUTH=ntlm
for url in "http://$LAB_PLAIN" "https://$LAB_TLS"; do
    step "${url%%:*}: $(timeout -k 1 50 "$lab_here/impacket_client.py" "$url" exch01:6001 alice "$LAB_PASSWORD" mgmt | tr '\n' ' ')"
done
check "the channel is not of one principal" have_line channel user=alice@corp.example >/dev/null

step "winbindd is stopped, and started again"
lab_end $winbindd_pid || fail "winbindd ended with $?"
logins unavailable 'winbindd does not answer'
winbindd_start
logins back

step "winbindd hangs: nobody else waits, and the daemon ends"
kill -STOP $winbindd_pid
logins hang
lab_daemon_stop
kill -CONT $winbindd_pid

step "a whole domain, and extended protection"
sed -i '/^admit/d; /^listen =/d' "$LAB_DIR/rpctunneld.conf"
printf '%s\n' 'admit = domain corp.example' 'extended_protection = require' >>"$LAB_DIR/rpctunneld.conf"
LAB_LOG=$LAB_DIR/daemon-bound.log
lab_daemon_again
wait_line winbind domain=CORP || fail "winbindd is not found"
binding_of() { { printf tls-server-end-point: && openssl dgst -sha256 -binary; } | base64 -w 0; }
logins bound "$(openssl x509 -in "$LAB_DIR/cert.pem" -outform DER | binding_of)" "$(binding_of <"$LAB_DIR/cert.pem")"
lab_daemon_stop

step "a group by its SID"
sed -i '/^admit/d; /^extended_protection/d' "$LAB_DIR/rpctunneld.conf"
printf 'listen = 127.0.0.1:0\nadmit = group %s\n' "$(wbinfo -n 'CORP\Staff' | cut -d' ' -f1)" >>"$LAB_DIR/rpctunneld.conf"
LAB_LOG=$LAB_DIR/daemon-sid.log
lab_daemon_again
wait_line winbind domain=CORP || fail "winbindd is not found"
logins staff

step "no domain controller answers"
lab_end $ad_pid || :
logins away
lab_daemon_stop
check "the log shows a secret" bash -c '! grep -F -e "$LAB_PASSWORD" -e "Other1!" -e TlRMTVNTUA "$LAB_DIR"/daemon*.log'
