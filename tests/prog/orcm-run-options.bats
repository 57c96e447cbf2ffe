#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run's options that are not about streams or restarts.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# --- whose status: -k

# Rank 1 ends with 5, the others with 0.
one_fails='cat; test $ORCM_RANK != 1 || exit 5'

@test "orcm-run: -k leader takes the leader's status" {
	orcm-run -n 3 -l fixed:0 -- sh -c "$one_fails" </dev/null
	run -5 orcm-run -q -n 3 -l fixed:1 -k leader -- sh -c "$one_fails" \
		</dev/null
}

@test "orcm-run: -k worst takes the highest status" {
	run -5 orcm-run -q -n 3 -l fixed:0 -k worst -- sh -c "$one_fails" \
		</dev/null
	run -0 orcm-run -n 3 -k worst -- cat </dev/null
	run -7 orcm-run -q -n 3 -k worst -- sh -c 'exit $((ORCM_RANK + 5))'
}

@test "orcm-run: -k worst waits for the slower ones" {
	mkfifo gate
	start job orcm-run -q -n 2 -l fixed:0 -k worst -- sh -c \
		'test $ORCM_RANK = 0 || { read -r x <gate; exit 6; }'
	waituntil 10 replica_is job 0 done
	echo >gate
	finish job 0
	test "$status" = 6
}

@test "orcm-run: -k agree wants one status and one output" {
	run -0 orcm-run -n 3 -k agree -- echo same
	test "$output" = same
	run -4 orcm-run -n 3 -k agree -- sh -c 'exit 4'
	run -122 orcm-run -n 3 -k agree -- sh -c "$one_fails" </dev/null
	[[ $output == *disagree* ]]
	run -122 orcm-run -n 3 -k agree -- sh -c 'echo $ORCM_RANK'
	run -122 orcm-run -n 2 -k agree -- \
		sh -c 'echo a; test $ORCM_RANK = 0 || echo more'
}

# --- time and signals: -t -g -s

@test "orcm-run: -t ends the job with 124, its output so far is out" {
	job -n 3 -t 600 -- cat
	echo one >&7
	finish job 0
	exec 7>&-
	test "$status" = 124
	test "$(cat job.out)" = one
	has job.err 'time limit'
}

@test "orcm-run: -t is not reached by a job that ends before" {
	run -3 orcm-run -n 2 -t 1h -- sh -c 'exit 3'
	run -0 orcm-run -n 2 -t 0 -- true
}

@test "orcm-run: -g kills who does not heed the polite signal" {
	job -n 3 -g 100 -- sh -c 'trap "" TERM; echo deaf; while :; do read -r x; done'
	waituntil 10 has job.out deaf
	all=$(replicas job)
	finish job
	exec 7>&-
	test "$status" = 137
	for p in $all; do gone "$p"; done
	run -124 orcm-run -q -n 2 -t 100 -g 50 -- sh -c 'trap "" TERM; while :; do sleep 100; done'
}

@test "orcm-run: -g leaves time to end by itself" {
	job -n 2 -g 1h -- sh -c 'trap "echo bye; exit 8" TERM; echo go; while :; do read -r x; done'
	waituntil 10 has job.out go
	finish job
	exec 7>&-
	test "$status" = 8
	test "$(tail -n 1 job.out)" = bye
}

@test "orcm-run: -s is the polite signal, by name or number" {
	prog='trap "echo usr1; exit 3" USR1; while :; do sleep 0.02; done'
	for sig in USR1 SIGUSR1 "$(kill -l USR1)"; do
		run -124 --separate-stderr orcm-run -n 2 -t 300 -s "$sig" -- \
			sh -c "$prog"
		test "$output" = usr1
	done
}

@test "orcm-run: followers get the polite signal when the leader has ended" {
	job -n 3 -l fixed:0 -s USR1 -- sh -c '
		trap ": >stopped.$ORCM_RANK; exit" USR1
		: >here.$ORCM_RANK
		test $ORCM_RANK != 0 || exec cat
		while :; do sleep 0.02; done'
	waituntil 10 test -e here.0 -a -e here.1 -a -e here.2
	no_more
	test "$status" = 0
	test -e stopped.1 -a -e stopped.2 -a ! -e stopped.0
}

