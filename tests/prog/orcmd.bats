#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcmd: one command makes a DVM, one ends it, and no death in it is the end.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# daemon NAME: pid of the DVM's present daemon, as the picture tells
daemon() { orcm-events | sed -n "s/.*	$1	up	pid=//p" | tail -n 1; }
job() {
	local name=$1
	shift
	start "$name" orcm-run -n 3 -j "$name" "$@" -- sleep 600
	orcm-wait -t 10s ready "$name"
}

@test "orcmd: -V tells the version, wrong use is 100 with a usage line" {
	run -0 orcmd -V
	[[ $output == "orcmd 0."*" wire 1 plugin 1."* ]]
	run -100 orcmd -z
	[[ $output == *"usage: orcmd "* ]]
	run -100 orcmd operand
	run -100 orcmd -D a/b
	run -100 orcmd -N 'a b'
	run -100 orcmd -d x
}

@test "orcmd: -V on a full disk is an error, of every program" {
	test -c /dev/full || skip "no /dev/full"
	for name in orcmd orcm-pnpd orcm-leaderd orcm-wrap orcm-ps orcm-stop \
		orcm-wait orcm-events orcm-info orcm-dump; do
		status=0
		"$name" -V >/dev/full 2>err || status=$?
		test "$status" = 111
		lines_in err 1
	done
	for option in -V -h; do
		status=0
		orcm-run $option >/dev/full 2>err || status=$?
		test "$status" = 125
		lines_in err 1
	done
}

@test "orcmd: -d says when all of it can be used" {
	mkfifo ready
	start dvm bash -c 'exec orcmd -r "$T/r" -d 7 7>ready'
	read -r -t 10 line <ready
	test -z "$line"
	orcm-ps -r "$T/r"
	ORCM_RUN=$T/r orcm-run -n 2 true
}

@test "orcmd: TERM stops the jobs and the daemons and leaves no process" {
	own_dvm
	job x
	pids=$(orcm-ps -o pid)
	kill -TERM "$(pid dvm)"
	finish dvm 0
	test "$status" = 0
	for p in $pids; do
		waituntil 5 gone "$p"
	done
	kill -KILL "$(pid x)" 2>/dev/null || :
	nobody() { test -z "$(orcm_own)"; }
	waituntil 5 nobody
	run -102 orcm-ps
}

@test "orcmd: a second one in the same directory is refused with the pid" {
	own_dvm
	run -100 orcmd
	[[ $output == *"already running"*"$(pid dvm)"* ]]
	run -100 orcm-pnpd
	run -100 orcm-leaderd
	orcm-ps
}

@test "orcmd: a directory that is not safe is refused" {
	mkdir -m 755 open
	run -100 orcmd -r "$T/open"
	[[ $output == *"chmod 700"* ]]
	ln -s r link
	run -100 orcmd -r "$T/link"
	run -100 orcmd -r "$T/$(printf '%0100d' 0)"
	[[ $output == *"too long"* ]]
	touch file
	run -100 orcmd -r "$T/file"
}

@test "orcmd: somebody else's directory is refused" {
	need_root
	mkdir -m 700 theirs
	chown 65534 theirs
	run -100 orcmd -r "$T/theirs"
	[[ $output == *"somebody else"* ]]
}

@test "orcmd: daemons that are killed come back, replicas stay" {
	own_dvm
	job x
	orcm-ps -o rank,pid,leader >before
	for name in orcm-pnpd orcm-leaderd; do
		old=$(daemon $name)
		kill -KILL "$old"
		back() { test "$(daemon $name)" != "$old"; }
		waituntil 5 back
	done
	orcm-ps -o rank,pid,leader >after
	cmp before after
}

@test "orcmd: comes back when it is killed, and adopts what runs" {
	own_dvm
	job x
	orcm-ps -o rank,pid,incarnation >before
	kill -KILL "$(pid dvm)"
	waituntil 5 gone "$(pid dvm)"
	# The first thing that a new one must be able to do.
	victim=$(orcm-ps -o rank,pid | awk '$1 == 2 { print $2 }')
	kill -KILL "$victim"
	again() { orcm-ps -o rank,incarnation,state | grep -qx '2	1	up'; }
	waituntil 5 again
	grep -v '^2' before >want
	orcm-ps -o rank,pid,incarnation | grep -v '^2' >have
	cmp want have
	orcm-stop -a
}

@test "orcmd: a daemon that does not turn any more is replaced, replicas stay" {
	own_dvm
	job x
	orcm-ps -o rank,pid,leader >before
	for name in orcm-pnpd orcm-leaderd; do
		old=$(daemon $name)
		kill -STOP "$old"
		waituntil 15 gone "$old"
		waituntil 5 back
		orcm-ps -o rank,pid,leader | cmp before -
	done
	has dvm.err "orcm-leaderd (pid $old) does not answer: killed"
	# The others see to it that the first of them turns.
	kill -STOP "$(pid dvm)"
	waituntil 15 gone "$(pid dvm)"
	adopted() { orcm-ps -o rank,pid,leader | cmp -s before -; }
	waituntil 5 adopted
	orcm-stop -a
}
back() { test "$(daemon $name)" != "$old"; }

