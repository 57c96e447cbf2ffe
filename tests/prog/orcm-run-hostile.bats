#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run and the daemons among bad neighbours: each a clear error or no
# effect, never a hang, never a lost byte of a healthy job.

load ../run
setup() { run_setup; }
teardown() {
	rm -rf "${PLUG:-$T/none}"
	orcm_teardown
}

# --- descriptors

@test "orcm-run: with 20 descriptors it takes more while it may" {
	numbers 1000 >in
	(
		ulimit -Sn 20
		orcm-run -n 3 cat <in >out
		orcm-run -n 3 -- sh -c 'ulimit -Sn' >limit
	)
	cmp in out
	# The replicas have what they would have had.
	test "$(cat limit)" = 20
}

@test "orcm-run: with 20 descriptors and no more: a clear error" {
	run -125 --separate-stderr bash -c 'ulimit -n 20; orcm-run -n 3 echo x'
	test -z "$output"
	[[ $stderr == *descriptors*"ulimit -n"* ]]
	test "${#stderr_lines[@]}" = 1
	waituntil 2 test -z "$(orcm_own)"
}

@test "orcm-run: a DVM whose daemons have 20 descriptors" {
	bash -c 'ulimit -n 20; exec orcmd -r "$T/r"' >d.out 2>d.err \
		</dev/null 3>&- &
	echo $! >.pid.dvm
	ORCM_RUN=$T/r
	export ORCM_RUN
	# It says why it cannot, or it can.
	if waituntil 10 up_or_gone && orcm-ps; then
		run timeout 20 orcm-run -n 2 echo fine
		test "$status" != 124
		test "$output" = fine -o "$status" = 125
	else
		test -s d.err
	fi
}
up_or_gone() { orcm-ps || gone "$(pid dvm)"; }

# --- run directories

@test "orcm-run: a run directory of somebody else" {
	need_root
	mkdir -m 700 other
	chown 65534 other
	ORCM_RUN=$T/other run -125 --separate-stderr orcm-run echo x
	[[ $stderr == *other*"belongs to somebody else"* ]]
	test -z "$output"
	run -100 orcmd -r "$T/other"
	[[ $output == *other*"belongs to somebody else"* ]]
	test -z "$(ls other)"
}

@test "orcm-run: a run directory that others can enter" {
	for mode in 777 755 710 701 770; do
		mkdir open
		chmod "$mode" open
		ORCM_RUN=$T/open run -125 orcm-run echo x
		[[ $output == *open*"open to others"* ]]
		for d in orcmd orcm-pnpd orcm-leaderd; do
			run -100 "$d" -r "$T/open"
			[[ $output == *open*"open to others"*"chmod 700"* ]]
		done
		test -z "$(ls open)"
		rmdir open
	done
}

@test "orcm-run: a run directory that is a link or a file" {
	mkdir -m 700 real
	ln -s real link
	: >file
	for name in link link/ file file/x; do
		ORCM_RUN=$T/$name run -125 orcm-run echo x
		run orcmd -r "$T/$name"
		test "$status" = 100 -o "$status" = 111
		test -n "$output"
	done
	test -z "$(ls real)"
}

@test "orcm-run: a socket path that is too long" {
	long=$T/$(printf '%0100d' 0)
	mkdir -m 700 "$long"
	ORCM_RUN=$long run -125 orcm-run echo x
	[[ $output == *"too long"* ]]
	for d in orcmd orcm-pnpd orcm-leaderd; do
		run -100 "$d" -r "$long"
		[[ $output == *"too long"* ]]
	done
	test -z "$(ls "$long")"
}

@test "orcm-run: files in the way of our sockets are not removed" {
	mkdir -m 700 dir
	echo precious >dir/pnpd.sock
	run timeout 10 orcm-pnpd -1 -r "$T/dir"
	test "$status" = 111 -o "$status" = 100
	test "$(cat dir/pnpd.sock)" = precious
}

# --- sockets

# healthy: a job in a DVM of its own, with a stream through it
healthy() {
	make_input in 24
	own_dvm -v
	job -j healthy -n 3 -- cat
	waituntil 10 orcm-wait -t 5000 count=3 healthy
	at=0
}
# some_more: another piece of the stream goes through
some_more() {
	tail -c +$((at + 1)) in | head -c 1000000 >&7
	at=$((at + 1000000))
	waituntil 10 at_least job.out "$at"
}
still_healthy() {
	some_more
	test "$(orcm-ps -o state,restarts healthy | sort -u)" = 'up	0'
	tail -c +$((at + 1)) in >&7
	no_more
	test "$status" = 0
	cmp in job.out
}