# --- surroundings: -x -C

@test "orcm-run: -x sets variables" {
	export KEPT=kept
	run -0 orcm-run -n 2 -x A=1 -x 'B=two words' -x A=3 -x KEPT -x EMPTY= -- \
		sh -c 'echo "$A,$B,$KEPT,${EMPTY-unset}"'
	test "$output" = '3,two words,kept,'
}

@test "orcm-run: -x is for the program, not for us and our daemons" {
	run -0 --separate-stderr orcm-run -x ORCM_RUN=/nowhere \
		-x ORCM_DVM=nosuch -x LD_PRELOAD=/no/such.so \
		-x LD_PRELOAD= -x TMPDIR=/nowhere -x TMPDIR \
		-- sh -c 'tr "\0" "\n" <"/proc/$PPID/environ" |
			grep -c nowhere; echo "$TMPDIR"; echo "$ORCM_DVM"'
	test "${lines[0]}" = 0
	test "${lines[1]}" = /nowhere
	test "${lines[2]#run.}" != "${lines[2]}"
	test -z "$stderr"
}

@test "orcm-run: -x PATH decides where the program is found" {
	mkdir bin
	printf '#!/bin/sh\necho mine\n' >bin/mine
	chmod +x bin/mine
	run -0 orcm-run -x "PATH=$T/bin:$PATH" mine
	test "$output" = mine
}

@test "orcm-run: replicas find who they are in their environment" {
	orcm-run -n 2 -l none -j tell -- sh -c '
		echo "$ORCM_RANK/$ORCM_SIZE $ORCM_JOB $ORCM_APP" \
		    "$ORCM_INCARNATION ${ORCM_NODE:+node} ${ORCM_DVM:+dvm}"
		test -S "$ORCM_RUN/pnpd.sock" && echo run' >out
	printf '%s\n' '0/2 tell sh:-:- 0 node dvm' '1/2 tell sh:-:- 0 node dvm' \
		run run | cmp - <(sort out)
}

@test "orcm-run: -C is the replicas' directory" {
	mkdir sub
	printf '#!/bin/sh\npwd\n' >sub/where
	chmod +x sub/where
	run -0 orcm-run -n 2 -C sub ./where
	test "$output" = "$T/sub"
	# A file for -i is the caller's.
	echo outer >in
	echo inner >sub/in
	run -0 orcm-run -n 2 -C sub -i in cat
	test "$output" = outer
}

# --- names and places: -j -D -b

@test "orcm-run: -j names the job, and one name is one job's" {
	own_dvm
	job -n 2 -j mine -- cat
	waituntil 10 orcm-ps mine
	run -125 --separate-stderr orcm-run -j mine echo second
	test -z "$output"
	[[ $stderr == *mine*-j* ]]
	run -0 orcm-run -j other echo second
	test "$output" = second
	echo still here >&7
	no_more
	test "$status" = 0
	test "$(cat job.out)" = 'still here'
	# The name is free again.
	run -0 orcm-run -j mine echo third
}

@test "orcm-run: without -j the name is the program's and our pid" {
	run -0 orcm-run -- sh -c 'echo $ORCM_JOB'
	[[ $output =~ ^sh\.[0-9]+$ ]]
	ln -s "$(command -v sh)" 'odd name+'
	run -0 orcm-run -- './odd name+' -c 'echo $ORCM_JOB'
	[[ $output =~ ^[A-Za-z0-9._@-]+\.[0-9]+$ ]]
}

@test "orcm-run: -D and ORCM_DVM: no such DVM is an error" {
	run -125 --separate-stderr orcm-run -D "nosuch.$$" true
	[[ $stderr == *"nosuch.$$"*orcmd* ]]
	ORCM_DVM=nosuch.$$ run -125 orcm-run true
	ORCM_RUN=$T/r run -125 orcm-run true
	ORCM_RUN=$T/none run -125 orcm-run true
	test -z "$(orcm_own)"
}

