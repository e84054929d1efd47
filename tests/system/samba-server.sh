#!/usr/bin/env bash
# A real Samba RPC server (samba-dcerpcd, standalone) over ncacn_ip_tcp, in the foreground, until it is killed.
#
#   samba-server.sh ADDRESS DIRECTORY
#
# ADDRESS is a loopback address of its own: the endpoint mapper always takes port 135 there, which needs root. State,
# logs and sockets live in DIRECTORY. When it can be called it prints one line:
#
#   ready samr=PORT winreg=PORT other=PORT user=labuser password=LabPass1!
#
# samr is the port of samr and lsarpc. Every one of them, the endpoint mapper too, answers the management interface.
set -euo pipefail
address=$1 dir=$2
here=$(dirname "$(readlink -f "$0")")
user=labuser password='LabPass1!'

mkdir -p "$dir"/{private,lock,state,cache,pid,ncalrpc,log}
chmod 755 "$dir"

# An account of Samba's needs one of Unix. The map gives the name every Debian has another name, so none is made.
echo "daemon = $user" >"$dir/usermap"
cat >"$dir/smb.conf" <<END
[global]
 workgroup = LAB
 netbios name = LABSRV
 server role = standalone server
 interfaces = $address/8
 bind interfaces only = yes
 private dir = $dir/private
 lock directory = $dir/lock
 state directory = $dir/state
 cache directory = $dir/cache
 pid directory = $dir/pid
 ncalrpc dir = $dir/ncalrpc
 log file = $dir/log/log.%m
 passdb backend = tdbsam:$dir/private/passdb.tdb
 username map = $dir/usermap
 rpc start on demand helpers = no
 rpc server dynamic port range = 6001-6031
 load printers = no
 disable spoolss = yes
END
printf '%s\n%s\n' "$password" "$password" |
    smbpasswd -c "$dir/smb.conf" -s -a daemon >"$dir/log/smbpasswd" 2>&1 || { cat "$dir/log/smbpasswd" >&2; exit 1; }

/usr/libexec/samba/samba-dcerpcd -s "$dir/smb.conf" --libexec-rpcds -F --no-process-group -d1 >"$dir/log/dcerpcd" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server"' EXIT
trap 'exit 143' TERM INT

# Its helpers take their ports in any order and register when they are up: the endpoint mapper tells which is whose.
/usr/bin/python3 "$here/samba_ports.py" "$address" "$server" "user=$user password=$password" || {
    echo "samba-dcerpcd did not start on $address:" >&2
    tail -20 "$dir/log/dcerpcd" >&2
    exit 1
}
wait "$server"
