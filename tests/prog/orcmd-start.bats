#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# How the daemons are started and found: readiness, names, run directories,
# and what a former life left behind.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

@test "orcmd: NOTIFY_SOCKET is told once, by each daemon that has it" {
	start init "$B/t/datagram" "$T/notify"
	waituntil 10 lines_in init.out 1
	NOTIFY_SOCKET=$T/notify start one orcmd -r "$T/r"
	waituntil 10 has init.out READY=1
	orcm-ps -r "$T/r"
	# Its children do not tell it too.
	test "$(grep -c READY=1 init.out)" = 1
	finish one
	# By hand, as an init system does.
	mkdir -m 700 hand
	for d in orcm-pnpd orcm-leaderd; do
		NOTIFY_SOCKET=$T/notify start "$d" "$d" -r "$T/hand"
		waituntil 10 lines_in init.out 3 ||
			waituntil 10 has init.out READY=1
	done
	NOTIFY_SOCKET=$T/notify start two orcmd -1 -r "$T/hand"
	waituntil 10 count_is 4
	orcm-ps -r "$T/hand"
	finish two
	finish orcm-leaderd
	finish orcm-pnpd
	count_is 4
}
count_is() { test "$(grep -c READY=1 init.out)" = "$1"; }

@test "orcmd: a NOTIFY_SOCKET that is not there is no matter" {
	NOTIFY_SOCKET=$T/nowhere start one orcmd -r "$T/r"
	waituntil 10 orcm-ps -r "$T/r"
	finish one
	test "$status" = 0
}

@test "orcmd: -d and a reader that has gone" {
	mkfifo ready
	orcmd -d 4 -r "$T/r" 4<>ready >d.out 2>d.err </dev/null 3>&- &
	echo $! >.pid.one
	# One newline and nothing else; then it is closed.
	read -r line <ready
	test -z "$line"
	orcm-ps -r "$T/r"
	finish one
	test "$status" = 0
}

@test "orcmd: -d, -l and -N are checked" {
	for wrong in '-d x' '-d -1' '-l x' '-N a/b' '-D a/b' '-N' 'word' '-Z'; do
		for d in orcmd orcm-pnpd orcm-leaderd; do
			# shellcheck disable=SC2086
			run -100 "$d" -r "$T/r" $wrong
			test -n "$output"
		done
	done
	test -z "$(ls r)"
}

@test "orcmd: -N is the node's name" {
	ORCM_RUN=$T/r
	export ORCM_RUN
	own_dvm -N here
	run -0 orcm-run -n 2 -j x -- sh -c 'orcm-ps -o node x | sort -u'
	test "$output" = here
}

@test "orcmd: the name and the place come from the environment too" {
	ORCM_DVM=named ORCM_RUN=$T/r start one orcmd
	waituntil 10 orcm-ps -D named -r "$T/r"
	ORCM_DVM=named ORCM_RUN=$T/r run -0 orcm-run -- sh -c 'echo $ORCM_DVM'
	test "$output" = named
	finish one
}

@test "orcmd: makes its run directory, but nothing above it" {
	start one orcmd -r new
	waituntil 10 orcm-ps -r "$T/new"
	case $(ls -ld new) in
	drwx------*) ;;
	*) return 1 ;;
	esac
	finish one
	run orcmd -r "$T/no/such/place"
	test "$status" = 100 -o "$status" = 111
	test ! -e no
}

@test "orcmd: each user has a place of its own for DVMs" {
	need_root
	need setpriv
	mkdir -m 700 runtime
	chown 65534 runtime
	chmod 755 "$T"
	as_nobody test -x "$BIN/orcmd" ||
		skip 'the build is not readable for others'
	start one as_nobody env XDG_RUNTIME_DIR="$T/runtime" \
		"$BIN/orcmd" -D mine
	waituntil 10 test -S runtime/orcm/mine/pnpd.sock
	as_nobody env XDG_RUNTIME_DIR="$T/runtime" "$BIN/orcm-ps" -D mine
	# Root's DVM of that name is another one.
	run -102 orcm-ps -D mine
	finish one
}

@test "orcmd: sockets and locks of a life that was killed are no matter" {
	own_dvm
	# shellcheck disable=SC2046
	kill -9 "$(pid dvm)" $(pgrep -f "/orcm-[a-z]* -D default -r $ORCM_RUN ")
	waituntil 5 gone "$(pid dvm)"
	test -S "$ORCM_RUN/pnpd.sock" -a -S "$ORCM_RUN/orcmd.sock"
	# Nobody is there, and that is said at once.
	run -102 orcm-ps
	run -125 orcm-run echo x
	[[ $output == *orcmd* ]]
	own_dvm
	run -0 orcm-run -n 3 echo works
	test "$output" = works
}

@test "orcmd: two are started at once: one runs, the other says so" {
	ORCM_RUN=$T/r
	export ORCM_RUN
	for _ in 1 2 3; do
		for n in 1 2 3 4; do start "d$n" orcmd; done
		waituntil 10 orcm-ps
		waituntil 10 one_left
		run -0 orcm-run -n 2 echo works
		test "$output" = works
		for n in 1 2 3 4; do
			if alive "$(pid "d$n")"; then
				finish "d$n"
				test "$status" = 0
			else
				finish "d$n" 0
				test "$status" = 100
				has "d$n.err" 'already running'
			fi
		done
	done
}
one_left() {
	left=0
	for n in 1 2 3 4; do
		if alive "$(pid "d$n")"; then left=$((left + 1)); fi
	done
	test "$left" = 1
}

@test "orcmd: TERM, INT: everything ends, jobs first" {
	for sig in TERM INT; do
		start dvm "$B/t/fresh" orcmd -r "$T/r"
		waituntil 10 orcm-ps -r "$T/r"
		ORCM_RUN=$T/r start job orcm-run -n 3 -j x -- sleep 1000
		waituntil 10 orcm-wait -r "$T/r" -t 5000 count=3 x
		all=$(orcm-ps -r "$T/r" -o pid x)
		finish dvm "$sig"
		test "$status" = 0
		for p in $all; do waituntil 2 gone "$p"; done
		finish job 0
		test "$status" != 0
		test -z "$(pgrep -f "/orcm-[a-z]* -D default -r $T/r ")"
	done
}
