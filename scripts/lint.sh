#!/bin/sh
# SPDX-License-Identifier: ISC
#
# lint.sh: what other readers say of the text.  Each is run when it is here
# and named when it is not.  clang-format advises, the others decide.
set -eu
LC_ALL=C
export LC_ALL
b=${B:-build}
bad=0
have() {
	command -v "$1" >/dev/null || {
		echo "lint: $1: skipped: not here"
		return 1
	}
}
# good NAME COMMAND...
good() {
	name=$1
	shift
	if "$@" >"$b/lint.log" 2>&1; then
		echo "lint: $name: clean"
	else
		echo "lint: $name:"
		cat "$b/lint.log"
		bad=1
	fi
}
value() { sed -n "s/^$1 = //p" "$b/config.mk"; }
pure=$(find src/base src/core plugins/*/ -name '*.c' | sort)
headers=$(find include src -name '*.h' | sort)
scripts=$(find scripts .ci -type f \( -name '*.sh' -o -path '.ci/*' \) | sort)
pages=$(find man -name '*.[1-9]' | sort)
flags="-std=c11 $(value DEFS) $(value HAVES) -Iinclude -Isrc $(value WARN)"
cc=$(value CC)

# Lists of words, all of them.
# shellcheck disable=SC2046,SC2086
{
	good 'conversions in base, core and the strategies' $cc $flags \
		-DORCM_BUILTIN -Werror -Wconversion -fsyntax-only $pure
	for header in $headers; do
		printf '#include "%s"\nextern int here;\n' "$header" \
			>"$b/lint.c"
		good "$header alone" $cc $flags -Werror -I. -fsyntax-only \
			"$b/lint.c"
	done | grep -v ': clean$' && bad=1
	have "${CXX:-c++}" && for header in include/orcm/*.h; do
		echo "#include \"$header\"" >"$b/lint.cc"
		good "$header in C++" ${CXX:-c++} -std=c++11 -Wall -Wextra \
			-Iinclude -I. -fsyntax-only "$b/lint.cc"
	done
	if have clang; then
		good 'clang' clang $flags -DBINDIR='"/b"' -DLIBDIR='"/l"' \
			-DPLUGINDIR='"/p"' -Werror -fsyntax-only $pure \
			$(find src -name '*.c')
	fi
	# conn.c lends the address of a local for the time of a callback.
	# That die() and die_sys() do not return cppcheck has to be told.
	if have cppcheck; then
		good cppcheck cppcheck -q --std=c11 --inline-suppr \
			--enable=warning,performance,portability \
			--suppress=missingIncludeSystem \
			--suppress=autoVariables:src/sys/conn.c --error-exitcode=1 \
			'-Ddie(...)=abort()' '-Ddie_sys(...)=abort()' \
			-Iinclude -Isrc $(value HAVES) src plugins
	fi
	if have shellcheck; then
		good shellcheck shellcheck -x $scripts
	fi
	if have mandoc && test -n "$pages"; then
		good 'manual pages' mandoc -T lint -W warning $pages
	fi
	# The tool's taste is advice, and only for what is being changed.
	changed=$(git diff --name-only HEAD -- '*.c' '*.h' 2>/dev/null || :)
	if have clang-format && test -n "$changed"; then
		clang-format --dry-run $changed 2>&1 |
			awk -F: '/warning:/ { n[$1]++ }
			END { for (f in n) print f ": " n[f] " places" }' |
			sort | sed 's/^/lint: clang-format would change /'
	fi
}
rm -f "$b/lint.c" "$b/lint.cc" "$b/lint.log"
exit $bad
