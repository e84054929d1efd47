#!/usr/bin/env bash
# Goal: what can be asked before any tunnel exists. Echo requests on both methods, plain and TLS, HTTP/1.0 and 1.1, with 0
# to 16 bytes of body, keep the connection open (fact 2 of the real clients); every other path, method and head gets the
# status that belongs to it, and the next request on a connection still works.
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp
lab_daemon

curl_status() { curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$@"; }

step "curl: wrong paths, methods and credentials"
basic=(-u "$LAB_USER:$LAB_PASSWORD")
url=http://$LAB_PLAIN/rpc/rpcproxy.dll?$T_plain
expect() {
    local wanted=$1 found
    shift
    found=$(curl_status "$@") || :
    check "curl ${*//$LAB_PASSWORD/...}: $found, expected $wanted" [ "$found" = "$wanted" ]
}
expect 404 "${basic[@]}" "http://$LAB_PLAIN/"
expect 404 "${basic[@]}" -X RPC_IN_DATA -H 'Content-Length: 0' "http://$LAB_PLAIN/rpc/other.dll?$T_plain"
expect 405 "${basic[@]}" "$url"
expect 405 "${basic[@]}" -X POST -d x "$url"
expect 401 -X RPC_IN_DATA -H 'Content-Length: 0' "$url"
expect 401 -u "$LAB_USER:wrong" -X RPC_OUT_DATA -H 'Content-Length: 0' "$url"
expect 200 "${basic[@]}" -X RPC_IN_DATA -H 'Content-Length: 0' "$url"
expect 200 "${basic[@]}" -k -X RPC_OUT_DATA -H 'Content-Length: 0' "https://$LAB_TLS/rpc/rpcproxy.dll?$T_plain"

python "$lab_here/echo.py"
