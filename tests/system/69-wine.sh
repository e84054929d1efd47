#!/usr/bin/env bash
# Goal: a program on Windows' RPC runtime, as Wine has it, makes its call through the whole tunnel with NTLM, with bare NTLMSSP under
# the scheme Negotiate, and with Basic, plain and TLS, in front of both next hops. That runtime logs a connection in with an empty
# request, pings the proxy, and sends the real request without Authorization. A wrong password is told as access denied. It has no
# channel binding: extended protection that is required refuses it.
lab_private=1   # its ports are 80 and 443, and its authorities the system's
LAB_AUTH='negotiate ntlm basic'
. "$(dirname "$0")/lab.sh"
lab_server plain=tcp http=http
printf '%s\n' "$LAB_PASSWORD" | ctl user ntlm "$LAB_USER" on >/dev/null
lab_certificate
cat "$LAB_DIR/cert.pem" >>/etc/ssl/certs/ca-certificates.crt
cat >"$LAB_DIR/rpctunneld.conf" <<END
listen = 127.0.0.1:80
listen_tls = 127.0.0.1:443
tls_certificate = $LAB_DIR/cert.pem
tls_key = $LAB_DIR/key.pem
database = $lab_db
auth = $LAB_AUTH
basic_without_tls = yes
END
LAB_LOG=$LAB_DIR/daemon.log
lab_daemon_again

# Wine fills a folder of 700 MB, in a quarter of a minute, unless it finds its libraries there. What it must be told then is where
# NTLM is, and the provider of hashes that it needs for certificates.
program=$LAB_DIR/wine-client.exe
x86_64-w64-mingw32-gcc-win32 -O1 -Wall -Werror -o "$program" "$lab_here/wine_client.c" -lrpcrt4
libraries=$(find /usr/lib -type d -path '*/wine/x86_64-windows' | head -1)
[ -n "$libraries" ] || fail "the libraries of Wine are not there"
export WINEPREFIX=$LAB_DIR/wine HOME=$LAB_DIR WINEDEBUG=-all WINEDLLOVERRIDES='wineboot.exe=;winedbg.exe=;mscoree=;mshtml='
mkdir -p "$WINEPREFIX/drive_c/windows"
ln -s "$libraries" "$WINEPREFIX/drive_c/windows/system32"
wine reg add 'HKLM\System\CurrentControlSet\Control\Lsa\MSV1_0' /f >"$LAB_DIR/wine.log" 2>&1 &&
    wine regsvr32 rsaenh.dll >>"$LAB_DIR/wine.log" 2>&1 || fail "wine: $(cat "$LAB_DIR/wine.log")"

client() { timeout -k 1 20 wine "$program" localhost "${1%:*}" "${1#*:}" "${@:2}" 2>>"$LAB_DIR/wine.log" | tr -d '\r'; }
lab_capture "$LAB_DIR/wine.pcap" 'tcp port 80'
for security in plain tls; do
    for scheme in ntlm negotiate basic; do
        for target in $T_plain $T_http; do
            answer=$(client $target $scheme "$LAB_USER" "$LAB_PASSWORD" $security) || :
            check "$security, $scheme, $target: $answer" [ "$answer" = 'answer of 64 bytes' ]
        done
        answer=$(client $T_plain $scheme "$LAB_USER" wrong $security) && fail "a wrong password was taken"
        check "$security, $scheme, wrong password: $answer" [ "$answer" = 'bind: error 5 (0x5)' ]
        step "$security, $scheme"
    done
done
lab_capture_stop

# That runtime names the channel in neither scheme.
lab_daemon_stop
for policy in allow require; do
    sed -i '/^extended_protection/d; /^listen =/d' "$LAB_DIR/rpctunneld.conf"
    echo "extended_protection = $policy" >>"$LAB_DIR/rpctunneld.conf"
    lab_daemon_again
    answer=$(client $T_plain ntlm "$LAB_USER" "$LAB_PASSWORD" tls) || :
    step "extended protection, $policy: $answer"
    wanted='answer of 64 bytes'
    [ $policy = allow ] || wanted='bind: error 5 (0x5)'
    check "extended protection, $policy: $answer" [ "$answer" = "$wanted" ]
    lab_daemon_stop
done
wineserver -k || :   # it may have ended with its last program
wineserver -w || :

# What makes it a counterpart of its own: NTLMSSP without SPNEGO under Negotiate, and the real requests without Authorization.
heads=$(tshark -r "$LAB_DIR/wine.pcap" -d tcp.port==80,http -Y http.request -T fields -E separator=' ' \
    -e http.request.method -e http.content_length_header -e http.authorization 2>/dev/null)
check "no bare NTLMSSP under Negotiate" grep -q '^RPC_OUT_DATA 0 Negotiate TlRMTVNTUAAB' <<<"$heads"
check "no real request without Authorization" grep -qE '^RPC_IN_DATA 1073741824 *$' <<<"$heads"
