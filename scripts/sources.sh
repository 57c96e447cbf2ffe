#!/bin/sh
# SPDX-License-Identifier: ISC
#
# sources.sh BUILD: lists the source files and writes BUILD/sources.mk: what
# is built from what, one rule for each object.  So a new file needs no edit
# anywhere, and the rules need nothing that only one make has.  It is called
# before each build; the file is touched only when it would differ.
#
# Where a file lives says what it becomes:
#   src/base src/core              libbase.a libcore.a
#   src/sys and src/compat         libsys.a
#   src/sim                        libsim.a, for orcm-sim and tests
#   plugins/KIND/NAME.c            linked in, and lib/orcm/KIND/NAME.so
#   all of these but sim, src/lib, plugins/builtin.c    liborcm.so, liborcm.a
#   src/cmd/orcm*.c                one program each
#   src/node                       one file for orcmd, orcm-pnpd, orcm-wrap
#   src/cmd/PROGRAM/ src/PROGRAM/ src/NAME/ (orcm-NAME) its other files
#   other files in src/cmd         linked into each program that needs them
#   tests/unit/t_*.c tests/fuzz/f_*.c tests/plugins/*.c
#   tests/helpers/*.c              one program each, for tests/prog
set -eu
LC_ALL=C
export LC_ALL
b=$1
mkdir -p "$b/bin" "$b/lib" "$b/t/plugins"

# files DIR SUFFIX: sorted, nothing when there is none
files() {
	for file in "$1"/*"$2"; do
		test ! -f "$file" || echo "$file"
	done
}
objects() {
	for dir; do
		files "$dir" .c
	done | sed "s|^|\$(B)/o/|
s|\\.c\$|.o|"
}
# list NAME: a macro whose value is the lines of stdin
list() {
	printf '%s =' "$1"
	while read -r word; do
		printf ' \\\n\t%s' "$word"
	done
	echo
}
upper() { echo "$1" | tr a-z- A-Z_; }

# compile SOURCE [FLAG...]: the rule for its object
compile() {
	from=$1
	object="\$(B)/o/${1%.c}.o"
	shift
	test -d "$b/o/${from%/*}" || mkdir -p "$b/o/${from%/*}"
	headers='$(HDR)'
	case $from in
	tests/*) headers='$(HDR) $(TESTHDR)' ;;
	esac
	if grep -Eq '[^A-Z_](BIN|LIB|PLUGIN)DIR[^A-Z_]' "$from"; then
		set -- "$@" '$(WHERE)'
		headers="$headers \$(B)/where.mk"
	fi
	echo "$object: $from $headers \$(B)/config.mk"
	echo "	@echo cc $from"
	echo "	\$(Q)\$(COMPILE) $* -c -o \$@ $from"
}

# module SOURCE OUTPUT NAME: a plug-in file
module() {
	test -d "$b/${2%/*}" || mkdir -p "$b/${2%/*}"
	echo "\$(B)/$2: $1 \$(HDR) \$(B)/config.mk"
	echo "	@echo so $2"
	echo "	\$(Q)\$(COMPILE) \$(MODULE) \$(LDFLAGS) \$(HARD_LD) -o \$@ $1"
}

plugin_sources=
for dir in plugins/*/; do
	test ! -d "$dir" || plugin_sources="$plugin_sources $(files "${dir%/}" .c)"
done

# other_dirs PROGRAM: where the program's other files may be
other_dirs() {
	echo "src/cmd/$1" "src/$1"
	case ${1#orcm-} in
	base | core | sys | compat | lib | sim | cmd | node | "$1") ;;
	*) echo "src/${1#orcm-}" ;;
	esac
}

