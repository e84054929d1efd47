#!/usr/bin/env bash
# Goal: an administrator builds, reads, changes and takes apart a directory with rpctunnelctl alone. Every command does
# what its page says, speaks JSON on demand, and ends with the right exit code; what makes no sense is refused and
# changes nothing; no password and no hash is ever printed.
set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
OBJ=${OBJ:-obj}
case $OBJ in /*) ;; *) OBJ=$here/../../$OBJ ;; esac
dir=$(mktemp -d "${TMPDIR:-/tmp}/rpctunnel-ctl.XXXXXX")
trap 'rm -rf "$dir"' EXIT
db=$dir/directory.db
failed=0
guid=ad44b1e0-e44f-4a16-9396-3a437f594f88

step() { echo " * $*"; }
fail() { echo "FAILED: $*"; failed=1; }
ctl() { "$OBJ/rpctunnelctl" -d "$db" "$@"; }

# expect CODE TEXT ARGUMENT...: the exit code, and a text in the output; TEXT may be empty.
expect() {
    local code=$1 text=$2 output status
    shift 2
    output=$(ctl "$@" 2>&1 </dev/null)
    status=$?
    [ $status = "$code" ] || fail "$*: exit code $status instead of $code: $output"
    case $output in *"$text"*) ;; *) fail "$*: \"$text\" is not in: $output" ;; esac
}
# json FILTER EXPECTED ARGUMENT...: what jq makes of the output with --json, stderr must be silent.
json() {
    local filter=$1 expected=$2 output
    shift 2
    output=$(ctl --json "$@" 2>"$dir/stderr" </dev/null | jq -cr "$filter" 2>&1)
    [ "$output" = "$expected" ] || fail "--json $*: $filter is $output instead of $expected"
    [ ! -s "$dir/stderr" ] || fail "--json $*: standard error says $(cat "$dir/stderr")"
}
count() { json length "$@"; }

step "help, version, usage"
expect 0 "user add NAME" --help
expect 0 "default" --help
expect 0 "rpctunnelctl server add NAME --fqdn FQDN" server add --help
"$OBJ/rpctunnelctl" --version | grep -q '^rpctunnelctl [0-9]' || fail "--version"
for words in "" "frobnicate" "user" "user frobnicate" "--frobnicate" "user add" "server add EX1" "user list extra" "-d" \
    "server add EX1 --fqdn ex1.test --fqdn ex1.test" "server add EX1 --fqdn" "server add EX1 --fqdn ex1.test --role toaster" \
    "endpoint add EX1 6001 --transport https" "user ntlm bob" "valid-ports frobnicate" "server list --json=1"; do
    # shellcheck disable=SC2086
    "$OBJ/rpctunnelctl" -d "$db" $words >"$dir/out" 2>&1 </dev/null
    [ $? = 1 ] || fail "\"$words\" is not a usage error"
    grep -q '^rpctunnelctl: ' "$dir/out" || fail "\"$words\" says: $(cat "$dir/out")"
done
[ ! -e "$db" ] || fail "a usage error made the database"

step "the manual page has every command and option of the help"
page=$(sed 's/ O[oc]\b//g; s/ Ns \?//g' "$here/../../man/rpctunnelctl.8")
while read -r word rest; do
    names=$(grep -oE -- '^[a-z -]+[a-z]' <<<"$word $rest" | sed 's/ --.*//')
    grep -qE -- "^\.It Ic $names( |$)" <<<"$page" || fail "the page has no command \"$names\""
    for option in $(grep -oE -- '-[-a-z]*[a-z]' <<<" $rest" | grep -E '^--' ); do
        grep -E -- "^\.It Ic $names( |$)" <<<"$page" | grep -q -- "Fl ${option#-}" ||
            fail "the page has no $option of \"$names\""
    done
done < <("$OBJ/rpctunnelctl" --help | sed -n 's/^  \([a-z].*\)/\1/p')
for option in d -json -help -version; do
    grep -q -- "^\.It Fl $option" <<<"$page" || fail "the page has no option -$option"
done

step "no database, no directory"
expect 3 'rpctunnelctl init' server list
expect 3 'make its folder first' -d "$dir/none/directory.db" init
echo "this is not SQLite, it only looks like a file of some length" >"$dir/text.db"
expect 3 "$dir/text.db" -d "$dir/text.db" server list
expect 3 "$dir/text.db" -d "$dir/text.db" init

