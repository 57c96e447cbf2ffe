#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-wrap: a replica has a parent that knows how it ended, and never
# outlives it.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

job() {
	local name=$1
	shift
	start "$name" orcm-run -n 2 -j "$name" "$@"
	orcm-wait -t 10s ready "$name"
}
pid_of() { orcm-ps -o rank,pid "$1" | awk -v r="$2" '$1 == r { print $2 }'; }
keeper_of() { ps -o ppid= -p "$(pid_of "$1" "$2")" | tr -d ' '; }
restarted() {
	orcm-ps -o rank,incarnation,state "$1" | grep -qx "$2	$3	up"
}

@test "orcm-wrap: -V tells the version, wrong use is 100" {
	run -0 orcm-wrap -V
	[[ $output == "orcm-wrap 0."* ]]
	run -100 orcm-wrap
	[[ $output == *"usage: orcm-wrap -r rundir -j "* ]]
	run -100 orcm-wrap -r "$T/r" -j 1 -k 0
	run -100 orcm-wrap -r "$T/r" -j 65536 -k 256
	run -100 orcm-wrap -r "$T/r" -j 65536 -k 0 operand
}

@test "orcm-wrap: 102 where nobody owns the job" {
	run -102 orcm-wrap -r "$T/r" -j 65536 -k 0
}

@test "orcm-wrap: the program dies with its keeper and lives again" {
	own_dvm
	job x -- sleep 600
	program=$(pid_of x 1)
	kill -KILL "$(keeper_of x 1)"
	waituntil 5 gone "$program"
	waituntil 5 restarted x 1 1
	test "$(orcm-ps -o rank,incarnation x | head -n 1)" = "0	0"
}

@test "orcm-wrap: goes with the owner, and takes all of the program along" {
	own_dvm
	job x -- sh -c 'sleep 600 & sleep 600; :'
	keepers="$(keeper_of x 0) $(keeper_of x 1)"
	programs=$(orcm-ps -o pid x)
	finish x KILL
	for p in $keepers $programs; do
		waituntil 5 gone "$p"
	done
	orcm-wait -t 5s gone x
	orcm-stop -a
	nobody() { test -z "$(orcm_own)"; }
	waituntil 5 nobody
}

@test "orcm-wrap: outlives orcmd and tells the next one how it ended" {
	own_dvm
	job x -R failure -- sh -c 'trap "exit 7" USR1; while :; do sleep 0.05; done'
	kill -STOP "$(pid dvm)"
	program=$(pid_of x 0)
	kill -USR1 "$program"
	waituntil 5 gone "$program"
	kill -KILL "$(pid dvm)"
	waituntil 5 restarted x 0 1
	orcm-stop -a
}