write() {
	for dir in include/orcm src/*/ src/cmd/*/; do
		files "${dir%/}" .h
		files "${dir%/}" .def
	done | sort -u | list HDR
	for dir in tests/unit tests/fuzz; do
		files "$dir" .h
	done | list TESTHDR
	objects src/base | list BASE_OBJ
	objects src/core | list CORE_OBJ
	objects src/compat src/sys | list SYS_OBJ
	objects src/lib | list LIB_OBJ
	objects src/sim | list SIM_OBJ
	{
		objects plugins
		for source in $plugin_sources; do
			echo "\$(B)/o/${source%.c}.o"
		done
	} | list BUILTIN_OBJ

	for source in $(for dir in src/base src/core src/compat src/sys src/lib \
		src/sim plugins; do files "$dir" .c; done); do
		compile "$source"
	done
	for source in $plugin_sources; do
		compile "$source" -DORCM_BUILTIN
		module "$source" "lib/orcm/${source#plugins/}.so"
	done | sed 's|\(lib/orcm/[^ ]*\)\.c\.so|\1.so|'
	for source in $plugin_sources; do
		source=${source#plugins/}
		echo "\$(B)/lib/orcm/${source%.c}.so"
	done | list PLUGINS

	# Programs.
	programs=
	shared=
	for source in $(files src/cmd .c); do
		case $source in
		src/cmd/orcm*) programs="$programs $source" ;;
		*) shared="$shared $source" ;;
		esac
		compile "$source"
	done
	for source in $shared; do
		echo "\$(B)/o/${source%.c}.o"
	done | list CMD_OBJ
	for source in $programs; do
		name=${source##*/}
		name=${name%.c}
		dirs=$(other_dirs "$name")
		for other in $(for dir in $dirs; do files "$dir" .c; done); do
			compile "$other"
		done
		{
			echo "\$(B)/o/${source%.c}.o"
			# shellcheck disable=SC2086
			objects $dirs
		} | list "$(upper "$name")_OBJ"
		objs="\$($(upper "$name")_OBJ)"
		case $name in
		orcmd | orcm-pnpd | orcm-wrap)
			# One file under several names: src/node/node.h.
			test "$name" = orcm-wrap || {
				echo "\$(B)/bin/$name: \$(B)/bin/orcm-wrap"
				echo "	@echo ln bin/$name"
				echo "	\$(Q)ln -f \$(B)/bin/orcm-wrap \$@"
			}
			continue
			;;
		orcm-sim) how=SIM ;;
		*) how=SHARED ;;
		esac
		echo "\$(B)/bin/$name: $objs \$(${how}_NEEDS)"
		echo "	@echo ld bin/$name"
		echo "	\$(Q)\$(LINK) -o \$@ $objs \$(LINK_$how)"
	done
	for source in $(files src/node .c); do
		compile "$source"
	done
	objects src/node | list NODE_MAIN_OBJ
	node='$(NODE_MAIN_OBJ) $(ORCMD_OBJ) $(ORCM_PNPD_OBJ) $(ORCM_WRAP_OBJ)'
	echo "\$(B)/bin/orcm-wrap: $node \$(STATIC_NEEDS)"
	echo "	@echo ld bin/orcm-wrap"
	echo "	\$(Q)\$(LINK) -o \$@ $node \$(LINK_STATIC)"
	for source in $programs; do
		name=${source##*/}
		echo "\$(B)/bin/${name%.c}"
	done | list PROGRAMS

	# Tests.  A test of base or core is linked with nothing that could
	# reach the operating system.
	for source in $(files tests/unit .c); do
		name=${source##*/}
		name=${name%.c}
		compile "$source"
		case $name in
		t_*) ;;
		*) continue ;;
		esac
		libs=TEST
		test ! -f "src/base/${name#t_}.c" -a ! -f "src/core/${name#t_}.c" ||
			libs=PURE
		echo "\$(B)/t/$name: \$(B)/o/${source%.c}.o \$(TEST_OBJ)" \
			"\$(${libs}_NEEDS)"
		echo "	@echo ld t/$name"
		echo "	\$(Q)\$(LINK) -o \$@ \$(B)/o/${source%.c}.o" \
			"\$(TEST_OBJ) \$(LINK_$libs)"
	done
	for source in $(files tests/unit .c); do
		case $source in
		*/t_*) ;;
		*) echo "\$(B)/o/${source%.c}.o" ;;
		esac
	done | list TEST_OBJ
	for source in $(files tests/unit .c); do
		case $source in
		*/t_*) source=${source##*/} && echo "\$(B)/t/${source%.c}" ;;
		esac
	done | list TESTS
	for source in $(files tests/plugins .c); do
		name=${source##*/}
		module "$source" "t/plugins/${name%.c}.so"
	done
	for source in $(files tests/plugins .c); do
		name=${source##*/}
		echo "\$(B)/t/plugins/${name%.c}.so"
	done | list TEST_PLUGINS

	for source in $(files tests/helpers .c); do
		name=${source##*/}
		name=${name%.c}
		compile "$source"
		echo "\$(B)/t/$name: \$(B)/o/${source%.c}.o"
		echo "	@echo ld t/$name"
		echo "	\$(Q)\$(LINK) -o \$@ \$(B)/o/${source%.c}.o \$(PIE)"
	done
	for source in $(files tests/helpers .c); do
		source=${source##*/} && echo "\$(B)/t/${source%.c}"
	done | list HELPERS

	# The same parser is fed from files (replay) or by libFuzzer (fuzz).
	for source in $(files tests/fuzz .c); do
		compile "$source"
		name=${source##*/}
		name=${name%.c}
		case $name in
		f_*) ;;
		*) continue ;;
		esac
		echo "\$(B)/t/$name: \$(B)/o/${source%.c}.o" \
			"\$(B)/o/tests/fuzz/replay.o \$(TEST_NEEDS)"
		echo "	@echo ld t/$name"
		echo "	\$(Q)\$(LINK) -o \$@ \$(B)/o/${source%.c}.o" \
			"\$(B)/o/tests/fuzz/replay.o \$(LINK_TEST)"
		echo "\$(B)/t/fuzz_$name: \$(B)/o/${source%.c}.o \$(TEST_NEEDS)"
		echo "	@echo ld t/fuzz_$name"
		echo "	\$(Q)\$(LINK) -fsanitize=fuzzer -o \$@" \
			"\$(B)/o/${source%.c}.o \$(LINK_TEST)"
	done
	for source in $(files tests/fuzz .c); do
		case $source in
		*/f_*) source=${source##*/} && echo "\$(B)/t/${source%.c}" ;;
		esac
	done | list REPLAYS
	for source in $(files tests/fuzz .c); do
		case $source in
		*/f_*) source=${source##*/} && echo "\$(B)/t/fuzz_${source%.c}" ;;
		esac
	done | list FUZZERS
}

write >"$b/sources.mk.new"
if cmp -s "$b/sources.mk.new" "$b/sources.mk"; then
	rm -f "$b/sources.mk.new"
else
	mv -f "$b/sources.mk.new" "$b/sources.mk"
fi
