#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-leaderd: one leader, epochs that only rise.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

daemon() { orcm-events | sed -n "s/.*	$1	up	pid=//p" | tail -n 1; }
job() {
	local name=$1
	shift
	start "$name" orcm-run -n 3 -j "$name" "$@" -- sleep 600
	orcm-wait -t 10s ready "$name"
}
leader() { orcm-ps -o rank,leader "$1" | awk '$2 == "yes" { print $1 }'; }
epochs() {
	orcm-events -J x |
		sed -n 's/.*"kind":"leader".*"epoch":\([0-9]*\).*/\1/p'
}
kill_rank() {
	kill -KILL "$(orcm-ps -o rank,pid "$1" |
		awk -v r="$2" '$1 == r { print $2 }')"
}

@test "orcm-leaderd: -V tells the version, wrong use is 100" {
	run -0 orcm-leaderd -V
	[[ $output == "orcm-leaderd 0."* ]]
	run -100 orcm-leaderd -z
	[[ $output == *"usage: orcm-leaderd "* ]]
}

@test "orcm-leaderd: after its death the leader is the same" {
	own_dvm
	job x
	old=$(leader x)
	pid=$(daemon orcm-leaderd)
	kill -KILL "$pid"
	back() { test "$(daemon orcm-leaderd)" != "$pid"; }
	waituntil 5 back
	orcm-wait -t 5s leader x
	test "$(leader x)" = "$old"
	test "$(orcm-events x | grep -c '	leader	')" = 1
}

@test "orcm-leaderd: epochs rise, also over its own death" {
	own_dvm
	job x
	for i in 1 2 3; do
		pid=$(daemon orcm-leaderd)
		kill -KILL "$pid"
		back() { test "$(daemon orcm-leaderd)" != "$pid"; }
		waituntil 5 back
		old=$(epochs | tail -n 1)
		kill_rank x "$(leader x)"
		# Back before the new daemon looks, the same rank may lead again.
		risen() { test "$(epochs | tail -n 1)" -gt "$old"; }
		waituntil 5 risen
		orcm-wait -t 5s ready x
	done
	epochs >epochs
	lines_in epochs 2
	sort -n -u epochs | cmp - epochs
}

@test "orcm-leaderd: a fixed leader is the leader again when it is back" {
	own_dvm
	job x -l fixed:1
	test "$(leader x)" = 1
	kill_rank x 1
	again() {
		orcm-ps -o rank,incarnation,leader x | grep -qx '1	1	yes'
	}
	waituntil 5 again
}

@test "orcm-leaderd: USR1 writes each leader to stderr" {
	own_dvm
	job x
	kill -USR1 "$(daemon orcm-leaderd)"
	waituntil 5 has dvm.err "orcm-leaderd: x leader $(leader x) epoch 1"
}
