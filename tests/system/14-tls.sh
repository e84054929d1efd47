#!/usr/bin/env bash
# Goal: TLS 1.2 and 1.3 and nothing older; no session tickets, which hang Samba's client (fact 8); a client that sends one
# byte and waits, or plain HTTP, is gone in bounded time and disturbs nobody.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_daemon 'handshake_timeout = 2s'

s_client() { timeout 1.5 openssl s_client -connect "$LAB_TLS" "$@" 2>&1; }
head="RPC_IN_DATA /rpc/rpcproxy.dll?x:1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

for version in tls1_2 tls1_3; do
    step "$version"
    answer=$({ printf "$head"; sleep 2; } | s_client -$version -CAfile "$LAB_DIR/cert.pem" -verify_return_error -ign_eof -servername proxy.test) || :
    check "$version: no answer over TLS" grep -q '^HTTP/1.1 401' <<<"$answer"
    check "$version: a session ticket came" bash -c '! grep -qi "ticket arrived\|session ticket:" <<<"$1"' - "$answer"
done
for version in tls1 tls1_1; do
    step "$version is refused"
    answer=$(printf "$head" | s_client -$version -cipher 'ALL:@SECLEVEL=0') || :
    check "$version was accepted" bash -c '! grep -q "^HTTP" <<<"$1"' - "$answer"
done
python "$lab_here/tls.py"
