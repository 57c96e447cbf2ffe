#!/bin/sh
# SPDX-License-Identifier: ISC
#
# soak.sh: gives the simulator one fresh seed after another for SOAK_SECONDS,
# or until it is told to stop.  It stops at the first seed that fails and
# prints it; that seed then belongs into tests/sim.
set -eu
sim=${B:-build}/bin/orcm-sim
test -x "$sim" || { echo "soak: skipped: no $sim" && exit 0; }
now() { date +%s 2>/dev/null; }
seed=${SOAK_SEED:-$(od -An -N4 -tu4 /dev/urandom | tr -d ' \n')}
start=$(now)
runs=0
trap 'echo "soak: $runs seeds up to $seed: good"; exit 0' 2 15
while test -z "${SOAK_SECONDS:-}" ||
	test $(($(now) - start)) -lt "$SOAK_SECONDS"; do
	# A job, and a mesh of nodes.
	for mesh in '' '-N 0'; do
		# shellcheck disable=SC2086
		if ! "$sim" $mesh -s "$seed" >"${B:-build}/soak.log" 2>&1; then
			cat "${B:-build}/soak.log"
			echo "soak: failed: orcm-sim $mesh -s $seed"
			exit 1
		fi
	done
	runs=$((runs + 1))
	seed=$((seed + 1))
done
echo "soak: $runs seeds up to $seed: good"
