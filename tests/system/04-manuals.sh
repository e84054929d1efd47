#!/usr/bin/env bash
# Goal: every configuration that README, the manuals and etc/ show loads in the program that it is for, without a warning,
# and does what the text says: real calls go through each front end, rpctunneld gets ready, systemd and sysctl take theirs.
# A block that the table of manuals.py does not know is a failure, and so is a row of the table without a block.
lab_private=1
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_daemon "listen = 127.0.0.1:8080"

mkdir -p /run/haproxy /var/log/nginx
cat "$LAB_DIR/cert.pem" "$LAB_DIR/key.pem" >/etc/haproxy/mail.pem
for folder in /etc/nginx /etc/rpctunnel; do
    mkdir -p $folder
    for name in mail mail.example.com certificate; do cp "$LAB_DIR/cert.pem" $folder/$name.pem; done
    for name in mail.key mail.example.com.key key.pem; do cp "$LAB_DIR/key.pem" $folder/$name; done
done
for address in 10.0.0.1 10.0.0.3 10.0.0.11 10.0.0.12 192.0.2.11; do ip address add $address dev lo; done
getent passwd rpctunnel >/dev/null || useradd --system --home-dir /var/lib/rpctunnel rpctunnel
install -d -o rpctunnel -g rpctunnel /var/lib/rpctunnel /run/rpctunnel
"$OBJ/rpctunnelctl" -d /var/lib/rpctunnel/directory.db init >/dev/null
python "$lab_here/manuals.py"
