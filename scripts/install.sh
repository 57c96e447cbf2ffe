#!/bin/sh
# SPDX-License-Identifier: ISC
#
# install.sh [-u] BUILD: copies what was built to the places in
# BUILD/where.mk, below $DESTDIR; with -u it removes just that.  A file comes
# under its name by a rename, so a program that runs at the time goes on with
# the old one and no reader ever sees half a file.
set -eu
undo=no
if test "$1" = -u; then
	undo=yes
	shift
fi
b=$1
dest=${DESTDIR:-}

value() { sed -n "s/^$1 = //p" "$b/where.mk" "$b/config.mk"; }
bindir=$(value W_BINDIR)
libdir=$(value W_LIBDIR)
plugindir=$(value W_PLUGINDIR)
mandir=$(value W_MANDIR)
includedir=$(value W_INCLUDEDIR)
so=$(value SO)
so_link=$(value SO_LINK)
version=$(sed -n 's/^#define ORCM_VERSION "\(.*\)".*/\1/p' \
	include/orcm/version.h)

# put MODE SOURCE TARGET
put() {
	target=$dest$3
	if test $undo = yes; then
		rm -f "$target"
		return 0
	fi
	mkdir -p "${target%/*}"
	new=${target%/*}/.orcm-new.$$
	cp "$2" "$new"
	chmod "$1" "$new"
	mv -f "$new" "$target"
}
# each FUNCTION for the files that there are
exists() { test -f "$1"; }

for source in src/cmd/orcm*.c; do
	exists "$source" || continue
	name=${source##*/}
	name=${name%.c}
	put 755 "$b/bin/$name" "$bindir/$name"
done
# Three names of one file: src/node/node.h says why.
if test $undo = no; then
	for name in orcmd orcm-pnpd; do
		ln -f "$dest$bindir/orcm-wrap" "$dest$bindir/.orcm-new.$$"
		mv -f "$dest$bindir/.orcm-new.$$" "$dest$bindir/$name"
	done
fi
put 755 "$b/lib/$so" "$libdir/$so"
put 644 "$b/lib/liborcm.a" "$libdir/liborcm.a"
if test $undo = yes; then
	rm -f "$dest$libdir/$so_link"
else
	new=$dest$libdir/.orcm-new.$$
	rm -f "$new"
	ln -s "$so" "$new"
	mv -f "$new" "$dest$libdir/$so_link"
fi
for source in plugins/*/*.c; do
	exists "$source" || continue
	name=${source#plugins/}
	name=${name%.c}.so
	put 644 "$b/lib/orcm/$name" "$plugindir/$name"
done
for source in include/orcm/*.h; do
	put 644 "$source" "$includedir/orcm/${source##*/}"
done
for source in man/*.[1-9]; do
	exists "$source" || continue
	put 644 "$source" "$mandir/man${source##*.}/${source##*/}"
done

cat >"$b/orcm.pc" <<END
libdir=$libdir
includedir=$includedir
plugindir=$plugindir
abi=$(sed -n 's/^#define ORCM_PLUGIN_MAJOR \([0-9]*\).*/\1/p' \
	include/orcm/version.h)

Name: orcm
Description: Replicated programs with a leader and no gap when it dies
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lorcm
Libs.private: $(value LIBS)
END
put 644 "$b/orcm.pc" "$libdir/pkgconfig/orcm.pc"

test $undo = yes || exit 0
# Directories that are ours alone go too; others below a DESTDIR only when
# nothing is left in them.
for dir in "$dest$plugindir"/* "$dest$plugindir" "$dest$includedir/orcm"; do
	rmdir "$dir" 2>/dev/null || :
done
test -n "$dest" || exit 0
for dir in "$bindir" "$libdir/pkgconfig" "$libdir" "$mandir"/man[1-9] \
	"$dest$mandir"/man[1-9] "$mandir" "$includedir" "$plugindir"; do
	dir=${dir#"$dest"}
	while test -n "$dir" && rmdir "$dest$dir" 2>/dev/null; do
		dir=${dir%/*}
	done
done
