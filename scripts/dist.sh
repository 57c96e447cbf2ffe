#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dist.sh [-c]: writes orcm-VERSION.tar.gz from the last commit; the same
# commit gives the same bytes.  With -c it then does with it what a stranger
# would: unpack, build outside of the (read-only) tree, check, install,
# uninstall; and again with each make that is here.
set -eu
LC_ALL=C
export LC_ALL
umask 022
version=$(sed -n 's/^#define ORCM_VERSION "\(.*\)".*/\1/p' \
	include/orcm/version.h)
name=orcm-$version
git rev-parse -q --verify HEAD >/dev/null || {
	echo 'dist.sh: needs a git tree with a commit' >&2
	exit 1
}
pack() {
	git archive --format=tar --prefix="$name/" HEAD >"$1.tar"
	gzip -9nf "$1.tar"
}
pack "$name"
echo "$name.tar.gz"
test "${1:-}" = -c || exit 0

tmp=$(mktemp -d /tmp/orcm-dist.XXXXXX)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' 0
trap 'exit 1' 1 2 15
# Tests that give up being root must still find what they test.
chmod 755 "$tmp"
pack "$tmp/again"
cmp "$name.tar.gz" "$tmp/again.tar.gz"
gzip -dc "$name.tar.gz" | (cd "$tmp" && tar xf -)
chmod -R a-w "$tmp/$name"
unset MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS B PREFIX DESTDIR

cd "$tmp/$name"
first=yes
for make in make bmake gmake; do
	command -v $make >/dev/null || {
		echo "distcheck: $make: skipped: not here"
		continue
	}
	b=$tmp/b-$make
	root=$tmp/root-$make
	$make B="$b" >"$tmp/log" 2>&1 || { cat "$tmp/log" && exit 1; }
	test $first = no || $make B="$b" check
	first=no
	$make B="$b" DESTDIR="$root" PREFIX=/usr install >"$tmp/log" 2>&1 ||
		{ cat "$tmp/log" && exit 1; }
	for wanted in bin/orcmd lib/liborcm.so lib/pkgconfig/orcm.pc \
		include/orcm/version.h; do
		test -e "$root/usr/$wanted" ||
			{ echo "distcheck: $wanted was not installed" && exit 1; }
	done
	# They find their library where they were put.
	"$root/usr/bin/orcm-info" -V >/dev/null || {
		echo 'distcheck: an installed program does not run'
		exit 1
	}
	$make B="$b" DESTDIR="$root" PREFIX=/usr uninstall
	left=$(test ! -d "$root" || (cd "$root" && find . ! -name .))
	test -z "$left" || {
		echo "distcheck: uninstall leaves:" && echo "$left"
		exit 1
	}
	echo "distcheck: $make: good"
done
