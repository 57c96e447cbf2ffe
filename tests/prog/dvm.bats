#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# Several nodes on this host: one picture, whichever node is asked.

load ../dvm
setup() { dvm_setup; }
teardown() { dvm_teardown; }

# job I NAME: three replicas, owned by node I.
job() {
	start "$2" env "ORCM_RUN=$T/n$1" "ORCM_TEST_NODE=$T/n$1" \
		orcm-run -n 3 -j "$2" -- sleep 600
	at "$1" orcm-wait -t 10s ready "$2"
}
# same_everywhere N COMMAND...: all nodes print the same, and something.
same_everywhere() {
	local i n=$1
	shift
	for ((i = 1; i <= n; i++)); do
		at "$i" "$@" >"$T/same.$i" || return 1
		cmp "$T/same.1" "$T/same.$i" || return 1
	done
	test -s "$T/same.1"
}

@test "dvm: orcm-ps and orcm-events tell the same on any node" {
	dvm_start 3
	job 1 one
	job 2 two
	waituntil 5 same_everywhere 3 orcm-ps
	test "$(cut -f 1,4 same.1 | sort | uniq -c | awk '{ print $1, $2, $3 }')" = \
		"3 one n1
3 two n2"
	events() { at "$1" orcm-events one two | sort >"$T/events.$1"; }
	alike() {
		events 1 && events 2 && events 3 &&
			cmp events.1 events.2 && cmp events.1 events.3
	}
	waituntil 5 alike
	has events.3 '	leader	one	0	'
	has events.3 '	leader	two	0	'
}

@test "dvm: a job is stopped and waited for from another node" {
	dvm_start 2
	job 1 far
	run -0 at 2 orcm-wait -t 5s leader far
	run -0 at 2 orcm-stop far
	gone_there() { ! at 2 orcm-ps far; }
	waituntil 5 gone_there
	finish far 0
}

@test "dvm: a node that joins late is told everything" {
	dvm_conf 3
	node_start 1
	waituntil 10 at 1 orcm-nodes
	job 1 early
	node_start 2
	node_start 3
	waituntil 10 same_everywhere 3 orcm-ps early
	test "$(wc -l <same.3)" = 3
}

@test "dvm: switchboards that die in turn lose nothing" {
	dvm_start 3
	job 1 kept
	at 1 orcm-ps -o job,rank,node,pid,incarnation,leader >before
	for i in 1 2 3 1 2 3; do
		pid=$(daemon_pid "$i" orcm-pnpd)
		kill -KILL "$pid"
		back() {
			local now
			now=$(daemon_pid "$i" orcm-pnpd)
			test -n "$now" && test "$now" != "$pid"
		}
		waituntil 5 back
		for k in 1 2 3; do
			waituntil 10 all_alive "$k" 3
		done
	done
	waituntil 5 same_everywhere 3 orcm-ps \
		-o job,rank,node,pid,incarnation,leader
	cmp before same.3
	at 2 orcm-events kept >events
	run -1 grep -e '	exit	' -e '	restart	' events
}

@test "dvm: a node that dies takes its jobs out of the picture" {
	dvm_start 3
	job 3 lost
	waituntil 5 same_everywhere 3 orcm-ps lost
	node_signal 3 KILL
	for i in 1 2; do
		waituntil 10 state_is "$i" 3 dead
		none() { ! at "$i" orcm-ps lost; }
		waituntil 5 none
	done
}

@test "dvm: a stopped node accuses nobody when it wakes" {
	dvm_start 3 "dvm default profile=relaxed"
	node_signal 3 STOP
	waituntil 5 state_is 1 3 down
	node_signal 3 CONT
	for i in 1 2 3; do
		waituntil 10 all_alive "$i" 3
	done
	at 3 orcm-events >events
	run -1 grep -e 'state=down' -e 'state=dead' events
}

@test "dvm: another DVM on the same addresses is not heard" {
	dvm_start 2
	at 1 orcm-nodes -o state,epoch >before
	# The same nodes by another name and key, from another address.
	printf '%s\n' 'dvm other' "node n1 addr=$NET.1" "node n2 addr=$NET.2" \
		"node n3 addr=$NET.3" >"$T/other.conf"
	mkdir -m 700 "$T/o3"
	start other env ORCM_KEY="$T/other.key" orcmd -D other -N n3 \
		-r "$T/o3" -c "$T/other.conf"
	alone() {
		test "$(ORCM_RUN=$T/o3 orcm-nodes -D other -o state |
			grep -c unknown)" = 2
	}
	waituntil 10 alone
	at 1 orcm-nodes -o state,epoch | cmp - before
}

@test "dvm: a node without its line, a wrong configuration, an address in use" {
	dvm_conf 2
	run -100 orcm-pnpd -N n9 -r "$T/r" -c "$T/orcm.conf"
	[[ $output == *"there is no node n9"* ]]
	echo "node n3 adr=127.0.0.1" >>"$T/orcm.conf"
	run -100 orcm-pnpd -N n1 -r "$T/r" -c "$T/orcm.conf"
	[[ $output == *"orcm.conf:4:"* ]]
	run -100 orcm-pnpd -N n1 -r "$T/r" -c "$T/none.conf"
	[[ $output == *none.conf* ]]
	dvm_conf 1
	mkdir -m 700 "$T/a" "$T/b"
	start first orcm-pnpd -N n1 -r "$T/a" -c "$T/orcm.conf" -d 1
	waituntil 5 test -s first.out
	run -100 orcm-pnpd -N n1 -r "$T/b" -c "$T/orcm.conf"
	[[ $output == *"is in use"* ]]
}
