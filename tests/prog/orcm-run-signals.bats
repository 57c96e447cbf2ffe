#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run: signals, ends of every kind, and what is left after them.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# fresh_job ARGUMENT...: job(), with INT and QUIT not ignored as bash does it.
fresh_job() {
	test -p feed || mkfifo feed
	start_from job feed "$B/t/fresh" orcm-run "$@"
	exec 7>feed
}
# Says which signals it gets and goes on; "end" ends it.
listener='
	for s in TERM HUP INT USR1 USR2 ALRM WINCH; do
		trap "echo got $s" $s
	done
	echo ready
	while :; do
		if read -r x; then test "$x" != end || exit 5; fi
	done'
# Reports the signal and ends.
ender='
	for s in TERM HUP INT; do trap "echo got $s; exit 6" $s; done
	echo ready
	while :; do read -r x; done'

@test "orcm-run: TERM, HUP and INT reach the replicas, their end is ours" {
	for sig in TERM HUP INT; do
		fresh_job -n 3 -- sh -c "$ender"
		waituntil 10 has job.out ready
		waituntil 10 all_up job 3
		finish job "$sig"
		exec 7>&-
		test "$status" = 6
		printf 'ready\ngot %s\n' "$sig" | cmp - job.out
	done
}

@test "orcm-run: who dies of TERM, HUP or INT makes it 128+n" {
	for sig in TERM:143 HUP:129 INT:130; do
		fresh_job -n 3 -- cat
		echo text >&7
		waituntil 10 has job.out text
		finish job "${sig%:*}"
		exec 7>&-
		test "$status" = "${sig#*:}"
		test "$(cat job.out)" = text
		test ! -s job.err
	done
}

@test "orcm-run: a signal before anything has been started" {
	for _ in 1 2 3 4 5; do
		fresh_job -n 3 -- cat
		finish job
		exec 7>&-
		test "$status" = 143
	done
	waituntil 2 test -z "$(orcm_own)"
}

@test "orcm-run: a second INT kills at once" {
	fresh_job -n 3 -g 1h -- sh -c 'trap "echo got INT" INT; echo ready
		while :; do read -r x; done'
	waituntil 10 has job.out ready
	waituntil 10 all_up job 3
	kill -INT "$(pid job)"
	waituntil 10 has job.out 'got INT'
	finish job INT
	exec 7>&-
	test "$status" = 137
}

@test "orcm-run: the last bytes after a polite signal are delivered" {
	fresh_job -n 3 -- sh -c 'trap "seq 1 100000; exit 0" TERM; echo ready
		while :; do read -r x; done'
	waituntil 10 has job.out ready
	finish job
	exec 7>&-
	test "$status" = 0
	{ echo ready; seq 1 100000; } | cmp - job.out
}

# late POLICY: TERM, with much said then, and nobody reads before all ended.
late() {
	mkfifo to
	own_dvm
	orcm-run -l "$1" -n 3 -- sh -c 'trap "head -c 130000 /dev/zero
			: >end.\$ORCM_RANK; exit 0" TERM
		: >begin.$ORCM_RANK; while :; do read -r x; done' \
		<feed >to 3>&- &
	echo $! >.pid.job
	exec 6<to
	waituntil 10 test -e begin.0 -a -e begin.1 -a -e begin.2
	kill "$(pid job)"
	waituntil 10 all_done
	test -e end.0
	count=$(cat <&6 | wc -c)
	exec 6<&-
	finish job 0
	test "$status" = 0
}
all_done() { test "$(orcm-ps -o state | grep -cx done)" = 3; }

@test "orcm-run: the last bytes are delivered under -l none" {
	mkfifo feed
	exec 7<>feed
	late none
	exec 7>&-
	test "$count" = 390000
}

@test "orcm-run: the last bytes are delivered under -l vote" {
	mkfifo feed
	exec 7<>feed
	late vote
	exec 7>&-
	test "$count" = 130000
}

