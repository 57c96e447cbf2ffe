#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run behaves like the program that it runs: bytes, statuses, stdin.

load ../run
setup() { run_setup; }
teardown() { orcm_teardown; }

# transparent COMMAND...: the same bytes and the same status with three
# replicas, nothing else on stdout.  Its stdin is $T/in.
transparent() {
	local want=0 have=0
	"$@" <"$T/in" >"$T/want" || want=$?
	orcm-run -n 3 -- "$@" <"$T/in" >"$T/have" || have=$?
	cmp "$T/want" "$T/have"
	test "$want" = "$have"
}

@test "orcm-run: one replica is the default and needs no option" {
	run -0 orcm-run echo hello
	test "$output" = hello
}

@test "orcm-run: nothing on stderr when nothing goes wrong" {
	numbers 1000 >in
	orcm-run -n 3 cat <in >out 2>err
	cmp in out
	test ! -s err
}

@test "orcm-run: is what the program is in a pipeline" {
	make_input in 2
	transparent cat
	transparent gzip -nc
	transparent sort -r
	transparent sha256sum
	transparent awk '{ n += length($0); print n }'
	transparent tr a-z A-Z
	transparent head -n 3
	transparent sh -c 'cat >/dev/null; exit 3'
	transparent sh -c 'echo early; exit 4'
	numbers 5000 >in
	transparent dd bs=1 status=none
	: >in
	transparent cat
	printf 'no newline at the end' >in
	transparent cat
	head -c 100000 /dev/urandom >in
	transparent cat
}

@test "orcm-run: a pipeline of three of them" {
	make_input in 2
	orcm-run -n 2 cat <in | orcm-run -n 3 gzip -nc |
		orcm-run -n 2 gzip -dc >out
	cmp in out
}

@test "orcm-run: every exit status is the program's own" {
	numbers 0 >in
	own_dvm
	for code in $(seq 0 255); do
		case $code in
		# Every one where one is cheap, some of them with three.
		0 | 1 | 2 | 99 | 12[2-8] | 137 | 254 | 255) n=3 ;;
		*) n=1 ;;
		esac
		have=0
		orcm-run -q -n "$n" -- sh -c "exit $code" || have=$?
		test "$have" = "$code" || {
			echo "$have instead of $code with $n"
			return 1
		}
	done
}

@test "orcm-run: 128+n when the program dies of signal n and stays dead" {
	for sig in 1 2 3 6 9 10 11 13 14 15; do
		have=0
		orcm-run -q -n 2 -R never -- sh -c "ulimit -c 0; kill -$sig \$\$" ||
			have=$?
		test "$have" = $((128 + sig))
	done
}

@test "orcm-run: 127 and one line when there is no such program" {
	run -127 --separate-stderr orcm-run -n 3 no-such-program
	test -z "$output"
	test "${#stderr_lines[@]}" = 1
	[[ $stderr == *no-such-program*"not found"* ]]
	run -127 orcm-run ./no-such-program
	run -127 orcm-run /no/such/program
}

@test "orcm-run: 126 and one line when the program cannot be executed" {
	: >plain
	run -126 --separate-stderr orcm-run -n 3 ./plain
	test -z "$output"
	test "${#stderr_lines[@]}" = 1
	[[ $stderr == *plain*"ermission denied"* ]]
	run -126 orcm-run "$T"
	# Seen when it is executed only: its interpreter cannot be.
	printf '#!%s\n' "$T/plain" >script
	chmod +x script
	run -126 --separate-stderr orcm-run -n 3 ./script
	test -z "$output"
	test "${#stderr_lines[@]}" = 1
	[[ $stderr == *script*"ermission denied"* ]]
	printf '#!/no/such/interpreter\n' >script
	run -127 --separate-stderr orcm-run -n 3 ./script
	test "${#stderr_lines[@]}" = 1
}

@test "orcm-run: a script without an interpreter line is the shell's" {
	printf 'echo "$1"; exit 5\n' >script
	chmod +x script
	run -5 orcm-run -n 2 ./script word
	test "$output" = word
}