@test "orcm-run: garbage and half frames on every socket" {
	healthy
	for sock in "$ORCM_RUN"/*.sock "$ORCM_RUN"/io.*; do
		for how in garbage half; do
			"$B/t/flood" "$sock" 500 "$how"
			some_more
		done
	done
	still_healthy
	alive "$(pid dvm)"
	# What was wrong has been said, not five hundred times a kind.
	test "$(grep -c . dvm.err)" -lt 3000
}

@test "orcm-run: 10,000 connections to every socket" {
	healthy
	for sock in "$ORCM_RUN"/*.sock "$ORCM_RUN"/io.*; do
		made=$("$B/t/flood" "$sock" 10000 open)
		test "$made" -gt 0
		some_more
	done
	still_healthy
	alive "$(pid dvm)"
}

@test "orcm-run: 10,000 connections that are kept open" {
	healthy
	mkfifo gate
	for sock in "$ORCM_RUN"/*.sock "$ORCM_RUN"/io.*; do
		"$B/t/flood" "$sock" 2500 hold <gate >"made.${sock##*/}" 3>&- 7>&- &
	done
	exec 6>gate
	some_more
	# Another job may have to wait, but it comes and is right.
	run timeout 30 orcm-run -n 2 echo meanwhile
	test "$status" = 0
	test "$output" = meanwhile
	# And a leader that dies in all this.
	old=$(orcm-ps -o pid,leader healthy | awk '$2 == "yes" { print $1 }')
	kill -9 "$old"
	some_more
	exec 6>&-
	tail -c +$((at + 1)) in >&7
	no_more
	test "$status" = 0
	cmp in job.out
	alive "$(pid dvm)"
}

# --- other users

