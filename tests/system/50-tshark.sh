#!/usr/bin/env bash
# Goal: a judge that nobody here wrote. tshark dissects a capture of the plain client side and of both next hops and finds no
# malformed PDU but those it is known to mislabel: RTS PDUs without commands (Ping, Echo), and OUT_R2/B2. It sees A1, A3, B1,
# C2 towards the clients, A2, B2, B3, C1 towards an ncacn_http server, and no RTS PDU at all towards an ncacn_ip_tcp server.
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_server http=http bridge=bridge=$SAMBA1:$SAMBA1_SAMR plain=tcp
lab_daemon
lab_capture "$LAB_DIR/all.pcap" "tcp and (net $lab_net.0/24 or port ${LAB_PLAIN##*:})"

step "traffic: echo, raw client, impacket, Samba"
python - <<'END'
import os, struct, lab, wire
for name in ('http', 'plain'):
    with lab.channel() as channel:
        channel.request('RPC_IN_DATA', os.environ[f'T_{name}'], 0, auth=lab.AUTH)
        channel.reply()
    with lab.tunnel(os.environ[f'T_{name}']).open() as tunnel:
        tunnel.bind(wire.MGMT)
        tunnel.call(0)
        tunnel.inward.send(wire.ping() + wire.rts(wire.OTHER, wire.keepalive(120000)))
        tunnel.call(2)
    with lab.tunnel(os.environ[f'T_{name}']).open() as tunnel:
        tunnel.bind()
        tunnel.echo(bytes(range(256)) * 1200)
END
for target in exch01:6001 "$T_bridge"; do
    timeout 30 "$lab_here/impacket_client.py" "http://$LAB_PLAIN" "$target" "$LAB_USER" "$LAB_PASSWORD" mgmt samr=3 >/dev/null
    timeout 30 "$lab_here/samba_client.py" "ncacn_http:${target%:*}[${target#*:},RpcProxy=$LAB_PLAIN,HttpUseTls=false,HttpAuthOption=basic]" \
        "$LAB_USER" "$LAB_PASSWORD" "$LAB_DIR/cert.pem" mgmt samr=2 >/dev/null
done
lab_capture_stop
check "the capture lost packets" bash -c '! grep -E "[1-9][0-9]* packets? dropped" "$1"' - "$LAB_DIR/all.pcap.log"

# dissect FILE PORT...: one line a frame with PDUs on these ports: number, malformed, RTS commands, info.
dissect() {
    local file=$1 as=() filter=''
    shift
    for port; do
        as+=(-d "tcp.port==$port,dcerpc")
        filter+="${filter:+ || }tcp.port==$port"
    done
    tshark -r "$file" "${as[@]}" -Y "($filter) && (dcerpc || _ws.malformed)" -T fields -e frame.number -e _ws.malformed \
        -e dcerpc.cn_rts_commands_nb -e _ws.col.Info 2>"$LAB_DIR/tshark.err"
}
# extract NAME http|rpc SERVER...: the PDUs alone, put on port 6001 and dissected.
extract() {
    python "$lab_here/pdus_of.py" "$LAB_DIR/all.pcap" "$LAB_DIR/$1.pcap" "${@:2}"
    dissect "$LAB_DIR/$1.pcap" 6001 >"$LAB_DIR/$1.txt"
}
# Known to be mislabelled: RTS PDUs with 0 commands, and OUT_R2/B2.
judge() {
    local what=$1 file=$2 bad
    bad=$(awk -F'\t' '$2 != "" && $3 != "0"' "$file" | grep -v 'OUT_R2/B2' || :)
    check "$what: malformed: $(head -5 <<<"$bad")" [ -z "$bad" ]
    step "$what: $(wc -l <"$file") PDUs; $(cut -f4 "$file" | grep -oE '^[A-Z]+/[^ ]*' | sort | uniq -c | tr -s ' \n' ' ')"
}
sees() {
    local what=$1 file=$2 name
    shift 2
    for name; do check "$what: tshark sees no $name" grep -q "$name" "$file"; done
}

step "next hop ncacn_http"
extract http rpc "$lab_net.21:$P_http"
extract bridge rpc "$lab_net.21:$P_bridge"
cat "$LAB_DIR/http.txt" "$LAB_DIR/bridge.txt" >"$LAB_DIR/hop.txt"
judge "ncacn_http" "$LAB_DIR/hop.txt"
sees "ncacn_http" "$LAB_DIR/hop.txt" CONN/A2 CONN/B2 CONN/B3 CONN/C1 Bind Request Response

step "next hop ncacn_ip_tcp"
dissect "$LAB_DIR/all.pcap" "$P_plain" "$SAMBA1_SAMR" >"$LAB_DIR/tcp.txt"
judge "ncacn_ip_tcp" "$LAB_DIR/tcp.txt"
sees "ncacn_ip_tcp" "$LAB_DIR/tcp.txt" Bind Request Response
check "an RTS PDU went to an ncacn_ip_tcp server" bash -c '! grep RTS "$1"' - "$LAB_DIR/tcp.txt"

step "the client side: PDUs taken out of the HTTP bodies"
extract client http "$LAB_PLAIN"
judge "client side" "$LAB_DIR/client.txt"
sees "client side" "$LAB_DIR/client.txt" CONN/A1 CONN/A3 CONN/B1 CONN/C2 Bind Request Response FlowControlAck
