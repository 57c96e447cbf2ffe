# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# What every tests/prog/*.bats begins with:
#
#	load ../lib
#	setup() { orcm_setup; }
#	teardown() { orcm_teardown; }
#
# Programs come from $B (default build) and nothing of the caller's
# environment reaches them.  A test has a directory of its own, $T, with a
# short name because a UNIX socket's path holds about 100 bytes, and its run
# directory $ORCM_RUN below it.  What a test starts with start() is ended by
# its teardown, and nothing else is.

bats_require_minimum_version 1.5.0

TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
B=${B:-$TOP/build}
case $B in
/*) ;;
*) B=$TOP/$B ;;
esac
BIN=$B/bin
PATH=$BIN:$PATH
export TOP B BIN PATH

orcm_setup() {
	unset ORCM_DVM ORCM_JOB ORCM_APP ORCM_RANK ORCM_SIZE \
		ORCM_INCARNATION ORCM_NODE ORCM_PLUGIN_PATH NOTIFY_SOCKET
	T=$(mktemp -d /tmp/o.XXXXXX)
	ORCM_RUN=$T/r
	# Every program we start carries it: how teardown knows them.
	ORCM_TEST_DIR=$T
	export T ORCM_RUN ORCM_TEST_DIR
	mkdir -m 700 "$ORCM_RUN"
	cd "$T" || return 1
}

# Processes that this test started, or that those started, whatever became of
# their parents.  The shells of bats got their environment before setup did its
# part, so they are not among them.  Only where /proc tells; elsewhere what
# start() noted has to do.
# shellcheck disable=SC2013
orcm_own() {
	local file pid
	for file in $(grep -lF "ORCM_TEST_DIR=$T" /proc/[0-9]*/environ \
		2>/dev/null); do
		pid=${file#/proc/}
		pid=${pid%/environ}
		if test "$pid" != "$$" && alive "$pid"; then
			echo "$pid"
		fi
	done
}

# Asked politely first; what is still there after three seconds is killed.
orcm_teardown() {
	local pid own tries=0
	test -n "${T:-}" || return 0
	for pid in $(orcm_running); do
		kill -TERM "$pid" 2>/dev/null || :
	done
	while test "$tries" -lt 150 && test -n "$(orcm_running)"; do
		tries=$((tries + 1))
		sleep 0.02
	done
	for pid in $(orcm_running); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	# Daemons start each other again, so one round need not be enough.
	while test "$tries" -lt 200; do
		own=$(orcm_own)
		test -n "$own" || break
		for pid in $own; do
			kill -KILL "$pid" 2>/dev/null || :
		done
		tries=$((tries + 1))
		sleep 0.02
	done
	cd /
	rm -rf "$T"
}

# Pids from start() that still run.  A number may be somebody else's by now.
orcm_running() {
	local file
	for file in "$T"/.pid.*; do
		if test -f "$file" && alive "$(<"$file")" &&
			ours "$(<"$file")"; then
			cat "$file"
		fi
	done
}
ours() {
	test ! -r "/proc/$1/environ" ||
		grep -qF "ORCM_TEST_DIR=$T" "/proc/$1/environ"
}

# start NAME COMMAND...: runs it in the background; stdout, stderr and pid are
# $T/NAME.out, $T/NAME.err and $(pid NAME).  bats owns fd 3.
start() {
	local name=$1
	shift
	"$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null 3>&- &
	echo $! >"$T/.pid.$name"
}
# The same with its stdin from a file or a FIFO.
start_from() {
	local name=$1 input=$2
	shift 2
	"$@" >"$T/$name.out" 2>"$T/$name.err" <"$input" 3>&- &
	echo $! >"$T/.pid.$name"
}
pid() { cat "$T/.pid.$1"; }

# finish NAME [SIGNAL]: signals it, waits for it; its exit status is $status.
# (0 signals nothing: it only waits.)
# shellcheck disable=SC2034
finish() {
	test "${2:-TERM}" = 0 || kill "-${2:-TERM}" "$(pid "$1")"
	waituntil 20 gone "$(pid "$1")" || return 1
	status=0
	wait "$(pid "$1")" || status=$?
	rm -f "$T/.pid.$1"
}

# waituntil SECONDS COMMAND...: tries until it succeeds; fails after SECONDS,
# which are longer in a sanitizer's build.
waituntil() {
	local limit=$(($1 * ${ORCM_SLOW:-1} * 50)) tries=0
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if test "$tries" -gt "$limit"; then
			echo "waited in vain for: $*" >&2
			orcm_show >&2
			return 1
		fi
		sleep 0.02
	done
}
# What the background programs said, for the report of a failed test.
orcm_show() {
	local file
	for file in "$T"/*.err "$T"/*.out; do
		test -s "$file" || continue
		echo "--- ${file##*/}"
		tail -n 20 "$file"
	done
}

# A zombie is dead: only its parent has not looked yet.
alive() {
	kill -0 "$1" 2>/dev/null || return 1
	case $(ps -o stat= -p "$1" 2>/dev/null) in
	Z* | '') return 1 ;;
	esac
}
gone() { ! alive "$1"; }
# Does the file have that many lines at least?
lines_in() { test "$(wc -l <"$1")" -ge "$2"; }
has() { grep -q -e "$2" "$1"; }

# A TCP or UDP port on 127.0.0.1 that nothing listens to at this moment.
free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 30000))
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}

# need COMMAND: the test is skipped, and says why, where it is missing.
need() { command -v "$1" >/dev/null || skip "no $1 here"; }
