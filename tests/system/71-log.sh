#!/usr/bin/env bash
# Goal: a log that nobody reads stops nothing. With a pipe for a log, or syslog's socket, and nobody at its other end,
# thousands of requests are answered, tunnels carry, and SIGTERM ends the daemon in time. When it is read again, every line
# is whole and one tells how many are missing. A crash shows what was logged before it.
lab_private=1
. "$(dirname "$0")/lab.sh"

# A /dev of its own, for a socket /dev/log of its own.
mkdir "$LAB_DIR/dev"
mount -t tmpfs dev "$LAB_DIR/dev"
for device in null zero random urandom; do
    touch "$LAB_DIR/dev/$device"
    mount --bind "/dev/$device" "$LAB_DIR/dev/$device"
done
ln -s /proc/self/fd "$LAB_DIR/dev/fd"
mount --move "$LAB_DIR/dev" /dev
rmdir "$LAB_DIR/dev"

lab_server plain=tcp
# Its configuration is what is wanted, and an address for all that follow: a lab's log is a file.
lab_daemon 'drain_time = 2s' "pid_file = $LAB_DIR/pid" 'listen = 127.0.0.1:8080'
lab_daemon_stop
export LAB_PLAIN=127.0.0.1:8080
python "$lab_here/log.py"
