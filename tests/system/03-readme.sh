#!/usr/bin/env bash
# Goal: every command that README and the EXAMPLES of the manuals show does what it says, in this order, from a clone
# without ./configure to real calls. The programs are those of $OBJ; they are not built again. The table of readme.py says
# how each command is run, or why it cannot be; a command that it does not know is a failure, and so is a row without one.
lab_private=1
. "$(dirname "$0")/lab.sh"
lab_server http=http tcp=tcp

# A clone: what git has.
clone=$LAB_DIR/clone
mkdir -p "$clone/obj"
cp -r "$lab_top"/{COPYING,Makefile,README,configure.ac,etc,include,man,scripts,src,tests} "$clone"
chmod -R u+w "$clone"
rm -rf "$clone/scripts/install-sh"

# What is on a real machine: somebody who is not root but may use sudo, names, a certificate that is trusted, services
# behind.
userdel reader 2>/dev/null || :
useradd --create-home --home-dir "$LAB_DIR/reader" --shell /bin/bash reader
echo 'reader ALL = NOPASSWD: ALL' >/etc/sudoers.d/reader
chown -R reader: "$clone"
programs=(-o obj/rpctunneld -o obj/rpctunnelctl -o obj/rpctunnel-ping)
printf '#!/bin/sh\nexec /usr/bin/make %s "$@"\n' "${programs[*]}" >/usr/local/bin/make   # where sudo looks, too
chmod 755 /usr/local/bin/make
export PATH=/usr/local/bin:$PATH
cat >/etc/hosts <<END
127.0.0.1 localhost mail.corp.example mail.example.com
127.0.0.21 ex1.corp.example ex2.corp.example exch01 exch01.example.com
127.0.0.22 files.corp.example
END
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=mail.corp.example \
    -addext 'subjectAltName=DNS:mail.corp.example,DNS:mail.example.com,IP:127.0.0.1' \
    -keyout "$LAB_DIR/key.pem" -out "$LAB_DIR/test-ca.pem" 2>"$LAB_DIR/openssl.log" || fail "openssl: $(cat "$LAB_DIR/openssl.log")"
mkdir -p /etc/ssl/certs
cat "$LAB_DIR/test-ca.pem" >>/etc/ssl/certs/ca-certificates.crt
cat >"$LAB_DIR/services.cfg" <<END
defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
listen http
    bind 127.0.0.21:6001
    bind 127.0.0.21:6002
    bind 127.0.0.21:6004
    server one $lab_net.21:$P_http
listen tcp
    bind 127.0.0.22:49152
    server one $lab_net.21:$P_tcp
END
haproxy -db -q -f "$LAB_DIR/services.cfg" &
lab_pids+=($!)
userdel rpctunnel 2>/dev/null || :
rm -rf /etc/rpctunnel /var/lib/rpctunnel
python "$lab_here/readme.py"
