#!/bin/sh
# SPDX-License-Identifier: ISC
#
# config.sh [--posix] BUILD [NAME=value ...]: finds out what the compiler,
# the linker and the libc can do and writes BUILD/config.mk and
# BUILD/where.mk.  Nothing that it compiles is ever run, so CC may be a cross
# compiler.  It is called before each build and returns at once when nothing
# that it depends on has changed.
#
# Names, from the environment or as arguments; one that was given once is
# remembered in BUILD/config.in until it is given again:
#   CC CFLAGS LDFLAGS AR    as always
#   SAN=address,undefined   build for these sanitizers
#   POSIX=1                 (or --posix) only the plain POSIX code paths
#   WERROR=1                warnings are errors
#   STATIC=0                no statically linked orcm-wrap
#   PREFIX BINDIR LIBDIR PLUGINDIR MANDIR INCLUDEDIR RPATH
set -eu
LC_ALL=C
export LC_ALL

names='CC CFLAGS LDFLAGS AR SAN POSIX WERROR STATIC'
dirs='PREFIX BINDIR LIBDIR PLUGINDIR MANDIR INCLUDEDIR RPATH'
b=
for arg; do
	case $arg in
	--posix) POSIX=1 ;;
	[A-Z]*=*)
		case " $names $dirs " in
		*" ${arg%%=*} "*) ;;
		*) echo "config.sh: unknown name: $arg" >&2 && exit 100 ;;
		esac
		eval "${arg%%=*}=\${arg#*=}" ;;
	-*) echo "config.sh: unknown option: $arg" >&2 && exit 100 ;;
	*) b=$arg ;;
	esac
done
test -n "$b" || { echo 'usage: config.sh [--posix] BUILD [NAME=value]' >&2 &&
    exit 100; }
mkdir -p "$b"

# What was given now, else what was given at an earlier call.
for name in $names $dirs; do
	if eval "test -z \"\${$name+set}\""; then
		old=
		test ! -f "$b/config.in" ||
			old=$(sed -n "s/^$name=//p" "$b/config.in")
		test -z "$old" || eval "$name=\$old"
	fi
done
given() {
	for name in "$@"; do
		eval "test -z \"\${$name:-}\" ||
			printf '%s=%s\n' $name \"\$$name\""
	done
}

# replace FILE: takes stdin as the new content, touches it only if it differs
replace() {
	cat >"$1.new"
	if cmp -s "$1.new" "$1"; then
		rm -f "$1.new"
	else
		mv -f "$1.new" "$1"
	fi
}

# Lists of names.
# shellcheck disable=SC2086
new=$(given $names)
old=
test ! -f "$b/config.in" || old=$(sed '/^[A-Z]*DIR=/d
/^PREFIX=/d
/^RPATH=/d' "$b/config.in")
fresh=no
test ! -s "$b/config.mk" || test "$new" != "$old" ||
	test -n "$(find scripts/config.sh include/orcm/version.h -newer "$b/config.mk")" || fresh=yes
# shellcheck disable=SC2086
given $names $dirs | replace "$b/config.in"

# Where things will be.  Only what names these places is built again when
# they change (scripts/sources.sh).
prefix=${PREFIX:-/usr/local}
bindir=${BINDIR:-$prefix/bin}
libdir=${LIBDIR:-$prefix/lib}
plugindir=${PLUGINDIR:-$libdir/orcm}
{
	echo "W_BINDIR = $bindir"
	echo "W_LIBDIR = $libdir"
	echo "W_PLUGINDIR = $plugindir"
	echo "W_MANDIR = ${MANDIR:-$prefix/share/man}"
	echo "W_INCLUDEDIR = ${INCLUDEDIR:-$prefix/include}"
	echo "WHERE = -DBINDIR='\"$bindir\"' -DLIBDIR='\"$libdir\"'" \
		"-DPLUGINDIR='\"$plugindir\"'"
	# Beside the program first, so that the build tree and an
	# installation that was moved as a whole work.
	more=
	test "${bindir%/*}/lib" = "$libdir" || more=:$libdir
	if test -n "${RPATH+set}"; then
		echo "RPATH_MORE = -Wl,-rpath,$RPATH"
	else
		test -z "$more" || more="-Wl,-rpath,$libdir"
		echo "RPATH_MORE = \$(RPATH_HERE) $more"
	fi
} | replace "$b/where.mk"
test "$fresh" = no || exit 0

cc=${CC:-cc}
san=${SAN:-}
posix=${POSIX:-0}
tmp=$b/probe
trap 'rm -rf "$tmp"' 0
trap 'exit 1' 1 2 15
mkdir -p "$tmp"
cp /dev/null "$b/config.log"
if test -n "$san"; then
	cflags=${CFLAGS:--O1 -g -fno-omit-frame-pointer}
else
	cflags=${CFLAGS:--O2 -g}
fi

# source_is LINE...: the file that the next compile or link takes
source_is() { printf '%s\n' "$@" >"$tmp/x.c"; }
run() {
	echo "+ $*" >>"$b/config.log"
	"$@" >>"$b/config.log" 2>&1
}
# $cc and the flags are lists of words.
# shellcheck disable=SC2086
compiles() { run $cc -std=c11 $defs $cflags -c -o "$tmp/x.o" "$@" "$tmp/x.c"; }
# shellcheck disable=SC2086
links() {
	run $cc -std=c11 $defs $cflags ${LDFLAGS:-} -o "$tmp/x" "$tmp/x.c" "$@"
}
defs=
defined() {
	source_is "#if !($1)" '#error no' '#endif' 'int x;'
	compiles
}

source_is 'int main(void) { return 0; }'
links || { echo "config.sh: $cc makes no program, see $b/config.log" >&2 &&
    exit 100; }

source_is '#include <stdatomic.h>' 'int main(void) { return 0; }'
links || { echo "config.sh: $cc has no C11 <stdatomic.h>" >&2 && exit 100; }

# The feature macros decide what the headers show; each system wants others,
# and on the BSDs asking for POSIX hides what is not POSIX.
os=other
for os in linux darwin sun netbsd freebsd openbsd dragonfly other; do
	case $os in
	linux) test='defined __linux__' ;;
	darwin) test='defined __APPLE__' ;;
	sun) test='defined __sun' ;;
	netbsd) test='defined __NetBSD__' ;;
	freebsd) test='defined __FreeBSD__' ;;
	openbsd) test='defined __OpenBSD__' ;;
	dragonfly) test='defined __DragonFly__' ;;
	other) break ;;
	esac
	! defined "$test" || break
