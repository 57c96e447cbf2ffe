# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Several nodes on this host: node I is $T/nI, on an address of its own in
# 127.0.0.0/8 that no other test uses.

# shellcheck source=tests/lib.bash
. "$BATS_TEST_DIRNAME/../lib.bash"

# Addresses 127.x.y.1 to 127.x.y.254 are this test's: a lock says so.
dvm_setup() {
	local x y
	orcm_setup || return 1
	unset ORCM_RUN ORCM_FAULT
	ORCM_KEY=$T/key
	export ORCM_KEY
	for ((x = RANDOM % 250 + 1; ; x = RANDOM % 250 + 1)); do
		y=$((RANDOM % 250 + 1))
		NET=127.$x.$y
		NET_LOCK=/tmp/orcm-net.$NET
		mkdir "$NET_LOCK" 2>/dev/null && break
	done
}
dvm_teardown() {
	orcm_teardown
	rmdir "$NET_LOCK"
}

# dvm_conf N [LINE...]: a configuration of nodes n1 to nN, and these lines.
dvm_conf() {
	local n=$1 i
	shift
	{
		printf '%s\n' "${@:-dvm default}"
		for ((i = 1; i <= n; i++)); do
			echo "node n$i addr=$NET.$i"
		done
	} >"$T/orcm.conf"
}
# node_start I: its daemons.
node_start() {
	test -d "$T/n$1" || mkdir -m 700 "$T/n$1"
	start "n$1" env "ORCM_TEST_NODE=$T/n$1" orcmd -N "n$1" -r "$T/n$1" \
		-c "$T/orcm.conf"
}
# at I COMMAND...: as a client of that node.
at() {
	local i=$1
	shift
	ORCM_RUN=$T/n$i "$@"
}
# dvm_start N [LINE...]: all of them, and waits until all see all.
dvm_start() {
	local i n=$1
	dvm_conf "$@"
	for ((i = 1; i <= n; i++)); do
		node_start "$i"
	done
	for ((i = 1; i <= n; i++)); do
		waituntil 10 all_alive "$i" "$n"
	done
}
# all_alive I N: node I sees N live nodes, and that they agree.
all_alive() {
	test "$(at "$1" orcm-nodes -o state,fit | grep -c '^alive	yes$')" = "$2" &&
		at "$1" orcm-nodes -o self,agreed,quorate |
		grep -q '^yes	yes	yes$'
}
# state_is I NODE STATE: what node I sees.
state_is() { test "$(at "$1" orcm-nodes -o state "n$2")" = "$3"; }
# The processes of a node, replicas and keepers among them.
# shellcheck disable=SC2013
node_pids() {
	local file pid
	for file in $(grep -lzxF "ORCM_TEST_NODE=$T/n$1" \
		/proc/[0-9]*/environ 2>/dev/null); do
		pid=${file#/proc/}
		echo "${pid%/environ}"
	done
}
# node_signal I SIGNAL: to all of its processes; KILL: until none is left.
node_signal() {
	local pids
	while pids=$(node_pids "$1") && test -n "$pids"; do
		# A list of numbers.
		# shellcheck disable=SC2086
		kill "-$2" $pids 2>/dev/null || :
		test "$2" = KILL || break
	done
}
# daemon_pid I NAME: of that daemon of node I.
daemon_pid() {
	local pid arg
	for pid in $(node_pids "$1"); do
		read -r -d '' arg <"/proc/$pid/cmdline" || continue
		if test "${arg##*/}" = "$2"; then
			echo "$pid"
		fi
	done 2>/dev/null
}