@test "orcm-run: USR1, USR2, ALRM and WINCH are passed on, each once" {
	fresh_job -n 3 -k agree -- sh -c "$listener"
	waituntil 10 has job.out ready
	waituntil 10 all_up job 3
	for sig in USR1 USR2 ALRM WINCH USR1; do
		before=$(grep -c "got $sig" job.out) || :
		kill "-$sig" "$(pid job)"
		waituntil 10 test_count "got $sig" $((before + 1))
	done
	echo end >&7
	no_more
	test "$status" = 5
	printf 'ready\n' >want
	printf 'got %s\n' USR1 USR2 ALRM WINCH USR1 >>want
	cmp want job.out
}
test_count() { test "$(grep -c "$1" job.out)" = "$2"; }

@test "orcm-run: QUIT prints a table, and nothing else happens" {
	fresh_job -n 3 -- cat
	waituntil 10 all_up job 3
	echo text >&7
	waituntil 10 has job.out text
	kill -QUIT "$(pid job)"
	waituntil 10 has job.err '^input 5 bytes, delivered 5'
	has job.err "^rank	state	pid	incarnation	in	out$"
	test "$(grep -c '^[012]	ready' job.err)" = 3
	test "$(grep -c leader, job.err || :)" = 0
	no_more
	test "$status" = 0
}

# stat_is STATE PID...: all of them
stat_is() {
	local want=$1 p
	shift
	for p; do
		case $(ps -o stat= -p "$p") in
		"$want"*) ;;
		*) return 1 ;;
		esac
	done
}

@test "orcm-run: TSTP stops all, CONT goes on, no failure is seen" {
	# A stall time that would be over at once.
	fresh_job -v -n 3 -l lowest,stall=10 -- cat
	waituntil 10 all_up job 3
	echo one >&7
	waituntil 10 has job.out one
	pids=$(replicas job)
	kill -TSTP "$(pid job)"
	# shellcheck disable=SC2086
	waituntil 10 stat_is T "$(pid job)" $pids
	echo two >&7
	# While others work, nothing of it moves.
	for _ in 1 2 3 4 5 6 7 8; do orcm-run -n 3 true; done
	# shellcheck disable=SC2086
	stat_is T "$(pid job)" $pids
	test "$(cat job.out)" = one
	kill -CONT "$(pid job)"
	waituntil 10 has job.out two
	test "$(replicas job)" = "$pids"
	test "$(ps_of job stalled | grep -c yes)" = 0
	no_more
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - job.out
	test "$(grep -cE 'event (stalled|exit.*signal|restart)' job.err)" = 0
}

@test "orcm-run: TSTP and CONT many times" {
	fresh_job -n 2 -- cat
	waituntil 10 all_up job 2
	pids=$(replicas job)
	for i in 1 2 3 4 5; do
		kill -TSTP "$(pid job)"
		# shellcheck disable=SC2086
		waituntil 10 stat_is T "$(pid job)" $pids
		echo "$i" >&7
		kill -CONT "$(pid job)"
		waituntil 10 has job.out "^$i$"
	done
	no_more
	test "$status" = 0
	numbers 5 | cmp - job.out
}

@test "orcm-run: a stopped job can be told to end" {
	fresh_job -n 2 -- cat
	waituntil 10 all_up job 2
	pids=$(replicas job)
	kill -TSTP "$(pid job)"
	# shellcheck disable=SC2086
	waituntil 10 stat_is T "$(pid job)" $pids
	kill -TERM "$(pid job)"
	kill -CONT "$(pid job)"
	finish job 0
	exec 7>&-
	test "$status" = 143
}

@test "orcm-run: what was ignored stays ignored" {
	mkfifo feed
	start_from job feed nohup orcm-run -n 2 -- cat
	exec 7>feed
	waituntil 10 all_up job 2
	kill -HUP "$(pid job)"
	echo text >&7
	waituntil 10 has job.out text
	no_more
	test "$status" = 0
}