@test "orcm-run: 125 and no output for wrong use" {
	wrong() {
		run -125 --separate-stderr orcm-run "$@"
		test -z "$output"
		test -n "$stderr"
	}
	wrong
	wrong -n 3
	wrong -Z true
	wrong -n 0 true
	wrong -n 257 true
	wrong -n -1 true
	wrong -n 3x true
	wrong -np
	wrong -i
	wrong -i "$T/no-such-file" true
	wrong -i "$T" true
	wrong -e some true
	wrong -R sometimes true
	wrong -r x true
	wrong -r 5/0 true
	wrong -r 1001 true
	wrong -p some true
	wrong -p 1X true
	wrong -w 1 true
	wrong -w 2G true
	wrong -k best true
	wrong -t soon true
	wrong -g -1 true
	wrong -s NOSUCH true
	wrong -s 0 true
	wrong -x =a true
	wrong -x ORCM_TEST_NOT_SET true
	wrong -C "$T/no-such-directory" true
	wrong -j 'a b' true
	wrong -j "$(printf '%064d' 0)" true
	wrong -D 'a/b' true
	wrong -l nosuch true
	wrong -l fixed true
	wrong -l fixed:3 -n 3 true
	wrong -l lowest:1 true
	wrong -l lowest,stall=1 true
	wrong -l lowest,speed=1 true
	wrong -L -l lowest true
	test -z "$(orcm_own)"
}

@test "orcm-run: -h and -V" {
	run -0 orcm-run -h
	[[ ${lines[0]} == usage:* ]]
	run -0 orcm-run -V
	[[ $output =~ ^orcm-run\ [0-9]+\.[0-9]+\.[0-9]+\ wire\ [0-9]+ ]]
}

@test "orcm-run: options end at the program's name" {
	run -0 orcm-run -n 2 echo x -n 3 -q
	test "$output" = 'x -n 3 -q'
	run -0 orcm-run -n 2 -- echo -- -n
	test "$output" = '-- -n'
}

@test "orcm-run: arguments and environment arrive as they are" {
	cat >show <<-'END'
		#!/bin/sh
		for arg; do printf '<%s>' "$arg"; done
		printf '%s' "$ODD"
	END
	chmod +x show
	ODD=$'two\nlines  and "quotes"'
	export ODD
	run -0 orcm-run -n 2 ./show '' 'a b' '*' $'x\ny' "it's"
	test "$output" = "<><a b><*><x"$'\n'"y><it's>$ODD"
}

@test "orcm-run: a megabyte of arguments and environment" {
	big=$(head -c 100000 /dev/zero | tr '\0' x)
	set -- "$big" "$big" "$big" "$big" "$big"
	BIG=$big run -0 orcm-run -n 3 sh -c \
		'echo "$#" "${#1}" "${#5}" "${#BIG}"' sh "$@"
	test "$output" = '5 100000 100000 100000'
}

@test "orcm-run: umask, nice value, limits and directory are the caller's" {
	mkdir sub
	(
		cd sub
		umask 027
		ulimit -n 222
		ulimit -t 333
		renice -n 5 -p "$BASHPID" >/dev/null
		orcm-run -n 2 -- sh -c \
			'umask; ulimit -n; ulimit -t; nice; pwd' >../out
	)
	printf '0027\n222\n333\n5\n%s\n' "$T/sub" >want
	cmp want out
}

@test "orcm-run: replicas have no descriptors but their three" {
	test -d /proc/self/fd || skip 'no /proc here'
	exec 5<"$0"
	run -0 orcm-run -n 2 -- sh -c 'ls /proc/$$/fd' 5<"$0" 6>other
	exec 5<&-
	test "$(echo "$output" | tr '\n' ' ')" = '0 1 2 '
}

# --- stdin

@test "orcm-run: stdin from a pipe arrives whole, end of file too" {
	make_input in 8
	cat in | orcm-run -n 3 sha256sum >out
	sha256sum <in >want
	cmp want out
}

@test "orcm-run: every replica gets all of stdin" {
	make_input in 8
	orcm-run -n 4 -l none -- sha256sum <in >out
	for _ in 1 2 3 4; do sha256sum <in; done >want
	cmp want out
	# -k agree would see a replica that has read something else.
	orcm-run -n 4 -k agree -- sha256sum <in >out
	orcm-run -n 4 -k agree -- sh -c 'cat | sha256sum' <in >out
}

@test "orcm-run: stdin from a file is read from where it stands" {
	printf 'first\nsecond\nthird\n' >in
	{
		# Reads a byte at a time, so exactly one line.
		read -r line
		orcm-run -n 3 cat
	} <in >out
	test "$line" = first
	printf 'second\nthird\n' | cmp - out
}

