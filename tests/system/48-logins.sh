#!/usr/bin/env bash
# Goal: a storm of logins of nobody stops nobody else. While hundreds wait for one thread that checks passwords, a user who is
# known gets every answer, a tunnel opens and its route is looked at again after a change of the directory, all before the
# storm is over. Whoever waits too long in it is told what of: 503 RPC Error: 6bb, and one line that names the option.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
ctl server add TEST02 --fqdn test02.lab.example --role mailbox >/dev/null
ctl server add TEST03 --fqdn test03.lab.example --role mailbox >/dev/null
for name in TEST02 TEST03; do
    ctl endpoint add $name 6001 --transport ncacn_ip_tcp --connect "$lab_net.21:$P_plain" >/dev/null
done
ctl database add DB01 >/dev/null
ctl copy add DB01 TEST02 >/dev/null
ctl copy add DB01 TEST03 >/dev/null
ctl activate DB01 TEST02 >/dev/null
export MAILBOX=ad44b1e0-e44f-4a16-9396-3a437f594f88@lab.example
ctl mailbox add "$MAILBOX" DB01 >/dev/null
export CTL="$OBJ/rpctunnelctl -d $lab_db"
lab_daemon 'password_threads = 1'
python "$lab_here/logins.py"