@test "orcmd: USR1 writes the state, HUP says that there is nothing to read" {
	own_dvm -v
	job x
	kill -USR1 "$(pid dvm)"
	waituntil 5 has dvm.err 'x rank 2 up pid'
	kill -HUP "$(pid dvm)"
	waituntil 5 has dvm.err 'no configuration'
}

@test "orcmd: USR2 executes it again, nothing notices" {
	mkfifo ready
	ORCM_RUN=$T/r
	export ORCM_RUN
	start dvm bash -c 'exec orcmd -d 3 3>ready'
	read -r -t 10 _ <ready
	job x
	orcm-ps -o rank,pid,incarnation >before
	for rank in 0 1; do
		kill -USR2 "$(pid dvm)"
		kill -KILL "$(awk -v r=$rank '$1 == r { print $2 }' before)"
		again() {
			orcm-ps -o rank,incarnation,state |
				grep -qx "$rank	1	up"
		}
		waituntil 5 again
	done
	orcm-ps -o rank,pid,incarnation | grep '^2' >after
	grep '^2' before | cmp - after
	# It still holds what makes it the only one.
	run -100 orcmd
	alive "$(pid dvm)"
}

@test "orcmd: everything ends with the lifeline, and nothing is left" {
	mkfifo line
	start dvm bash -c 'exec orcmd -r "$T/r" -l 7 7<line'
	exec 8>line
	ORCM_RUN=$T/r
	export ORCM_RUN
	waituntil 10 orcm-ps 8>&-
	job x 8>&-
	exec 8>&-
	finish dvm 0
	waituntil 5 test ! -e "$T/r"
	kill -KILL "$(pid x)" 2>/dev/null || :
	nobody() { test -z "$(orcm_own)"; }
	waituntil 5 nobody
}

@test "orcmd: -1 starts no other daemon; by hand they do the same" {
	ORCM_RUN=$T/r
	export ORCM_RUN
	start dvm orcmd -1
	waituntil 10 test -S r/orcmd.sock
	test ! -e r/pnpd.sock
	start pnpd orcm-pnpd
	start leaderd orcm-leaderd
	waituntil 10 orcm-ps
	job x
	# Nobody but an init system would start it again.
	finish leaderd KILL
	finish pnpd KILL
	test ! -s dvm.err
	start pnpd orcm-pnpd
	start leaderd orcm-leaderd
	orcm-ps -o state >have
	cat have
	test "$(grep -cx up have)" = 3
}

@test "orcmd: garbage on its socket harms nobody" {
	test -x "$B/t/flood" || skip "no flood"
	own_dvm
	job x
	for how in open garbage half; do
		"$B/t/flood" "$T/r/orcmd.sock" 500 $how </dev/null
	done
	kill -KILL "$(orcm-ps -o pid,rank | awk '$2 == 0 { print $1 }')"
	again() { orcm-ps -o rank,incarnation,state | grep -qx '0	1	up'; }
	waituntil 5 again
	alive "$(pid dvm)"
}

@test "orcmd: a daemon that cannot start is tried at least once a second" {
	mkdir bin
	cp "$BIN"/orcm* bin
	rm bin/orcm-leaderd
	cat >bin/orcm-leaderd <<-END
		#!/bin/sh
		test ! -e "$T/repaired" || exec "$BIN/orcm-leaderd" "\$@"
		echo >>"$T/tries"
	END
	chmod 755 bin/orcm-leaderd
	ORCM_RUN=$T/r
	export ORCM_RUN
	: >tries
	start dvm bin/orcmd
	# By then the waits have grown as long as they get.
	waituntil 10 lines_in tries 8
	: >repaired
	waituntil 2 daemon_is orcm-leaderd
}
daemon_is() { test -n "$(daemon "$1")"; }

# Two ways to lose it: only the run directory, or what is above it, too.
@test "orcmd: daemons whose run directory was removed end with it" {
	for what in p/r p; do
		mkdir -p -m 700 p
		ORCM_RUN=$T/p/r
		export ORCM_RUN
		start dvm orcmd
		waituntil 10 orcm-ps
		job x
		helpers="$(daemon orcm-pnpd) $(daemon orcm-leaderd)"
		rm -rf "$what"
		finish dvm KILL
		for p in $helpers; do
			waituntil 5 gone "$p"
		done
		grep -q 'was taken away' dvm.err
		# None of them has made it again.
		test ! -e p/r
		finish x
		nobody() { test -z "$(orcm_own)"; }
		waituntil 5 nobody
	done
}

@test "orcmd: starts nothing in a run directory that is not its own any more" {
	mkdir p
	ORCM_RUN=$T/p/r
	export ORCM_RUN
	start dvm orcmd
	waituntil 10 orcm-ps
	mkfifo input
	start_from x input orcm-run -n 3 -j x cat
	exec 8>input
	orcm-wait -t 10s ready x 8>&-
	echo before >&8
	orcm-ps -o pid >pids
	pnpd=$(daemon orcm-pnpd)
	rm -rf p/r
	kill -KILL "$pnpd"
	waituntil 5 has dvm.err 'was taken away: orcm-pnpd is not started'
	test ! -e p/r
	for p in $(cat pids); do
		alive "$p"
	done
	echo after >&8
	exec 8>&-
	finish x 0
	test "$status" = 0
	printf 'before\nafter\n' | cmp - x.out
}
