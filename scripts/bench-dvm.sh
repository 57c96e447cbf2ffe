#!/bin/sh
# SPDX-License-Identifier: ISC
#
# bench-dvm.sh [-n SAMPLES] [-o REGEX]: what many nodes cost and how fast they
# see each other die, all of them on this machine, on addresses 127.x.y.z.
# Prints "name TAB value TAB unit TAB n"; remarks, and the targets, go to stderr
# behind "# ".  A figure never makes it fail.
#
#   figure                    target
#   down.PROFILE.median, max  300 ms default, 50 ms carrier: of 8 nodes one is
#                             killed, until the last of the others says "down"
#   down.PROFILE.false        0: others that were said to be down meanwhile
#   mesh64.cpu                0.5 cores: 64 idle nodes, profile auto, all
#   mesh64.memory             1024 KiB: private, the daemons of one of them
#   mesh64.false              0: nodes that were said to be down
#
# -n gives the deaths so many samples (10), -o chooses figures.  B is the build
# directory (build).  The profile carrier wants real-time priority, which the
# daemons are given by chrt(1) where that may be.
set -eu
LC_ALL=C
export LC_ALL
unset ORCM_DVM ORCM_RUN
say() { printf '# %s\n' "$*" >&2; }
samples=10 only=.
while getopts n:o: option; do
	case $option in
	n) samples=$OPTARG ;;
	o) only=$OPTARG ;;
	*)
		echo "usage: bench-dvm.sh [-n samples] [-o regex]" >&2
		exit 100
		;;
	esac
done
top=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "${B:-$top/build}/bin" && pwd) || exit 100
for name in orcmd orcm-nodes orcm-events; do
	test -x "$bin/$name" || {
		say "no $bin/$name: run make first"
		exit 100
	}
done
PATH=$bin:$PATH
t=$(mktemp -d "${TMPDIR:-/tmp}/orcm-bench.XXXXXX")
ORCM_KEY=$t/key
BENCH_DVM=$t
export ORCM_KEY BENCH_DVM
net=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))

# Processes of node I of this bench, or of all nodes.
# A list of words it is.
# shellcheck disable=SC2013
pids_of() {
	for file in $(grep -lzxF "BENCH_NODE=$t/${1:-}" /proc/[0-9]*/environ \
		2>/dev/null); do
		file=${file#/proc/}
		echo "${file%/environ}"
	done
}
node_kill() {
	while pids=$(pids_of "$1") && test -n "$pids"; do
		# A list of numbers.
		# shellcheck disable=SC2086
		kill -KILL $pids 2>/dev/null || :
	done
}
stop_all() {
	i=0
	while test "$i" -lt "$nodes"; do
		i=$((i + 1))
		node_kill "n$i"
		rm -rf "$t/n$i"
	done
	nodes=0
}
nodes=0
trap 'stop_all; rm -rf "$t"' 0
trap 'exit 1' 1 2 15

node_start() {
	test -d "$t/n$1" || mkdir -m 700 "$t/n$1"
	BENCH_NODE=$t/n$1 $chrt orcmd -N "n$1" -r "$t/n$1" -c "$t/orcm.conf" \
		2>>"$t/log" &
}
# alive I N: does node I see N?
alive() {
	test "$(ORCM_RUN=$t/n$1 orcm-nodes -o state,fit 2>/dev/null |
		grep -c '^alive	yes$')" = "$2"
}
# begin N PROFILE: starts them and waits until all see all.
begin() {
	nodes=$1
	chrt=''
	if test "$2" = carrier && chrt -r 1 true 2>/dev/null; then
		chrt='chrt -r 1'
	fi
	{
		echo "dvm default profile=$2"
		i=0
		while test "$i" -lt "$1"; do
			i=$((i + 1))
			echo "node n$i addr=$net.$i"
		done
	} >"$t/orcm.conf"
	i=0
	while test "$i" -lt "$1"; do
		i=$((i + 1))
		node_start "$i"
	done
	settle "$1"
}
settle() {
	i=0 tries=0
	while test "$i" -lt "$1"; do
		i=$((i + 1))
		until alive "$i" "$1"; do
			tries=$((tries + 1))
			test "$tries" -lt 600 || {
				say "the nodes do not find each other"
				return 1
			}
			sleep 0.1
		done
	done
}
now_ms() { date +%s%3N; }
# downs I: the times at which node I said that a node is down.
downs() {
	ORCM_RUN=$t/n$1 orcm-events |
		sed -n 's/^\([0-9]*\)	node	.*name=\(n[0-9]*\)	state=down	.*/\1 \2/p'
}
figure() { printf '%s\t%s\t%s\t%s\n' "$@"; }
want() { printf '%s\n' "$1" | grep -qE "$only"; }

# deaths PROFILE TARGET
deaths() {
	want "down.$1" || return 0
	say "down.$1: target $2 ms"
	begin 8 "$1" || return 0
	: >"$t/times"
	k=0 wrong=0
	while test "$k" -lt "$samples"; do
		k=$((k + 1))
		victim=$((k % 8 + 1))
		before=$(now_ms)
		node_kill "n$victim"
		at=$(now_ms)
		last=0
		for i in 1 2 3 4 5 6 7 8; do
			test "$i" != "$victim" || continue
			tries=0 said=''
			while test -z "$said" && test "$tries" -lt 100; do
				tries=$((tries + 1))
				said=$(downs "$i" | awk -v b="$before" \
					-v n="n$victim" '$2 == n && $1 >= b {
						print $1; exit }')
				test -n "$said" || sleep 0.05
			done
			test -n "$said" || said=$((at + 99999))
			if test "$said" -gt "$last"; then
				last=$said
			fi
			wrong=$((wrong + $(downs "$i" | awk -v b="$before" \
				-v n="n$victim" '$2 != n && $1 >= b' | wc -l)))
		done
		echo $((last - at)) >>"$t/times"
		node_start "$victim"
		settle 8 || return 0
	done
	sort -n "$t/times" >"$t/sorted"
	figure "down.$1.median" "$(sed -n "$(((samples + 1) / 2))p" \
		"$t/sorted")" ms "$samples"
	figure "down.$1.max" "$(tail -n 1 "$t/sorted")" ms "$samples"
	figure "down.$1.false" "$wrong" nodes "$samples"
	stop_all
}

# Ticks that all daemons of all nodes have used.
ticks() {
	for n in $(seq "$nodes"); do
		pids_of "n$n"
	done | while read -r pid; do
		awk '{ print $14 + $15 }' "/proc/$pid/stat" 2>/dev/null
	done | awk '{ s += $1 } END { print s }'
}

mesh64() {
	want mesh64 || return 0
	say "mesh64: targets 0.5 cores, 1024 KiB, 0 nodes"
	begin 64 auto || return 0
	a=$(ticks) from=$(now_ms)
	sleep 20
	b=$(ticks) to=$(now_ms)
	figure mesh64.cpu "$(awk -v t=$((b - a)) -v ms=$((to - from)) \
		-v hz="$(getconf CLK_TCK)" \
		'BEGIN { printf "%.2f", t / hz / (ms / 1000) }')" cores 1
	figure mesh64.memory "$(for pid in $(pids_of n1); do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Private/ { s += $2 } END { print s }')" KiB 1
	wrong=0
	for n in 1 32 64; do
		wrong=$((wrong + $(downs "$n" | wc -l)))
	done
	figure mesh64.false "$wrong" nodes 1
	stop_all
}

deaths default 300
deaths carrier 50
mesh64
