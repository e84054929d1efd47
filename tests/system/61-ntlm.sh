#!/usr/bin/env bash
# Goal: our NTLM and SPNEGO speak with those of others, both ways. Our acceptor lets in impacket, Samba (its Python and
# ntlm_auth) and gss-ntlmssp below MIT's SPNEGO, raw and inside SPNEGO, with the MIC and channel bindings of those that have
# them, and refuses their wrong passwords, wrong bindings and NTLM version 1. Our initiator is let in by Samba and gss-ntlmssp,
# and refused with a wrong password.
. "$(dirname "$0")/lab.sh"

mkdir "$LAB_DIR/ntlm"
cat >"$LAB_DIR/ntlm/smb.conf" <<END
[global]
    netbios name = COUNTER
    workgroup = LAB
    private dir = $LAB_DIR/ntlm
    lock directory = $LAB_DIR/ntlm
    state directory = $LAB_DIR/ntlm
    cache directory = $LAB_DIR/ntlm
    pid directory = $LAB_DIR/ntlm
    ncalrpc dir = $LAB_DIR/ntlm/ncalrpc
END
touch "$LAB_DIR/ntlm/krb5.conf"
# The mechanism is known to this scenario alone, whatever the machine has configured, and knows no user but ours.
plugin=$(find /usr/lib -name gssntlmssp.so | head -1)
[ -n "$plugin" ] || fail "gssntlmssp.so of gss-ntlmssp is not there"
echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $plugin" >"$LAB_DIR/ntlm/mech"
export GSS_MECH_CONFIG=$LAB_DIR/ntlm/mech KRB5_CONFIG=$LAB_DIR/ntlm/krb5.conf KRB5CCNAME=MEMORY: LM_COMPAT_LEVEL=5
unset NTLM_USER_FILE NETBIOS_COMPUTER_NAME NETBIOS_DOMAIN_NAME
python "$lab_here/ntlm.py" "$LAB_DIR/ntlm"
