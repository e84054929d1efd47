# The laboratory of the system tests; a scenario sources it. Everything lives in one temporary directory and on loopback,
# on ports the kernel chooses; what was started here ends with the scenario, by process id.
#
#   lab_server NAME=MODE[,KNOB] ...   our test RPC server (ncacn_http_server.py); target of NAME: test01:7001, 7002 ...
#   lab_samba N                       a Samba RPC server as EXCH0N: samr on 6001, others on 6002 and 6004
#   lab_daemon [LINE ...]             rpctunneld, with these lines added to its configuration
#   lab_daemon_stop, lab_daemon_again
#   lab_mate                          another rpctunneld: the same configuration and directory, another address (LAB_MATE, LAB_MATE_TLS);
#                                     of $LAB_NODES in the configuration it is the second, the first daemon is the first
#   ctl ARG ...                       rpctunnelctl on the lab's database
#   lab_capture FILE [FILTER]         tshark on loopback; lab_capture_stop ends it
#   step, fail, check, have_line, wait_line
#
# Environment: OBJ (folder of the programs), LAB_KEEP (leave the directory there). LAB_AUTH: the schemes that are offered.

set -euo pipefail

lab_here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
lab_top=$(dirname "$(dirname "$lab_here")")
OBJ=${OBJ:-obj}
# What make check hands to its own children is not for those that a scenario starts: a newcomer's make has none of it.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CXX CXXFLAGS CPPFLAGS LDFLAGS
case $OBJ in /*) ;; *) OBJ=$lab_top/$OBJ ;; esac

if [ "$(id -u)" != 0 ]; then
    # Samba's endpoint mapper takes port 135 and the capture a raw socket.
    sudo -n true 2>/dev/null || { echo "FAILED: $0 needs root, or sudo without a password"; exit 1; }
    exec sudo -n OBJ="$OBJ" ${LAB_KEEP:+LAB_KEEP="$LAB_KEEP"} "$(readlink -f "$0")" "$@"
fi

# A scenario that sets lab_private before it sources this file has mounts and a network of its own: whatever it writes
# below these folders, and every port it takes, is gone with it, and the machine is as it was.
if [ -n "${lab_private:-}" ]; then
    [ -n "${LAB_PRIVATE:-}" ] || exec env LAB_PRIVATE=1 unshare --mount --net "$(readlink -f "$0")" "$@"
    ip link set lo up
    lab_layers=$(mktemp -d "${TMPDIR:-/tmp}/rpctunnel-layers.XXXXXX")
    mount -t tmpfs layers "$lab_layers"
    for folder in etc usr var opt; do
        mkdir "$lab_layers/$folder" "$lab_layers/$folder-work"
        mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$lab_layers/$folder,workdir=$lab_layers/$folder-work" "/$folder"
    done
    umount --lazy "$lab_layers"
    rmdir "$lab_layers"
    mount -t tmpfs run /run
fi

export LAB_DIR LAB_USER=labuser LAB_OTHER_USER=other LAB_PASSWORD='LabPass1!' LAB_PLAIN='' LAB_TLS='' LAB_LOG='' LAB_PID=0 \
    LAB_SERVER_LOG='' LAB_MATE='' LAB_MATE_TLS='' LAB_MATE_LOG='' LAB_MATE_PID=0
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$lab_here
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:quarantine_size_mb=8} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

if grep -q __asan_init "$OBJ/rpctunneld"; then export LAB_SLACK=24576; else export LAB_SLACK=4096; fi

LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/rpctunnel-lab.XXXXXX")
chmod 755 "$LAB_DIR"
lab_db=$LAB_DIR/directory/directory.db
lab_net=127.$((1 + $$ / 250 % 250)).$((1 + $$ % 250))   # a network of its own for each run
# Lines of the configuration for two nodes that pair for each other.
LAB_NODES=("pairing_listen = $lab_net.2:6010" "pairing_nodes = $lab_net.2:6010" "pairing_nodes = $lab_net.3:6010")
lab_pids=()
lab_failed=0

step() { echo " * $*"; }
fail() { echo "FAILED: $*"; exit 1; }
check() {
    local text=$1
    shift
    "$@" || { echo "FAILED: $text"; lab_failed=1; }
}
# Not for the background: the process behind "$!" would be a shell around it, and Python would outlive the lab.
python() { /usr/bin/python3 "$@"; }

# Lines of the daemon's log which hold all the words.
have_line() {
    local found
    found=$(cat "$LAB_LOG")
    for word; do found=$(grep -F -- "$word" <<<"$found") || return 1; done
    echo "$found"
}
wait_line() {
    for _ in $(seq 100); do have_line "$@" >/dev/null && return; sleep 0.05; done
    echo "no line with: $*"
    return 1
}

# Waits for a line that starts with `ready` in FILE, written by PID, for so many SECONDS; prints the rest of it.
lab_ready() {
    local file=$1 pid=$2 errors=$3 seconds=${4:-30}
    for _ in $(seq $((seconds * 20))); do
        if grep -q '^ready' "$file" 2>/dev/null; then
            sed -n 's/^ready *//p' "$file" | head -1
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    { echo "not ready: $file"; tail -30 "$errors"; } >&2
    return 1
}

