#!/bin/sh
# SPDX-License-Identifier: ISC
#
# portability.sh: the same tree with other compilers, another make, another
# word size and without any fast path: all of it is built, the unit tests are
# run.  What is not here is named, never passed over in silence.
set -eu
b=${B:-build}
bad=0
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS

# variant NAME MAKE [NAME=value...]
variant() {
	name=$1
	make=$2
	shift 2
	if ! command -v "$make" >/dev/null; then
		echo "portability: $name: skipped: no $make"
		return 0
	fi
	dir=$b-$name
	mkdir -p "$dir"
	printf '#include <stdatomic.h>\nint main(void) { return 0; }\n' \
		>"$dir/compiler.c"
	# CC and the flags are lists of words.
	# shellcheck disable=SC2086
	if ! (for word; do case $word in CC=* | CFLAGS=* | LDFLAGS=*)
		eval "${word%%=*}=\${word#*=}" ;; esac; done
		${CC:-cc} ${CFLAGS:-} ${LDFLAGS:-} -o "$dir/compiler" \
		"$dir/compiler.c") >/dev/null 2>&1; then
		echo "portability: $name: skipped: not here, or no C11 atomics ($*)"
		rm -rf "$dir"
		return 0
	fi
	log=$dir/portability.log
	# shellcheck disable=SC2086
	if "$make" -j2 B="$dir" "$@" programs-for-tests >"$log" 2>&1 &&
		B=$dir CHECK=${CHECK:-unit fuzz} sh scripts/check.sh >>"$log" 2>&1
	then
		echo "portability: $name: $(tail -n 1 "$log")"
	else
		echo "portability: $name: failed"
		grep -v '^cc \|^ar \|^so \|^ld \|^ok ' "$log" | tail -n 60 || :
		bad=1
	fi
}
variant bmake bmake
variant clang make CC=clang WERROR=1
variant posix make POSIX=1 WERROR=1
variant m32 make 'CC=cc -m32'
variant tcc make CC=tcc
variant musl make CC=musl-gcc
exit $bad
