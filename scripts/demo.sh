#!/bin/sh
# SPDX-License-Identifier: ISC
#
# demo.sh: what it is for, in half a minute.  Three replicas of gzip in a
# pipeline, the one whose output counts killed with -9 again and again, and
# cmp to tell whether a byte was lost.  "make demo" builds the programs first;
# B is the build directory.  Leaves nothing; 1 when the bytes differ.
set -eu
LC_ALL=C
export LC_ALL
unset ORCM_DVM ORCM_RUN ORCM_JOB
MIB=${DEMO_MIB:-64}
KILLS=${DEMO_KILLS:-6}
top=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "${B:-$top/build}/bin" && pwd)
PATH=$bin:$PATH
for name in orcm-run orcm-ps gzip cmp; do
	command -v $name >/dev/null || {
		echo "demo: no $name here" >&2
		exit 100
	}
done
t=$(mktemp -d "${TMPDIR:-/tmp}/orcm-demo.XXXXXX")
job=demo.$$
# shellcheck disable=SC2317
cleanup() {
	status=$?
	trap '' INT TERM
	if test -s "$t/pid" && ! test -s "$t/status"; then
		kill -TERM "$(cat "$t/pid")" 2>/dev/null || :
		wait
	fi
	rm -rf "$t"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Parts of seconds where sleep(1) knows them.
nap() { sleep "$1" 2>/dev/null || sleep 1; }
lines() {
	find "$top/src" "$top/include" -name '*.[ch]' -type f | sort |
		while IFS= read -r file; do cat "$file"; done
}
# A copy of our own source is some 500 KiB; all copies differ in a line.
make_file() {
	lines >"$t/once"
	size=$(wc -c <"$t/once")
	n=$((MIB * 1048576 / size + 1))
	i=0
	while test $i -lt $n; do
		i=$((i + 1))
		echo "/* copy $i of $n */"
		cat "$t/once"
	done >"$t/file"
}
# The file, a hundredth of it every tenth of a second.
paced() {
	blocks=$(($(wc -c <"$t/file") / 65536 / 100 + 1))
	i=0
	while test $i -lt 100; do
		i=$((i + 1))
		dd bs=65536 count=$blocks 2>/dev/null
		nap 0.1
	done
	cat
}
show() {
	while IFS= read -r line; do
		printf '      %s\n' "${line#orcm-run: }"
	done
}
# "pid rank" of the leader when all three are ready, else nothing.
leader() {
	orcm-ps -o leader,ready,pid,rank "$job" 2>/dev/null | awk '
		$2 == "yes" { n++ }
		$1 == "yes" && $3 != "-" { who = $3 " " $4 }
		END { if (n == 3 && who != "") print who }'
}

printf '1. A file of %d MiB: our own source, many times.\n' "$MIB"
make_file
bytes=$(wc -c <"$t/file" | tr -d ' ')
mkfifo "$t/events"
echo '2. file | orcm-run -n 3 -v -- gzip -cn | gunzip >copy'
show <"$t/events" &
shower=$!
{
	paced <"$t/file" | {
		code=0
		# The pid is noted, then the shell becomes orcm-run.
		sh -c 'echo $$ >"$0" && exec "$@"' "$t/pid" orcm-run -v \
			-j "$job" -n 3 -r inf -- gzip -cn 2>"$t/events" ||
			code=$?
		echo $code >"$t/code"
	} | gzip -dc >"$t/copy" || :
	mv "$t/code" "$t/status"
} &
pipeline=$!
echo '3. Its leader is killed while the bytes flow:'
kills=0
while test $kills -lt "$KILLS" && ! test -e "$t/status"; do
	nap 1
	who=''
	while test -z "$who" && ! test -e "$t/status"; do
		nap 0.05
		who=$(leader)
	done
	test -n "$who" || break
	pid=${who% *}
	kill -KILL "$pid" 2>/dev/null || continue
	kills=$((kills + 1))
	printf '   kill -9 %s, which is the leader, rank %s\n' "$pid" \
		"${who#* }"
done
wait $pipeline || :
wait $shower || :
status=$(cat "$t/status")
out=$(wc -c <"$t/copy" | tr -d ' ')
verdict=identical
cmp "$t/file" "$t/copy" || verdict=DIFFERENT
echo '4. cmp file copy'
echo "demo: $kills kills of the leader, $bytes bytes in, $out bytes out:" \
	"$verdict, exit status $status"
test $verdict = identical && test "$status" = 0 && test $kills -gt 0
