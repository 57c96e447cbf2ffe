# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034
#
# What the tests of orcm-run share.  A job is started with start() of
# lib.bash; its private DVM is "run." and the pid of orcm-run, so tests that
# run side by side never see each other's.

# shellcheck source=tests/lib.bash
. "$BATS_TEST_DIRNAME/../lib.bash"

run_setup() {
	orcm_setup || return 1
	unset ORCM_RUN
	TMPDIR=$T
	export TMPDIR
	if test "$(id -u)" = 0; then
		BASE=/run/orcm
		test -d /run || BASE=/var/run/orcm
	else
		XDG_RUNTIME_DIR=$T
		export XDG_RUNTIME_DIR
		BASE=$T/orcm
	fi
	killed=
	lead=
}

# A DVM of the test's own: launches are quicker, and it outlives jobs.
own_dvm() {
	ORCM_RUN=$T/r
	export ORCM_RUN
	start dvm orcmd "$@"
	waituntil 10 orcm-ps
}

# The run directory of the private DVM of a job started as NAME.
run_dir() { echo "$BASE/run.$(pid "$1")"; }
# orcm-ps for just this job: ps_of NAME COLUMNS
ps_of() { orcm-ps -D "run.$(pid "$1")" -o "$2"; }
# Pids of its replicas, in the order of their ranks.
replicas() { ps_of "$1" pid | grep -v '^-$' || :; }
# replica_is NAME RANK STATE: also sets $found to its pid.
replica_is() {
	found=$(ps_of "$1" rank,pid,state |
		awk -v r="$2" -v s="$3" '$1 == r && $3 == s { print $2 }')
	test -n "$found"
}
# all_up NAME NUMBER: so many replicas run and can lead.
all_up() {
	test "$(ps_of "$1" state,ready | grep -c '^up	yes$')" = "$2"
}

# leads NAME [NOT]: a process other than NOT leads; its pid is in $lead.
leads() {
	lead=$(ps_of "$1" pid,leader,state |
		awk '$2 == "yes" && $3 == "up" { print $1 }')
	test -n "$lead" && test "$lead" != "${2:-}" && alive "$lead"
}
# kill_leader NAME [SIGNAL]: of whoever leads now, but no corpse.
kill_leader() {
	waituntil 10 leads "$1" "$killed" || return 1
	kill "-${2:-KILL}" "$lead"
	killed=$lead
}

# daemon_pid NAME DAEMON: of the private DVM of a job.
daemon_pid() { pgrep -f "/$2 -D run\\.$(pid "$1") "; }
# daemon_back NAME DAEMON OLD: it lives again, as another process.
daemon_back() {
	daemon=$(daemon_pid "$1" "$2") && test "$daemon" != "$3" &&
		alive "$daemon"
}

# nothing_left NAME: no process that the test started, no run directory.
# Call it after the job has ended.
nothing_left() {
	test -z "$(orcm_own)" && test ! -e "$BASE/run.$1"
}
# clean_after PID: what orcm-run PID made is gone two seconds after its end
# at the latest.
clean_after() { waituntil 2 nothing_left "$1"; }

# numbers COUNT: so many lines that are all different
numbers() { seq 1 "$1"; }
# make_input FILE MIB: lines, different all over the file
make_input() {
	seq -f 'line %.0f of the input' 1 $(($2 * 47000)) |
		head -c $(($2 * 1024 * 1024)) >"$1"
}
size_of() { wc -c <"$1" | tr -d ' '; }
# at_least FILE BYTES
at_least() { test "$(size_of "$1")" -ge "$2"; }
# is_prefix A B: A is the beginning of B
is_prefix() { head -c "$(size_of "$1")" "$2" | cmp -s - "$1"; }

# need_root, need_user: the test is skipped, and says so.
need_root() { test "$(id -u)" = 0 || skip "not root here"; }
# as_nobody COMMAND...: as another user, with nothing of root's left
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
# leader_rank NAME: its rank, or nothing.
leader_rank() { ps_of "$1" rank,leader | awk '$2 == "yes" { print $1 }'; }
rank_leads() { test "$(leader_rank "$1")" = "$2"; }
# pid_of NAME RANK
pid_of() { ps_of "$1" rank,pid | awk -v r="$2" '$1 == r { print $2 }'; }
# reborn NAME RANK OLD: it has another process, that is up and can lead.
reborn() {
	test "$(ps_of "$1" rank,state,ready | grep "^$2	up	yes$")" &&
		test "$(pid_of "$1" "$2")" != "$3"
}

# job OPTION... [--] PROGRAM: a job named "job" that runs until its input,
# the FIFO "feed" that fd 7 writes to, is closed.
job() {
	test -p feed || mkfifo feed
	start_from job feed orcm-run "$@"
	exec 7>feed
}
# no_more: ends its input, waits for its end; its status is in $status
no_more() {
	exec 7>&-
	finish job 0
}