# Ends one process that was started here; its exit status.
lab_end() {
    local pid=$1 signal=${2:-TERM} status=0
    kill "-$signal" "$pid" 2>/dev/null || :
    for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    if kill -0 "$pid" 2>/dev/null; then
        echo "process $pid does not end on SIG$signal"
        kill -KILL "$pid"
        wait "$pid" 2>/dev/null || :
        return 99
    fi
    wait "$pid" 2>/dev/null || status=$?
    return $status
}

# The daemon must end by itself on SIGTERM, in time, with exit code 0 and without a word from a sanitizer.
lab_daemon_stop() {
    lab_stop_one "$LAB_PID" "$LAB_LOG"
    lab_stop_one "$LAB_MATE_PID" "$LAB_MATE_LOG"
    LAB_PID=0 LAB_MATE_PID=0
}
lab_stop_one() {
    local pid=$1 log=$2 status=0
    [ "$pid" != 0 ] || return 0
    lab_end "$pid" || status=$?
    if [ $status != 0 ]; then
        echo "FAILED: rpctunneld ended with $status"
        tail -20 "$log"
        lab_failed=1
    fi
    if grep -E '(ERROR|WARNING): (Address|Leak|Thread|Undefined)|runtime error:|Assertion .* failed' "$log"; then
        echo "FAILED: a sanitizer or an assertion has spoken"
        sed -n '/ERROR: \|WARNING: Thread\|runtime error:/,$p' "$log" | head -80
        lab_failed=1
    fi
}

# Whatever was started here carries LAB_DIR in its environment, and must be gone with the lab.
lab_orphans() {
    local left
    for _ in $(seq 60); do
        left=$(env -i grep -lszx "LAB_DIR=$LAB_DIR" /proc/[0-9]*/environ)
        [ -n "$left" ] || return
        sleep 0.05
    done
    lab_failed=1
    for left in $left; do
        left=$(cut -d/ -f3 <<<"$left")
        echo "FAILED: process $left outlives the lab: $(tr '\0' ' ' <"/proc/$left/cmdline")"
        kill -KILL "$left"
    done
}

lab_cleanup() {
    local status=$?
    trap - EXIT
    set +e
    lab_daemon_stop
    for pid in "${lab_pids[@]}"; do lab_end "$pid" >/dev/null; done
    lab_orphans
    [ $lab_failed = 0 ] || status=1
    if [ $status != 0 ] && [ -n "$LAB_LOG" ]; then
        echo "--- the daemon's last lines"
        tail -n 25 "$LAB_LOG"
    fi
    if [ -n "${LAB_KEEP:-}" ]; then echo "kept: $LAB_DIR"; else rm -rf "$LAB_DIR"; fi
    exit $status
}
trap lab_cleanup EXIT
trap 'exit 143' TERM INT

ctl() { "$OBJ/rpctunnelctl" -d "$lab_db" "$@"; }

lab_directory() {
    [ ! -e "$lab_db" ] || return 0
    mkdir -p "$(dirname "$lab_db")"
    ctl init >/dev/null
    printf '%s\n' "$LAB_PASSWORD" | ctl user add "$LAB_USER" --domain LAB --upn "$LAB_USER@lab.example" >/dev/null
    printf '%s\n' "$LAB_PASSWORD" | ctl user add "$LAB_OTHER_USER" >/dev/null
}

lab_server() {
    local log=$LAB_DIR/server.log ports port=7001 name mode transport
    lab_directory
    : >"$log"
    export LAB_SERVER_LOG=$log
    /usr/bin/python3 "$lab_here/ncacn_http_server.py" --address "$lab_net.21" --log "$log" "$@" >"$LAB_DIR/server.out" 2>"$LAB_DIR/server.err" &
    lab_server_pid=$!
    lab_pids+=($lab_server_pid)
    ports=$(lab_ready "$LAB_DIR/server.out" $lab_server_pid "$LAB_DIR/server.err")
    ctl server add TEST01 --fqdn test01.lab.example >/dev/null
    ctl valid-ports add test01:7001-7099 >/dev/null
    for name in "$@"; do
        mode=${name#*=} name=${name%%=*}
        case $mode in tcp*) transport=ncacn_ip_tcp ;; *) transport=ncacn_http ;; esac
        local connect
        connect=$(grep -o "\\b$name=[0-9]*" <<<"$ports" | cut -d= -f2)
        ctl endpoint add TEST01 $port --transport $transport --connect "$lab_net.21:$connect" >/dev/null
        export "T_$name=test01:$port" "P_$name=$connect"
        port=$((port + 1))
    done
}

