#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-ps shows every replica once, in columns that scripts rely on.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# job NAME [OPTION...]: three replicas that do nothing
job() {
	local name=$1
	shift
	start "$name" orcm-run -n 3 -j "$name" "$@" -- sleep 600
	orcm-wait -t 10s ready "$name"
}

@test "orcm-ps: -V tells the version, wrong use is 100 with a usage line" {
	run -0 orcm-ps -V
	[[ $output == "orcm-ps 0."*" wire 1 plugin 1."* ]]
	run -100 --separate-stderr orcm-ps -z
	test -z "$output"
	[[ $stderr == *"usage: orcm-ps ["* ]]
	run -100 orcm-ps -o nothing
	[[ $output == *" job app rank node state pid incarnation leader "* ]]
	run -100 orcm-ps -o job,job
	run -100 orcm-ps -D ../x
}

@test "orcm-ps: 102 at once where no daemon is" {
	run -102 --separate-stderr orcm-ps -D nobody -r "$T/none"
	test -z "$output"
	[[ $stderr == *"$T/none"* ]]
	ORCM_RUN=$T/none run -102 orcm-ps
	mkdir -m 700 empty
	run -102 orcm-ps -r "$T/empty" -f
}

@test "orcm-ps: nothing to show is an empty list and 0" {
	own_dvm
	run -0 orcm-ps
	test -z "$output"
	run -0 orcm-ps -h
	test "$output" = "job	app	rank	node	state	pid	incarnation	leader	restarts	ready	stalled	diverged	dvm"
}

@test "orcm-ps: one line per replica, sorted by job and rank" {
	own_dvm -D fleet -N node7
	job b
	job a
	orcm-ps -o job,rank,node,state,restarts,ready,stalled,diverged,dvm >have
	for j in a b; do
		for r in 0 1 2; do
			echo "$j	$r	node7	up	0	yes	no	no	default"
		done
	done >want
	cmp want have
	orcm-ps -D fleet -o dvm a | grep -qx fleet
	test "$(orcm-ps -o leader a | grep -c yes)" = 1
	test "$(orcm-ps -o leader a | grep -c no)" = 2
	for p in $(orcm-ps -o pid a); do
		alive "$p"
	done
	test "$(orcm-ps b | wc -l)" = 3
}

@test "orcm-ps: -o chooses and orders, -h says which" {
	own_dvm
	job x
	run -0 orcm-ps -h -o rank,job
	test "$output" = "rank	job
0	x
1	x
2	x"
}

@test "orcm-ps: -J is one object a line with numbers and truths" {
	need jq
	own_dvm
	job x
	orcm-ps -J >have
	lines_in have 3
	jq -es 'length == 3 and all(.[]; (.rank | type) == "number" and
		(.pid | type) == "number" and (.leader | type) == "boolean" and
		.job == "x" and .state == "up")' have
}

@test "orcm-ps: a job that is not there is named, 1" {
	own_dvm
	job x
	run -1 --separate-stderr orcm-ps -o job x y
	test "$output" = "x
x
x"
	[[ $stderr == *'"y"'* ]]
}

@test "orcm-ps: the leader is another one after its death" {
	own_dvm
	job x
	orcm-ps -o rank,pid,leader >before
	old=$(awk '$3 == "yes" { print $1 }' before)
	kill -KILL "$(awk '$3 == "yes" { print $2 }' before)"
	restarted() {
		test "$(orcm-ps -o rank,incarnation,restarts,state |
			grep -c "^$old	1	1	up$")" = 1
	}
	waituntil 10 restarted
	# Another replica, or another life of it.
	orcm-ps -o rank,incarnation,leader | grep yes >after
	test "$(wc -l <after)" = 1
	test "$(cut -f 1,2 after)" != "$old	0"
}

@test "orcm-ps: '-' for the leader where the policy has none" {
	own_dvm
	job x -l none
	test "$(orcm-ps -o leader | sort -u)" = -
}

@test "orcm-ps: finds every private DVM without being told" {
	one=ps.$$.one
	two=ps.$$.two
	job "$one"
	job "$two"
	orcm-ps -o job,dvm "$one" "$two" | sort -u >have
	printf '%s\trun.%s\n' "$one" "$(pid "$one")" "$two" "$(pid "$two")" |
		sort >want
	cmp want have
	test "$(orcm-ps -D "run.$(pid "$two")" -o job | sort -u)" = "$two"
}

@test "orcm-ps: the list is whole right after the switchboard was killed" {
	own_dvm
	job x
	orcm-ps -o rank,pid,state,leader >want
	# More than these in a row and orcmd waits before it starts one again.
	for i in 1 2 3 4 5; do
		kill -KILL "$(orcm-events | sed -n \
			's/.*pnpd.*pid=\([0-9]*\).*/\1/p' | tail -n 1)"
		orcm-ps -o rank,pid,state,leader >have
		cmp want have || {
			echo "time $i:"
			cat have
			return 1
		}
	done
}

@test "orcm-ps: -f shows changes, and ends with 102 when the daemons do" {
	own_dvm
	start follow orcm-ps -f -h -o job,rank,state,restarts
	waituntil 5 lines_in follow.out 1
	job x
	waituntil 5 has follow.out '^x	2	up	0$'
	kill -KILL "$(orcm-ps -o pid,rank | awk '$2 == 1 { print $1 }')"
	waituntil 5 has follow.out '^x	1	up	1$'
	orcm-stop x
	waituntil 5 has follow.out '^x	1	gone	'
	test "$(head -n 1 follow.out)" = "job	rank	state	restarts"
	! has follow.err .
	orcm-stop -a
	finish follow 0
	test "$status" = 102
}

@test "orcm-ps: -f outlives a switchboard and repeats nothing" {
	own_dvm
	job x
	start follow orcm-ps -f -o rank,pid,state
	waituntil 5 lines_in follow.out 3
	before=$(orcm-events | grep -c 'pnpd.*up')
	kill -KILL "$(orcm-events | sed -n \
		's/.*pnpd.*pid=\([0-9]*\).*/\1/p' | tail -n 1)"
	again() { test "$(orcm-events | grep -c 'pnpd.*up')" -gt "$before"; }
	waituntil 5 again
	kill -KILL "$(orcm-ps -o pid,rank | awk '$2 == 2 { print $1 }')"
	restarted() { test "$(grep -c '^2	.*up$' follow.out)" = 2; }
	waituntil 5 restarted
	test "$(grep -c '^[01]	' follow.out)" = 2
}

@test "orcm-ps: a run directory that is not safe is 100 and says why" {
	mkdir -m 777 open
	chmod 777 open
	run -100 orcm-ps -r "$T/open"
	[[ $output == *"chmod 700"* ]]
	long=$T/$(printf '%0100d' 0)
	run -100 orcm-ps -r "$long"
	[[ $output == *"too long"* ]]
	touch file
	run -100 orcm-ps -r "$T/file"
}

@test "orcm-ps: another user's DVM is refused" {
	need_root
	need setpriv
	own_dvm
	mkdir -m 700 theirs
	chown 65534 theirs
	run -100 orcm-ps -r "$T/theirs"
	[[ $output == *"somebody else"* ]]
}

@test "orcm-ps: a full disk is an error" {
	test -c /dev/full || skip "no /dev/full"
	own_dvm
	job x
	run -111 bash -c 'orcm-ps >/dev/full'
}
