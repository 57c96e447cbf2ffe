#!/bin/sh
# SPDX-License-Identifier: ISC
#
# purity.sh BUILD: base and core as they were compiled may need nothing of the
# operating system and may keep nothing in globals; nor may the strategies.
# What they need beyond each other is compared with a short list.  Only
# require.c may write a line and abort.  Sanitizers add calls and data of
# their own, so their builds are not looked at.
set -eu
LC_ALL=C
export LC_ALL
b=$1
if grep -q '^SAN = .' "$b/config.mk"; then
	echo "purity: skipped: a sanitizer's build"
	exit 0
fi
objects=
for source in src/base/*.c src/core/*.c plugins/*/*.c; do
	object=$b/o/${source%.c}.o
	case $source in
	plugins/sensor/* | plugins/transport/* | plugins/member/*) continue ;;
	esac
	test ! -f "$source" || objects="$objects $object"
done
test -n "$objects" || exit 0

bad=0
# shellcheck disable=SC2086
"${NM:-nm}" -A -g -P $objects | awk '
{
	file = $1
	sub(/:$/, "", file)
	sub(/\[.*/, "", file)
	if ($3 ~ /^[Uw]$/)
		need[file " " $2] = 1
	else
		have[$2] = 1
}
END {
	for (pair in need) {
		split(pair, p, " ")
		name = p[2]
		sub(/^_GLOBAL_OFFSET_TABLE_$/, "", name)
		# macOS puts one more underscore in front.
		if (name in have || name ~ /^(_?(mem|str)[a-z]*|bcmp|)$/ ||
		    name ~ /^___?(stack_chk_(fail|guard)(_local)?|.*_chk)$/ ||
		    name ~ /^__(u?(div|mod)[a-z]*[dt]i[34]|aeabi_.*)$/ ||
		    name ~ /^__(popcount|clz|ctz|bswap|ashl|lshr|mul).*i[23]$/)
			continue
		if (p[1] ~ /base\/require\.o$/ && name ~ /^_?(write|abort)$/)
			continue
		print p[1] ": impure: " name
		bad = 1
	}
	exit bad
}' || bad=1

# Variables lie in these sections; constants that hold addresses do not.
for object in $objects; do
	size -A -d "$object" 2>/dev/null | awk -v file="$object" '
	$1 ~ /^\.(data|bss|tdata|tbss|data\.rel|data\.rel\.local)$/ && $2 > 0 {
		print file ": has variables in " $1 ": " $2 " bytes"
		bad = 1
	}
	END { exit bad }' || bad=1
done
exit $bad
