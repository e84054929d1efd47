#!/usr/bin/env bash
# Goal: rpctunneld behaves as a daemon should. -t tells file, line and cause of every error; ready comes with the real
# ports; a failed start says why and leaves nothing behind; the background parent waits for ready; privileges go for good;
# SIGHUP takes what can be taken and names the rest; a changed directory is noticed; SIGTERM ends tunnels within
# drain_time with exit code 0; the service manager hears of it; no secret is in the log.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp

conf=$LAB_DIR/rpctunneld.conf
daemon=$OBJ/rpctunneld
error_of() { "$@" 2>&1 >/dev/null; }

step "-t: good, and every error with its line"
lab_daemon "drain_time = 3s"
check "a good configuration" "$daemon" -t -c "$conf"
bad=$LAB_DIR/bad.conf
expect_error() {
    local wanted=$1 found status=0
    printf '%s\n' "${@:2}" >"$bad"
    found=$("$daemon" -t -c "$bad" 2>&1) || status=$?
    check "-t must end with 1: $status" [ $status = 1 ]
    case $found in *"$wanted"*) ;; *) check "-t said: $found; expected: $wanted" false ;; esac
}
expect_error "$bad:2: unknown option \"lisen\"; did you mean \"listen\"?" "# comment" "lisen = 127.0.0.1:80"
expect_error "$bad:1: auth: \"digest\" is no authentication scheme; there are negotiate, ntlm, basic" "auth = ntlm digest"
expect_error "$bad: database is missing" "listen = 127.0.0.1:0"
good=("database = $lab_db" "listen = 127.0.0.1:0" "basic_without_tls = yes")
expect_error "$bad:4: user: there is no user \"nobody-here\"" "${good[@]}" "user = nobody-here"
expect_error "$bad:4: tls_certificate: " "${good[@]}" "tls_certificate = $LAB_DIR/none.pem" "tls_key = $LAB_DIR/key.pem"
expect_error "$bad:1: database: " "database = $LAB_DIR/none.db" "${good[@]:1}"
check "exit code 2 for a wrong command line" bash -c "! $daemon --nonsense 2>/dev/null; [ \$? = 0 ]"

step "ready with real ports; a second daemon on the same port cannot start"
case $LAB_PLAIN in 127.0.0.1:[1-9]*) ;; *) fail "ready says plain=$LAB_PLAIN" ;; esac
case $LAB_TLS in 127.0.0.1:[1-9]*) ;; *) fail "ready says tls=$LAB_TLS" ;; esac
/usr/bin/python3 - "$LAB_DIR/taken" <<'END' &
import socket, sys, time
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()
open(sys.argv[1], 'w').write(str(s.getsockname()[1]))
time.sleep(60)
END
holder=$!
lab_pids+=($holder)
for _ in $(seq 100); do [ -s "$LAB_DIR/taken" ] && break; sleep 0.05; done
printf '%s\n' "${good[@]:0:1}" "basic_without_tls = yes" "listen = 127.0.0.1:$(cat "$LAB_DIR/taken")" >"$bad"
found=$(error_of "$daemon" -f -c "$bad") && fail "started on a port that is taken"
case $found in *"$bad:3: listen: "*"127.0.0.1:"*"ddress already in use"*) ;; *) fail "bind error: $found" ;; esac

step "signals: SIGHUP keeps what runs and names what needs a restart"
kill -HUP "$LAB_PID"
check "reloaded" wait_line reloaded
echo "realm = changed" >>"$conf"
sed -i 's/drain_time = 3s/drain_time = 2s/' "$conf"
kill -HUP "$LAB_PID"
check "drain_time is in force" wait_line reload-option option=drain_time
check "realm needs a restart" wait_line reload-needs-restart option=realm
echo "nonsense" >>"$conf"
kill -HUP "$LAB_PID"
check "an error is refused" wait_line reload-refused 'this is not'
check "and the end says so" wait_line reloaded 'configuration="refused, the old one stays" directory=read'
sed -i '/^nonsense$/d; /^realm = changed$/d' "$conf"
mv "$conf" "$conf.kept"
mkfifo "$conf"
kill -HUP "$LAB_PID"
check "a pipe in the place of the file is refused, and nobody waits for it" wait_line reload-refused 'no regular file'
mv "$conf.kept" "$conf"

step "certificates are exchanged under the feet of the listener"
fingerprint() { openssl s_client -connect "$LAB_TLS" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256; }
before=$(fingerprint)
mv "$LAB_DIR/cert.pem" "$LAB_DIR/old.pem"
echo "no certificate" >"$LAB_DIR/cert.pem"
kill -HUP "$LAB_PID"
check "a broken certificate is refused" wait_line reload-refused tls_certificate
check "and the old one stays" [ "$before" = "$(fingerprint)" ]
rm "$LAB_DIR/cert.pem"
lab_certificate
kill -HUP "$LAB_PID"
changed() { [ "$before" != "$(fingerprint)" ]; }
for _ in $(seq 100); do changed && break; sleep 0.05; done
check "the new certificate is shown" changed

step "the directory: a disabled account is out within the two seconds of the watch"
status_of() { curl -s -o /dev/null -w '%{http_code}' --max-time 10 -u "$LAB_OTHER_USER:$LAB_PASSWORD" -X RPC_IN_DATA -H 'Content-Length: 0' \
    "http://$LAB_PLAIN/rpc/rpcproxy.dll?$T_plain"; }
