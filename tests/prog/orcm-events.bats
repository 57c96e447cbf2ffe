#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-events: what happened, once each, in columns.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

job() {
	local name=$1
	shift
	start "$name" orcm-run -n 3 -j "$name" "$@" -- sleep 600
	orcm-wait -t 10s ready "$name"
}
# seen KIND [JOB]: an event of that kind is known
seen() { orcm-events ${2:+"$2"} | cut -f 2 | grep -qx "$1"; }

@test "orcm-events: -V tells the version, wrong use is 100, nobody is 102" {
	run -0 orcm-events -V
	[[ $output == "orcm-events 0."* ]]
	run -100 orcm-events -z
	[[ $output == *"usage: orcm-events"* ]]
	run -100 orcm-events -n 0
	run -102 orcm-events -r "$T/none"
	run -102 orcm-events -r "$T/none" -f
}

@test "orcm-events: time, kind, job, rank, then the values" {
	own_dvm
	job x
	orcm-events x >have
	awk -F '\t' '$1 !~ /^[0-9]+$/ || $3 != "x" || $4 !~ /^[0-2]$/ {
		print "wrong: " $0
		bad = 1
	} END { exit bad }' have
	test "$(awk -F '\t' '$2 == "start"' have | wc -l)" = 3
	test "$(awk -F '\t' '$2 == "ready"' have | wc -l)" = 3
	awk -F '\t' '$2 == "start" { print $5 }' have | sort >pids
	orcm-ps -o pid x | sed 's/^/pid=/' | sort >want
	cmp want pids
}

@test "orcm-events: only those of the jobs that are named" {
	own_dvm
	job a
	job b
	test "$(orcm-events a | cut -f 3 | sort -u)" = a
	test "$(orcm-events a b | cut -f 3 | sort -u)" = "a
b"
	orcm-events | cut -f 2 | grep -qx daemon
	test -z "$(orcm-events none)"
}

@test "orcm-events: -n ends after so many" {
	own_dvm
	job x
	test "$(orcm-events -n 2 | wc -l)" = 2
	start three orcm-events -f -n 3 x
	finish three 0
	test "$status" = 0
	lines_in three.out 3
	! lines_in three.out 4
}

@test "orcm-events: -f goes on as they happen" {
	own_dvm
	job x
	start follow orcm-events -f x
	waituntil 5 has follow.out '	leader	x	'
	killed=$(orcm-ps -o pid,leader x | awk '$2 == "yes" { print $1 }')
	kill -KILL "$killed"
	waituntil 5 has follow.out '	exit	x	[0-2]	signal=9'
	waituntil 5 has follow.out '	restart	x	'
	# Another daemon's word, which may come after that.
	waituntil 5 two_led
	orcm-stop -a
	finish follow 0
	test "$status" = 102
	two_led
}
two_led() { test "$(grep -c '	leader	x	' follow.out)" = 2; }

@test "orcm-events: none is lost and none is doubled with the switchboard" {
	own_dvm
	job x
	start follow orcm-events -f
	waituntil 5 has follow.out '	leader	x	'
	for i in 1 2 3; do
		n=$(grep -c 'pnpd.*up' follow.out || :)
		kill -KILL "$(orcm-events | sed -n \
			's/.*pnpd.*pid=\([0-9]*\).*/\1/p' | tail -n 1)"
		more() { test "$(grep -c 'pnpd.*up' follow.out)" -gt "$n"; }
		waituntil 5 more
	done
	job y
	waituntil 5 has follow.out '	leader	y	'
	test -z "$(sort follow.out | uniq -d)"
	test "$(grep -c '	start	x	' follow.out)" = 3
	waituntil 5 seen start x
	test "$(orcm-events x | grep -c '	start	')" = 3
}

@test "orcm-events: -J is one object a line, its values are members" {
	need jq
	own_dvm
	job x
	orcm-events -J x >have
	jq -es 'map(select(.kind == "start")) | length == 3 and
		all(.[]; (.pid | type) == "number" and .job == "x" and
		(."time-ms" | type) == "number")' have
}

@test "orcm-events: takes the only DVM, asks back when there are several" {
	need_root
	need setpriv
	mkdir -m 700 u
	chown 65534 u "$T"
	run -0 as_nobody orcm-events -V || skip "the build is not for others"
	mine() {
		as_nobody env "XDG_RUNTIME_DIR=$T/u" "$@"
	}
	run -102 mine orcm-events
	start a as_nobody env "XDG_RUNTIME_DIR=$T/u" orcm-run -j a sleep 600
	mine orcm-wait -t 10s leader a
	mine orcm-events | grep -q '	leader	a	'
	start b as_nobody env "XDG_RUNTIME_DIR=$T/u" orcm-run -j b sleep 600
	mine orcm-wait -t 10s leader b
	run -100 mine orcm-events
	[[ $output == *"run."*"run."* ]]
	mine orcm-events b | grep -q '	leader	b	'
	start d as_nobody env "XDG_RUNTIME_DIR=$T/u" orcmd
	waituntil 10 mine orcm-ps -D default
	mine orcm-events | grep -q '	daemon	'
	! mine orcm-events | grep -q '	leader	'
	mine orcm-stop -a
}
