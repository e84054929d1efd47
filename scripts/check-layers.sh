#!/bin/sh
# Proves the layers: a file includes its own room and those below it, and each library, and the sockets, appear in the one
# room that may know them.
set -eu
cd "${srcdir:-$(dirname "$0")/..}"

# room      the rooms right below it; what is below them is below it, too
rooms='
base
rpch        base
ntlm        base
spnego      base
kerberos    base
winbind     ntlm
directory   base
net         base
web         base
access      spnego kerberos winbind
leg         rpch directory net
pairing     leg
hop         pairing
tunnel      hop
http        access leg
daemon      http tunnel
ctl         access directory
ping        rpch ntlm spnego kerberos net web'

# header (a pattern)                               layers that may include it
libraries='
microhttpd\.h                                       http
gnutls/.*                                           net
sqlite3.*\.h                                        directory
(gssapi|krb5)(/.*|\.h)                              kerberos
ntlm\.h                                             ping
crypt\.h                                            access
nettle/.*                                           access ntlm spnego
uni(str|case)\.h                                    ntlm
libtasn1\.h                                         spnego
wbclient\.h                                         winbind
ares.*\.h                                           net
(sys/socket|sys/epoll|sys/un|sys/eventfd|sys/signalfd)\.h net
(netinet/.*|resolv\.h|linux/sockios\.h)             net
arpa/inet\.h                                        net directory'

bad=$(
    grep -rnoE '^#include "[a-z]+/' src include | sed -E 's,^([a-z]+/([a-z]+)/[^:]*:[0-9]+):#include "(.*)/,\2 \3 \1,' |
    awk -v rooms="$rooms" '
        BEGIN {
            count = split(rooms, lines, "\n")
            for (l = 1; l <= count; l++) {
                width = split(lines[l], word, " ")
                for (i = 2; i <= width; i++) {
                    below[word[1], word[i]]
                    for (pair in below) {
                        split(pair, ends, SUBSEP)
                        if (ends[1] == word[i]) below[word[1], ends[2]]
                    }
                }
            }
        }
        $1 != $2 && !(($1, $2) in below) { print $3 ": " $1 " must not include " $2 }'
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