check "200 before" [ "$(status_of)" = 200 ]
sleep 3
[ -z "$(have_line directory-changed)" ] || fail "the daemon takes its own list of the start for a change of the directory"
ctl user disable "$LAB_OTHER_USER" >/dev/null
sleep 3
check "401 after" [ "$(status_of)" = 401 ]
check "the change is told" have_line directory-changed

step "SIGTERM with an open tunnel: in order, within drain_time, exit code 0"
/usr/bin/python3 - >"$LAB_DIR/held" 2>&1 <<'END' &
import os
import lab
held = lab.tunnel(os.environ['T_plain']).open()
print('open', flush=True)
ends = [channel.closed() for channel in (held.outward, held.inward)]
print('ended in order' if all(ends) else f'reset: {ends}', flush=True)
END
holder=$!
lab_pids+=($holder)
for _ in $(seq 100); do grep -q open "$LAB_DIR/held" && break; sleep 0.05; done
check "the tunnel is open" grep -q open "$LAB_DIR/held"
begin=$(date +%s%N)
lab_daemon_stop
took=$((($(date +%s%N) - begin) / 1000000))
check "stopped after $took ms" [ $took -lt 4000 ]
check "a line says so" have_line stopped
check "the channels were closed with a reason" have_line closed 'daemon stops'
for _ in $(seq 60); do grep -q ended "$LAB_DIR/held" && break; sleep 0.05; done
check "the client saw an end, not a reset: $(cat "$LAB_DIR/held")" grep -q 'ended in order' "$LAB_DIR/held"

step "background: the parent waits, pid file, privileges gone, service manager told"
chmod 644 "$LAB_DIR/key.pem"
chown -R nobody "$(dirname "$lab_db")"
{ cat "$conf"; echo "user = nobody"; echo "pid_file = $LAB_DIR/pid"; } >"$LAB_DIR/bg.conf"
/usr/bin/python3 - "$LAB_DIR/notify" >"$LAB_DIR/notified" <<'END' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); s.settimeout(30)
while True:
    text = s.recv(1000).decode()
    print(text, flush=True)
    if text.startswith('STOPPING'):
        break
END
manager=$!
lab_pids+=($manager)
for _ in $(seq 100); do [ -S "$LAB_DIR/notify" ] && break; sleep 0.05; done
NOTIFY_SOCKET=$LAB_DIR/notify check "the start" "$daemon" -c "$LAB_DIR/bg.conf"
pid=$(cat "$LAB_DIR/pid")
check "runs" kill -0 "$pid"
check "READY=1 was sent" grep -qx READY=1 "$LAB_DIR/notified"
check "user and group are nobody's" [ "$(awk '/^Uid|^Gid/ { print $2, $3, $4, $5 }' "/proc/$pid/status" | tr '\n' ' ')" = "65534 65534 65534 65534 65534 65534 65534 65534 " ]
check "no other groups" [ "$(awk '/^Groups/ { print $2 }' "/proc/$pid/status")" = 65534 -o -z "$(awk '/^Groups/ { print $2 }' "/proc/$pid/status")" ]
check "no capabilities" grep -q '^CapPrm:	0000000000000000$' "/proc/$pid/status"
check "nothing new by exec" grep -q '^NoNewPrivs:	1$' "/proc/$pid/status"
check "no core dumps" grep -q '^Max core file size *0 *0 ' "/proc/$pid/limits"
check "a session of its own, without terminal" [ "$(awk '{ print $7 }' "/proc/$pid/stat")" = 0 ]
found=$(error_of "$daemon" -c "$LAB_DIR/bg.conf") && fail "two daemons with one pid file"
case $found in *"another rpctunneld runs"*) ;; *) fail "second start: $found" ;; esac
kill -TERM "$pid"
for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
check "has ended" bash -c "! kill -0 $pid 2>/dev/null"

step "background, started by somebody who has closed the standard descriptors"
check "the start" "$daemon" -c "$LAB_DIR/bg.conf" <&- >&- 2>&-
pid=$(cat "$LAB_DIR/pid")
ports=$(ss -Hltnp | sed -n "s/.*127\.0\.0\.1:\([0-9]*\) .*pid=$pid,.*/\1/p" | sort -u)
answers() {   # plain or TLS, whatever the port is
    curl -s -m 5 "http://127.0.0.1:$1/rpc/healthcheck.htm" || curl -sk -m 5 "https://127.0.0.1:$1/rpc/healthcheck.htm"
}
for _ in $(seq 5); do
    for port in $ports; do check "an answer at $port" [ "$(answers "$port")" = "200 OK" ]; done
done
check "it listens" [ -n "$ports" ]
for standard in 0 1 2; do
    check "descriptor $standard is $(readlink "/proc/$pid/fd/$standard")" [ "$(readlink "/proc/$pid/fd/$standard")" = /dev/null ]
done
kill -TERM "$pid"
for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
check "has ended" bash -c "! kill -0 $pid 2>/dev/null"
check "STOPPING=1 was sent" grep -qx STOPPING=1 "$LAB_DIR/notified"
check "the pid file says nothing any more" [ ! -s "$LAB_DIR/pid" ]

step "no secret in the log"
check "password" bash -c "! grep -qF '$LAB_PASSWORD' '$LAB_LOG'"
check "password in base64" bash -c "! grep -qF '$(printf '%s' "$LAB_USER:$LAB_PASSWORD" | base64)' '$LAB_LOG'"
check "hash" bash -c "! grep -qF '\$y\$' '$LAB_LOG'"
