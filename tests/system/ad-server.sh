#!/usr/bin/env bash
# An Active Directory domain of Samba's, CORP and corp.example, in the foreground, until it is killed; and this machine its
# member PROXY, so that winbindd can be started.
#
#   ad-server.sh DIRECTORY PASSWORD
#
# It takes the ports of a domain controller on 127.0.0.10 and writes to /etc, /run and /var/lib/samba, so it runs only where
# these and the network are a scenario's own. People and groups are told in ad_people.py; all have the PASSWORD. It prints one
# line when the domain answers:
#
#   ready
set -euo pipefail
dir=$1 password=$2
here=$(dirname "$(readlink -f "$0")")
address=127.0.0.10
[ -n "${LAB_PRIVATE:-}" ] || { echo "$0: only in a scenario with lab_private" >&2; exit 2; }

mkdir -p "$dir" /run/samba
rm -rf /etc/samba/smb.conf /var/lib/samba/private
mkdir -p /var/lib/samba/private
samba-tool domain provision --realm=CORP.EXAMPLE --domain=CORP --server-role=dc --dns-backend=SAMBA_INTERNAL \
    --adminpass="$password" --host-name=dc1 --host-ip=$address --targetdir="$dir" --option="interfaces = $address/8" \
    --option='bind interfaces only = yes' --option="log file = $dir/log.%m" \
    --option='rpc server dynamic port range = 49152-49170' >"$dir/provision.log" 2>&1 ||
    { tail -20 "$dir/provision.log" >&2; exit 1; }
sed -i '/^\[global\]/a \	server services = s3fs, rpc, ldap, cldap, kdc, winbindd, dns' "$dir/etc/smb.conf"
/usr/bin/python3 "$here/ad_people.py" "$dir/etc/smb.conf" "$password"

# Its own winbindd has the same socket as the member's, and so a /run of its own; its many processes end with the first one.
unshare --mount --pid --fork --kill-child=KILL sh -c \
    "mount -t proc proc /proc && mount -t tmpfs run /run && mkdir /run/samba && exec samba -s '$dir/etc/smb.conf' -F --no-process-group -d1" \
    >"$dir/samba.log" 2>&1 &
server=$!
trap 'kill -KILL "$server" 2>/dev/null || :; wait "$server" 2>/dev/null' EXIT
trap 'exit 143' TERM INT

echo "nameserver $address" >/etc/resolv.conf
cp "$dir/private/krb5.conf" /etc/krb5.conf
cat >/etc/samba/smb.conf <<END
[global]
 workgroup = CORP
 realm = CORP.EXAMPLE
 security = ads
 netbios name = PROXY
 interfaces = 127.0.0.20/8
 bind interfaces only = yes
 idmap config * : backend = tdb
 idmap config * : range = 10000-20000
 rpc start on demand helpers = no
 log file = $dir/member.%m
END
for _ in $(seq 100); do
    ! net ads join -U "Administrator%$password" --no-dns-updates >"$dir/join.log" 2>&1 || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
done
grep -q '^Joined' "$dir/join.log" || {
    echo "no domain, or this machine did not join it:" >&2
    tail -20 "$dir/samba.log" "$dir/join.log" >&2
    exit 1
}
echo ready
wait "$server"
