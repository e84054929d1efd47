#!/usr/bin/env bash
# Goal: the real FreeRDP reaches its gateway (target localhost:3388) through the daemon with NTLM bound to TLS, while extended
# protection is required: the tunnel opens, its bind is answered, its calls get as far as the first bytes for a desktop, and an OUT
# channel is replaced, whose successor logs in with NTLM, too, and carries the rest. A wrong password is refused.
LAB_AUTH=ntlm
. "$(dirname "$0")/lab.sh"
lab_directory
printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$LAB_USER" on >/dev/null
/usr/bin/python3 "$lab_here/gateway_server.py" "$lab_net.21" 62000 >"$LAB_DIR/gateway" 2>"$LAB_DIR/gateway.err" &
lab_pids+=($!)
port=$(lab_ready "$LAB_DIR/gateway" $! "$LAB_DIR/gateway.err")
ctl server add localhost --fqdn localhost.lab.example >/dev/null
ctl endpoint add localhost 3388 --transport ncacn_ip_tcp --connect "$lab_net.21:$port" >/dev/null
ctl valid-ports add localhost:3388 >/dev/null
lab_certificate
cat >"$LAB_DIR/rpctunneld.conf" <<END
listen_tls = 127.0.0.1:0
tls_certificate = $LAB_DIR/cert.pem
tls_key = $LAB_DIR/key.pem
database = $lab_db
auth = ntlm
extended_protection = require
channel_lifetime = 128KiB
END
LAB_LOG=$LAB_DIR/daemon.log
lab_daemon_again

Xvfb -displayfd 5 -screen 0 640x480x24 -nolisten tcp 5>"$LAB_DIR/display" 2>"$LAB_DIR/xvfb.log" &
lab_pids+=($!)
for _ in $(seq 200); do [ ! -s "$LAB_DIR/display" ] || break; sleep 0.05; done
DISPLAY=:$(cat "$LAB_DIR/display")
[ "$DISPLAY" != : ] || fail "no Xvfb: $(cat "$LAB_DIR/xvfb.log")"
export DISPLAY HOME=$LAB_DIR

client() {   # PASSWORD LOG
    exec timeout -k 1 40 xfreerdp /v:desktop.lab.example /gt:rpc "/g:$LAB_TLS" "/gu:$LAB_USER" "/gp:$1" /gd:LAB /u:nobody /p:nothing \
        /cert-ignore /sec:rdp /log-level:DEBUG >"$2" 2>&1
}
step "a session whose receive pipe fills half of an OUT channel"
client "$LAB_PASSWORD" "$LAB_DIR/client.log" &
session=$!
lab_pids+=($session)
check "the tunnel is not open" wait_line opened target=localhost:3388 user=labuser
check "no OUT channel was replaced" wait_line recycled channel=out
vc=$(have_line recycled channel=out | grep -o 'vc=[0-9a-f]*' | head -1)
check "not one IN channel and two OUT channels" [ "$(have_line 'info channel' | head -3 | grep -o 'RPC_[A-Z_]*' | sort | tr '\n' ' ')" = \
    "RPC_IN_DATA RPC_OUT_DATA RPC_OUT_DATA " ]
check "nothing went through the successor" wait_line closed "$vc" channel=out bytes=3636
check "the tunnel stays" wait_line closed "$vc" channel=in
wait $session || :   # the receive pipe has ended, and so does FreeRDP; until then its log is not written out
check "what the gateway saw: $(tr '\n' ' ' <"$LAB_DIR/gateway")" [ "$(head -9 "$LAB_DIR/gateway" | tail -8 | tr '\n' ' ')" = \
    "bind auth3 tunnel authorized channel pipe data sent " ]
check "FreeRDP does not tell of its success" grep -q 'TS Gateway Connection Success' "$LAB_DIR/client.log"
check "FreeRDP did not take the successor" grep -q 'Sending OUT_R2/A7' "$LAB_DIR/client.log"

step "a wrong password"
(client wrong "$LAB_DIR/wrong.log") && fail "FreeRDP is content"
check "the log does not say why" have_line refused 'reason="wrong password: lab\\labuser"' status=401
