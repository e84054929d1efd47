#!/bin/sh
# Proves the layers: a file includes its own layer and those on earlier lines, layers on one line do not see each other, and
# each library, and the sockets, appear in the one folder that may know them.
set -eu
cd "${srcdir:-$(dirname "$0")/..}"

layers='
base
rpch ntlm spnego directory net
access
tunnel
http
daemon tools'

# header (a pattern)                               layers that may include it
libraries='
microhttpd\.h                                       http
gnutls/.*                                           net
sqlite3.*\.h                                        directory
(gssapi|krb5|ntlm)(/.*|\.h)                         access
crypt\.h                                            access
nettle/.*                                           access ntlm spnego
uni(str|case)\.h                                    ntlm
libtasn1\.h                                         spnego
ares.*\.h                                           net
(sys/socket|sys/epoll|sys/un|sys/eventfd)\.h        net
(netinet/.*|resolv\.h|linux/sockios\.h)             net
arpa/inet\.h                                        net directory'

rank() { echo "$layers" | grep -nw -- "$1" | cut -d: -f1; }

bad=$(
    grep -rnoE '^#include "[a-z]+/' src include | while IFS=: read -r file line text; do
        from=$(echo "$file" | cut -d/ -f2)
        to=${text#*\"} to=${to%/}
        [ "$from" != "$to" ] || continue
        from_rank=$(rank "$from") to_rank=$(rank "$to")
        [ "${to_rank:-99}" -lt "${from_rank:-0}" ] || echo "$file:$line: $from must not include $to"
    done
    echo "$libraries" | while read -r pattern allowed; do
        [ -n "$pattern" ] || continue
        grep -rnE "^#include <$pattern>" src include | while IFS=: read -r file line text; do
            from=$(echo "$file" | cut -d/ -f2)
            case " $allowed " in
            *" $from "*) ;;
            *) echo "$file:$line: ${text#\#include } belongs in $allowed, not in $from" ;;
            esac
        done
    done
)
[ -z "$bad" ] || { echo "$bad"; exit 1; }
