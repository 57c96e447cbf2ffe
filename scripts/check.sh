#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check.sh: runs every test of the build in $B.  Each failure is printed in
# full; the last line is "N passed, N failed".  "make check" builds first.
#   CHECK="unit prog"  only these parts: unit prog sim fuzz text
#   SIM_SEEDS=200      seeds given to the simulator, and half as many fresh
#   KEEP=1             do not remove the logs in $B/check
set -eu
LC_ALL=C
export LC_ALL
B=${B:-build}
case $B in
/*) ;;
*) B=$PWD/$B ;;
esac
export B
parts=${CHECK:-unit fuzz text prog sim}
logs=$B/check
passed=0
failed=0
skipped=0
rm -rf "$logs"
mkdir -p "$logs"

# Nothing of the caller's may lead a test to another system.
unset ORCM_DVM ORCM_RUN ORCM_JOB ORCM_APP ORCM_RANK ORCM_SIZE \
	ORCM_INCARNATION ORCM_NODE ORCM_PLUGIN_PATH NOTIFY_SOCKET MAKEFLAGS \
	MFLAGS MAKELEVEL GNUMAKEFLAGS

slow=1
sanitized=$(sed -n 's/^SAN = //p' "$B/config.mk")
if test -n "$sanitized"; then
	slow=4
	# Daemons in tests have their stderr elsewhere: reports go to files.
	report=$logs/report
	ASAN_OPTIONS=log_path=$report:${ASAN_OPTIONS:-}
	UBSAN_OPTIONS=log_path=$report:print_stacktrace=1:${UBSAN_OPTIONS:-}
	TSAN_OPTIONS=log_path=$report:${TSAN_OPTIONS:-}
	export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
fi
ORCM_SLOW=$slow
ORCM_TEST_PLUGINS=$B/t/plugins
export ORCM_SLOW ORCM_TEST_PLUGINS

# bounded SECONDS COMMAND...: ends it when it takes longer, where that can be
if timeout 1 true 2>/dev/null; then
	bounded() {
		limit=$(($1 * slow))
		shift
		timeout -k 5 "$limit" "$@"
	}
else
	bounded() {
		shift
		"$@"
	}
fi

# tap NAME SECONDS COMMAND...: counts the lines of a TAP producer.  It has
# also failed when it ends otherwise than its lines say.
tap() {
	name=$1
	log=$logs/$(echo "$name" | tr '/ ' '__').log
	shift
	status=0
	bounded "$@" >"$log" 2>&1 3>&- </dev/null || status=$?
	counts=$(awk -v status="$status" '
	/^ok / { good++ }
	/^ok .*# [Ss][Kk][Ii][Pp]/ { skip++ }
	/^not ok / { bad++ }
	/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0; planned = 1 }
	END {
		if (!planned || plan != good + bad || !!status != !!bad)
			print good + 0, bad + 1, skip + 0, "broken"
		else
			print good + 0, bad + 0, skip + 0, "whole"
	}' "$log")
	# shellcheck disable=SC2086
	set -- $counts
	passed=$((passed + $1 - $3))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
	if test "$4" = broken; then
		echo "not ok - $name ends with status $status (124: too slow)"
		sed 's/^/    /' "$log"
	elif test "$2" != 0; then
		echo "not ok - $name: $2 of $(($1 + $2))"
		awk '/^ok / { show = 0 } /^not ok / { show = 1 }
		show || /^#/ && !seen { print "    " $0 }' "$log"
	else
		echo "ok - $name: $1"
	fi
}

# step NAME SECONDS COMMAND...: one test, good when it ends with 0
step() {
	name=$1
	log=$logs/$(echo "$name" | tr '/ ' '__').log
	shift
	if bounded "$@" >"$log" 2>&1 3>&- </dev/null; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		sed 's/^/    /' "$log"
	fi
}

check_unit() {
	for test in tests/unit/t_*.c; do
		test -f "$test" || continue
		test=${test##*/}
		test=${test%.c}
		tap "unit $test" 120 "$B/t/$test"
	done
}

check_fuzz() {
	for source in tests/fuzz/f_*.c; do
		test -f "$source" || continue
		name=${source##*/f_}
		name=${name%.c}
		set -- "tests/fuzz/corpus/$name"/*
		if test -f "$1"; then
			step "fuzz $name: $# inputs" 120 "$B/t/f_$name" "$@"
		else
			echo "# fuzz $name: no inputs in tests/fuzz/corpus"
		fi
	done
}

check_text() {
	step layers 60 sh scripts/check/layers.sh
	step purity 60 sh scripts/check/purity.sh "$B"
	step tidy 60 sh scripts/check/tidy.sh
}

check_prog() {
	set -- tests/prog/*.bats
	test -f "$1" || return 0
	bats=$(sh scripts/get-bats.sh "$B") || {
		echo 'not ok - bats is missing'
		failed=$((failed + 1))
		return 0
	}
	BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-$((60 * slow))}
	PATH=$B/bin:$PATH
	export BATS_TEST_TIMEOUT PATH
	jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
	case $(parallel --version 2>/dev/null </dev/null | head -n 1) in
	GNU*) test "$jobs" -lt 2 || set -- --jobs "$jobs" "$@" ;;
	*)
		# One file at a time, so that its result is seen when it ends.
		for file; do
			file_name=${file##*/}
			tap "prog ${file_name%.bats}" 600 "$bats" -F tap "$file"
		done
		return 0 ;;
	esac
	tap prog 1800 "$bats" -F tap "$@"
}

# Runs that once found something, the first seeds, and some that nobody has
# tried: a step's name is how it is run again.
check_sim() {
	sim=$B/bin/orcm-sim
	seeds=${SIM_SEEDS:-200}
	test -x "$sim" || return 0
	# Lists of options.
	# shellcheck disable=SC2086
	while read -r options; do
		case $options in
		'' | '#'*) continue ;;
		esac
		step "orcm-sim $options" 60 "$sim" $options
	done <tests/sim/seeds.txt
	step "orcm-sim -r $seeds" 120 "$sim" -r "$seeds"
	fresh=$(od -An -N4 -tu4 /dev/urandom | tr -d ' \n')
	step "orcm-sim -s $fresh -r $((seeds / 2))" 120 "$sim" -s "$fresh" \
		-r $((seeds / 2))
	step "orcm-sim -N 0 -r $((seeds / 2))" 120 "$sim" -N 0 \
		-r $((seeds / 2))
	step "orcm-sim -N 0 -s $fresh -r $((seeds / 4))" 120 "$sim" -N 0 \
		-s "$fresh" -r $((seeds / 4))
}

for part in $parts; do
	"check_$part"
done
if test -n "$sanitized"; then
	# A death that a test expects may leave an empty file.
	cat "$report".* >"$logs/reports" 2>/dev/null || :
	step 'sanitizers have nothing to report' 60 \
		awk '{ print } END { exit NR > 0 }' "$logs/reports"
fi
test "$skipped" = 0 || echo "# $skipped skipped"
test -n "${KEEP:-}" || test "$failed" != 0 || rm -rf "$logs"
echo "$passed passed, $failed failed"
test "$failed" = 0
