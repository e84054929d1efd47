#!/usr/bin/env bash
# Goal: rpctunnel-ping logs in with a Kerberos ticket that a real KDC (MIT) gave, inside SPNEGO, at a real acceptor (MIT), bound to TLS or
# not; the acceptor's last token is looked at. No ticket, an expired one, a service that the KDC does not know, a KDC that is gone and
# an acceptor with another key end with a verdict that says what to do.
. "$(dirname "$0")/lab.sh"
lab_certificate
. "$lab_here/kdc.sh"
lab_kdc
export KRB5CCNAME=FILE:$LAB_DIR/tickets
kadmin_local addprinc -pw "$LAB_PASSWORD" anna
for host in localhost other; do
    kadmin_local addprinc -randkey HTTP/$host
    kadmin_local ktadd -k "$LAB_DIR/$host.keytab" HTTP/$host
done
mv "$LAB_DIR/localhost.keytab" "$LAB_DIR/keytab"
kinit anna <<<"$LAB_PASSWORD" >/dev/null
kinit -c "FILE:$LAB_DIR/expired" -l 1s anna <<<"$LAB_PASSWORD" >/dev/null
sed "s/kdc = .*/kdc = $lab_net.31:1/" "$LAB_DIR/krb5.conf" >"$LAB_DIR/gone.conf"
python "$lab_here/ping_ticket.py"
