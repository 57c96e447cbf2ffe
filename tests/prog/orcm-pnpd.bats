#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-pnpd: what its clients told it is there again after its death.

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

@test "orcm-pnpd: -V tells the version, wrong use is 100" {
	run -0 orcm-pnpd -V
	[[ $output == "orcm-pnpd 0."* ]]
	run -100 orcm-pnpd -z
	[[ $output == *"usage: orcm-pnpd "* ]]
}

@test "orcm-pnpd: -d says when clients can connect" {
	mkfifo ready
	start pnpd bash -c 'exec orcm-pnpd -r "$T/r" -d 7 7>ready'
	read -r -t 10 _ <ready
	run -0 orcm-ps -r "$T/r"
	finish pnpd TERM
	test "$status" = 0
}

@test "orcm-pnpd: its epoch never falls" {
	mkfifo ready
	for want in 1 2 3; do
		start pnpd bash -c 'exec orcm-pnpd -r "$T/r" -d 7 7>ready'
		read -r -t 10 _ <ready
		test "$(cat r/epoch)" = "$want"
		finish pnpd KILL
	done
}

@test "orcm-pnpd: an unreadable epoch is said and counted anew" {
	mkfifo ready
	echo nonsense >r/epoch
	start pnpd bash -c 'exec orcm-pnpd -r "$T/r" -d 7 7>ready'
	read -r -t 10 _ <ready
	has pnpd.err 'not a number'
	orcm-ps -r "$T/r"
}

@test "orcm-pnpd: two jobs of one name cannot be" {
	own_dvm
	job x
	run -125 orcm-run -j x true
	[[ $output == *"of that name"* ]]
	test "$(orcm-ps x | wc -l)" = 3
}

@test "orcm-pnpd: a job goes with its owner" {
	own_dvm
	job x
	finish x KILL
	orcm-wait -t 5s gone x
}

@test "orcm-pnpd: garbage and silence on its socket harm nobody" {
	test -x "$B/t/flood" || skip "no flood"
	own_dvm
	job x
	for how in open garbage half; do
		"$B/t/flood" "$T/r/pnpd.sock" 1000 $how </dev/null
	done
	test "$(orcm-ps -o state | grep -cx up)" = 3
	test "$(daemon orcm-pnpd | wc -l)" = 1
	test "$(orcm-events | grep -c 'orcm-pnpd	up')" = 1
}

@test "orcm-pnpd: another user cannot connect" {
	need_root
	need setpriv
	own_dvm
	chmod 711 "$T"
	run ! as_nobody orcm-ps -r "$T/r"
	[[ $output != *"	up	"* ]]
}

@test "orcm-pnpd: USR1 writes its clients to stderr" {
	own_dvm
	kill -USR1 "$(daemon orcm-pnpd)"
	waituntil 5 has dvm.err 'orcm-pnpd: client orcmd'
	has dvm.err 'orcm-pnpd: client orcm-leaderd'
}