step "init"
expect 0 "schema version 2" init
expect 0 "schema version 2" init
[ "$(stat -c %a "$db")" = 600 ] || fail "the database is readable for others"
json .done true init

step "servers and endpoints"
expect 0 "server EX1 is added" server add EX1 --fqdn ex1.example.com --role mailbox --version 2013 --site "Main Street"
expect 0 "" server add EX2 --fqdn=ex2.example.com
expect 0 "" server add CAS1 --fqdn cas1.example.com --role cas
expect 2 "EX1" server add ex1 --fqdn other.example.com
expect 2 "EX1" server add EX9 --fqdn EX1.example.com
expect 1 "NetBIOS" server add ex.9 --fqdn ex9.example.com
expect 1 "host name" server add EX9 --fqdn "ex 9"
expect 0 "Main Street" server list
count 3 server list
json '.[]|select(.name=="EX1")|[.fqdn,.role,.version,.site,.in_service]' \
    '["ex1.example.com","mailbox","2013","Main Street",true]' server list
expect 0 "" endpoint add EX1 6001 --transport ncacn_ip_tcp --connect 127.0.0.1:7001
expect 0 "" endpoint add ex2.example.com 6001 --connect '[::1]:7001'
expect 0 "" endpoint add EX1 6002
expect 2 "already" endpoint add EX1 6001
expect 2 "no server" endpoint add EX9 6001
expect 2 "no server" endpoint list EX9
for port in 0 06001 65536 6001x ''; do expect 1 "not a port" endpoint add EX1 "$port"; done
expect 1 "HOST:PORT" endpoint add EX1 6004 --connect nowhere
expect 1 "HOST:PORT" endpoint add EX1 6004 --connect "$guid@example.com:6001"
json '.[]|[.server,.port,.transport,.connect,.default_connect]' \
    '["EX1",6001,"ncacn_ip_tcp","127.0.0.1:7001",false]
["EX1",6002,"ncacn_http","ex1.example.com:6002",true]' endpoint list EX1
json '.[]|select(.server=="EX2")|.connect' '[::1]:7001' endpoint list
expect 0 "" endpoint remove EX1 6002
expect 2 "no endpoint" endpoint remove EX1 6002

step "databases, copies, mailboxes"
expect 0 "" database add DB1
expect 2 "already" database add db1
expect 2 "no database" copy add DB9 EX1
expect 0 "" copy add DB1 EX1
expect 0 "" copy add DB1 EX2
expect 2 "already" copy add DB1 ex1
expect 2 "role cas" copy add DB1 CAS1
expect 2 "no server" copy add DB1 EX9
json '.[]|[.database,.server,.active]' '["DB1","EX1",true]
["DB1","EX2",false]' copy list DB1
expect 0 "" mailbox add "${guid^^}@Example.com" DB1
expect 2 "already" mailbox add "$guid@example.com" DB1
expect 2 "no database" mailbox add "${guid%8}9@example.com" DB9
for name in "{$guid}@example.com" "$guid" "$guid@" "$guid@a@b" "x@example.com"; do expect 1 "GUID@DOMAIN" mailbox add "$name" DB1; done
json '.[0]|[.mailbox,.database,.active]' "[\"$guid@example.com\",\"DB1\",\"EX1\"]" mailbox list
json '.[0]|[.name,.active,.copies,.mailboxes]' '["DB1","EX1",2,1]' database list
expect 2 "active one" copy remove DB1 EX1
expect 2 "holds 1 mailbox" database remove DB1
expect 2 "copies" server remove EX1

