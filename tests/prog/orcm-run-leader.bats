#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run: the leader dies, again and again, and no byte is lost or doubled.
# ORCM_TEST_MIB=1024 takes 1 GiB of input where a few MiB do in daily use.

load ../run
setup() {
	run_setup
	KILLS=20
}
teardown() { orcm_teardown; }

# fed_and_killed MIB COMMAND...: the program gets its input in 21 pieces; in
# the middle of each of the first 20 its leader is killed.  The same bytes
# have to come out as without any of that.
fed_and_killed() {
	local mib=${ORCM_TEST_MIB:-$1} piece size at=0
	shift
	make_input in "$mib"
	# From a pipe: gzip notes the time of a file.
	cat in | "$@" >want
	size=$(size_of in)
	job -n 3 -- "$@"
	for piece in $(seq 1 "$KILLS"); do
		# Pieces of random lengths, so that no two runs are alike.
		piece=$((size / (KILLS + 1) / 2 +
			RANDOM * 4 % (size / (KILLS + 1))))
		tail -c +$((at + 1)) in | head -c "$piece" >&7 &
		kill_leader job
		wait $!
		at=$((at + piece))
	done
	tail -c +$((at + 1)) in >&7
	no_more
	test "$status" = 0
	cmp want job.out
}

@test "orcm-run: the leader is killed 20 times: cat" {
	fed_and_killed 48 cat
}
@test "orcm-run: the leader is killed 20 times: gzip -c" {
	fed_and_killed 6 gzip -c
}
@test "orcm-run: the leader is killed 20 times: awk" {
	fed_and_killed 8 awk '{ n += length($0); print NR, n, $2 }'
}
@test "orcm-run: the leader is killed 20 times: sha256sum" {
	fed_and_killed 24 sha256sum
}
@test "orcm-run: the leader is killed 20 times: sort" {
	fed_and_killed 4 sort -k 2
}
@test "orcm-run: the leader is killed 20 times: it writes at the end only" {
	fed_and_killed 12 sh -c 'cat >"${TMPDIR}/all.$ORCM_RANK.$$"
		exec cat "${TMPDIR}/all.$ORCM_RANK.$$"'
}
@test "orcm-run: the leader is killed 20 times: a byte at a time" {
	# Of what it is fed 1 MiB is a million writes.
	ORCM_TEST_MIB='' fed_and_killed 1 dd bs=1 status=none
}

# drained_and_killed COMMAND...: the output is taken in 21 pieces; after each
# of the first 20 the leader is killed, while it waits or writes on.
drained_and_killed() {
	local piece size
	size=$("$@" <in | wc -c)
	rm -f slow
	mkfifo slow
	orcm-run -n 3 -- "$@" <in >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	for piece in $(seq 1 "$KILLS"); do
		piece=$((size / (KILLS + 1) / 2 +
			RANDOM * 4 % (size / (KILLS + 1) / 2)))
		head -c "$piece" <&6
		kill_leader job
	done >got
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	"$@" <in | cmp - got
	test ! -s err
}

@test "orcm-run: the leader is killed 20 times: it writes without reading" {
	make_input in 1
	drained_and_killed seq 1 7000000
}
@test "orcm-run: the leader is killed 20 times: its reader is slow" {
	make_input in 64
	drained_and_killed cat
}

@test "orcm-run: cmp of file and copy, 20 kills at random moments" {
	local kills=0 tries=0
	F=$T/F G=$T/G
	make_input "$F" "${ORCM_TEST_MIB:-128}"
	orcm-run -n 3 -- cat <"$F" >"$G" 3>&- &
	echo $! >.pid.job
	while alive "$(pid job)" && test "$kills" -lt "$KILLS"; do
		if leads job "$killed" && kill -9 "$lead" 2>/dev/null; then
			killed=$lead
			kills=$((kills + 1))
		fi
	done 2>/dev/null
	finish job 0
	test "$status" = 0
	cmp "$F" "$G"
	# A small file may be through before the twentieth.
	test "${ORCM_TEST_MIB:-128}" -lt 1024 || test "$kills" = "$KILLS"
	test "$kills" -gt 0
}

