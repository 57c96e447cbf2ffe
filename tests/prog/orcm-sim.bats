#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-sim: a run is its seed and nothing else, what must not be is found and
# told, and every option does what its page says.

load ../lib
setup() { orcm_setup; }
teardown() { orcm_teardown; }

@test "orcm-sim: -V tells the version" {
	run -0 orcm-sim -V
	[[ $output == "orcm-sim 0."* ]]
}

@test "orcm-sim: wrong use is 100 and one clear line" {
	local wrong
	for wrong in '-x' 'operand' '-n' '-s' '-r' '-N' '-N 3 -n 2' \
		'-P cat -N 3'; do
		# shellcheck disable=SC2086
		run -100 --separate-stderr orcm-sim $wrong
		test -z "$output"
		[[ $stderr == *"usage: orcm-sim [-Vcv] "* ]]
	done
	for wrong in '-n 0' '-n 6' '-n two' '-r 0' '-r -1' '-s -1' '-s 1x' \
		'-t 0' '-t 3600001' '-N -1' '-N 65' '-N x'; do
		# shellcheck disable=SC2086
		run -100 --separate-stderr orcm-sim $wrong
		test -z "$output"
		[[ $stderr == "orcm-sim: $wrong: a number from "* ]]
		test "${#stderr_lines[@]}" = 1
	done
	run -100 --separate-stderr orcm-sim -P dog
	[[ $stderr == "orcm-sim: -P dog: one of cat filter "* ]]
	test "${#stderr_lines[@]}" = 1
}

@test "orcm-sim: -r runs so many seeds, one without it" {
	run -0 --separate-stderr orcm-sim
	test "$output" = 'ok 1 seeds'
	test -z "$stderr"
	run -0 orcm-sim -s 20 -r 15
	test "$output" = 'ok 15 seeds'
}

@test "orcm-sim: the largest seed is one too" {
	run -0 orcm-sim -s 9223372036854775807
	run -100 orcm-sim -s 9223372036854775808
}

@test "orcm-sim: -v shows the same run for the same seed, another for another" {
	orcm-sim -v -s 7 >one
	orcm-sim -v -s 7 >two
	orcm-sim -v -s 8 >other
	cmp one two
	run -1 cmp -s one other
	grep -q 'born: actor, pid 0 ' one
	test "$(tail -n 1 one)" = 'ok 1 seeds'
	# A run in the midst of others is the run that it is alone.
	sed '$d' one >alone
	orcm-sim -v -s 6 -r 3 |
		awk 'n == 1 { print } / end / { n++ }' >among
	cmp alone among
}

@test "orcm-sim: -P takes each program, and runs it" {
	local program programs
	programs=$(orcm-sim -P . 2>&1) || :
	programs=${programs#*one of }
	test "$(echo "$programs" | wc -w)" -ge 7
	for program in $programs; do
		run -0 orcm-sim -P "$program" -r 25
		test "$output" = 'ok 25 seeds'
		orcm-sim -v -P "$program" >trace
		grep -q "^ *0\.000000 $program " trace
		grep -qx "\.It Cm $program" "$TOP/man/orcm-sim.1"
	done
}

@test "orcm-sim: -n takes 1 to 5 replicas" {
	local n
	for n in 1 2 3 4 5; do
		run -0 orcm-sim -n "$n" -r 20
		orcm-sim -v -n "$n" | awk '/ program: rank, / {
			if ($6 > most) most = $6
		} END { print most + 1 }' >have
		test "$(cat have)" = "$n"
	done
}

@test "orcm-sim: -t says how long there are faults" {
	orcm-sim -v -t 1 -r 10 | awk '/ FAULT / && $1 > 1' >late
	test ! -s late
	orcm-sim -v -t 500 -r 10 | awk '/ FAULT / && $1 > 1' >late
	test -s late
}

