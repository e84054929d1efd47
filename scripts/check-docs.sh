#!/bin/sh
# Fails when the documents and the programs disagree:
#   an option of rpctunneld's table is missing in rpctunneld.conf(5) or in the sample configuration, stands there with
#   another default or range, or is documented and does not exist;
#   an event that is logged is missing in rpctunneld(8), or is documented and never logged;
#   a command of rpctunnelctl or an option of rpctunnel-ping or rpctunneld is missing in its manual;
#   mandoc, where it is installed, finds an error or a warning in a manual.
# usage: check-docs.sh FOLDER-OF-THE-PROGRAMS
set -u
programs=${1:-obj}
cd "$(dirname "$0")/.." || exit 1
case $programs in /*) ;; *) programs=$OLDPWD/$programs ;; esac
failed=0
complain() { echo "check-docs: $*"; failed=1; }

# Lines that are in the first list and not in the second.
missing() { printf '%s\n' "$2" | sort -u >"$work/second"; printf '%s\n' "$1" | sort -u | comm -23 - "$work/second"; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
tab=$(printf '\t')

# --- Options of the configuration
page=man/rpctunneld.conf.5 sample=etc/rpctunneld.conf
table=$("$programs/rpctunneld" --options) || { complain "rpctunneld --options failed"; exit 1; }
options=$(printf '%s\n' "$table" | cut -f1)
described=$(sed -n 's/^\.It Ic \([a-z_]*\).*/\1/p' $page)
sampled=$(sed -n 's/^#\{0,1\}\([a-z_]*\) = .*/\1/p' $sample)
for option in $(missing "$options" "$described"); do complain "$option is not in $page"; done
for option in $(missing "$described" "$options"); do complain "$page describes $option, which does not exist"; done
for option in $(missing "$options" "$sampled"); do complain "$option is not in $sample"; done
for option in $(missing "$sampled" "$options"); do complain "$sample has $option, which does not exist"; done
printf '%s\n' "$table" | while IFS= read -r row; do
    option=${row%%"$tab"*}
    range=$(printf '%s' "$row" | cut -f3) default=$(printf '%s' "$row" | cut -f4)
    text=$(awk -v option="$option" '/^\.It / || /^\.El/ { on = $2 == "Ic" && $3 == option } on' $page)
    if [ -n "$default" ]; then
        told=$(printf '%s\n' "$text" | sed -n '/^Default:$/{n;s/^\.Li \([^ ]*\).*/\1/p;}')
        [ "$told" = "$default" ] || complain "default of $option: $default; in $page: $told"
        shown=$(sed -n "s/^#$option = //p" $sample)
        [ -z "$shown" ] || [ "$shown" = "$default" ] || complain "default of $option: $default; in $sample: $shown"
    fi
    case $range in
    *..*)
        least=${range%%..*} most=${range##*..}
        words=" $(printf '%s' "$text" | tr '\n,.:;' '     ') "
        for word in "${least##* }" "$most"; do
            case $words in *" $word "*) ;; *) complain "range of $option: $range; $page does not name $word" ;; esac
        done
        ;;
    esac
    [ $failed = 0 ] || exit 1
done || failed=1

# --- Events in the log
logged=$(cat src/*/*.cc include/*/*.h | tr '\n' ' ' |
    grep -oE '(log::(error|warning|notice|info|debug)\(|base::Retry [a-z_]+\{) *"[^"]+"' | sed 's/.*"\(.*\)"/\1/')
told=$(sed -n '/^\.It Li .* Ta /{s/^\.It Li //;s/ Ta .*//;s/ , /\n/g;p;}' man/rpctunneld.8)
for event in $(missing "$logged" "$told"); do complain "the event $event is not in man/rpctunneld.8"; done
for event in $(missing "$told" "$logged"); do complain "man/rpctunneld.8 has the event $event, which is never logged"; done

# --- Options and commands of the programs
# The words of all option lines of a manual; a long option has one hyphen left there.
option_words() { grep -E '^\.(It|Op|Fl)' "$1" | sed 's/\\&//g' | tr ' ' '\n'; }
check_program_options() {
    words=$(option_words "$2")
    for option in $("$programs/$1" --help | sed -n 's/^ \{1,8\}\(-.*\)/\1/p' | sed 's/   *.*//' |
        grep -oE '(^|[ ,])--?[A-Za-z?][a-z0-9-]*' | tr -d ' ,'); do
        printf '%s\n' "$words" | grep -qxF -e "${option#-}" || complain "$1 $option is not in $2"
    done
}
check_program_options rpctunneld man/rpctunneld.8
check_program_options rpctunnel-ping man/rpctunnel-ping.1
check_program_options rpctunnelctl man/rpctunnelctl.8
# Commands: the lower-case words at the start of a line of the help, as "server in-service".
commands=$("$programs/rpctunnelctl" --help | sed -n 's/^  \([a-z][a-z-]*\( [a-z][a-z-]*\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p')
[ -n "$commands" ] || complain "rpctunnelctl --help names no commands"
described=$(sed -n 's/^\.It Ic \([a-z].*\)/\1/p' man/rpctunnelctl.8 | sed 's/ \(Ar\|Op\|Fl\|Oo\) .*//')
missing "$commands" "$described" >"$work/commands"
while IFS= read -r command; do
    [ -z "$command" ] || complain "rpctunnelctl $command is not in man/rpctunnelctl.8"
done <"$work/commands"
missing "$described" "$commands" >"$work/commands"
while IFS= read -r command; do
    [ -z "$command" ] || complain "man/rpctunnelctl.8 has the command $command, which does not exist"
done <"$work/commands"

# --- The tests that the table of clients names
for number in $(sed -n '/^\.Sh LOGINS OF REAL CLIENTS/,/^\.El/p' man/rpctunneld.8 | sed -n 's/^\.It //p' | grep -owE '[0-9]{2}' | sort -u); do
    ls tests/system/"$number"-*.sh >/dev/null 2>&1 || complain "man/rpctunneld.8 names the test $number, which does not exist"
done

# --- The manuals themselves
if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning man/*.[158] || complain "mandoc has something to say"
fi
exit $failed