@test "orcm-run: leaders are killed with every signal that ends a program" {
	job -n 3 -- cat
	n=0
	for sig in HUP INT QUIT ILL ABRT BUS FPE KILL SEGV PIPE ALRM TERM USR1; do
		n=$((n + 1))
		echo "$n" >&7
		waituntil 10 has job.out "^$n$"
		kill_leader job "$sig"
	done
	no_more
	test "$status" = 0
	numbers 13 | cmp - job.out
}

@test "orcm-run: a follower that is killed is not noticed" {
	make_input in 16
	mkfifo slow
	orcm-run -n 3 -l fixed:0 -- cat <in >slow 2>err 3>&- &
	echo $! >.pid.job
	exec 6<slow
	for i in 1 2 3 4 5 6 7 8 9 10; do
		head -c 1M <&6
		old=$(pid_of job $((1 + i % 2)))
		kill -9 "$old"
		waituntil 10 reborn job $((1 + i % 2)) "$old"
	done >got
	rank_leads job 0
	cat <&6 >>got
	exec 6<&-
	finish job 0
	test "$status" = 0
	cmp in got
	test ! -s err
}

# --- a leader that does not move

@test "orcm-run: a leader that is stopped is replaced, the output is right" {
	make_input in 4
	job -n 3 -- cat
	waituntil 10 all_up job 3
	head -c 1000000 in >&7
	waituntil 10 leads job
	was=$lead
	kill -STOP "$was"
	tail -c +1000001 in >&7 &
	waituntil 10 leads job "$was"
	wait $!
	waituntil 10 at_least job.out "$(size_of in)"
	kill -CONT "$was"
	no_more
	test "$status" = 0
	cmp in job.out
}

@test "orcm-run: a stopped leader that goes on is a follower again" {
	job -n 2 -- cat
	waituntil 10 all_up job 2
	kill_leader job STOP
	echo one >&7
	waituntil 10 leads job "$killed"
	waituntil 10 has job.out one
	kill -CONT "$killed"
	back=$killed
	waituntil 10 all_up job 2
	# Now the other one dies, and it leads again with all it missed.
	kill_leader job
	echo two >&7
	waituntil 10 has job.out two
	no_more
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - job.out
	test -n "$back"
}

@test "orcm-run: the stall time is configured" {
	# A minute: within it nothing happens but for what we do.
	mkfifo feed
	start_from job feed "$B/t/fresh" orcm-run -n 2 \
		-l lowest,stall=60000 -- cat
	exec 7>feed
	waituntil 10 all_up job 2
	waituntil 10 leads job
	was=$lead
	kill -STOP "$was"
	echo one >&7
	waituntil 10 fed_is job 4
	test "$(leader_rank job)" = "$(rank_of job "$was")"
	kill -CONT "$was"
	waituntil 10 has job.out one
	no_more
	test "$status" = 0
	# 50 ms, and a stop that is much shorter than the default.
	start_from job feed orcm-run -n 2 -l lowest,stall=50 -- cat
	exec 7>feed
	waituntil 10 all_up job 2
	kill_leader job STOP
	echo one >&7
	waituntil 10 leads job "$killed"
	no_more
	test "$status" = 0
	test "$(cat job.out)" = one
}
rank_of() { ps_of "$1" rank,pid | awk -v p="$2" '$2 == p { print $1 }'; }
# fed_is NAME BYTES: what QUIT says has been read
fed_is() {
	kill -QUIT "$(pid "$1")"
	has "$1.err" "^input $2 bytes"
}

@test "orcm-run: a stopped leader at the end of the input" {
	job -n 3 -- sha256sum
	waituntil 10 all_up job 3
	echo text >&7
	kill_leader job STOP
	no_more
	test "$status" = 0
	echo text | sha256sum | cmp - job.out
}
