#!/usr/bin/env bash
# Goal: who may pass. No password and a wrong one get a 401 which keeps the connection (fact 4, on HTTP/1.0 too) when the
# body is short, and which ends it when it is not; user, DOMAIN\user and user@domain all work (fact 12), and a default_domain
# means the same as none; what is not UTF-8 is Windows-1252, as browsers send it; the two channels
# of a virtual connection must have one principal; Basic needs TLS unless the configuration says otherwise; the log never
# shows a password.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
printf 'Grüße1\n' | ctl user add jörg --ntlm >/dev/null
lab_daemon 'setup_timeout = 2s' 'default_domain = CORP' 'default_domain = corp.example'
python "$lab_here/auth.py"

step "a disabled account"
ctl user disable "$LAB_OTHER_USER" >/dev/null
check "disabled account is not refused" python - <<'END'
import os, lab, rpch_client
refused = False
for _ in range(100):   # successes are cached for a short time
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', os.environ['T_plain'], 0, auth=lab.OTHER_AUTH)
        refused = channel.reply().status == 401
    if refused:
        break
    lab.time.sleep(0.1)
lab.check(refused, 'still let in 10 s after the account was disabled')
lab.done()
END
check "the log shows a password" bash -c '! grep -F -e "$LAB_PASSWORD" -e "$(printf %s "$LAB_USER:$LAB_PASSWORD" | base64)" "$LAB_LOG"'
lab_daemon_stop

step "Basic without TLS, when the configuration does not allow it"
sed -i 's/^basic_without_tls.*/basic_without_tls = no/' "$LAB_DIR/rpctunneld.conf"
lab_daemon_again
check "Basic on plain HTTP" python - <<'END'
import os, lab
with lab.channel() as channel:
    channel.request('RPC_IN_DATA', os.environ['T_plain'], 0, auth=lab.AUTH)
    reply = channel.reply()
    lab.check(reply.status in (401, 403), f'plain: {reply}')
    lab.check(not any('basic' in value.lower() for value in reply.all('www-authenticate')), 'Basic is offered on plain HTTP')
with lab.channel(tls=True) as channel:
    channel.request('RPC_IN_DATA', os.environ['T_plain'], 0, auth=lab.AUTH)
    lab.same(channel.reply().status, 200, 'TLS')
lab.done()
END