done
case $os in
linux) defs='-D_XOPEN_SOURCE=700 -D_DEFAULT_SOURCE' ;;
darwin) defs='-D_DARWIN_C_SOURCE' ;;
sun) defs='-D_XOPEN_SOURCE=600 -D__EXTENSIONS__ -D_POSIX_PTHREAD_SEMANTICS' ;;
netbsd) defs='-D_NETBSD_SOURCE -D_INCOMPLETE_XOPEN_C063' ;;
esac

# flags_of FLAG...: those that the compiler and the linker take in silence
flags_of() {
	found=
	source_is '#include <string.h>' 'int main(int c, char **v)' \
		'{ char a[9]; strcpy(a, v[c - 1]); return a[0]; }'
	for flag; do
		if links -Werror "$flag"; then
			found="$found $flag"
		fi
	done
	echo "$found"
}

warn=$(flags_of -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes \
	-Wstrict-prototypes -Wpointer-arith -Wcast-qual -Wundef -Wvla -Wformat=2)
test "${WERROR:-0}" = 0 || warn="$warn -Werror"
sanflags=
if test -n "$san"; then
	sanflags=-fsanitize=$san
	source_is 'int main(void) { return 0; }'
	links "$sanflags" || { echo "config.sh: $cc has no $sanflags" >&2 &&
	    exit 100; }
	sanflags="$sanflags$(flags_of -fno-sanitize-recover=undefined)"
	hard=
	hard_ld=
else
	hard=$(flags_of -fstack-protector-strong -fstack-clash-protection)
	source_is '#include <string.h>' 'int main(void) { return 0; }'
	fortify='-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2'
	# shellcheck disable=SC2086
	! compiles -Werror $fortify || hard="$hard $fortify"
	hard_ld=$(flags_of -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
		-Wl,--as-needed)
fi
pic=$(flags_of -fPIC -fno-semantic-interposition)
cflags_given=$cflags
cflags="$cflags -fPIC"
pie=$(flags_of -pie)
cflags=$cflags_given

# The libraries that a program needs beyond the libc, if any.
libs=$(flags_of -pthread)
# needs_lib 'DECLARATIONS' 'CALL' -lA [-lB]
needs_lib() {
	source_is "$1" "int main(void) { $2; return 0; }"
	shift 2
	# shellcheck disable=SC2086
	if ! links $libs && links $libs "$@"; then
		libs="$libs $*"
	fi
}
needs_lib '#include <dlfcn.h>' 'dlopen("x", RTLD_NOW)' -ldl
needs_lib '#include <time.h>' 'struct timespec t; clock_gettime(0, &t)' -lrt
needs_lib '#include <sys/mman.h>' 'shm_open("x", 0, 0)' -lrt
needs_lib '#include <sys/socket.h>' 'socket(0, 0, 0)' -lsocket
needs_lib '#include <netdb.h>' 'getaddrinfo("x", 0, 0, 0)' -lsocket -lnsl

# Shared objects.
soname=${soname:-$(sed -n 's/^#define ORCM_SONAME \([0-9]*\).*/\1/p' \
	include/orcm/version.h)}