@test "orcm-run: another user can neither connect nor signal" {
	need_root
	need setpriv
	chmod 755 "$T"
	healthy
	run as_nobody "$B/t/flood" "$ORCM_RUN/pnpd.sock" 10 open
	test "$output" = 0 -o "$status" != 0
	run as_nobody "$BIN/orcm-ps" -r "$ORCM_RUN"
	test "$status" -ne 0
	test "$(echo "$output" | grep -c healthy)" = 0
	run as_nobody "$BIN/orcm-stop" -r "$ORCM_RUN" healthy
	test "$status" -ne 0
	for p in "$(pid dvm)" "$(pid job)" $(orcm-ps -o pid healthy); do
		run as_nobody sh -c "kill -0 $p"
		test "$status" -ne 0
	done
	# Even where the directory's mode does not protect it any more.
	chmod 711 "$ORCM_RUN"
	for sock in "$ORCM_RUN"/*.sock "$ORCM_RUN"/io.*; do
		run as_nobody "$B/t/flood" "$sock" 10 open
		test "$output" = 0 -o "$status" != 0
	done
	chmod 777 "$ORCM_RUN"/*.sock "$ORCM_RUN"/io.*
	for sock in "$ORCM_RUN"/*.sock "$ORCM_RUN"/io.*; do
		as_nobody "$B/t/flood" "$sock" 100 half || :
	done
	run as_nobody "$BIN/orcm-stop" -r "$ORCM_RUN" healthy
	test "$status" -ne 0
	chmod 700 "$ORCM_RUN"
	still_healthy
}

@test "orcm-run: works for an ordinary user" {
	need_root
	need setpriv
	mkdir -m 700 user
	chown 65534:65534 user
	chmod 755 "$T"
	as_nobody test -x "$BIN/orcm-run" ||
		skip 'the build is not readable for others'
	make_input in 4
	chmod 644 in
	for runtime in "$T/user" ''; do
		as_nobody env XDG_RUNTIME_DIR="$runtime" TMPDIR="$T/user" \
			"$BIN/orcm-run" -n 3 -- sh -c '
				test $ORCM_INCARNATION != 0 ||
					test $ORCM_RANK = 2 || kill -9 $$
				cat' <in >out
		cmp in out
	done
	waituntil 2 test -z "$(ls user/orcm)"
	rmdir /tmp/orcm-65534 2>/dev/null || :
}

# --- plug-ins

# Plug-ins are refused below a directory that others can write to, as /tmp.
plug_dir() {
	need_root
	need setpriv
	PLUG=$(mktemp -d "$(dirname "$BASE")/o.XXXXXX")
	chmod 755 "$PLUG" "$T"
	mkdir -p "$PLUG/leader"
	chmod 755 "$PLUG/leader"
	as_nobody test -x "$BIN/orcm-run" ||
		skip 'the build is not readable for others'
	mkdir -m 700 user
	chown 65534:65534 user
}
# refused NAME TEXT: that leader policy is refused, the reason has TEXT
refused() {
	run -125 --separate-stderr as_nobody env XDG_RUNTIME_DIR="$T/user" \
		ORCM_PLUGIN_PATH="$PLUG" HOME="$T/user" \
		"$BIN/orcm-run" -n 2 -l "$1" echo x
	test -z "$output"
	test "${#stderr_lines[@]}" = 1
	echo "$stderr" | grep "$2"
}

@test "orcm-run: plug-ins that do not fit are refused by name" {
	plug_dir
	for name in wrong_major newer_minor no_ops no_symbol short_ops \
		wrong_kind builtin_name; do
		test -f "$B/t/plugins/$name.so" || skip 'no plug-ins for tests'
		cp "$B/t/plugins/$name.so" "$PLUG/leader/$name.so"
		chmod 644 "$PLUG/leader/$name.so"
	done
	refused wrong_major 'plug-in interface'
	refused newer_minor 'plug-in interface'
	refused no_symbol 'no symbol orcm_plugin'
	refused no_ops 'no kind, name, version or ops'
	refused short_ops 'its ops have'
	refused wrong_kind 'rename the file'
	echo 'no library' >"$PLUG/leader/text.so"
	chmod 644 "$PLUG/leader/text.so"
	refused text 'text'
	test -z "$(ls user)"
}

@test "orcm-run: plug-ins that somebody else could have written are refused" {
	plug_dir
	cp "$B/lib/orcm/leader/lowest.so" "$PLUG/leader/lowest.so"
	chmod 666 "$PLUG/leader/lowest.so"
	refused lowest 'others can write'
	chmod 664 "$PLUG/leader/lowest.so"
	refused lowest 'others can write'
	chmod 644 "$PLUG/leader/lowest.so"
	chown 65533 "$PLUG/leader/lowest.so"
	refused lowest 'belongs to uid 65533'
	chown 0 "$PLUG/leader/lowest.so"
	chmod 777 "$PLUG/leader"
	refused lowest 'others can write'
	chmod 755 "$PLUG/leader"
	# Now it is good.
	run -0 as_nobody env XDG_RUNTIME_DIR="$T/user" \
		ORCM_PLUGIN_PATH="$PLUG" "$BIN/orcm-run" -n 2 -l lowest echo x
	test "$output" = x
	# In a place that everybody can write to it is not.
	mkdir -p "$T/plug/leader"
	cp "$PLUG/leader/lowest.so" "$T/plug/leader"
	PLUG_WAS=$PLUG
	PLUG=$T/plug
	refused lowest 'others can write'
	rm -rf "$PLUG_WAS"
}

@test "orcm-run: root loads nothing from a user's directories" {
	need_root
	mkdir -p plug/leader home/.orcm/plugins/leader
	cp "$B/t/plugins/wrong_major.so" plug/leader/lowest.so
	cp "$B/t/plugins/wrong_major.so" home/.orcm/plugins/leader/lowest.so
	ORCM_PLUGIN_PATH=$T/plug HOME=$T/home run -0 orcm-run -l lowest echo x
	test "$output" = x
}

# --- names

@test "orcm-run: two DVMs of one name in two places" {
	mkdir -m 700 a b
	start one orcmd -D same -r "$T/a"
	start two orcmd -D same -r "$T/b"
	waituntil 10 orcm-ps -D same -r "$T/a"
	waituntil 10 orcm-ps -D same -r "$T/b"
	ORCM_RUN=$T/a orcm-run -b -D same -j job -- sleep 1000 \
		>/dev/null 2>&1 </dev/null 3>&-
	ORCM_RUN=$T/b orcm-run -b -D same -j job -- sleep 1000 \
		>/dev/null 2>&1 </dev/null 3>&-
	orcm-stop -D same -r "$T/a" job
	waituntil 5 test -z "$(orcm-ps -D same -r "$T/a")"
	orcm-ps -D same -r "$T/b" job
	finish one
	orcm-ps -D same -r "$T/b" job
	finish two
}

@test "orcm-run: two DVMs of one name in one place" {
	own_dvm -D same
	job -D same -n 2 -- cat
	waituntil 10 orcm-ps -D same
	run -100 orcmd -D same
	[[ $output == *"already running"* ]]
	run -100 orcmd -D different -r "$ORCM_RUN"
	[[ $output == *"already running"* ]]
	echo text >&7
	no_more
	test "$status" = 0
	test "$(cat job.out)" = text
}

@test "orcm-run: more replicas than a DVM has room for is an error" {
	own_dvm
	for j in a b c d; do
		orcm-run -b -j "$j" -n 256 -- sleep 1000 \
			>/dev/null 2>&1 </dev/null 3>&-
	done
	run -125 --separate-stderr timeout 20 orcm-run -n 2 echo x
	test -z "$output"
	[[ $stderr == *room* ]]
	orcm-events | grep -q '	refused	.*	-	no-room-for=2$'
	orcm-stop a b c d
	waituntil 20 test -z "$(orcm-ps)"
	run -0 orcm-run -n 2 echo x
}
