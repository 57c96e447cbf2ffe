#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run: who gets the input, what is kept of it, what is compared, and how
# much may be under way.

load ../run
setup() { run_setup; }
teardown() {
	test ! -d "$T/small" || umount "$T/small" 2>/dev/null || :
	orcm_teardown
}

# --- -i

@test "orcm-run: -i all gives it to everybody" {
	make_input in 1
	orcm-run -n 3 -i all -- sh -c 'tee got.$ORCM_RANK' <in >out
	cmp in out
	for r in 0 1 2; do cmp in got.$r; done
}

@test "orcm-run: -i leader gives it to the leader alone" {
	job -n 3 -i leader -- sh -c ': >got.$ORCM_RANK; tee got.$ORCM_RANK'
	waituntil 10 all_up job 3
	echo one >&7
	waituntil 10 has job.out one
	first=$(leader_rank job)
	for r in 0 1 2; do
		test "$r" = "$first" || test ! -s "got.$r"
	done
	# The next one is fed from the first byte.
	kill -9 "$(pid_of job "$first")"
	waituntil 10 leads job "$(pid_of job "$first")"
	echo two >&7
	no_more
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - job.out
}

@test "orcm-run: -i leader with a stream and twelve deaths" {
	make_input in 6
	mkfifo slow
	orcm-run -n 3 -i leader cat <in >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		head -c 400000 <&6
		kill_leader job
	done >got
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	cmp in got
}

@test "orcm-run: -i none gives nobody anything" {
	echo text >in
	run -0 orcm-run -n 2 -i none -- wc -c <in
	test $((output)) = 0
	# And leaves stdin to others.
	{
		orcm-run -n 2 -i none true
		read -r line
	} <in
	test "$line" = text
}

@test "orcm-run: -i FILE is read in place of stdin" {
	echo 'in the file' >file
	run -0 orcm-run -n 3 -i file cat </dev/null
	test "$output" = 'in the file'
	echo 'odd name' >all
	run -0 orcm-run -n 3 -i ./all cat </dev/null
	test "$output" = 'odd name'
}

# --- -e

@test "orcm-run: -e leader passes on one stderr" {
	run -0 --separate-stderr orcm-run -n 3 -- sh -c 'echo word >&2; cat' \
		</dev/null
	test "$stderr" = word
}

@test "orcm-run: -e all and -e none" {
	job -n 3 -e all -- sh -c 'echo $ORCM_RANK >&2; cat'
	waituntil 10 lines_in job.err 3
	no_more
	printf '0\n1\n2\n' | cmp - <(sort job.err)
	orcm-run -n 3 -R never -e none -- sh -c 'echo word >&2; kill -9 $$' \
		</dev/null 2>err || :
	test "$(grep -c word err)" = 0
	orcm-run -n 3 -l none -- sh -c 'echo $ORCM_RANK >&2' 2>err
	printf '0\n1\n2\n' | cmp - <(sort err)
}

@test "orcm-run: much on stderr blocks nobody and the leader's is whole" {
	make_input in 3
	orcm-run -n 3 -- sh -c 'cat >&2; echo done' <in >out 2>err
	test "$(cat out)" = done
	cmp in err
}

nobody_up() { ! orcm-ps -o state 2>/dev/null | grep -qx up; }
# slowly FD OPTION...: a job that ends when what it wrote on this descriptor
# is still to be read; so many bytes were read then.
slowly() {
	local fd=$1
	shift
	mkfifo to
	own_dvm
	eval "orcm-run \"\$@\" -- sh -c 'head -c 130000 /dev/zero >&2
		head -c 130000 /dev/zero; : >end.\$ORCM_RANK' \
		</dev/null $fd>to 3>&- &"
	echo $! >.pid.job
	exec 6<to
	waituntil 10 test -e end.0
	waituntil 10 nobody_up
	count=$(cat <&6 | wc -c)
	exec 6<&-
}

@test "orcm-run: stderr is whole when its reader is slow" {
	slowly 2 -n 3 >out
	test "$count" = 130000
	test "$(size_of out)" = 130000
	finish job 0
	test "$status" = 0
}

@test "orcm-run: nobody is waited for beyond a second signal" {
	mkfifo to
	own_dvm
	orcm-run -n 2 -- sh -c 'head -c 130000 /dev/zero >&2; : >end.$ORCM_RANK
		exit 3' 2>to 3>&- &
	echo $! >.pid.job
	exec 6<to
	waituntil 10 test -e end.0
	waituntil 10 nobody_up
	# The first may still be one for the program.
	kill "$(pid job)"
	kill -INT "$(pid job)" || :
	kill -INT "$(pid job)" || :
	finish job 0
	exec 6<&-
}

# --- what a program leaves behind