@test "orcm-run: jobs in a DVM leave it as it was" {
	own_dvm -D mine
	run -0 orcm-run -D mine -n 3 -- sh -c 'echo $ORCM_DVM $ORCM_RUN'
	test "$output" = "mine $ORCM_RUN"
	ORCM_DVM=mine run -0 orcm-run -n 2 echo again
	waituntil 2 test -z "$(orcm-ps -D mine)"
	waituntil 2 test "$(ls "$ORCM_RUN" | grep -c '^io')" = 0
	alive "$(pid dvm)"
}

@test "orcm-run: -b prints the job's name and returns, the job goes on" {
	own_dvm
	orcm-run -b -n 3 -j later -- \
		sh -c 'until test -e gate; do sleep 0.02; done; echo word' \
		>out 2>err </dev/null 3>&-
	test "$(cat out)" = later
	orcm-ps later
	orcm-wait -t 5000 leader later
	: >gate
	orcm-wait -t 5000 gone later
	waituntil 5 has out word
	test "$(cat out)" = later$'\n'word
	test ! -s err
}

@test "orcm-run: -b in a command substitution returns at once" {
	own_dvm
	id=$(orcm-run -b -n 2 -- sh -c 'until test -e gate; do sleep 0.02; done
		echo lost' </dev/null 2>err 3>&-)
	orcm-ps "$id"
	: >gate
	orcm-wait -t 5000 gone "$id"
	test ! -s err
}

@test "orcm-run: -b finds mistakes before it returns" {
	run -127 orcm-run -b no-such-program
	run -125 orcm-run -b -l nosuch true
	run -125 orcm-run -b -D "nosuch.$$" true
	own_dvm
	job -j taken -- cat
	waituntil 10 orcm-ps taken
	run -125 orcm-run -b -j taken true
	no_more
}

@test "orcm-run: -b with a private DVM leaves nothing at its end" {
	orcm-run -b -n 2 -- \
		sh -c 'until test -e gate; do sleep 0.02; done; echo $ORCM_DVM' \
		>out 2>err </dev/null 3>&-
	: >gate
	waituntil 5 lines_in out 2
	dvm=$(sed -n 2p out)
	clean_after "${dvm#run.}"
}

@test "orcm-run: orcm-stop ends a job politely" {
	own_dvm
	job -n 3 -j stopme -- sh -c 'trap "echo bye; exit 4" TERM; echo go; while :; do read -r x; done'
	waituntil 10 has job.out go
	orcm-stop stopme
	finish job 0
	exec 7>&-
	test "$status" = 4
	test "$(cat job.out)" = go$'\n'bye
}

# --- leaders: -l

@test "orcm-run: -l lowest: the lowest one goes on, and keeps leading" {
	job -n 3 -- cat
	waituntil 10 all_up job 3
	was=$(leader_rank job)
	old=$(pid_of job "$was")
	next=0
	test "$was" != 0 || next=1
	kill -9 "$old"
	waituntil 10 rank_leads job "$next"
	waituntil 10 reborn job "$was" "$old"
	echo text >&7
	waituntil 10 has job.out text
	rank_leads job "$next"
	no_more
	test "$status" = 0
}

@test "orcm-run: -l fixed: that rank whenever it can" {
	job -n 3 -l fixed:2 -- cat
	waituntil 10 rank_leads job 2
	old=$(pid_of job 2)
	kill -9 "$old"
	waituntil 10 reborn job 2 "$old"
	waituntil 10 rank_leads job 2
	echo text >&7
	no_more
	test "$status" = 0
	test "$(cat job.out)" = text
}

@test "orcm-run: -l first: the one that has been ready for longest" {
	job -n 3 -l first -- cat
	waituntil 10 all_up job 3
	first=$(leader_rank job)
	# Whoever is killed and comes back is the youngest.
	other=$(((first + 1) % 3))
	third=$(((first + 2) % 3))
	old=$(pid_of job "$other")
	kill -9 "$old"
	waituntil 10 reborn job "$other" "$old"
	kill -9 "$(pid_of job "$first")"
	waituntil 10 rank_leads job "$third"
	echo text >&7
	no_more
	test "$(cat job.out)" = text
}

@test "orcm-run: -l none: everybody's output, nobody leads" {
	orcm-run -n 3 -l none -- sh -c 'echo $ORCM_RANK' >out
	printf '0\n1\n2\n' | cmp - <(sort out)
	run -6 orcm-run -q -n 3 -l none -- sh -c 'exit $((4 + ORCM_RANK))'
	run -125 orcm-run -n 3 -l none -i leader cat
	[[ $output == *leader* ]]
}

@test "orcm-run: the policy's parameter stall is taken" {
	run -0 orcm-run -n 3 -l lowest,stall=200 -- echo fine
	run -0 orcm-run -n 3 -l fixed:1,stall=10 -- echo fine
}

# --- what is said: -v -q -L

@test "orcm-run: -v tells events on stderr, and only there" {
	job -v -n 3 -- cat
	waituntil 10 all_up job 3
	kill_leader job
	waituntil 10 has job.err 'event restart rank'
	echo text >&7
	no_more
	test "$(cat job.out)" = text
	for event in start ready leader exit restart; do
		has job.err "^orcm-run: event $event rank [0-2] "
	done
}

@test "orcm-run: -q says nothing of its own" {
	run -0 --separate-stderr orcm-run -q -n 2 -l fixed:0 -- sh -c 'echo $ORCM_RANK'
	test "$output" = 0
	test -z "$stderr"
	run -123 --separate-stderr orcm-run -q -n 2 -r 1 -- sh -c 'kill -9 $$'
	test -z "$stderr"
	run -124 --separate-stderr orcm-run -q -t 100 -- sleep 100
	test -z "$stderr"
	run -122 --separate-stderr orcm-run -q -k agree -n 2 -- sh -c 'exit $ORCM_RANK'
	test -z "$stderr"
	# What the program says is the program's.
	run -0 --separate-stderr orcm-run -q -n 3 -- sh -c 'echo word >&2'
	test "$stderr" = word
}

@test "orcm-run: -L puts the rank before each line, which is never torn" {
	# Each line comes in several pieces.
	orcm-run -L -n 6 -- sh -c '
		awk -v r=$ORCM_RANK "BEGIN { for (i = 0; i < 2000; i++)
			printf \"%d line %d of this rank is a long one\\n\", r, i
		}" | dd bs=37 status=none' >out
	lines_in out 12000
	test "$(grep -cvE '^([0-5]): \1 line [0-9]+ of this rank is a long one$' \
		out)" = 0
	for r in 0 1 2 3 4 5; do
		grep "^$r:" out | awk '{ print $4 }' | cmp - <(seq 0 1999)
	done
}

@test "orcm-run: -L ends a last line that its program did not end" {
	orcm-run -L -n 3 -- printf 'a\nb' >out
	printf '%s\n' '0: a' '0: b' '1: a' '1: b' '2: a' '2: b' |
		cmp - <(sort out)
}

@test "orcm-run: -L: a line is not kept back where a buffer ends" {
	# The ring of this window has 512 KiB.
	job -L -w 4K -- sh -c 'head -c 524280 /dev/zero | tr "\0" "\n"
		echo "over the end"; read -r line; echo "$line"'
	waituntil 10 has job.out '0: over the end'
	echo last >&7
	no_more
	test "$(tail -n 1 job.out)" = '0: last'
}

@test "orcm-run: -L and a line longer than any buffer" {
	orcm-run -L -n 3 -w 64K -- sh -c \
		'head -c 300000 /dev/zero | tr "\0" $ORCM_RANK; echo' >out
	lines_in out 3
	for r in 0 1 2; do
		test "$(grep "^$r: $r*$" out | wc -c)" -eq 300004
	done
}
