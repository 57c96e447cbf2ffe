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
	orcm-info -p -o kind,name,parameter,default |
		grep -qx 'leader	lowest	stall	500'
	! orcm-info -p -o name | grep -qx none
}

@test "orcm-info: -J is one object a line" {
	need jq
	orcm-info -J | jq -es 'length >= 5 and all(.[]; .kind == "leader" and
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

@test "orcm-plugin(7): the plug-in on the page compiles and needs nothing" {
	need cc
	sed -n '/^#include <orcm/,/^\.Ed/p' "$TOP/man/orcm-plugin.7" |
		sed '/^\.Ed/,$d' >highest.c
	cc -std=c11 -Wall -Wextra -Werror -fPIC -shared -I"$TOP/include" \
		-o highest.so highest.c
	! nm -u highest.so | grep -i orcm
	nm -D --defined-only highest.so | grep -qw orcm_plugin
}