step "the allowlist"
[ -z "$(ctl valid-ports list)" ] || fail "a new list is not empty"
expect 0 "+ EX1:6001-6002" valid-ports rebuild --dry-run
[ -z "$(ctl valid-ports)" ] || fail "a dry run changed the list"
expect 0 "are changed" valid-ports rebuild
expect 0 "up to date" valid-ports rebuild
generated="EX1:6001-6002;EX1:6004;ex1.example.com:6001-6002;ex1.example.com:6004"
generated+=";EX2:6001-6002;EX2:6004;ex2.example.com:6001-6002;ex2.example.com:6004"
[ "$(ctl valid-ports list)" = "$generated" ] || fail "the list is $(ctl valid-ports list)"
expect 0 "" valid-ports add dc1:6004
expect 0 "" valid-ports add ' gc1:6004 ; gc1.example.com:6004;;'
expect 2 "already" valid-ports add DC1:6004
expect 2 "already" valid-ports add 'new:1;dc1:6004'
[ "$(ctl valid-ports)" = "$generated;dc1:6004;gc1:6004;gc1.example.com:6004" ] || fail "the list is $(ctl valid-ports)"
expect 1 'entry 2 at position 7, "b:0"' valid-ports add 'a:1;b:0'
expect 2 "already" valid-ports add $' "DC1:6004;gc1:6004;"\r\n'   # pasted: the quotes and the white space around do not count
expect 1 "byte 0x22 (double quote) at position 1" database add '"DB01"'
expect 1 "byte 0x22 (double quote) at position 1" user add '"carol"'
expect 1 "byte 0x0d (carriage return) at position 8 is no part of a port" valid-ports add $'a:1;b:6\r001'
expect 1 "byte 0xe2 (en dash) at position 7 is no part of a port" valid-ports add $'a:6001\xe2\x80\x936002'
for entry in a a: :1 a:0 a:65536 a:2-1 'a*b:1' a:1- a:x '*:1' ';' ''; do expect 1 "" valid-ports add "$entry"; done
expect 2 "generated from server EX1" valid-ports remove EX1:6004
expect 2 "no operator entry" valid-ports remove nobody:1
expect 0 "" valid-ports remove GC1:6004
expect 0 "operator" valid-ports list -v
json '.[]|select(.origin=="operator")|.entry' 'dc1:6004
gc1.example.com:6004' valid-ports list
json '.[0]|[.entry,.origin,.provenance,(.since|test("^[0-9-]+T[0-9:]+Z$"))]' '["EX1:6001-6002","generated","EX1",true]' valid-ports
expect 0 "" server out-of-service EX2
json '[.changed,.dry_run,.added,(.removed|length)]' '[true,true,[],4]' valid-ports rebuild --dry-run
json '[.changed,.dry_run,.added,(.removed|length)]' '[true,false,[],4]' valid-ports rebuild
json '.changed' false valid-ports rebuild

step "explain"
expect 0 "route    ncacn_ip_tcp 127.0.0.1:7001, server EX1" explain EX1:6001
expect 0 "rule     ex1.example.com:6004 (generated)" explain EX1.example.com:6004
json '[.verdict,.rule,.route.server,.route.transport,.route.host,.route.port]' \
    '["allowed","ex1.example.com:6001-6002 (generated)","EX1","ncacn_ip_tcp","127.0.0.1",7001]' explain "$guid@example.com:6001"
json '[.verdict,.rule,.route.host]' '["allowed","dc1:6004 (operator)","dc1"]' explain dc1:6004
expect 4 "verdict  denied" explain EX1:6003
expect 4 "rule     default (deny)" explain nobody:6001
expect 4 "verdict  unknown-mailbox" explain "${guid%8}9@example.com:6001"
for target in EX1:06001 EX1:6001x EX1:70000 a@b@c:6001 EX1 '' 'EX1:6001&x' $'EX1\n:6001'; do expect 4 "malformed" explain "$target"; done
json '[.verdict,.route]' '["denied",null]' explain EX1:6003
json .target $'a"\\\n\tb' explain $'a"\\\n\tb'
json .target $'\xef\xbf\xbd' explain $'\xff'

step "the active copy moves"
expect 0 "" activate DB1 EX2
expect 4 "out of service" explain "$guid@example.com:6001"
expect 0 "" server in-service EX2
expect 0 "" valid-ports rebuild
json .route.server EX2 explain "$guid@example.com:6001"
expect 2 "no copy" activate DB1 CAS1
expect 2 "no database" activate DB9 EX1

step "users"
add() { printf '%s' "$1" | ctl user add "${@:2}" >"$dir/out" 2>&1; }
add $'Secret-1\nignored\n' carol --domain CORP --upn carol@corp.example || fail "user add: $(cat "$dir/out")"
add 'Secret-2' 'CORP\dave' || fail "user add without a line end: $(cat "$dir/out")"
add x carol; [ $? = 2 ] || fail "carol was added twice"
add x robert --upn CAROL@Corp.Example; [ $? = 2 ] || fail "a login was given away twice"
add '' empty; [ $? = 1 ] || fail "no password was taken"
add $'\n' empty; [ $? = 1 ] || fail "an empty password was taken"
add "$(head -c 2000 /dev/zero | tr '\0' a)" long; [ $? = 1 ] || fail "a password of 2000 bytes was taken"
for name in 'a:b' 'a/b' '\a' 'a\' '@b' 'a@b@c' ''; do add x "$name"; [ $? = 1 ] || fail "the login \"$name\" was taken"; done
json '.[]|[.name,.enabled,.logins]' '["carol",true,["carol","CORP\\carol","carol@corp.example"]]
["CORP\\dave",true,["CORP\\dave"]]' user list
hash() { sqlite3 "$db" "SELECT pw_crypt FROM accounts WHERE canonical = '$1'"; }
old=$(hash carol)
case $old in '$y$'*) ;; *) fail "the hash is not yescrypt" ;; esac
printf 'Secret-3\n' | ctl user password CAROL >/dev/null || fail "user password"
[ "$old" != "$(hash carol)" ] || fail "the password did not change"
printf '\xef\xbb\xbfSecret-4\r\n' | ctl user password carol >/dev/null || fail "a password from Windows"
python3 -W ignore -c 'import crypt, sys; sys.exit(crypt.crypt("Secret-4", sys.argv[1]) != sys.argv[1])' "$(hash carol)" ||
    fail "the marks of a file from Windows became part of the password"
