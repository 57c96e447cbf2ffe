#!/bin/sh
# SPDX-License-Identifier: ISC
#
# tidy.sh: the rules of HACKING.md that a machine can see, over the text of
# the tree.  Prints "file:line: what" for each breach.
set -eu
LC_ALL=C
export LC_ALL
bad=0
say() {
	echo "$*"
	bad=1
}
sources=$(find include src plugins tests \( -name '*.[ch]' -o -name '*.def' \) \
	-type f | sort)
texts=$(find Makefile README.md HACKING.md scripts tests man .ci \
	-type f \( -name '*.sh' -o -name '*.mk' -o -name '*.bats' -o \
	-name '*.bash' -o -name '*.md' -o -name Makefile -o -name '*.[1-9]' -o \
	-path '.ci/*' \) 2>/dev/null | sort)

# shellcheck disable=SC2086
test -z "$sources" || awk '
function say(text) {
	print FILENAME ":" FNR ": " text
	bad = 1
}
function width(line,   i, w, n) {
	n = length(line)
	for (i = 1; i <= n; i++)
		if (substr(line, i, 1) == "\t")
			w += 8 - w % 8
		else
			w++
	return w
}
# The line without comments and without what is between quotes.
function code_of(line,   at, out) {
	out = ""
	gsub(/\\./, "", line)
	gsub(/"[^"]*"/, "\"\"", line)
	gsub(/\047[^\047]*\047/, "0", line)
	while (line != "") {
		if (in_comment) {
			at = index(line, "*/")
			if (at == 0)
				return out
			line = substr(line, at + 2)
			in_comment = 0
		} else {
			at = index(line, "/*")
			if (at == 0)
				return out line
			out = out substr(line, 1, at - 1)
			line = substr(line, at + 2)
			in_comment = 1
		}
	}
	return out
}
function file_end() {
	if (file == "")
		return
	if (lines > 600)
		print file ":" lines ": more than 600 lines"
	if (file ~ /^src.*\.c$/ && lines > 100 && essay < 4)
		print file ":2: over 100 lines and no essay at its head"
	if (lines > 600 || file ~ /^src.*\.c$/ && lines > 100 && essay < 4)
		bad = 1
}
FNR == 1 {
	file_end()
	file = FILENAME
	in_comment = start = essay = essay_at = functions = 0
	compat = file ~ /^src\/compat\//
	native = compat || file ~ /^src\/sys\/os_/
	if ($0 != "/* SPDX-License-Identifier: ISC */")
		say("the first line is not the SPDX line")
}
{ lines = FNR }
# The essay: the longest comment at the margin before the first function.
/^\/\*/ { essay_at = FNR }
/\*\// && essay_at && !functions {
	if (FNR - essay_at + 1 > essay)
		essay = FNR - essay_at + 1
	essay_at = 0
}
/^\{/ { start = FNR; functions++ }
/^\}/ {
	if (start && FNR - start + 1 > 70)
		say("function of " FNR - start + 1 " lines ends here, 70 is the limit")
	start = 0
}
# A row of a table stays a row.
width($0) > 80 && file !~ /\.def$/ { say("wider than 80 columns") }
/[ \t]$/ { say("trailing blank") }
/\r/ { say("carriage return") }
/(^|[^A-Za-z])(TODO|FIXME)([^A-Za-z]|$)/ { say("unfinished work") }
{
	code = code_of($0)
	# A directive may name what it likes in its text.
	if (code ~ /^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/) {
		if (!native && code ~ \
	/__(linux|linux__|APPLE__|sun|sun__|FreeBSD__|NetBSD__|OpenBSD__|DragonFly__)/)
			say("asks for an operating system outside src/compat and os_*.c")
	}
	if (file ~ /^(src|include|plugins)/) {
		if (!compat && code ~ /(^|[^A-Za-z_])HAVE_[A-Z]/)
			say("HAVE_ outside src/compat")
		if (!compat && code ~ /_GNU_SOURCE/)
			say("_GNU_SOURCE outside src/compat")
		if (code ~ /_Thread_local/)
			say("_Thread_local")
		if (file !~ /shmring/ && code ~ /stdatomic\.h/)
			say("atomics outside the shared ring")
	}
	if (code ~ /(^|[ \t;])typedef[ \t]+(struct|union|enum)/)
		say("typedef of a struct, union or enum")
	if (match(code, \
	    /(^|[^A-Za-z0-9_.>])(strcpy|strcat|sprintf|vsprintf|gets|atoi|alloca|sleep|usleep|strtok|tmpnam|mktemp)[ \t]*\(/) ||
	    file !~ /^tests/ &&
	    match(code, /(^|[^A-Za-z0-9_.>])(signal|system|atol)[ \t]*\(/))
		say("forbidden call: " substr(code, RSTART, RLENGTH))
}
END {
	file_end()
	exit bad
}' $sources || bad=1

# Shell, make, tests and pages.
# shellcheck disable=SC2086
test -z "$texts" || awk '
function say(text) {
	print FILENAME ":" FNR ": " text
	bad = 1
}
FNR == 1 { spdx = 0 }
/SPDX-License-Identifier: ISC/ { spdx = 1 }
FNR == 4 && !spdx && FILENAME !~ /\.md$/ { say("no SPDX line above") }
/[ \t]$/ { say("trailing blank") }
/(^|[^A-Za-z])(T[O]DO|FIX[M]E)([^A-Za-z]|$)/ && FILENAME !~ /tidy\.sh$|\.md$/ {
	say("unfinished work")
}
FILENAME ~ /\.bats$/ && /^[ \t]*sleep[ \t]/ {
	say("waits for time: use waituntil")
}
END { exit bad }' $texts || bad=1

# A path of the machine that it was written on.
# shellcheck disable=SC2086
! grep -n '/wor[k]/\|/roo[t]/' $sources $texts || bad=1

# Every program has its page and its tests, every plug-in is linked in.
for source in src/cmd/orcm*.c; do
	test -f "$source" || continue
	name=${source##*/}
	name=${name%.c}
	test -f "man/$name.1" || test -f "man/$name.8" ||
		say "$source:1: no man/$name.1 or man/$name.8"
	test -f "tests/prog/$name.bats" ||
		say "$source:1: no tests/prog/$name.bats"
done
for source in plugins/*/*.c; do
	test -f "$source" || continue
	name=${source#plugins/}
	name=${name%.c}
	grep -q "&orcm_plugin_${name%/*}_${name#*/}," plugins/builtin.c ||
		say "$source:1: not in plugins/builtin.c"
	grep -Eq "ORCM_PLUGIN\\(${name%/*}, ${name#*/}," "$source" ||
		say "$source:1: does not define plug-in ${name%/*} ${name#*/}"
done
# A fast path that nothing switches on would never be tried.
for name in $(find src/compat -name '*.[ch]' -exec grep -ho \
	'HAVE_[A-Z0-9_]*' {} + | sort -u); do
	grep -Eq "^(have|have_on_linux) ${name#HAVE_}( |\$)" scripts/config.sh ||
		say "src/compat: scripts/config.sh does not know $name"
done
exit $bad
