#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run: what is restarted, how often, and from which input.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# Lives are noted in files, which their replicas share.
lives() { cat lives.* 2>/dev/null | wc -l | tr -d ' '; }
note='echo >>lives.$ORCM_RANK;'

# --- -R

@test "orcm-run: -R crash restarts who died of a signal" {
	numbers 1000 >in
	orcm-run -n 3 -- sh -c "$note"'
		test $ORCM_INCARNATION != 0 || kill -9 $$; cat' <in >out 2>err
	cmp in out
	for r in 0 1 2; do test "$(wc -l <lives.$r)" -ge 1; done
	test "$(lives)" -ge 4
	orcm-run -n 1 -R crash -- sh -c \
		'test $ORCM_INCARNATION = 2 || kill -TERM $$; echo second' >out
	test "$(cat out)" = second
}

@test "orcm-run: -R crash does not restart who ended with a status" {
	run -1 orcm-run -n 2 -l fixed:0 -- sh -c "$note exit 1"
	test "$(cat lives.0 | wc -l)" = 1
	# Neither a follower; its job goes on.
	rm -f lives.*
	job -n 2 -l fixed:0 -- sh -c "$note"'test $ORCM_RANK = 0 || exit 3; cat'
	waituntil 10 state_of_is job 1 done
	echo on >&7
	waituntil 10 has job.out on
	no_more
	test "$status" = 0
	test "$(wc -l <lives.1)" = 1
}

@test "orcm-run: -R failure restarts who ended with another status than 0" {
	orcm-run -n 1 -R failure -- sh -c "$note"'
		test $ORCM_INCARNATION = 2 || exit 5; echo good' >out
	test "$(cat out)" = good
	test "$(lives)" = 3
	run -0 orcm-run -n 2 -R failure -- true
	# And who dies of a signal.
	orcm-run -n 2 -R failure -- sh -c \
		'test $ORCM_INCARNATION != 0 || kill -9 $$; echo good' >out
	test "$(cat out)" = good
}

@test "orcm-run: -R always restarts everybody" {
	run -123 orcm-run -n 1 -R always -r 3 -- sh -c "$note exit 0"
	test "$(lives)" = 4
	job -n 2 -R always -r inf -- sh -c \
		'test $ORCM_INCARNATION != 0 || exit 0; cat'
	waituntil 10 reborn_all job 2
	finish job
	exec 7>&-
	test "$status" = 143
}
reborn_all() {
	test "$(ps_of "$1" state,incarnation | grep -c '^up	1$')" = "$2"
}

@test "orcm-run: -R never leaves the dead dead, the others go on" {
	job -n 3 -R never -- sh -c "$note exec cat"
	waituntil 10 all_up job 3
	echo one >&7
	kill_leader job
	waituntil 10 leads job "$killed"
	kill_leader job
	waituntil 10 leads job "$killed"
	echo two >&7
	no_more
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - job.out
	test "$(lives)" = 3
}

@test "orcm-run: -R never and nobody left: 128+n" {
	job -n 3 -R never -- cat
	waituntil 10 all_up job 3
	echo one >&7
	waituntil 10 has job.out one
	kill -9 $(replicas job)
	finish job 0
	exec 7>&-
	test "$status" = 137
	test "$(cat job.out)" = one
}

# --- -r

@test "orcm-run: a spent budget is 123, what is out is a prefix" {
	make_input in 2
	run -123 --separate-stderr orcm-run -n 3 -r 2 -- \
		sh -c "$note"'head -c 700000; kill -9 $$' <in
	[[ $stderr == *"gave up"* ]]
	test "$(lives)" = 9
	status=0
	orcm-run -q -n 3 -r 2 -- sh -c 'head -c 700000; kill -9 $$' \
		<in >out || status=$?
	test "$status" = 123
	test "$(size_of out)" = 700000
	is_prefix out in
}

@test "orcm-run: -r counts each replica's restarts" {
	run -123 orcm-run -n 1 -r 1 -- sh -c "$note"'kill -9 $$'
	test "$(lives)" = 2
	rm -f lives.*
	run -123 orcm-run -n 2 -r 3/3600 -- sh -c "$note"'kill -9 $$'
	test "$(wc -l <lives.0)" = 4
	test "$(wc -l <lives.1)" = 4
}

@test "orcm-run: -r 0 is -R never" {
	run -137 orcm-run -n 2 -r 0 -- sh -c "$note"'kill -9 $$'
	test "$(lives)" = 2
}

@test "orcm-run: -r inf knows no end, the default is five" {
	orcm-run -q -n 1 -r inf -- sh -c "$note"'
		test $ORCM_INCARNATION = 5 || exec kill -9 $$; echo six' >out &
	first=$!
	run -123 orcm-run -q -n 1 -- sh -c 'echo >>five; kill -9 $$'
	test "$(wc -l <five)" = 6
	wait $first
	test "$(cat out)" = six
	test "$(lives)" = 6
}