so=liborcm.so.$soname
so_link=liborcm.so
source_is 'int x(void); int x(void) { return 1; }'
if test "$os" = darwin; then
	so=liborcm.$soname.dylib
	so_link=liborcm.dylib
	shared=-dynamiclib
	module='-bundle'
	so_name="-Wl,-install_name,@rpath/$so"
	here=@executable_path
else
	shared=-shared
	module=-shared
	so_name=
	for flag in -Wl,-soname,$so -Wl,-h,$so; do
		if test -z "$so_name" && links -fPIC $shared "$flag"; then
			so_name=$flag
		fi
	done
	here=\$ORIGIN
fi
so_flags=
for flag in -Wl,-Bsymbolic -Wl,--no-undefined; do
	# The run-time library of a sanitizer comes with the program.
	test -z "$san" || test $flag = -Wl,-Bsymbolic || continue
	# shellcheck disable=SC2086
	! links -Werror -fPIC $shared $flag $libs || so_flags="$so_flags $flag"
done
rpath=
source_is 'int main(void) { return 0; }'
! links "-Wl,-rpath,$here/../lib" || rpath=-Wl,-rpath,$here/../lib
static=
if test -z "$san" && test "${STATIC:-1}" != 0; then
	source_is '#include <stdio.h>' 'int main(void) { return puts("x"); }'
	# shellcheck disable=SC2086
	! links -static $libs || static=-static
fi

# have NAME 'HEADERS' 'STATEMENT': does a program with it link?
haves=
have() {
	value=0
	{
		echo '#define _GNU_SOURCE 1'
		for header in $2; do
			echo "#include <$header>"
		done
		printf 'int main(void) { %s; return 0; }\n' "$3"
	} >"$tmp/x.c"
	if test "$posix" = 0 || test "${4:-speed}" = keep; then
		# shellcheck disable=SC2086
		! links -Werror=implicit-function-declaration $libs || value=1
	fi
	haves="$haves -DHAVE_$1=$value"
}
have_on_linux() {
	value=0
	test "$os" != linux || test "$posix" != 0 || value=1
	haves="$haves -DHAVE_$1=$value"
}
have PIPE2 'fcntl.h unistd.h' 'int p[2]; pipe2(p, O_CLOEXEC)'
have ACCEPT4 'sys/socket.h' 'accept4(0, 0, 0, SOCK_CLOEXEC)'
have SO_PEERCRED 'sys/types.h sys/socket.h' \
	'struct ucred u = {0}; socklen_t n = sizeof(u);
	getsockopt(0, SOL_SOCKET, SO_PEERCRED, &u, &n); return (int)u.uid' keep
have GETPEEREID 'sys/types.h sys/socket.h unistd.h' \
	'uid_t u; gid_t g; getpeereid(0, &u, &g)' keep
have GETPEERUCRED 'ucred.h' 'ucred_t *u = 0; getpeerucred(0, &u)' keep
have CLOSE_RANGE 'unistd.h' 'close_range(3, ~0U, 0)'
have CLOSEFROM 'unistd.h stdlib.h' 'closefrom(3)'
have TEE 'fcntl.h' 'tee(0, 1, 1, SPLICE_F_NONBLOCK)'
have SPLICE 'fcntl.h' 'splice(0, 0, 1, 0, 1, SPLICE_F_MOVE)'
have SETPIPE_SZ 'fcntl.h unistd.h' 'fcntl(0, F_SETPIPE_SZ, 4096)'
have PDEATHSIG 'sys/prctl.h signal.h' 'prctl(PR_SET_PDEATHSIG, SIGKILL)'
have VFORK 'sys/types.h unistd.h' 'if (vfork() == 0) _exit(0)'
have MEMFD 'sys/mman.h' 'memfd_create("x", MFD_CLOEXEC)'
have POSIX_FALLOCATE 'fcntl.h' 'posix_fallocate(0, 0, 1)'
have GETRANDOM 'sys/random.h' 'char b[8]; return (int)getrandom(b, 8, 0)'
have GETENTROPY 'unistd.h' 'char b[8]; return getentropy(b, 8)'
have_on_linux PROC_SELF_FD
have_on_linux PROC_SELF_EXE

cat >"$b/config.mk.new" <<END
# Written by scripts/config.sh for $os; give it other values instead of
# editing.
OS = $os
CC = $cc
AR = ${AR:-ar}
CFLAGS = $cflags
LDFLAGS = ${LDFLAGS:-}
DEFS = $defs
HAVES =$haves
WARN = $warn
HARD = $hard
HARD_LD = $hard_ld
SAN = $san
SANFLAGS = $sanflags
PIC = $pic
PIE = $pie
LIBS = $libs
SHARED = $shared
MODULE = $module
SO = $so
SO_LINK = $so_link
SO_FLAGS = $so_name $so_flags
RPATH_HERE = $(echo "$rpath" | sed 's/\$/\\$$/g')
STATIC = $static
END
mv -f "$b/config.mk.new" "$b/config.mk"
echo "config.sh: $os, $cc, $b/config.mk${san:+, sanitizers $san}" >&2