@test "orcm-sim: -c fails, and tells the seed and how to see it again" {
	run -1 --separate-stderr orcm-sim -c -n 3 -P cat -t 300 -r 100
	test -z "$stderr"
	[[ $output == *"FAIL canary seed="* ]]
	[[ ${lines[-2]} == "FAIL canary seed="*" replicas=3 program=cat "* ]]
	[[ ${lines[-1]} == "again: orcm-sim -cv -n 3 -P cat -t 300 -s "* ]]
	test "${#lines[@]}" -gt 5
	again=${lines[-1]#again: }
	line=${lines[-2]}
	# shellcheck disable=SC2086
	run -1 $again
	test "${lines[-2]}" = "$line"
	[[ $output == *"born: actor, pid 0 "* ]]
}

@test "orcm-sim: faults of each kind happen" {
	local fault
	orcm-sim -v -r 200 | grep ' FAULT ' >faults
	for fault in program keeper exit 'all programs' stop hang pnpd orcmd \
		leaderd 'all daemons' 'all but the owner' sleep owner; do
		grep -q "FAULT $fault 0 0 0" faults
	done
}

@test "orcm-sim: -N runs a mesh of so many nodes, 0 of as many as are drawn" {
	local n
	for n in 1 2 3 5 8 64; do
		run -0 --separate-stderr orcm-sim -N "$n" -t 2000
		test "$output" = 'ok 1 seeds'
		test -z "$stderr"
		orcm-sim -v -N "$n" -t 1000 >trace
		test "$(grep -c 'boots: node, epoch [0-9]* 1 ' trace)" = "$n"
	done
	run -0 orcm-sim -N 0 -r 20
	test "$output" = 'ok 20 seeds'
	orcm-sim -v -N 0 -r 20 | awk '/world: nodes/ && !had[$8]++ { n++ }
		END { print n }' >sizes
	test "$(cat sizes)" -ge 4
}

@test "orcm-sim: -N shows the same run for the same seed, another for another" {
	orcm-sim -v -N 5 -s 7 >one
	orcm-sim -v -N 5 -s 7 >two
	orcm-sim -v -N 5 -s 8 >other
	cmp one two
	run -1 cmp -s one other
	# A run in the midst of others is the run that it is alone.
	sed '$d' one >alone
	orcm-sim -v -N 5 -s 6 -r 3 |
		awk 'n == 1 { print } / end / { n++ }' >among
	cmp alone among
}

@test "orcm-sim: -N with -c fails, and tells the seed and how to see it again" {
	run -1 --separate-stderr orcm-sim -c -N 4 -t 3000 -r 100
	test -z "$stderr"
	[[ ${lines[-2]} == "FAIL canary seed="*" nodes=4 "* ]]
	[[ ${lines[-1]} == "again: orcm-sim -cv -N 4 -t 3000 -s "* ]]
	again=${lines[-1]#again: }
	line=${lines[-2]}
	# shellcheck disable=SC2086
	run -1 $again
	test "${lines[-2]}" = "$line"
}

@test "orcm-sim: -N makes faults of each kind" {
	local fault
	orcm-sim -v -N 6 -r 60 | grep ' FAULT ' >faults
	for fault in power kill stop starve link cut split leave; do
		grep -q "FAULT $fault " faults
	done
}

@test "orcm-sim: output that cannot be written is no success" {
	test -c /dev/full || skip "no /dev/full here"
	run -111 bash -c 'orcm-sim >/dev/full'
}

@test "orcm-sim: the examples of its page work" {
	local example
	awk '/^\.Sh EXAMPLES/ { on = 1 } /^\.Sh SEE/ { on = 0 }
	/^\.Ed/ { in_text = 0 } on && in_text { print }
	/^\.Bd/ { in_text = 1 }' "$TOP/man/orcm-sim.1" | sed 's/000$/0/' >examples
	test "$(wc -l <examples)" -ge 4
	while read -r example; do
		run -0 bash -c "$example"
		test -n "$output"
	done <examples
}