@test "orcm-run: what the program left behind writes on, as in a pipeline" {
	start job orcm-run -n 3 -- sh -c '
		(until test -e gate; do sleep 0.02; done; echo later) &
		echo first'
	waituntil 10 states_are job 3
	: >gate
	finish job 0
	test "$status" = 0
	test "$(cat job.out)" = first$'\n'later
	waituntil 2 test -z "$(orcm_own)"
}
# So many replicas of this job have ended.
states_are() { test "$(ps_of "$1" state | grep -cx done)" = "$2"; }

@test "orcm-run: what the program left behind is waited for as -g says" {
	run -0 --separate-stderr orcm-run -g 100 -n 2 -- \
		sh -c 'sleep 1000 & echo word'
	test "$output" = word
	test "${stderr#*still holds its output}" != "$stderr"
	waituntil 2 test -z "$(orcm_own)"
	# Not if it does not hold the output.
	run -0 --separate-stderr orcm-run -n 2 -- \
		sh -c 'sleep 1000 >/dev/null 2>&1 & echo word'
	test -z "$stderr"
	waituntil 2 test -z "$(orcm_own)"
}

# --- differences
# (-k worst waits for a replica that is late on a busy machine.)

@test "orcm-run: a replica that differs is reported once with its offset" {
	orcm-run -n 3 -l fixed:0 -k worst -- sh -c '
		head -c 4096 /dev/zero
		test $ORCM_RANK != 1 || printf different
		head -c 300000 /dev/zero' >out 2>err
	test "$(cat err)" = 'orcm-run: rank 1: its output differs at byte 4096'
	head -c 304096 /dev/zero | cmp - out
}

@test "orcm-run: -v shows the bytes of a difference" {
	run -0 --separate-stderr orcm-run -v -n 3 -l fixed:0 -k worst -- sh -c '
		test $ORCM_RANK = 2 && printf aXc || printf abc'
	test "$output" = abc
	[[ $stderr == *"rank 2: its output differs at byte 1"* ]]
	[[ $stderr == *"rank 2: 58 63 instead of 62 63"* ]]
}

@test "orcm-run: a difference is an event while the job goes on" {
	job -v -n 3 -l fixed:0 -- sh -c '
		test $ORCM_RANK = 2 && echo aXc || echo abc; cat'
	waituntil 10 has job.err 'event diverged rank 2 offset=1'
	no_more
	test "$status" = 0
	test "$(cat job.out)" = abc
}

@test "orcm-run: one that ends early and one that goes on are reported" {
	run -0 --separate-stderr orcm-run -n 2 -l fixed:0 -k worst -- sh -c '
		echo same; test $ORCM_RANK = 1 || echo more'
	[[ $stderr == *"rank 1: its output ends early at byte 5"* ]]
	run -0 --separate-stderr orcm-run -n 2 -l fixed:0 -k worst -- sh -c '
		echo same; test $ORCM_RANK = 0 || echo more'
	[[ $stderr == *"rank 1: its output goes on after the end at byte 5"* ]]
}

@test "orcm-run: a life that differs from the one before it" {
	job -n 1 -- sh -c 'echo life $ORCM_INCARNATION; exec cat'
	echo text >&7
	waituntil 10 has job.out text
	kill_leader job
	echo more >&7
	no_more
	printf 'life 0\ntext\nmore\n' | cmp - job.out
	has job.err 'rank 0: its output differs at byte 5'
}

# --- -p

@test "orcm-run: -p none: who dies stays dead, the others go on" {
	job -n 3 -p none -- cat
	waituntil 10 all_up job 3
	echo one >&7
	waituntil 10 has job.out one
	kill_leader job
	waituntil 10 leads job "$killed"
	kill_leader job
	waituntil 10 leads job "$killed"
	echo two >&7
	no_more
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - job.out
}

@test "orcm-run: -p none and nobody left: 123 and a prefix" {
	job -n 2 -p none -- cat
	waituntil 10 all_up job 2
	echo one >&7
	waituntil 10 has job.out one
	kill -9 $(replicas job)
	finish job 0
	exec 7>&-
	test "$status" = 123
	test "$(cat job.out)" = one
	has job.err 'gave up'
}

@test "orcm-run: -p none before the first byte: a restart is possible" {
	job -n 2 -p none -- cat
	waituntil 10 all_up job 2
	old=$(pid_of job 0)
	kill -9 "$old"
	waituntil 10 reborn job 0 "$old"
	echo text >&7
	no_more
	test "$status" = 0
	test "$(cat job.out)" = text
}