@test "orcm-run: Ctrl-Z and fg at a terminal" {
	mkfifo keys
	start_from tty keys "$B/t/pty" bash --norc --noprofile -mi
	exec 7>keys
	echo 'PS1=; orcm-run -n 2 cat' >&7
	echo one >&7
	waituntil 10 has tty.out one
	printf '\032' >&7
	waituntil 10 has tty.out Stopped
	echo 'echo in the sh""ell' >&7
	waituntil 10 has tty.out 'in the shell'
	echo fg >&7
	echo two >&7
	waituntil 10 has tty.out two
	printf '\004' >&7
	echo 'echo sta""tus $?' >&7
	waituntil 10 has tty.out 'status 0'
	echo exit >&7
	exec 7>&-
	finish tty 0
}

# --- stdout is closed

@test "orcm-run: a closed stdout is 141, and the replicas see it too" {
	run bash -c 'orcm-run -n 3 -- sh -c "trap \"\" PIPE
			while echo line; do :; done 2>/dev/null
			echo \$? >end.\$ORCM_RANK" | head -n 1
		echo "${PIPESTATUS[0]}"' 3>&-
	test "${lines[*]}" = 'line 141'
	waituntil 2 test -z "$(orcm_own)"
}

@test "orcm-run: stdout is closed while nobody writes" {
	# As with any program: it is seen at the next byte.
	mkfifo to
	test -p feed || mkfifo feed
	orcm-run -n 2 cat <feed >to 2>err 3>&- &
	echo $! >.pid.job
	exec 7>feed 6<to
	echo one >&7
	read -r line <&6
	exec 6<&-
	alive "$(pid job)"
	echo two >&7
	finish job 0
	exec 7>&-
	test "$line" = one
	test "$status" = 141
}

@test "orcm-run: a full disk below stdout is said" {
	test -c /dev/full || skip 'no /dev/full here'
	status=0
	orcm-run -n 3 echo text >/dev/full 2>err || status=$?
	test "$status" = 125
	has err 'No space left'
}

# --- kill -9 of orcm-run

shm_names() { ls /dev/shm 2>/dev/null | sort; }

@test "orcm-run: kill -9 of it leaves nothing after two seconds" {
	shm_names >before
	for n in 1 3 40; do
		fresh_job -n "$n" -- sh -c 'sleep 1000 & exec cat'
		waituntil 20 all_up job "$n"
		kill -9 "$(pid job)"
		clean_after "$(pid job)"
		finish job 0
		exec 7>&-
		test "$status" = 137
	done
	shm_names | cmp before -
}

@test "orcm-run: kill -9 of it at any moment leaves nothing" {
	# The moment is how far another process got in the meantime.
	for spin in 0 10 30 100 200 400 700 1000 1500 2000 3000 4000 6000; do
		fresh_job -q -n 3 -- cat
		i=0
		while test "$i" -lt "$spin"; do i=$((i + 1)); done
		kill -9 "$(pid job)"
		clean_after "$(pid job)"
		exec 7>&-
		finish job 0
	done
}

@test "orcm-run: kill -9 of it in a DVM ends its job, and only that" {
	own_dvm
	job -n 3 -j victim -- sh -c 'sleep 1000 & exec cat'
	waituntil 10 orcm-wait -t 5000 count=3 victim
	orcm-run -b -n 2 -j other -- sleep 1000 >/dev/null 2>&1 </dev/null 3>&-
	pids=$(orcm-ps -o pid victim)
	kill -9 "$(pid job)"
	waituntil 2 all_gone
	waituntil 2 no_job victim
	orcm-ps other
	test "$(ls "$ORCM_RUN" | grep -c '^io')" = 1
	finish job 0
	exec 7>&-
	orcm-stop other
}
all_gone() {
	for p in $pids; do gone "$p" || return 1; done
}
no_job() { test -z "$(orcm-ps -o job | grep "^$1$")"; }

@test "orcm-run: whatever way it ends, nothing is left" {
	for how in 'true' 'false' 'no-such-program' 'sh -c "kill -9 \$\$"' \
		'sh -c "sleep 1000 & exit 3"' 'setsid sleep 0.01'; do
		# Something that a program leaves behind in its group goes too.
		eval "set -- $how"
		"$B/t/fresh" orcm-run -q -n 3 -R never -g 100 -- "$@" \
			>/dev/null 2>&1 3>&- &
		mine=$!
		wait $mine || :
		clean_after "$mine"
	done
}