lab_samba() {
    local number=$1 address=$lab_net.1$1 dir=$LAB_DIR/samba$1 ports pid
    lab_directory
    mkdir -p "$dir"
    "$lab_here/samba-server.sh" "$address" "$dir" >"$dir/out" 2>"$dir/err" &
    pid=$!
    lab_pids+=($pid)
    ports=$(lab_ready "$dir/out" $pid "$dir/err")
    local samr winreg other
    samr=$(grep -o 'samr=[0-9]*' <<<"$ports" | cut -d= -f2)
    winreg=$(grep -o 'winreg=[0-9]*' <<<"$ports" | cut -d= -f2)
    other=$(grep -o 'other=[0-9]*' <<<"$ports" | cut -d= -f2)
    export "SAMBA$number=$address" "SAMBA${number}_SAMR=$samr"
    ctl server add "EXCH0$number" --fqdn "exch0$number.lab.example" --role mailbox >/dev/null
    ctl endpoint add "EXCH0$number" 6001 --transport ncacn_ip_tcp --connect "$address:$samr" >/dev/null
    ctl endpoint add "EXCH0$number" 6002 --transport ncacn_ip_tcp --connect "$address:$winreg" >/dev/null
    ctl endpoint add "EXCH0$number" 6004 --transport ncacn_ip_tcp --connect "$address:$other" >/dev/null
}

lab_certificate() {
    [ ! -e "$LAB_DIR/cert.pem" ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=proxy.test \
        -addext 'subjectAltName=DNS:proxy.test,DNS:localhost,IP:127.0.0.1' \
        -keyout "$LAB_DIR/key.pem" -out "$LAB_DIR/cert.pem" 2>"$LAB_DIR/openssl.log" || fail "openssl: $(cat "$LAB_DIR/openssl.log")"
}

lab_daemon() {
    local line
    lab_directory
    lab_certificate
    {
        echo "listen = 127.0.0.1:0"
        echo "listen_tls = 127.0.0.1:0"
        echo "tls_certificate = $LAB_DIR/cert.pem"
        echo "tls_key = $LAB_DIR/key.pem"
        echo "database = $lab_db"
        echo "auth = ${LAB_AUTH:-basic}"
        echo "basic_without_tls = yes"
        echo "workers = 2"
        echo "valid_ports_interval = 0"
        for line; do echo "$line"; done
    } >"$LAB_DIR/rpctunneld.conf"
    LAB_LOG=$LAB_DIR/daemon.log
    lab_daemon_again
}

# Starts the daemon with the configuration that is there.
lab_daemon_again() {
    local out=$LAB_DIR/daemon.out ready
    : >"$out"
    "$OBJ/rpctunneld" -c "$LAB_DIR/rpctunneld.conf" -f >"$out" 2>>"$LAB_LOG" &
    LAB_PID=$!
    ready=$(lab_ready "$out" $LAB_PID "$LAB_LOG")
    LAB_PLAIN=$(sed -n 's/.*plain=\([^ ]*\).*/\1/p' <<<"$ready")
    LAB_TLS=$(sed -n 's/.*tls=\([^ ]*\).*/\1/p' <<<"$ready")
}

# After lab_daemon.
lab_mate() {
    local out=$LAB_DIR/mate.out ready
    LAB_MATE_LOG=$LAB_DIR/mate.log
    sed "s/^listen\(.*\) = .*/listen\1 = $lab_net.3:0/; s/^pairing_listen = $lab_net.2/pairing_listen = $lab_net.3/" \
        "$LAB_DIR/rpctunneld.conf" >"$LAB_DIR/mate.conf"
    "$OBJ/rpctunneld" -c "$LAB_DIR/mate.conf" -f >"$out" 2>"$LAB_MATE_LOG" &
    LAB_MATE_PID=$!
    ready=$(lab_ready "$out" $LAB_MATE_PID "$LAB_MATE_LOG")
    LAB_MATE=$(sed -n 's/.*plain=\([^ ]*\).*/\1/p' <<<"$ready")
    LAB_MATE_TLS=$(sed -n 's/.*tls=\([^ ]*\).*/\1/p' <<<"$ready")
}

lab_capture() {
    local file=$1 filter=${2:-tcp}
    tshark -q -B 64 -i lo -w "$file" -f "$filter" >/dev/null 2>"$file.log" &
    lab_capture_pid=$!
    lab_pids+=($lab_capture_pid)
    for _ in $(seq 200); do
        grep -q 'Capture started' "$file.log" && return
        kill -0 $lab_capture_pid 2>/dev/null || fail "no capture: $(cat "$file.log")"
        sleep 0.05
    done
    fail "capture does not start: $(cat "$file.log")"
}
lab_capture_stop() {
    sleep 1   # the last packets are still on their way to the file
    lab_end $lab_capture_pid INT || fail "capture ended with $?"
}