@test "orcm-run: -p none, slow reader: memory stays below 16 MiB each" {
	test -r /proc/self/smaps_rollup || skip 'no smaps_rollup here'
	mkfifo slow
	head -c 200M /dev/zero | orcm-run -n 3 -p none cat >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	read=0
	while test "$read" -lt 200; do
		head -c 40M <&6
		read=$((read + 40))
		for p in $(orcm_own); do
			kb=$(awk '/^Private_(Clean|Dirty)/ { n += $2 }
				END { print n + 0 }' "/proc/$p/smaps_rollup" \
				2>/dev/null) || continue
			test "$kb" -lt 16384 || echo "$p: $kb KiB" >>big
		done
	done | wc -c >count
	exec 6<&-
	finish job 0
	test "$status" = 0
	test "$(cat count)" -eq $((200 * 1024 * 1024))
	test ! -s big
}

@test "orcm-run: -p SIZE: restarts until so much has been read" {
	job -n 2 -p 100K -- cat
	waituntil 10 all_up job 2
	echo one >&7
	waituntil 10 has job.out one
	old=$(pid_of job 0)
	kill -9 "$old"
	waituntil 10 reborn job 0 "$old"
	head -c 200000 /dev/zero >&7
	waituntil 10 at_least job.out 200000
	kill -9 "$(pid_of job 0)"
	waituntil 10 test "$(ps_of job state | grep -c '^up$')" = 1 ||
		waituntil 10 one_up job
	echo two >&7
	no_more
	test "$status" = 0
	{ echo one; head -c 200000 /dev/zero; echo two; } | cmp - job.out
}
one_up() { test "$(ps_of "$1" state | grep -c '^up$')" = 1; }

@test "orcm-run: -p all: what is over 64 MiB is replayed from TMPDIR" {
	make_input in 72
	mkfifo slow
	cat in | orcm-run -n 2 cat >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	head -c 67M <&6 >got
	# The file has no name.
	test -z "$(ls "$T" | grep orcm-run)"
	if test -d /proc/self/fd; then
		ls -l "/proc/$(pid job)/fd" | grep -q "$T/orcm-run.*deleted"
	fi
	kill_leader job
	waituntil 10 leads job "$killed"
	kill_leader job
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	cmp in got
	test ! -s err
}

# full_store: 70 MiB through a store that cannot take more than 64
full_store() {
	make_input in 70
	mkfifo slow
	cat in | orcm-run -n 3 cat >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	head -c 68M <&6 >got
	waituntil 10 has err 'input is no longer kept'
	kill_leader job
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	cmp in got
	test "$(grep -c 'no longer kept' err)" = 1
}

@test "orcm-run: a full disk below TMPDIR: said once, no byte is lost" {
	need_root
	mkdir small
	mount -t tmpfs -o size=256k tmpfs "$T/small" || skip 'cannot mount here'
	TMPDIR=$T/small full_store
	has err 'No space left'
}

@test "orcm-run: a TMPDIR that is not there" {
	TMPDIR=$T/nowhere full_store
}

@test "orcm-run: a limit on the size of files" {
	mkfifo slow
	make_input in 70
	(
		# Neither store nor replica may write a file any more.
		ulimit -f 1
		cat in | orcm-run -n 2 cat >slow 2>/dev/null 3>&-
		echo $? >status
	) 3>&- &
	cat slow >got
	wait $!
	test "$(cat status)" = 0
	cmp in got
}

@test "orcm-run: a regular file is its own store" {
	make_input in 72
	mkfifo slow
	TMPDIR=$T/nowhere orcm-run -n 2 cat <in >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	head -c 67M <&6 >got
	kill_leader job
	waituntil 10 leads job "$killed"
	kill_leader job
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	cmp in got
	test ! -s err
}

@test "orcm-run: a file that is changed meanwhile is not replayed" {
	make_input in 8
	cp in copy
	mkfifo slow
	orcm-run -n 2 cat <in >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	head -c 4M <&6 >got
	waituntil 10 all_up job 2
	waituntil 10 leads job
	echo more >>in
	other=$((1 - $(leader_rank job)))
	kill -9 "$(pid_of job "$other")"
	waituntil 10 has err "rank $other cannot be fed again: .*changed"
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	is_prefix copy got
}

# --- -w and back-pressure

@test "orcm-run: -w: with a follower a window ahead the stall is a tenth" {
	# Otherwise it would be a minute.
	job -n 2 -w 64K -l lowest,stall=60s,stall=20000 -- cat
	waituntil 10 all_up job 2
	waituntil 10 leads job
	kill -STOP "$lead"
	dd if=/dev/zero of=/dev/fd/7 bs=1024 count=400 status=none &
	waituntil 10 leads job "$lead"
	wait $!
	no_more
	test "$status" = 0
	test "$(size_of job.out)" = 409600
}

@test "orcm-run: a slow replica holds the producer back, nothing is lost" {
	make_input in 3
	orcm-run -n 3 -w 64K -l fixed:0 -- sh -c '
		test $ORCM_RANK != 1 || exec dd bs=4096 status=none
		exec cat' <in >out
	cmp in out
}

@test "orcm-run: a reader that goes away ends an endless stream at once" {
	status=0
	orcm-run -n 3 yes 2>err 3>&- | head -c 100M | wc -c >count ||
		status=$?
	test "$(cat count)" -eq $((100 * 1024 * 1024))
	test ! -s err
	waituntil 2 test -z "$(orcm_own)"
	run bash -c 'orcm-run -n 3 yes | head -c 1000 >/dev/null
		echo ${PIPESTATUS[0]}'
	test "$output" = 141
}
