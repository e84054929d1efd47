#!/usr/bin/env bash
# Goal: however and whenever a peer ends, it is seen at once and not only by a time limit: FIN, RST, a TLS record cut short
# with FIN in the same segment, close_notify with and without FIN, a Content-Length that ends with the first PDU. A server
# that answers with a few bytes that are no RPC is noticed, and none is connected to for a client that has gone already.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
# Servers that say something else: one byte, five, nine.
/usr/bin/python3 - "$lab_net.22" >"$LAB_DIR/other.out" <<'END' &
import selectors, socket, sys
every = selectors.DefaultSelector()
ports = []
for size in 1, 5, 9:
    listener = socket.create_server((sys.argv[1], 0))
    every.register(listener, selectors.EVENT_READ, b'550 no!\r\n'[:size])
    ports.append(listener.getsockname()[1])
print('ready', *ports, flush=True)
while True:
    for key, _ in every.select():
        if key.data:
            connection, _ = key.fileobj.accept()
            connection.sendall(key.data)
            every.register(connection, selectors.EVENT_READ)
        elif not key.fileobj.recv(65536):
            every.unregister(key.fileobj)
            key.fileobj.close()
END
lab_pids+=($!)
port=7040
for number in $(lab_ready "$LAB_DIR/other.out" $! /dev/null); do
    for transport in ncacn_http ncacn_ip_tcp; do
        ctl endpoint add TEST01 $port --transport $transport --connect "$lab_net.22:$number" >/dev/null
        port=$((port + 1))
    done
done
lab_daemon
python "$lab_here/ends.py"
