#!/usr/bin/env bash
# Goal: version 1 of the protocol. rpctunnel-ping makes real calls with RPC_CONNECT to Samba on plain TCP and to a server that
# greets, soon, late or never; it and impacket reach such a server without a proxy. The daemon serves version 1 to those who
# log in, to anybody, or to nobody, as rpc_connect says, and never over TLS; the allowlist decides; PDUs pass byte for byte
# with slow readers and in bounded memory; what is no RPC PDU, and the end of one side, end it.
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_server http=http plain=tcp late_banner=http,late_banner no_banner=http,no_banner slow=http,slow split=http,split \
    big=http,big_endian rts=http,rts close_accept=http,close=accept close_bind=http,close=bind close_request=http,close=request
lab_daemon 'rpc_connect = authenticated' 'connect_timeout = 1s'
export SAMBA=exch01:6001 SERVER=$lab_net.21
python "$lab_here/version_1.py" authenticated
lab_daemon_stop

sed -i 's/^rpc_connect = .*/rpc_connect = anonymous/; s/^basic_without_tls = .*/basic_without_tls = no/' "$LAB_DIR/rpctunneld.conf"
lab_daemon_again
check "no warning at the start" wait_line warning anonymous-clients rpc_connect
python "$lab_here/version_1.py" anonymous
lab_daemon_stop

sed -i '/^rpc_connect/d; s/^basic_without_tls = .*/basic_without_tls = yes/' "$LAB_DIR/rpctunneld.conf"
lab_daemon_again
python "$lab_here/version_1.py" no

direct=$(timeout -k 1 50 "$lab_here/impacket_client.py" direct "$lab_net.21:$P_http" '' '' mgmt=20)
step "impacket without a proxy: $direct"
