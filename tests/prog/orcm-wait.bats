#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-wait: scripts wait for conditions, never for time.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

job() {
	local name=$1
	shift
	start "$name" orcm-run -n 3 -j "$name" "$@" -- sleep 600
}

@test "orcm-wait: -V tells the version, wrong use is 100" {
	run -0 orcm-wait -V
	[[ $output == "orcm-wait 0."* ]]
	run -100 orcm-wait
	[[ $output == *"usage: orcm-wait"* ]]
	run -100 orcm-wait leader
	run -100 orcm-wait happy x
	[[ $output == *"count=N"* ]]
	run -100 orcm-wait count=257 x
	run -100 orcm-wait count= x
	run -100 orcm-wait leader a/b
	run -100 orcm-wait -t soon leader x
}

@test "orcm-wait: leader, ready and count come true" {
	own_dvm
	job x
	orcm-wait -t 10s leader x
	test "$(orcm-ps -o leader x | grep -c yes)" = 1
	orcm-wait -t 10s ready x
	test "$(orcm-ps -o ready x | grep -c yes)" = 3
	orcm-wait -t 10s count=3 x
}

@test "orcm-wait: 99 when it does not come true in time" {
	own_dvm
	job x
	orcm-wait -t 10s leader x
	run -99 orcm-wait -t 100 gone x
	[[ $output == *"gone x"*"100 ms"* ]]
	run -99 orcm-wait -t 100ms count=2 x
	run -99 orcm-wait -t 50 leader y
}

@test "orcm-wait: waits for a job that comes later" {
	own_dvm
	start waiter orcm-wait -t 20s leader late
	job other
	orcm-wait -t 10s ready other
	alive "$(pid waiter)"
	job late
	finish waiter 0
	test "$status" = 0
}

@test "orcm-wait: waits for a DVM that comes later" {
	start waiter orcm-wait -r "$T/r" -t 20s ready x
	own_dvm
	alive "$(pid waiter)"
	job x
	finish waiter 0
	test "$status" = 0
}

@test "orcm-wait: finds a private DVM that is made while it waits" {
	name=wait.$$
	start waiter orcm-wait -t 20s ready "$name"
	job "$name"
	finish waiter 0
	test "$status" = 0
	start waiter orcm-wait -t 20s gone "$name"
	finish "$name" TERM
	finish waiter 0
	test "$status" = 0
}

@test "orcm-wait: gone is true where nothing ever was" {
	orcm-wait -t 5s gone "nothing.$$"
	orcm-wait -t 5s -r "$T/none" gone x
	own_dvm
	orcm-wait -t 5s gone x
	orcm-wait -t 5s count=0 x
}

@test "orcm-wait: gone is true when the whole DVM is gone" {
	own_dvm
	job x
	orcm-wait -t 10s ready x
	start waiter orcm-wait -t 20s gone x
	orcm-stop -a
	finish waiter 0
	test "$status" = 0
}

# Its last life, as orcmd tells; not before that has been told.
kill_pnpd() {
	kill -KILL "$(orcm-events | sed -n \
		's/.*pnpd.*pid=\([0-9]*\).*/\1/p' | tail -n 1)" 2>&-
}

@test "orcm-wait: gone is not believed of a switchboard that knows nothing" {
	own_dvm
	job x
	orcm-wait -t 10s ready x
	for i in 1 2 3 4 5; do
		waituntil 10 kill_pnpd
		run -99 orcm-wait -t 300 gone x
	done
}

@test "orcm-wait: -t 0 waits for ever" {
	own_dvm
	job x -R never
	orcm-wait -t 10s ready x
	start waiter orcm-wait -t 0 count=2 x
	run -99 orcm-wait -t 100 count=2 x
	alive "$(pid waiter)"
	kill -KILL "$(orcm-ps -o pid,leader | awk '$2 == "no" { print $1 }' |
		head -n 1)"
	finish waiter 0
	test "$status" = 0
}

@test "orcm-wait: executes a program with its own options" {
	own_dvm
	job x
	run -0 orcm-wait leader x printf '%s,' -t -V --
	test "$output" = "-t,-V,--,"
	run -3 orcm-wait leader x sh -c 'exit 3'
	run -127 orcm-wait leader x "$T/no-such-program"
	touch plain
	run -126 orcm-wait leader x ./plain
}

@test "orcm-wait: nothing is executed after a time-out" {
	run -99 orcm-wait -r "$T/none" -t 50 leader x touch ran
	test ! -e ran
}
