# A real MIT KDC on loopback; a scenario sources it after lab.sh.
#
#   lab_kdc            the realm LAB.EXAMPLE with the daemon's key in $LAB_KEYTAB; exports KRB5_CONFIG
#   kadmin_local ...   its administrator's tool
#   lab_kdc_stop, lab_kdc_start
#   lab_mute_kdc       the KDC of HANGING.EXAMPLE, which takes all and says nothing
#   lab_ticket USER [ARG ...]   kinit into $LAB_DIR/tickets-USER; arguments are kinit's

LAB_KEYTAB=$LAB_DIR/http.keytab
export LAB_KEYTAB

lab_kdc() {
    local folder=$LAB_DIR/kdc
    mkdir "$folder"
    export KRB5_CONFIG=$LAB_DIR/krb5.conf KRB5_KDC_PROFILE=$folder/kdc.conf
    cat >"$KRB5_CONFIG" <<END
[libdefaults]
    default_realm = LAB.EXAMPLE
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    default_rcache_name = file2:$LAB_DIR/replays
[realms]
    LAB.EXAMPLE = {
        kdc = $lab_net.31:7088
    }
    HANGING.EXAMPLE = {
        kdc = $lab_net.32:7088
    }
END
    cat >"$KRB5_KDC_PROFILE" <<END
[kdcdefaults]
    kdc_listen = $lab_net.31:7088
    kdc_tcp_listen = $lab_net.31:7088
[realms]
    LAB.EXAMPLE = {
        database_name = $folder/principal
        key_stash_file = $folder/stash
        acl_file = $folder/acl
        supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
    }
[logging]
    kdc = FILE:$folder/kdc.log
END
    kdb5_util create -s -P master -r LAB.EXAMPLE >"$folder/create.log" 2>&1 || { cat "$folder/create.log"; fail "the KDC's database"; }
    kadmin_local addprinc -randkey HTTP/proxy.lab.example
    kadmin_local ktadd -k "$LAB_KEYTAB" HTTP/proxy.lab.example
    lab_kdc_start
}

kadmin_local() { kadmin.local -r LAB.EXAMPLE -q "$*" >>"$LAB_DIR/kdc/kadmin.log" 2>&1; }

lab_kdc_start() {
    krb5kdc -n -r LAB.EXAMPLE >"$LAB_DIR/kdc/out" 2>&1 &
    lab_kdc_pid=$!
    lab_pids+=($lab_kdc_pid)
    for _ in $(seq 200); do
        ! ss -Hltn "src $lab_net.31" | grep -q . || return 0
        sleep 0.05
    done
    cat "$LAB_DIR/kdc/out" "$LAB_DIR/kdc/kdc.log"
    fail "the KDC does not start"
}

lab_kdc_stop() { lab_end $lab_kdc_pid || :; }

lab_mute_kdc() {
    /usr/bin/python3 - "$lab_net.32" >"$LAB_DIR/mute" <<'END' &
import socket, sys, time
address = sys.argv[1], 7088
tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tcp.bind(address)
tcp.listen()
udp.bind(address)
print('ready', flush=True)
time.sleep(600)
END
    lab_pids+=($!)
    lab_ready "$LAB_DIR/mute" $! /dev/null >/dev/null
}

lab_ticket() {
    local user=$1
    shift
    printf '%s\n' "$LAB_PASSWORD" | KRB5CCNAME=FILE:$LAB_DIR/tickets-$user kinit "$@" "$user@LAB.EXAMPLE" >/dev/null
}
