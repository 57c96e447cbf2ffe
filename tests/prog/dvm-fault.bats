#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# Several nodes on a network that fails: ORCM_FAULT of one of them.

load ../dvm
setup() { dvm_setup; }
teardown() { dvm_teardown; }

# dropped I N: node I has dropped that many datagrams.
dropped() {
	local pid
	pid=$(daemon_pid "$1" orcm-pnpd)
	test -n "$pid" && kill -USR1 "$pid" || return 1
	test "$(sed -n 's/.*ORCM_FAULT: \([0-9]*\) of .*/\1/p' "$T/n$1.err" |
		tail -n 1)" -ge "$2"
}

@test "dvm-fault: who loses a tenth is not down for anybody" {
	dvm_conf 3
	node_start 1
	node_start 2
	ORCM_FAULT='peer=* drop=100' node_start 3
	for i in 1 2 3; do
		waituntil 20 all_alive "$i" 3
	done
	# Of six hundred: some 150 beats of each with each.
	waituntil 60 dropped 3 60
	for i in 1 2 3; do
		at "$i" orcm-events >"events.$i"
		run -1 grep -e 'state=down' -e 'state=dead' "events.$i"
	done
}

# since NODE STATE: when node 3 saw that of another, in ms.
since() { awk -F '\t' "/name=$1\tstate=$2\t/"' { print $1; exit }' events; }

@test "dvm-fault: who hears two that do not hear each other bears it a while" {
	# Each has but one who hears it: a machine that is busy must not count.
	dvm_conf 3 'dvm default profile=relaxed'
	ORCM_FAULT="peer=$NET.2 cut=yes" node_start 1
	node_start 2
	node_start 3
	waituntil 20 state_is 3 1 alive
	waituntil 20 state_is 3 2 alive
	# By a rule that is the same for all: of equals the highest number.
	test "$(at 3 orcm-nodes -o number n1)" -gt \
		"$(at 3 orcm-nodes -o number n2)"
	waituntil 60 state_is 3 1 down
	excluded() {
		at 3 orcm-events >events &&
			has events "name=$1	cause=excluded"
	}
	waituntil 5 excluded n1
	run -1 grep -e 'name=n2	state=down' -e 'state=dead' events
	test "$(since n1 down)" -ge $(($(since n1 alive) + 4900))
	test "$(since n1 down)" -ge $(($(since n2 alive) + 4900))
	# Those two have never met, not even over a connection.
	state_is 1 2 unknown
	state_is 2 1 unknown
	quorate_is() { at "$1" orcm-nodes -o self,quorate | grep -qx "yes	$2"; }
	waituntil 20 quorate_is 1 no
	quorate_is 2 yes
	quorate_is 3 yes
	state_is 3 2 alive
}

@test "dvm-fault: a rule that is none is 100, and says what is meant" {
	dvm_conf 1
	mkdir -m 700 "$T/a"
	ORCM_FAULT='peer=* drop=20%' run -100 orcm-pnpd -N n1 -r "$T/a" \
		-c "$T/orcm.conf"
	[[ $output == *'ORCM_FAULT: rule 1: "drop=20%": give a number'* ]]
}
