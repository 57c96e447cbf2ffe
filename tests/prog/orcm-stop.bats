#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-stop: after it nothing of the job is left, or it says so.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

job() {
	local name=$1
	shift
	start "$name" orcm-run -n 2 -j "$name" "$@"
	orcm-wait -t 10s ready "$name"
}

@test "orcm-stop: -V tells the version, wrong use is 100" {
	run -0 orcm-stop -V
	[[ $output == "orcm-stop 0."* ]]
	run -100 orcm-stop
	[[ $output == *"usage: orcm-stop"* ]]
	run -100 orcm-stop -a x
	run -100 orcm-stop -s NONSENSE x
	run -100 orcm-stop a/b
}

@test "orcm-stop: the job is gone when it returns" {
	own_dvm
	job x -- sleep 600
	pids=$(orcm-ps -o pid x)
	orcm-stop x
	for p in $pids; do
		gone "$p"
	done
	run -1 orcm-ps x
	finish x 0
	test "$status" = 143
}

@test "orcm-stop: several at once, unknown ones are named, 1" {
	own_dvm
	job a -- sleep 600
	job b -- sleep 600
	run -1 --separate-stderr orcm-stop a no b
	[[ $stderr == *'"no"'* ]]
	test -z "$(orcm-ps)"
	run -1 orcm-stop a
}

@test "orcm-stop: 99 when it takes too long" {
	own_dvm
	job x -g 60s -- sh -c 'trap "" TERM; while :; do read -r x || sleep 1; done'
	run -99 orcm-stop -t 200 x
	[[ $output == *'"x"'*"200 ms"* ]]
	orcm-ps x
	orcm-stop -s KILL x
	run -1 orcm-ps x
}

@test "orcm-stop: -t 0 waits for nothing" {
	own_dvm
	job x -g 60s -- sh -c 'trap "" TERM; while :; do read -r x || sleep 1; done'
	run -0 orcm-stop -t 0 x
	orcm-ps x
	orcm-stop -s 9 x
}

@test "orcm-stop: -s is the signal that the replicas get" {
	own_dvm
	job x -- sh -c 'trap "echo usr1; exit 7" USR1; echo ready
		while :; do sleep 0.05; done'
	waituntil 5 has x.out ready
	orcm-stop -s USR1 x
	finish x 0
	has x.out usr1
	test "$status" = 7
}

@test "orcm-stop: finds a job in a private DVM, which ends with it" {
	name=stop.$$
	job "$name" -- sleep 600
	dir=$(run_dir "$name")
	orcm-stop "$name"
	finish "$name" 0
	waituntil 5 test ! -e "$dir"
}

@test "orcm-stop: 102 where no daemon is" {
	run -102 orcm-stop -r "$T/none" x
	run -102 orcm-stop -r "$T/none" -a
}

@test "orcm-stop: -a ends a DVM with all its jobs" {
	own_dvm
	job x -- sleep 600
	pids=$(orcm-ps -o pid x)
	run -0 orcm-stop -a
	for p in $pids; do
		waituntil 5 gone "$p"
	done
	run -102 orcm-ps
	finish dvm 0
	test "$status" = 0
	run -102 orcm-stop -a
}

@test "orcm-stop: an order survives the switchboard's death" {
	own_dvm
	for i in 1 2 3; do
		job "x$i" -- sleep 600
		kill -KILL "$(orcm-events | sed -n \
			's/.*pnpd.*pid=\([0-9]*\).*/\1/p' | tail -n 1)"
		run -0 orcm-stop "x$i"
		finish "x$i" 0
	done
}
