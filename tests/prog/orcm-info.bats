#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-info shows the plug-ins that a job of this user would get.

load ../run
setup() { run_setup; }
teardown() {
	test -z "${dir:-}" || rm -rf "$dir"
	orcm_teardown
}

@test "orcm-info: -V tells the version, wrong use is 100" {
	run -0 orcm-info -V
	[[ $output == "orcm-info 0."* ]]
	run -100 orcm-info x
	[[ $output == *"usage: orcm-info"* ]]
	run -100 orcm-info -o parameter
	run -0 orcm-info -p -o parameter
}

@test "orcm-info: the strategies that are linked in, with no DVM" {
	for name in first fixed lowest none vote; do
		orcm-info -o kind,name,path | grep -qx "leader	$name	builtin"
	done
	test "$(orcm-info -h | head -n 1)" = "kind	name	version	path	priority	active"
	orcm-info -o name,active | grep -qx 'lowest	yes'
}

@test "orcm-info: -p shows parameters with defaults" {
	run -0 orcm-info -hp
	[[ ${lines[0]} == "kind	name	parameter	default	text" ]]
	for name in first fixed lowest none vote; do
		orcm-info -p -o kind,name,parameter,default |
			grep -qx "leader	$name	stall	500"
	done
}

@test "orcm-info: -J is one object a line" {
	need jq
	orcm-info -J | jq -es 'length >= 13 and all(.[];
		(.kind | type) == "string" and
		(.priority | type) == "number" and (.active | type) == "boolean")'
}

@test "orcm-info: a user's plug-in comes first, a bad one is named" {
	need_root
	need setpriv
	# Nothing below a directory that all may write to is loaded.
	dir=/var/lib/orcm-info.$$
	mkdir -m 755 "$dir" 2>/dev/null || skip "no place in /var/lib"
	mkdir -p "$dir/leader"
	cp "$B/lib/orcm/leader/lowest.so" "$dir/leader/lowest.so"
	cp "$B/lib/orcm/leader/lowest.so" "$dir/leader/wrong.so"
	as_nobody env "ORCM_PLUGIN_PATH=$dir" orcm-info >have 2>err || :
	cat have err
	grep -q "^leader	lowest	.*	$dir/leader/lowest.so	0	yes$" have
	grep -q '^leader	lowest	.*	builtin	[0-9]*	no$' have
	grep -q 'wrong.so' err
}

@test "orcm-info: a plug-in's own parameters are those that can be set" {
	need_root
	need setpriv
	dir=/var/lib/orcm-info.$$
	mkdir -m 755 "$dir" 2>/dev/null || skip "no place in /var/lib"
	mkdir -p "$dir/leader"
	mkdir -m 700 user
	chown 65534:65534 user
	chmod 755 "$T"
	as_nobody test -x "$BIN/orcm-run" ||
		skip 'the build is not readable for others'
	user() {
		as_nobody env "ORCM_PLUGIN_PATH=$dir" HOME=/ \
			XDG_RUNTIME_DIR="$T/user" "$@"
	}
	cp "$B/t/plugins/good.so" "$dir/leader/good.so"
	user orcm-info -p -o name >have
	! grep -qx good have
	run -0 user orcm-run -n 2 -l good echo fine
	run -125 user orcm-run -n 2 -l good,stall=100 echo fine
	[[ $output == *"takes no stall"* ]]
	rm "$dir/leader/good.so"
	cp "$B/t/plugins/good_next.so" "$dir/leader/good.so"
	user orcm-info -p -o name,parameter,default >have
	grep -qx 'good	stall	200' have
	run -0 user orcm-run -n 2 -l good,stall=100 echo fine
}

@test "orcm-plugin(7) and the kinds: plug-ins on pages compile, need nothing" {
	need cc
	for page in plugin map errmgr; do
		sed -n '/^#include <orcm/,/^\.Ed/p' "$TOP/man/orcm-$page.7" |
			sed '/^\.Ed/,$d' >"$page.c"
		cc -std=c11 -Wall -Wextra -Werror -fPIC -shared \
			-I"$TOP/include" -o "$page.so" "$page.c"
		! nm -u "$page.so" | grep -i orcm || false
		nm -D --defined-only "$page.so" | grep -qw orcm_plugin
	done
}
