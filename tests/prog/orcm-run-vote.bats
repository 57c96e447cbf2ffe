#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run: replicas that give different answers.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

@test "orcm-run: without a vote the leader's answer is delivered" {
	run -0 --separate-stderr orcm-run -n 3 -l fixed:0 -k worst -- \
		sh -c 'echo "I am $ORCM_RANK"'
	test "$output" = 'I am 0'
	[[ $stderr == *'rank 1: its output differs at byte 5'* ]]
	[[ $stderr == *'rank 2: its output differs at byte 5'* ]]
}

@test "orcm-run: -l vote delivers what all agree on" {
	make_input in 8
	orcm-run -n 3 -l vote -- cat <in >out 2>err
	cmp in out
	test ! -s err
	orcm-run -n 1 -l vote -- cat <in >out
	cmp in out
	run -7 orcm-run -n 3 -l vote -- sh -c 'exit 7'
}

@test "orcm-run: -l vote passes the majority's answer" {
	for liar in 0 1 2; do
		orcm-run -n 3 -l vote -k worst -- sh -c '
			cat
			test $ORCM_RANK = '$liar' && echo lie || echo truth
			echo end' <<-'END' >out 2>err
			some input
		END
		printf 'some input\ntruth\nend\n' | cmp - out
		grep "rank $liar: its output differs at byte 11" err
		lines_in err 1
	done
}

@test "orcm-run: -l vote: one that is wrong in the middle of much" {
	make_input in 8
	orcm-run -n 3 -l vote -- sh -c '
		test $ORCM_RANK = 1 || exec cat
		head -c 3000000; printf X; head -c 1 >/dev/null; cat' \
		<in >out 2>err
	cmp in out
	has err 'rank 1: its output differs at byte 3000000'
}

@test "orcm-run: -l vote: one that ends early is outvoted" {
	make_input in 2
	orcm-run -n 3 -l vote -- sh -c '
		test $ORCM_RANK = 2 || exec cat; head -c 100000' <in >out 2>err
	cmp in out
	has err 'rank 2: its output ends early'
}

@test "orcm-run: -l vote: two of three say when it ends" {
	run -0 --separate-stderr orcm-run -n 3 -l vote -- sh -c '
		echo same; test $ORCM_RANK != 0 || echo and more'
	test "$output" = same
	[[ $stderr == *'rank 0: its output goes on after the end at byte 5'* ]]
}

@test "orcm-run: -l vote: three different answers are 122" {
	status=0
	orcm-run -n 3 -l vote -- sh -c 'echo common; echo $ORCM_RANK; cat' \
		</dev/null >out 2>err || status=$?
	test "$status" = 122
	# What they agreed on is out, and nothing else.
	test "$(cat out)" = common
	has err disagree
}

@test "orcm-run: -l vote: two against two is no majority" {
	run -122 --separate-stderr orcm-run -n 4 -l vote -- \
		sh -c 'echo $((ORCM_RANK / 2))'
	test -z "$output"
	run -122 --separate-stderr orcm-run -n 2 -l vote -- \
		sh -c 'echo $ORCM_RANK'
	test -z "$output"
	run -0 --separate-stderr orcm-run -n 5 -l vote -- \
		sh -c 'echo $((ORCM_RANK / 3))'
	test "$output" = 0
}

@test "orcm-run: -l vote: the majority's status is ours" {
	run -3 orcm-run -n 3 -l vote -- sh -c \
		'test $ORCM_RANK = 0 || exit 3'
	run -122 orcm-run -n 3 -l vote -- sh -c 'exit $ORCM_RANK'
}

@test "orcm-run: -l vote: replicas are killed, the vote goes on" {
	make_input in 16
	job -n 3 -l vote -- cat
	waituntil 10 all_up job 3
	at=0
	for i in 1 2 3 4 5 6 7 8 9 10; do
		tail -c +$((at + 1)) in | head -c 1500000 >&7 &
		old=$(pid_of job $((i % 3)))
		kill -9 "$old"
		wait $!
		at=$((at + 1500000))
		waituntil 10 reborn job $((i % 3)) "$old"
	done
	tail -c +$((at + 1)) in >&7
	no_more
	test "$status" = 0
	cmp in job.out
	test ! -s job.err
}

@test "orcm-run: -l vote: one is lost for good, two are a majority" {
	make_input in 4
	job -n 3 -l vote -R never -- cat
	waituntil 10 all_up job 3
	head -c 1000000 in >&7
	waituntil 10 at_least job.out 1000000
	kill -9 "$(pid_of job 1)"
	tail -c +1000001 in >&7
	no_more
	test "$status" = 0
	cmp in job.out
}

@test "orcm-run: -l vote: two of three are lost for good: 123" {
	job -n 3 -l vote -R never -- cat
	waituntil 10 all_up job 3
	echo one >&7
	waituntil 10 has job.out one
	kill -9 "$(pid_of job 0)" "$(pid_of job 2)"
	finish job 0
	exec 7>&-
	test "$status" = 137
	test "$(cat job.out)" = one
	# The same with a budget.
	status=0
	orcm-run -q -n 3 -l vote -r 1 -- sh -c '
		test $ORCM_RANK = 1 || kill -9 $$; echo alone' >out || status=$?
	test "$status" = 123
	test ! -s out
}
