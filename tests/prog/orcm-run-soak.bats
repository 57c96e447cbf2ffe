#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
#
# orcm-run many times.  ORCM_TEST_LOOPS is how many runs there are in all (52;
# 200 are what is promised).

load ../run
setup() {
	run_setup
	LOOPS=${ORCM_TEST_LOOPS:-52}
}
teardown() { orcm_teardown; }

# One run of each kind, its answer checked.
once() {
	case $(($2 % 6)) in
	0)
		orcm-run -n 3 cat <in >"out.$1"
		cmp in "out.$1"
		;;
	1)
		orcm-run -n 3 -- sh -c '
			test $ORCM_INCARNATION != 0 || kill -9 $$
			cat' <in >"out.$1"
		cmp in "out.$1"
		;;
	2)
		orcm-run -n 2 sha256sum <in >"out.$1"
		cmp sum "out.$1"
		;;
	3)
		status=0
		orcm-run -q -n 3 -- sh -c 'exit 3' || status=$?
		test "$status" = 3
		;;
	4)
		orcm-run -n 3 -l vote cat <in >"out.$1"
		cmp in "out.$1"
		;;
	5)
		orcm-run -n 3 -L echo word | grep -c '^[012]: word$' |
			grep -qx 3
		;;
	esac
}
loop() {
	local i
	for i in $(seq 1 $((LOOPS / 4))); do
		if ! once "$1" "$i" 2>"err.$1"; then
			echo "run $i of loop $1" >>failed
			cat "err.$1" >>failed
		fi
	done
}

@test "orcm-run: many runs, four side by side, under load: no flake, no leak" {
	make_input in 1
	sha256sum <in >sum
	ls "$BASE" 2>/dev/null | sort >before || :
	ls /dev/shm 2>/dev/null | sort >shm || :
	start load sh -c 'while :; do :; done'
	loops=
	for n in 1 2 3 4; do
		loop "$n" 3>&- &
		loops="$loops $!"
	done
	for p in $loops; do wait "$p"; done
	finish load
	test ! -s failed || {
		cat failed
		return 1
	}
	waituntil 2 test -z "$(orcm_own)"
	ls /dev/shm 2>/dev/null | sort | cmp shm -
}

@test "orcm-run: many runs in one DVM leave its daemons as they were" {
	make_input in 1
	sha256sum <in >sum
	own_dvm
	for d in orcm-pnpd orcm-leaderd; do
		pgrep -f "/$d -D default -r $ORCM_RUN "
	done >daemons
	once w 0
	fds_of >fds
	loops=
	for n in 1 2; do
		(
			for i in $(seq 0 $((LOOPS / 4))); do
				once "$n" "$i" || echo "$n $i" >>failed
			done
		) 3>&- &
		loops="$loops $!"
	done
	for p in $loops; do wait "$p"; done
	test ! -s failed
	waituntil 5 test -z "$(orcm-ps)"
	for d in orcm-pnpd orcm-leaderd; do
		pgrep -f "/$d -D default -r $ORCM_RUN "
	done | cmp daemons -
	waituntil 5 no_more_fds
	test "$(ls "$ORCM_RUN" | grep -c '^io')" = 0
}
# How many descriptors orcmd and the other daemons have open.
fds_of() {
	for p in "$(pid dvm)" $(cat daemons); do
		ls "/proc/$p/fd" 2>/dev/null | wc -l
	done
}
# At the first look a daemon may not have seen yet that a client is gone.
no_more_fds() { fds_of | paste - fds | awk '$1 > $2 { exit 1 }'; }
