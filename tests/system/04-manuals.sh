#!/usr/bin/env bash
# Goal: what rpctunneld(8) says to put in front works as it stands: each configuration of another program in the manual is
# taken from there, given this laboratory's addresses and certificate, checked by the real program, and a call goes
# through it. A configuration that no row of the table below knows fails.
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_daemon
address=$lab_net.41
# A block of the manual begins with the comment that names its program.
/usr/bin/python3 - "$lab_top/man/rpctunneld.8" "$LAB_DIR" <<'END'
import re, sys
manual, folder = sys.argv[1:]
text = open(manual).read()
blocks = [part for block in re.findall(r'^\.Bd -literal.*?\n(.*?)^\.Ed', text, re.S | re.M)
          for part in re.split(r'\n(?=# )', block) if re.match(r'# (haproxy|nginx)', part)]
assert len(blocks) == 2, f'{len(blocks)} configurations; this scenario runs two'
for block in blocks:
    name = re.match(r'# (\w+)', block).group(1)
    open(f'{folder}/{name}.manual', 'w').write(block + '\n')
END
place() {   # FILE FROM TO: every FROM must be there
    grep -qF -- "$2" "$1" || fail "the manual has no \"$2\" any more"
    sed -i "s|$2|$3|g" "$1"
}
cat "$LAB_DIR/cert.pem" "$LAB_DIR/key.pem" >"$LAB_DIR/both.pem"

haproxy=$LAB_DIR/haproxy.manual
place "$haproxy" /etc/haproxy/mail.pem "$LAB_DIR/both.pem"
place "$haproxy" 'bind :443' "bind $address:8443"
place "$haproxy" 127.0.0.1:8080 "$LAB_PLAIN"
# As Debian's /etc/haproxy/haproxy.cfg has it, which the manual's lines are added to.
printf 'defaults\n    timeout connect 5000\n    timeout client 50000\n    timeout server 50000\n' | cat - "$haproxy" >"$LAB_DIR/haproxy.cfg"
said=$(haproxy -c -f "$LAB_DIR/haproxy.cfg" 2>&1) || fail "haproxy does not like it: $said"
haproxy -q -db -f "$LAB_DIR/haproxy.cfg" >"$LAB_DIR/haproxy.log" 2>&1 &
lab_pids+=($!)

nginx=$LAB_DIR/nginx.manual
place "$nginx" mail.pem "$LAB_DIR/cert.pem"
place "$nginx" mail.key "$LAB_DIR/key.pem"
place "$nginx" 'listen 443' "listen $address:9443"
place "$nginx" 127.0.0.1:8080 "$LAB_PLAIN"
# As Debian's /etc/nginx/nginx.conf has it: the modules first. The manual's lines stand outside http {}.
{ echo 'include /etc/nginx/modules-enabled/*.conf;'; cat "$nginx"; printf 'daemon off;\npid %s/nginx.pid;\nevents { }\nhttp { access_log off; }\n' "$LAB_DIR"; } >"$LAB_DIR/nginx.conf"
said=$(/usr/sbin/nginx -t -c "$LAB_DIR/nginx.conf" -e "$LAB_DIR/nginx.log" 2>&1) || fail "nginx does not like it: $said"
/usr/sbin/nginx -c "$LAB_DIR/nginx.conf" -e "$LAB_DIR/nginx.log" &
lab_pids+=($!)

for url in "https://$address:8443" "https://$address:9443"; do
    for _ in $(seq 100); do curl -sko /dev/null "$url/" && break; sleep 0.05; done
    said=$("$OBJ/rpctunnel-ping" --proxy "$url" --insecure -q --timeout=5 -H Basic -P "$LAB_USER,LAB,$LAB_PASSWORD" -s exch01 -e 6001 2>&1) ||
        fail "$url: $said"
    step "$url: $(tail -1 <<<"$said")"
done
