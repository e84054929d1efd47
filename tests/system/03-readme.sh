#!/usr/bin/env bash
# Goal: what README tells an administrator to type works as it stands, in its order, from a clone that has no configure. Each
# line of the set-up, of the two nodes and of "When it does not work" is run here, on a directory and a configuration of its
# own, or is told below why it is not. A line that nothing below knows fails.
. "$(dirname "$0")/lab.sh"
database=$LAB_DIR/readme.db config=$LAB_DIR/readme.conf copy=$LAB_DIR/clone
mkdir "$copy"
cp -r "$lab_top/configure.ac" "$lab_top/Makefile" "$lab_top/scripts" "$lab_top/README" "$lab_top/src" "$lab_top/man" "$lab_top/etc" "$copy"
chmod -R u+w "$copy"
rm -f "$copy/scripts/install-sh"
printf '%s\n' 'listen = 127.0.0.1:0' 'basic_without_tls = yes' "database = $database" >"$config"

sudo() { "$@"; }
rpctunnelctl() { "$OBJ/rpctunnelctl" -d "$database" "$@" <<<'a long pass phrase'; }
rpctunneld() { "$OBJ/rpctunneld" -c "$config" "$@"; }
section() { awk -v name="$1" '$0 == name { on = 1; getline; next } /^---/ { on = 0 } on && /^    / { print substr($0, 5) }' "$lab_top/README"; }
run() { said=$(eval "$1" 2>&1) || fail "README: $2: $said"; step "$2"; }

count=0
while read -r line; do
    count=$((count + 1))
    case $line in
    'autoreconf '*) (cd "$copy" && eval "$line") >"$LAB_DIR/out" 2>&1 || fail "README: $line: $(tail -5 "$LAB_DIR/out")" ;;
    './configure '*' && make && sudo make install')   # the rest takes minutes; make check and make distcheck do it
        (cd "$copy" && eval "${line%% && *}" && make -n all install DESTDIR="$LAB_DIR/root") >"$LAB_DIR/out" 2>&1 ||
            fail "README: $line: $(tail -5 "$LAB_DIR/out")" ;;
    'sudo useradd '*) ;;   # changes the machine
    'sudoedit '*) ;;       # a person's part; $config stands for it
    'sudo rpctunneld -t && sudo systemctl '*)   # no systemd here; what the daemon does first at its start is done instead
        run 'rpctunneld -t && rpctunnelctl valid-ports rebuild' "$line" ;;
    *rpctunnelctl*) run "$line" "$line" ;;
    'pairing_listen = '* | 'pairing_nodes = '* | 'drain_time = '*)
        sed "s/10\.0\.0\./127.0.0./" <<<"$line" >>"$config"
        nodes=yes ;;
    'rpctunnel-ping '*) ;; # needs a domain; the demo and scenario 34 make such calls
    'journalctl '*) ;;     # no journal here
    *) fail "README has a line that this scenario does not know: $line" ;;
    esac
done < <(section 'A real set-up'; section 'Two nodes behind a load balancer'; section 'When it does not work')
check "README has its sections: $count lines" [ "$count" -ge 20 ]
check "README has no nodes" [ "${nodes:-}" = yes ]
run 'rpctunneld -t' 'the lines for two nodes are a configuration'

# The goals that README names are there.
for goal in $(sed -n 's/^    make \([a-z][a-z-]*\).*/\1/p' "$lab_top/README"); do
    check "make $goal" grep -qE "^([a-z -]+ )?$goal( [a-z -]+)?:" "$lab_top/Makefile"
done
