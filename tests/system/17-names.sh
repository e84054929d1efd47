#!/usr/bin/env bash
# Goal: servers are found by their names as the rest of the machine finds them: /etc/hosts, the search domain, both address
# families, an answer too long for UDP, the second name server when the first is silent; changes of /etc/hosts and
# /etc/resolv.conf count at once. Name servers that are silent delay those who wait for them and nobody else, and the log says
# whose fault it was. With name servers of our own, and with mounts and a network of its own.
lab_private=1
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
export FOUR=$lab_net.21 TABLE=$LAB_DIR/names QUERIES=$LAB_DIR/queries
/usr/bin/python3 "$lab_here/ncacn_http_server.py" --address ::1 six=tcp >"$LAB_DIR/six.out" 2>"$LAB_DIR/six.err" &
lab_pids+=($!)
six=$(lab_ready "$LAB_DIR/six.out" $! "$LAB_DIR/six.err")

for number in 1 2; do
    : >"$TABLE.$number"
    : >"$QUERIES.$number"
    /usr/bin/python3 "$lab_here/dns_server.py" "127.53.0.$number" "$TABLE.$number" "$QUERIES.$number" >"$LAB_DIR/dns.$number" 2>&1 &
    lab_pids+=($!)
    lab_ready "$LAB_DIR/dns.$number" $! "$LAB_DIR/dns.$number" >/dev/null
done
cat >/etc/resolv.conf <<CONF
search first.test lab.test
nameserver 127.53.0.1
nameserver 127.53.0.2
options timeout:1 attempts:1
CONF
cat >/etc/hosts <<HOSTS
127.0.0.1 localhost
127.0.0.1 moved.lab.test
$FOUR in-hosts.lab.test alias.lab.test
HOSTS
echo 'hosts: files dns' >/etc/nsswitch.conf

port=7101
target() {   # NAME HOST: T_NAME is reached at HOST
    local connect=$P_plain
    [ "$1" != six ] || connect=${six#*=}
    ctl endpoint add TEST01 $port --transport ncacn_ip_tcp --connect "$2:$connect" >/dev/null
    export "T_$1=test01:$port"
    port=$((port + 1))
}
ctl valid-ports add test01:7101-7299 >/dev/null
target hosts ALIAS.lab.test
target moved moved.lab.test
target short server01
target full server01.lab.test
target both both.lab.test
target six six.lab.test
target long long.lab.test
target second only-second.lab.test
target broken x.broken.test
target unknown unknown.lab.test
for number in $(seq 60); do target "silent$number" "$number.silent.test"; done

lab_daemon 'connect_timeout = 6s' 'setup_timeout = 1min'
python "$lab_here/names.py"
