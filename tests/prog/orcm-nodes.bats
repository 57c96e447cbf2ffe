#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-nodes: who is there, as each node sees it.

load ../dvm
setup() { dvm_setup; }
teardown() { dvm_teardown; }

@test "orcm-nodes: -V tells the version, wrong use is 100" {
	run -0 orcm-nodes -V
	[[ $output == "orcm-nodes 0."* ]]
	run -100 orcm-nodes -z
	[[ $output == *"usage: orcm-nodes "* ]]
	run -100 orcm-nodes -o node,rank
	[[ $output == *rank* ]]
}

@test "orcm-nodes: no daemon is 102" {
	run -102 orcm-nodes -r "$T/r"
}

@test "orcm-nodes: a node without a configuration is alone" {
	ORCM_RUN=$T/r
	export ORCM_RUN
	start dvm orcmd -N only
	waituntil 10 orcm-nodes
	run -0 orcm-nodes -o node,state,fit,self,agreed,quorate
	test "$output" = "only	alive	yes	yes	yes	yes"
}

@test "orcm-nodes: all nodes see the same" {
	dvm_start 3
	for i in 1 2 3; do
		at "$i" orcm-nodes -o node,number,state,epoch,fit >seen.$i
		test "$(wc -l <seen.$i)" = 3
		cmp seen.1 seen.$i
		test "$(at "$i" orcm-nodes -o node,self | grep yes)" = "n$i	yes"
	done
	test "$(at 1 orcm-nodes -o connected | sort -u)" = yes
}

@test "orcm-nodes: -h, -o, -J and names" {
	dvm_start 2
	run -0 at 1 orcm-nodes -h -o node,state n2
	test "$output" = "node	state
n2	alive"
	run -0 at 1 orcm-nodes -J -o node,fit,agreed n2
	test "$output" = '{"node":"n2","fit":true,"agreed":null}'
	run -1 at 1 orcm-nodes -o node n1 other
	test "$output" = "n1
orcm-nodes: error: no node \"other\""
}

@test "orcm-nodes: a node that is killed is down, then dead, for all" {
	dvm_start 3
	before=$(at 1 orcm-nodes -o epoch n3)
	node_signal 3 KILL
	for i in 1 2; do
		waituntil 10 state_is "$i" 3 dead
		at "$i" orcm-events >events.$i
		has events.$i 'name=n3	state=down'
	done
	node_start 3
	for i in 1 2 3; do
		waituntil 10 all_alive "$i" 3
		test "$(at "$i" orcm-nodes -o epoch n3)" -gt "$before"
	done
}

@test "orcm-nodes: a node that is stopped politely has left" {
	dvm_start 3
	finish n3
	for i in 1 2; do
		waituntil 5 state_is "$i" 3 left
	done
	node_start 3
	for i in 1 2 3; do
		waituntil 10 all_alive "$i" 3
	done
}

@test "orcm-nodes: a switchboard that is killed is not its node" {
	dvm_start 3 "dvm default profile=relaxed"
	for try in 1 2 3; do
		before=$(at 3 orcm-nodes -o epoch n3)
		kill -KILL "$(daemon_pid 3 orcm-pnpd)"
		newer() { test "$(at 1 orcm-nodes -o epoch n3)" -gt "$before"; }
		waituntil 5 newer
		waituntil 10 all_alive 1 3
	done
	at 1 orcm-events >events
	run -1 grep state=down events
}

@test "orcm-nodes: a node that forgot its epoch is told" {
	dvm_start 2
	before=$(at 1 orcm-nodes -o epoch n2)
	node_signal 2 KILL
	rm -rf "$T/n2"
	waituntil 5 state_is 1 2 down
	node_start 2
	waituntil 10 all_alive 1 2
	waituntil 10 all_alive 2 2
	test "$(at 1 orcm-nodes -o epoch n2)" -gt "$before"
}

@test "orcm-nodes: -f shows each change" {
	dvm_start 2
	start follow env ORCM_RUN="$T/n1" orcm-nodes -f -o node,state
	waituntil 5 has follow.out '^n2	alive$'
	node_signal 2 KILL
	waituntil 5 has follow.out '^n2	down$'
	waituntil 10 has follow.out '^n2	dead$'
}
