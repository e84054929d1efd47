#!/usr/bin/env bash
# Goal: rpctunnel-ping logs in with a Kerberos ticket that a real KDC (MIT) gave, inside SPNEGO, at a real acceptor (MIT), bound to TLS or
# not; the acceptor's last token is looked at. No ticket, an expired one, a service that the KDC does not know, a KDC that is gone and
# an acceptor with another key end with a verdict that says what to do.
. "$(dirname "$0")/lab.sh"
lab_certificate
kdc=$lab_net.5
mkdir "$LAB_DIR/kdc"
cat >"$LAB_DIR/krb5.conf" <<END
[libdefaults]
 default_realm = LAB.EXAMPLE
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 LAB.EXAMPLE = {
  kdc = $kdc
 }
[domain_realm]
 localhost = LAB.EXAMPLE
END
cat >"$LAB_DIR/kdc/kdc.conf" <<END
[kdcdefaults]
 kdc_listen = $kdc:88
 kdc_tcp_listen = $kdc:88
[realms]
 LAB.EXAMPLE = {
  database_name = $LAB_DIR/kdc/principal
  key_stash_file = $LAB_DIR/kdc/stash
  acl_file = $LAB_DIR/kdc/acl
 }
END
export KRB5_CONFIG=$LAB_DIR/krb5.conf KRB5_KDC_PROFILE=$LAB_DIR/kdc/kdc.conf KRB5CCNAME=FILE:$LAB_DIR/tickets
{
    kdb5_util create -s -P master
    kadmin.local -q "addprinc -pw $LAB_PASSWORD anna"
    kadmin.local -q "addprinc -randkey HTTP/localhost"
    kadmin.local -q "ktadd -k $LAB_DIR/keytab HTTP/localhost"
    kadmin.local -q "addprinc -randkey HTTP/other"
    kadmin.local -q "ktadd -k $LAB_DIR/other.keytab HTTP/other"
} >"$LAB_DIR/kdc/log" 2>&1 || fail "no KDC: $(tail -3 "$LAB_DIR/kdc/log")"
krb5kdc -n >>"$LAB_DIR/kdc/log" 2>&1 &
lab_pids+=($!)
for _ in $(seq 100); do
    kinit anna <<<"$LAB_PASSWORD" >"$LAB_DIR/kinit" 2>&1 && break
    sleep 0.05
done
klist -s || fail "no ticket: $(cat "$LAB_DIR/kinit" "$LAB_DIR/kdc/log")"
kinit -c "FILE:$LAB_DIR/expired" -l 1s anna <<<"$LAB_PASSWORD" >/dev/null
sed "s/kdc = .*/kdc = $kdc:1/" "$LAB_DIR/krb5.conf" >"$LAB_DIR/gone.conf"
python "$lab_here/ping_ticket.py"