@test "orcm-run: by default only deaths that achieved nothing count" {
	job -n 2 -- cat
	waituntil 10 all_up job 2
	for i in 1 2 3 4 5 6 7 8 9; do
		echo "$i" >&7
		waituntil 10 has job.out "^$i$"
		waituntil 10 all_up job 2
		old=$(pid_of job 0)
		kill -9 "$old"
		waituntil 10 reborn job 0 "$old"
	done
	no_more
	test "$status" = 0
	numbers 9 | cmp - job.out
}

@test "orcm-run: with -r every death counts, the others go on without it" {
	job -n 2 -r 2 -- cat
	for i in 1 2 3; do
		waituntil 10 all_up job 2
		echo "$i" >&7
		waituntil 10 has job.out "^$i$"
		kill -9 "$(pid_of job 1)"
	done
	waituntil 10 state_of_is job 1 failed
	echo 4 >&7
	no_more
	test "$status" = 0
	numbers 4 | cmp - job.out
}
state_of_is() { ps_of "$1" rank,state | grep -q "^$2	$3$"; }

@test "orcm-run: the first restart comes at once, later ones are backed off" {
	run -123 --separate-stderr orcm-run -v -n 1 -r 2 -- sh -c 'kill -9 $$'
	printf '%s\n' "${stderr_lines[@]}" |
		awk '/event (exit|restart|backoff|giveup)/ { print $3 }' >seen
	printf '%s\n' exit restart exit backoff restart exit giveup |
		cmp - seen
}

# --- what dies and how it is seen

@test "orcm-run: the last 20 lines of a replica that failed, with its rank" {
	job -n 3 -l fixed:0 -- sh -c '
		if test $ORCM_RANK = 1; then
			seq -f "complaint %.0f" 1 30 >&2
			exit 3
		fi
		echo "from $ORCM_RANK" >&2
		exec cat'
	waituntil 10 state_of_is job 1 done
	echo on >&7
	no_more
	test "$status" = 0
	grep -c complaint job.err | grep -x 20
	grep complaint job.err |
		cmp - <(seq -f 'orcm-run: rank 1: complaint %.0f' 11 30)
	test "$(grep from job.err)" = 'from 0'
}

@test "orcm-run: when all fail alike only the leader's stderr is shown" {
	run -4 --separate-stderr orcm-run -n 3 -- sh -c 'echo no >&2; exit 4'
	test "$stderr" = no
}

@test "orcm-run: the last lines of one that crashed, its life goes on" {
	job -n 2 -l fixed:0 -- sh -c '
		if test "$ORCM_RANK$ORCM_INCARNATION" = 10; then
			echo "going down" >&2
			kill -SEGV $$
		fi
		exec cat'
	waituntil 10 all_up job 2
	echo on >&7
	no_more
	test "$status" = 0
	test "$(cat job.out)" = on
	has job.err '^orcm-run: rank 1: going down$'
}

@test "orcm-run: a replica whose keeper is killed is restarted" {
	job -n 2 -- cat
	waituntil 10 all_up job 2
	echo one >&7
	waituntil 10 has job.out one
	old=$(pid_of job 0)
	kill -9 "$(ps -o ppid= -p "$old" | tr -d ' ')"
	waituntil 10 reborn job 0 "$old"
	gone "$old"
	echo two >&7
	no_more
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - job.out
}

@test "orcm-run: what a dead life left behind cannot write any more" {
	# A child in the background holds the pipes of the life that died.
	job -n 2 -- sh -c '
		if test $ORCM_INCARNATION = 0; then
			sh -c "echo \$\$ >left.$ORCM_RANK; exec sleep 1000" &
			read -r x
			kill -9 $$
		fi
		exec cat'
	echo word >&7
	waituntil 10 reborn_all job 2
	waituntil 5 gone "$(cat left.0)"
	waituntil 5 gone "$(cat left.1)"
	no_more
	test "$status" = 0
	test "$(cat job.out)" = word
}

@test "orcm-run: all replicas killed at once: the job goes on from replay" {
	make_input in 8
	for size in 1 3000000 6000000; do
		mkfifo "to.$size"
		orcm-run -n 3 cat <in >"to.$size" 3>&- &
		echo $! >.pid.job
		exec 6<"to.$size"
		head -c "$size" <&6 >got
		waituntil 10 all_up job 3
		all=$(replicas job)
		test "$(echo "$all" | wc -l)" = 3
		# shellcheck disable=SC2086
		kill -9 $all
		cat <&6 >>got
		exec 6<&-
		finish job 0
		test "$status" = 0
		cmp in got
	done
}

@test "orcm-run: all killed again and again, each time it got on" {
	job -n 3 -- cat
	for i in 1 2 3 4 5 6 7 8; do
		waituntil 10 all_up job 3
		echo "line $i" >&7
		waituntil 10 has job.out "line $i"
		# shellcheck disable=SC2046
		kill -9 $(replicas job)
	done
	no_more
	test "$status" = 0
	seq -f 'line %.0f' 1 8 | cmp - job.out
}
