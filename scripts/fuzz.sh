#!/bin/sh
# SPDX-License-Identifier: ISC
#
# fuzz.sh: builds each tests/fuzz/f_*.c with clang's libFuzzer and the address
# and undefined behaviour sanitizers, and runs it FUZZ_SECONDS (60).  It starts
# from the inputs in tests/fuzz/corpus and keeps what it finds in the build
# directory; an input that fails is to be copied to the corpus with the fix.
set -eu
b=${B:-build}-fuzz
clang=${FUZZ_CC:-clang}
printf 'int LLVMFuzzerTestOneInput(void);\n' >"/tmp/orcm-fuzz.$$.c"
printf 'int LLVMFuzzerTestOneInput(void) { return 0; }\n' \
	>>"/tmp/orcm-fuzz.$$.c"
trap 'rm -f "/tmp/orcm-fuzz.$$.c" "/tmp/orcm-fuzz.$$"' 0
if ! "$clang" -fsanitize=fuzzer,address -o "/tmp/orcm-fuzz.$$" \
	"/tmp/orcm-fuzz.$$.c" 2>/dev/null; then
	echo "fuzz: skipped: $clang with libFuzzer is not here"
	exit 0
fi
${MAKE:-make} B="$b" CC="$clang" SAN=fuzzer-no-link,address,undefined fuzzers
bad=0
for source in tests/fuzz/f_*.c; do
	test -f "$source" || continue
	name=${source##*/f_}
	name=${name%.c}
	mkdir -p "$b/found/$name" "$b/crash/$name"
	set -- "$b/found/$name"
	test ! -d "tests/fuzz/corpus/$name" ||
		set -- "$@" "tests/fuzz/corpus/$name"
	dict=tests/fuzz/$name.dict
	test ! -f "$dict" || set -- "-dict=$dict" "$@"
	echo "fuzz: $name for ${FUZZ_SECONDS:-60} s"
	if ! "$b/t/fuzz_f_$name" -max_total_time="${FUZZ_SECONDS:-60}" \
		-print_final_stats=1 -timeout=10 \
		-artifact_prefix="$b/crash/$name/" "$@" >"$b/fuzz.log" 2>&1; then
		tail -n 60 "$b/fuzz.log"
		echo "fuzz: $name failed, see $b/crash/$name"
		bad=1
	else
		grep -e number_of_executed -e new_units "$b/fuzz.log" || :
	fi
done
exit $bad
