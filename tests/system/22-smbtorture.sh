#!/usr/bin/env bash
# Goal: Samba's own test suite, those of its RPC tests which pass on this server over plain TCP, passes through the tunnel too.
. "$(dirname "$0")/lab.sh"
lab_samba 1
lab_daemon

torture() { timeout -k 1 40 smbtorture -s "$LAB_DIR/samba1/smb.conf" -U "$LAB_USER%$LAB_PASSWORD" "$@" 2>&1; }
# rpc.lsa looks at the transport and expects less over TCP. rpc.mgmt asks the endpoint mapper without a name and password, which Basic has no place for.
for test in rpc.asyncbind rpc.lsalookup rpc.handles.samr; do
    for binding in "ncacn_ip_tcp:$SAMBA1[$SAMBA1_SAMR]" \
                   "ncacn_http:exch01[6001,RpcProxy=$LAB_PLAIN,HttpUseTls=false,HttpAuthOption=basic]" \
                   "ncacn_http:exch01[6001,RpcProxy=$LAB_TLS,HttpAuthOption=basic]"; do
        if ! output=$(torture --option="tls verify peer=no_check" "$binding" $test); then
            echo "$output" | tail -n 20
            fail "$test over $binding"
        fi
        step "$(grep '^success' <<<"$output") over ${binding%%:*}"
    done
done