printf 'Secret-4\n' | ctl user ntlm carol on >/dev/null || fail "user ntlm on"
json '.[]|select(.name=="carol").ntlm' true user list
printf 'wrong\n' | ctl user ntlm "CORP\\dave" on >/dev/null 2>&1; [ $? = 2 ] || fail "NTLM is on with a wrong password"
printf 'x\n' | ctl user ntlm nobody on >/dev/null 2>&1; [ $? = 2 ] || fail "NTLM is on for nobody"
expect 1 "standard input" user ntlm carol on
expect 1 "neither on nor off" user ntlm carol maybe
expect 2 "no user" user ntlm nobody off
printf 'Gr\374n\n' | ctl user password carol >/dev/null 2>&1; [ $? = 1 ] || fail "a password was taken that is not UTF-8"
printf 'Secret-5\n' | ctl user password carol >/dev/null || fail "user password with NTLM"
json '.[]|select(.name=="carol").ntlm' true user list
expect 0 "no longer" user ntlm carol off
json '.[]|select(.name=="carol").ntlm' false user list
printf 'Secret-6\n' | ctl user add erin --ntlm >/dev/null || fail "user add --ntlm"
json '.[]|select(.name=="erin").ntlm' true user list
expect 0 "" user remove erin
printf 'x\n' | ctl user password nobody >/dev/null 2>&1; [ $? = 2 ] || fail "nobody has a new password"
expect 0 "" user disable carol
json '.[0].enabled' false user list
expect 0 "" user enable carol
expect 2 "no user" user disable nobody
expect 0 "" user add-login carol 'OTHER\carol'
expect 2 "belongs to user carol" user add-login 'CORP\dave' 'other\CAROL'
expect 0 "" user remove-login carol 'OTHER\carol'
expect 2 "no login" user remove-login carol 'OTHER\carol'
for output in "$(ctl user list)" "$(ctl --json user list)" "$(ctl server list)"; do
    case $output in *'$y$'* | *Secret*) fail "a secret is printed" ;; esac
done

step "errors in JSON"
json '[.exit,(.error|length>0)]' '[2,true]' user remove nobody
json '[.exit,(.error|length>0)]' '[1,true]' user frobnicate
json '[.exit,(.error|length>0)]' '[3,true]' -d "$dir/absent.db" user list

step "taking it apart"
expect 0 "" user remove carol
expect 0 "" user remove 'corp\DAVE'
count 0 user list
expect 0 "" mailbox remove "$guid@example.com"
expect 2 "no mailbox" mailbox remove "$guid@example.com"
expect 0 "" copy remove DB1 EX1
expect 0 "" copy remove DB1 EX2
expect 2 "no copy" copy remove DB1 EX2
expect 0 "" database remove DB1
for server in EX1 EX2 CAS1; do expect 0 "" server remove $server; done
expect 2 "no server" server remove EX1
count 0 endpoint list
expect 0 "" valid-ports rebuild
[ "$(ctl valid-ports list)" = "dc1:6004;gc1.example.com:6004" ] || fail "the operator's entries did not survive"

step "a newer schema, a full disk"
sqlite3 "$db" 'PRAGMA user_version = 99'
expect 3 "schema version 99" server list
expect 3 "schema version 99" init
sqlite3 "$db" 'PRAGMA user_version = 1'
if [ -w /dev/full ]; then ctl server list >/dev/full 2>&1; [ $? = 3 ] || fail "a full disk goes unnoticed"; fi

[ $failed = 0 ] && echo "ok"
exit $failed