@test "orcm-run: stdin from /dev/null" {
	run -0 orcm-run -n 3 -- sh -c 'wc -c' </dev/null
	test "$((output))" = 0
}

@test "orcm-run: a closed stdin is an empty one" {
	orcm-run -n 3 -- sh -c 'cat; echo end' <&- >out
	test "$(cat out)" = end
}

@test "orcm-run: a closed stderr disturbs nobody" {
	numbers 1000 >in
	orcm-run -n 3 -- sh -c 'echo oops >&2; cat' <in >out 2>&-
	cmp in out
}

@test "orcm-run: a closed stdout" {
	# Nothing is wrong until somebody writes.
	run -0 bash -c 'orcm-run -n 3 -- true >&-'
	run -141 bash -c 'orcm-run -n 3 -- echo x >&-'
	[[ $output == *stdout* ]]
}

@test "orcm-run: lines typed at a terminal come back at once" {
	mkfifo keys
	start_from tty keys "$B/t/pty" orcm-run -n 3 cat
	exec 7>keys
	echo one >&7
	waituntil 10 has tty.out one
	echo two >&7
	waituntil 10 has tty.out two
	exec 7>&-
	finish tty 0
	test "$status" = 0
	printf 'one\ntwo\n' | cmp - tty.out
}

@test "orcm-run: INT typed at a terminal reaches the job once" {
	mkfifo keys
	start_from tty keys "$B/t/pty" orcm-run -n 2 -- \
		sh -c 'trap "echo int; exit 9" INT; echo go; while :; do read -r x; done'
	exec 7>keys
	waituntil 10 has tty.out go
	printf '\003' >&7
	finish tty 0
	exec 7>&-
	test "$status" = 9
	test "$(grep -c int tty.out)" = 1
}

@test "orcm-run: in the background of a terminal it goes on without input" {
	mkfifo keys
	start_from tty keys "$B/t/pty" bash -mc '
		orcm-run -n 2 -- sh -c "echo alive; cat; echo done" &
		read -r line
		echo "shell got $line"
		kill $!
		wait $!
		echo "status $?"
	'
	exec 7>keys
	waituntil 10 has tty.out alive
	echo word >&7
	waituntil 10 has tty.out 'shell got word'
	finish tty 0
	exec 7>&-
	has tty.out 'status 143'
}

@test "orcm-run: in the background of a shell script" {
	numbers 1000 >in
	orcm-run -n 3 cat <in >out 3>&- &
	wait $!
	cmp in out
	# POSIX gives it /dev/null there and ignores INT.
	sh -c 'orcm-run -n 3 -- sh -c "cat; echo end" >out & wait $!' 3>&-
	test "$(cat out)" = end
}

@test "orcm-run: reads no more than the window ahead of its readers" {
	# The replicas never read, so the producer has to stop.
	mkfifo feed
	orcm-run -n 3 -- sh -c 'echo $$ >"$0.$ORCM_RANK"; exec sleep 1000' p \
		<feed >out 2>err 3>&- &
	echo $! >.pid.job
	exec 7>feed
	waituntil 10 all_up job 3
	# Non-blocking: what fits is taken, the rest is refused.
	taken=$(dd if=/dev/zero of=/dev/fd/7 bs=4096 count=4096 \
		oflag=nonblock 2>&1 | awk '/copied/ { print $1 }')
	test -z "$taken" || test "$taken" -lt $((4 << 20))
	exec 7>&-
	finish job
	test "$status" = 143
}

# --- number

@test "orcm-run: 1, 2, 16, 100 and 256 replicas" {
	numbers 1000 >in
	for n in 1 2 16 100 256; do
		orcm-run -n "$n" cat <in >out
		cmp in out
	done
}

@test "orcm-run: 256 replicas are 256 processes" {
	orcm-run -n 256 -l none -- sh -c 'echo "$ORCM_RANK $ORCM_SIZE"' >out
	sort -n out >sorted
	seq 0 255 | sed 's/$/ 256/' | cmp - sorted
}

@test "orcm-run: -np is understood as well" {
	orcm-run -np 3 -l none -- sh -c 'echo "$ORCM_RANK"' >out
	test "$(sort out | tr '\n' ' ')" = '0 1 2 '
}
