#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run: our daemons die, and nobody notices.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# untouched NAME PIDS: the same processes in their first life
untouched() {
	test "$(replicas "$1")" = "$2" &&
		test -z "$(ps_of "$1" restarts | grep -v '^0$')"
}

@test "orcm-run: daemons are killed in turn: same bytes, same processes" {
	make_input in 32
	job -n 3 -- cat
	waituntil 10 all_up job 3
	pids=$(replicas job)
	at=0
	for round in 1 2 3 4 5; do
		for d in orcm-pnpd orcm-leaderd orcmd; do
			tail -c +$((at + 1)) in | head -c 2000000 >&7 &
			old=$(daemon_pid job "$d")
			kill -9 "$old"
			waituntil 10 daemon_back job "$d" "$old"
			wait $!
			at=$((at + 2000000))
			waituntil 10 all_up job 3
			untouched job "$pids"
		done
	done
	test "$round" = 5
	tail -c +$((at + 1)) in >&7
	waituntil 10 at_least job.out "$(size_of in)"
	untouched job "$pids"
	no_more
	test "$status" = 0
	cmp in job.out
}

@test "orcm-run: daemons are killed faster than they are back" {
	make_input in 24
	job -n 3 -- cat
	waituntil 10 all_up job 3
	pids=$(replicas job)
	at=0
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		tail -c +$((at + 1)) in | head -c 2000000 >&7 &
		for d in orcm-pnpd orcm-leaderd orcmd; do
			# One of them at least has to live.
			p=$(daemon_pid job "$d") && kill -9 "$p" || :
			waituntil 10 daemon_lives
		done
		wait $!
		at=$((at + 2000000))
	done
	tail -c +$((at + 1)) in >&7
	waituntil 20 all_up job 3
	untouched job "$pids"
	no_more
	test "$status" = 0
	cmp in job.out
}
daemon_lives() {
	pgrep -f "/orcm[-a-z]* -D run\\.$(pid job) " >/dev/null
}

@test "orcm-run: the leader dies while a daemon is away" {
	make_input in 6
	job -n 3 -- cat
	waituntil 10 all_up job 3
	at=0
	for d in orcm-pnpd orcm-leaderd orcmd orcm-pnpd orcm-leaderd orcmd; do
		tail -c +$((at + 1)) in | head -c 1000000 >&7 &
		waituntil 10 leads job "$killed"
		old=$(daemon_pid job "$d")
		kill -9 "$old" "$lead"
		killed=$lead
		waituntil 10 daemon_back job "$d" "$old"
		wait $!
		at=$((at + 1000000))
		waituntil 10 all_up job 3
	done
	tail -c +$((at + 1)) in >&7
	no_more
	test "$status" = 0
	cmp in job.out
}

@test "orcm-run: replicas and daemons are killed at once" {
	make_input in 4
	job -n 3 -- sha256sum
	waituntil 10 all_up job 3
	head -c 2000000 in >&7
	# shellcheck disable=SC2046
	kill -9 $(replicas job) "$(daemon_pid job orcm-pnpd)" \
		"$(daemon_pid job orcm-leaderd)"
	tail -c +2000001 in >&7
	no_more
	test "$status" = 0
	sha256sum <in | cmp - job.out
}

@test "orcm-run: a daemon that is stopped does not stop the stream" {
	make_input in 8
	job -n 3 -- cat
	waituntil 10 all_up job 3
	for d in orcmd orcm-leaderd orcm-pnpd; do
		kill -STOP "$(daemon_pid job "$d")"
	done
	cat in >&7
	waituntil 10 at_least job.out "$(size_of in)"
	for d in orcmd orcm-leaderd orcm-pnpd; do
		kill -CONT "$(daemon_pid job "$d")"
	done
	waituntil 10 all_up job 3
	kill_leader job
	echo more >&7
	no_more
	test "$status" = 0
	{ cat in; echo more; } | cmp - job.out
}

@test "orcm-run: all daemons are killed at once: the job comes to its end" {
	make_input in 8
	job -n 3 -- cat
	waituntil 10 all_up job 3
	dir=$(run_dir job)
	head -c 1000000 in >&7
	kill -9 "$(daemon_pid job orcmd)" "$(daemon_pid job orcm-leaderd)" \
		"$(daemon_pid job orcm-pnpd)"
	tail -c +1000001 in >&7
	no_more
	test "$status" = 0
	cmp in job.out
	waituntil 2 test ! -e "$dir"
	waituntil 2 test -z "$(orcm_own)"
}

@test "orcm-run: all that a private DVM has is killed at once" {
	make_input in 8
	job -n 3 -- cat
	waituntil 10 all_up job 3
	head -c 1000000 in >&7
	# Nobody but orcm-run is left that could start anything.
	# shellcheck disable=SC2046
	kill -9 $(orcm_own | grep -vx "$(pid job)")
	tail -c +1000001 in >&7
	no_more
	test "$status" = 0
	cmp in job.out
	waituntil 2 test -z "$(orcm_own)"
}

@test "orcm-run: the DVM ends in the middle of a job, and another begins" {
	own_dvm
	job -n 3 -j through -- cat
	waituntil 10 orcm-wait -t 5000 count=3 through
	echo one >&7
	waituntil 10 has job.out one
	# As a power cut would: nobody says goodbye, somebody starts it again.
	# shellcheck disable=SC2046
	kill -9 "$(pid dvm)" $(pgrep -f "/orcm-[a-z]* -D default -r $ORCM_RUN ")
	waituntil 5 gone "$(pid dvm)"
	rm -f "$T/.pid.dvm"
	echo two >&7
	waituntil 10 has job.out two
	own_dvm
	waituntil 10 orcm-wait -t 5000 count=3 through
	test -z "$(orcm-ps -o restarts through | grep -v '^0$')"
	killed=
	old=$(orcm-ps -o pid,leader through | awk '$2 == "yes" { print $1 }')
	kill -9 "$old"
	echo three >&7
	waituntil 10 has job.out three
	no_more
	test "$status" = 0
	printf 'one\ntwo\nthree\n' | cmp - job.out
}
