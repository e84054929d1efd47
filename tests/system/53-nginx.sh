#!/usr/bin/env bash
# Goal: tunnels go through nginx as an HTTP proxy, plain and over TLS on either side, that buffers responses as it does by
# default: our answer to RPC_OUT_DATA tells it not to. The request's body is what nginx must be told about. A login that is
# asked for before the body comes, an echo and a refusal go through it too, and so does a large answer.
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_daemon
address=$lab_net.40
cat >"$LAB_DIR/nginx.conf" <<END
daemon off;
user root;
pid $LAB_DIR/nginx.pid;
error_log $LAB_DIR/nginx.log warn;
events { }
http {
    access_log off;
    client_body_temp_path $LAB_DIR/body;
    proxy_temp_path $LAB_DIR/proxy;
    fastcgi_temp_path $LAB_DIR/fastcgi;
    uwsgi_temp_path $LAB_DIR/uwsgi;
    scgi_temp_path $LAB_DIR/scgi;
    client_max_body_size 0;
    proxy_request_buffering off;
    proxy_http_version 1.1;
    server {
        listen $address:80;
        location /rpc/ { proxy_pass http://$LAB_PLAIN; }
    }
    server {
        listen $address:443 ssl;
        ssl_certificate $LAB_DIR/cert.pem;
        ssl_certificate_key $LAB_DIR/key.pem;
        location /rpc/ { proxy_pass https://$LAB_TLS; }
    }
}
END
/usr/sbin/nginx -c "$LAB_DIR/nginx.conf" -e "$LAB_DIR/nginx.log" &
lab_pids+=($!)
for _ in $(seq 100); do curl -so /dev/null "http://$address/" && break; sleep 0.05; done

ping() {
    local trust=
    [ "${url%%:*}" = http ] || trust=--insecure
    "$OBJ/rpctunnel-ping" --proxy "$url" $trust -q --timeout=5 -H Basic -P "$LAB_USER,LAB,$LAB_PASSWORD" "$@" 2>&1
}
impacket() { timeout -k 1 20 "$lab_here/impacket_client.py" "$url" exch01:6001 "$LAB_USER" "$LAB_PASSWORD" "$@" 2>&1; }
works() {
    local said
    said=$("$@") || fail "$url: $*: $said"
    step "$url: $(tail -1 <<<"$said")"
}
for url in "http://$address" "https://$address"; do
    works ping -s exch01 -e 6001
    works impacket mgmt=3 samr=4
    works ping -E
    refused=$(ping -s exch01 -e 6003) && fail "a target that is not allowed: $refused"
    check "a refusal does not come through: $refused" grep -q 1722 <<<"$refused"
    code=$(curl -sk -o /dev/null -w '%{http_code}' --max-time 5 -X RPC_OUT_DATA -H 'Expect:' --data-binary "$(printf '%76s')" "$url/rpc/rpcproxy.dll?exch01:6001")
    check "without a login: $code" [ "$code" = 401 ]
done
