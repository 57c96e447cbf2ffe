#!/bin/sh
# SPDX-License-Identifier: ISC
#
# bench-run.sh [-i] [-n SAMPLES] [-o REGEX]: what replicas on one machine
# cost, beside what people would use instead.  Prints "name TAB value TAB unit
# TAB n"; remarks, and the targets, go to stderr behind "# ".  A figure never
# makes it fail.  Ours and the peer's samples are taken in turn, so whatever
# else the machine does meets both; only the ratios mean anything elsewhere.
#
#   figure                 target   against
#   launch.private         1.5      mpiexec.hydra -n 3 true
#   launch.dvm             1.0      the same
#   restart                1.0      runsv with the program itself as ./run
#   stream.rate.tee        >= 0.5   tee >(cat >/dev/null) twice | cat
#   stream.rate.ompi       >= 2.5   mpirun.openmpi -n 3 cat
#   stream.rtt             1.0      the same, 64 bytes there and back
#   failover.median, p99   2, 10 ms kill of the leader to the next byte out
#   daemons.NAME           20 ms    kill of a daemon until it has everything
#   memory.together        640 KiB  private, daemons and the keepers of 3
#   memory.growth          0 KiB    after 1000 restarts
#
# -n gives every figure so many samples instead of its own number, -o chooses
# figures, -i installs missing peers with apt-get when root.  B is the build
# directory (build).  Without a peer its figures are left out, aloud.
set -eu
LC_ALL=C
export LC_ALL
unset ORCM_DVM ORCM_RUN
say() { printf '# %s\n' "$*" >&2; }
usage() {
	echo "usage: bench-run.sh [-i] [-n samples] [-o regex]" >&2
	exit 100
}
install=no samples='' only=.
while getopts in:o: option; do
	case $option in
	i) install=yes ;;
	n) samples=$OPTARG ;;
	o) only=$OPTARG ;;
	*) usage ;;
	esac
done
top=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "${B:-$top/build}/bin" && pwd) || exit 100
for name in orcmd orcm-run orcm-ps; do
	test -x "$bin/$name" || {
		say "no $bin/$name: run make first"
		exit 100
	}
done
PATH=$bin:$PATH:/usr/sbin:/sbin
t=$(mktemp -d "${TMPDIR:-/tmp}/orcm-bench.XXXXXX")
dvm=bench.$$
run=''
pids=''

# finish PID: politely, after three seconds not.
finish() {
	tries=0
	kill -TERM "$1" 2>/dev/null || return 0
	while kill -0 "$1" 2>/dev/null; do
		tries=$((tries + 1))
		test $tries -lt 60 || kill -KILL "$1" 2>/dev/null || :
		test $tries -lt 80 || break
		sleep 0.05
	done
	wait "$1" 2>/dev/null || :
}
# shellcheck disable=SC2317
cleanup() {
	status=$?
	trap '' INT TERM
	for pid in $pids; do finish "$pid"; done
	if test -n "$run"; then
		for pid in $("$t/holder" "$run/orcmd.lock"); do
			test "$pid" = 0 || finish "$pid"
		done
		for pid in $("$t/holder" "$run/orcm-pnpd.lock" \
			"$run/orcm-leaderd.lock"); do
			test "$pid" = 0 || finish "$pid"
		done
		rm -rf "$run"
	fi
	rm -rf "$t"
	exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

build() {
	cc -std=c11 -O2 -D_XOPEN_SOURCE=700 -o "$t/$1" \
		"$top/tests/bench/$1.c"
}
for name in turns killer flow gap daemons holder; do build $name; done
# Static when that can be had: what is measured is not the dynamic linker.
cc -std=c11 -O2 -D_XOPEN_SOURCE=700 -static -o "$t/stamp" \
	"$top/tests/bench/stamp.c" 2>/dev/null || build stamp

want() {
	printf '%s\n' "$@" | grep -Eq -e "$only"
}
# peer COMMAND PACKAGE: is it there, or can it be?
peer() {
	command -v "$1" >/dev/null && return 0
	if test $install = yes && test "$(id -u)" = 0 &&
		command -v apt-get >/dev/null; then
		get "$2"
		command -v "$1" >/dev/null && return 0
	fi
	say "skipped: no $1 here (Debian: $2)"
	return 1
}
# Nothing that is installed for a measurement may start a service.
get() {
	rule=/usr/sbin/policy-rc.d
	mine=no
	test -e $rule || {
		mine=yes
		printf '#!/bin/sh\nexit 101\n' >$rule
		chmod 755 $rule
	}
	apt-get -q update >"$t/apt" 2>&1 || :
	DEBIAN_FRONTEND=noninteractive apt-get -y -q \
		--no-install-recommends install "$1" >>"$t/apt" 2>&1 || :
	test $mine = no || rm -f $rule
}
# quantile KEY Q: of the second column, where the first is KEY.
quantile() {
	awk -v key="$1" '$1 == key { print $2 }' "$t/data" | sort -n |
		awk -v q="$2" '{ v[NR] = $1 }
		END {
			if (NR == 0) exit
			at = 1 + (NR - 1) * q
			low = int(at)
			high = low < NR ? low + 1 : NR
			at -= low
			printf "%.3f\n", v[low] + (v[high] - v[low]) * at
		}'
}
count() { awk -v key="$1" '$1 == key' "$t/data" | wc -l | tr -d ' '; }
# figure NAME TARGET UNIT N EXPRESSION: the last one in awk's words.
figure() {
	want "$1" || return 0
	value=$(awk "BEGIN { printf \"%.3f\", $5 }" 2>/dev/null) || value=-
	printf '%s\t%s\t%s\t%s\n' "$1" "$value" "$3" "$4"
	test -z "$2" || say "$1 $value $3, target: $2"
}
# median NAME TARGET KEY: median in ms.
median() {
	n=$(count "$3")
	test "$n" -gt 0 || {
		say "$1: no sample"
		return 0
	}
	figure "$1" "$2" ms "$n" "$(quantile "$3" 0.5) / 1e6"
}
# ratio NAME TARGET KEY KEY
ratio() {
	if test "$(count "$3")" = 0 || test "$(count "$4")" = 0; then
		say "$1: no samples"
		return 0
	fi
	figure "$1" "$2" ratio "$(count "$3")" \
		"$(quantile "$3" 0.5) / $(quantile "$4" 0.5)"
}
# until COMMAND...: up to 10 s
until_true() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		test $tries -lt 200 || return 1
		sleep 0.05
	done
}

begin_dvm() {
	test -z "$run" || return 0
	orcmd -D "$dvm" 2>"$t/orcmd.err" </dev/null &
	pids="$pids $!"
	case $(id -u) in
	0) base=/run/orcm && test -d /run || base=/var/run/orcm ;;
	*) base=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/orcm}
		base=${base:-/tmp/orcm-$(id -u)} ;;
	esac
	run=$base/$dvm
	until_true orcm-run -D "$dvm" true || {
		cat "$t/orcmd.err" >&2
		say "orcmd did not start"
		exit 1
	}
}

launch() {
	want launch.private launch.dvm launch.private.ms launch.dvm.ms \
		launch.hydra.ms || return 0
	begin_dvm
	set -- -- orcm-run -n 3 true -- ORCM_DVM="$dvm" orcm-run -n 3 true
	if peer mpiexec.hydra mpich; then
		set -- "$@" -- mpiexec.hydra -n 3 true
	fi
	"$t/turns" "${samples:-100}" "$@" >"$t/data" || :
	ratio launch.private '1.5 at most' 0 2
	ratio launch.dvm '1.0 at most' 1 2
	median launch.private.ms '' 0
	median launch.dvm.ms '' 1
	median launch.hydra.ms '' 2
}

restart() {
	want restart restart.ms restart.runit.ms || return 0
	mkfifo "$t/a" "$t/b"
	set -- "$t/a"
	# The FIFOs must have a reader before the programs report.
	sleep 30 <>"$t/a" &
	ha=$!
	sleep 30 <>"$t/b" &
	hb=$!
	STAMP=$t/a orcm-run -n 1 -R always -r inf -- "$t/stamp" </dev/null &
	ours=$!
	pids="$pids $ours $ha $hb"
	theirs=''
	if peer runsv runit; then
		mkdir "$t/service"
		cp "$t/stamp" "$t/service/run"
		STAMP=$t/b runsv "$t/service" </dev/null >/dev/null &
		theirs=$!
		pids="$pids $theirs"
		set -- "$t/a" "$t/b"
	fi
	# Each lives for more than a second, or runit would wait on purpose.
	"$t/killer" "${samples:-40}" 1200 "$@" >"$t/data" || :
	finish $ha
	finish $hb
	finish $ours
	test -z "$theirs" || finish $theirs
	ratio restart '1.0 at most' 0 1
	median restart.ms '' 0
	median restart.runit.ms '' 1
}

# one KEY-PREFIX FLOW-OPTIONS... -- COMMAND...
one() {
	key=$1
	shift
	"$t/flow" "$@" 2>>"$t/err" | sed "s/^/$key./" >>"$t/data"
}
stream() {
	want stream.rate.tee stream.rate.ompi stream.rtt stream.rate.ours.mibs \
		stream.rate.tee.mibs stream.rate.ompi.mibs stream.rtt.ours.us \
		stream.rtt.ompi.us || return 0
	mpi=no
	tee=no
	: >"$t/data"
	: >"$t/err"
	peer mpirun.openmpi openmpi-bin && mpi=yes
	peer bash bash && tee=yes
	OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
	export OMPI_ALLOW_RUN_AS_ROOT OMPI_ALLOW_RUN_AS_ROOT_CONFIRM
	i=0
	while test $i -lt "${samples:-9}"; do
		i=$((i + 1))
		one ours -m 256 -- orcm-run -n 3 cat
		test $tee = no || one tee -m 256 -- bash -c \
			'tee >(cat >/dev/null) >(cat >/dev/null) | cat'
		test $mpi = no || one ompi -m 64 -- \
			mpirun.openmpi --oversubscribe -n 3 cat
		one ours -r 300 -- orcm-run -n 3 cat
		test $mpi = no || one ompi -r 300 -- \
			mpirun.openmpi --oversubscribe -n 3 cat
	done
	sort "$t/err" | uniq -c | sed 's/^ */# stream: /' >&2
	ratio stream.rate.tee '0.5 at least' ours.rate tee.rate
	ratio stream.rate.ompi '2.5 at least' ours.rate ompi.rate
	ratio stream.rtt '1.0 at most' ours.rtt ompi.rtt
	for key in ours tee ompi; do
		test "$(count $key.rate)" = 0 ||
			figure "stream.rate.$key.mibs" '' MiB/s \
				"$(count $key.rate)" \
				"$(quantile $key.rate 0.5) / 1048576"
	done
	for key in ours ompi; do
		test "$(count $key.rtt)" = 0 ||
			figure "stream.rtt.$key.us" '' us "$(count $key.rtt)" \
				"$(quantile $key.rtt 0.5) / 1e3"
	done
}

failover() {
	want failover.median failover.p99 failover.calm failover.floor \
		failover.ratio || return 0
	begin_dvm
	"$t/gap" "${samples:-200}" "$bin" "$dvm" >"$t/data" || :
	median failover.median '2 ms at most' gap
	test "$(count gap)" = 0 || figure failover.p99 '10 ms at most' ms \
		"$(count gap)" "$(quantile gap 0.99) / 1e6"
	median failover.calm '' calm
	median failover.floor '' floor
	ratio failover.ratio '' gap floor
}

daemons() {
	want daemons.orcm-pnpd daemons.orcm-leaderd daemons.orcmd \
		daemons.orcm-pnpd.ps daemons.orcm-leaderd.ps \
		daemons.orcmd.ps || return 0
	begin_dvm
	"$t/daemons" "${samples:-50}" "$bin" "$dvm" "$run" >"$t/data" || :
	for name in orcm-pnpd orcm-leaderd orcmd; do
		median daemons.$name '20 ms at most' $name
		median daemons.$name.ps '' $name.ps
	done
}

# private PID...: KiB that nobody else has
private() {
	for pid in "$@"; do
		cat "/proc/$pid/smaps_rollup"
	done 2>/dev/null | awk '/^Private_(Clean|Dirty):/ { s += $2 }
		END { print s + 0 }'
}
parents() { ps -o ppid= -p "$(echo "$@" | tr ' ' ,)" | sort -u; }
programs() { orcm-ps -D "$dvm" -o pid "$1" | grep -v -- -; }
all_up() { test "$(programs "$1" | wc -l)" -eq "$2"; }
daemon_pids() {
	"$t/holder" "$run/orcmd.lock" "$run/orcm-pnpd.lock" \
		"$run/orcm-leaderd.lock"
}
# Lists of pids, a word each.
# shellcheck disable=SC2046,SC2086
memory() {
	want memory.together memory.orcmd memory.orcm-pnpd \
		memory.orcm-leaderd memory.wraps memory.orcm-run \
		memory.programs memory.growth || return 0
	test -r /proc/self/smaps_rollup || {
		say 'skipped: no /proc/PID/smaps_rollup'
		return 0
	}
	begin_dvm
	STAMP=$t/none orcm-run -D "$dvm" -j idle -n 3 -- "$t/stamp" \
		</dev/null &
	idle=$!
	pids="$pids $idle"
	until_true all_up idle 3
	sleep 1
	replicas=$(programs idle)
	keepers=$(parents $replicas)
	figure memory.together '640 KiB at most' KiB 6 \
		"$(private $(daemon_pids) $keepers)"
	for name in orcmd orcm-pnpd orcm-leaderd; do
		figure memory.$name '' KiB 1 \
			"$(private $("$t/holder" "$run/$name.lock"))"
	done
	figure memory.wraps '' KiB 3 "$(private $keepers)"
	figure memory.orcm-run '' KiB 1 "$(private $idle)"
	figure memory.programs '' KiB 3 "$(private $replicas)"
	finish $idle
	growth
}
# Many replicas at a time, because a life under a second earns a wait.
# shellcheck disable=SC2046,SC2086
growth() {
	want memory.growth || return 0
	mkfifo "$t/c"
	sleep 90 <>"$t/c" &
	holds=$!
	STAMP=$t/c orcm-run -D "$dvm" -j grow -n 50 -r inf -- "$t/stamp" \
		</dev/null 2>"$t/err" &
	grow=$!
	pids="$pids $grow $holds"
	until_true all_up grow 50
	# The first deaths touch what all later ones need too.
	"$t/killer" 100 0 "$t/c"
	until_true all_up grow 50
	before=$(private $grow $(daemon_pids) $(parents $(programs grow)))
	"$t/killer" 1000 0 "$t/c"
	until_true all_up grow 50
	after=$(private $grow $(daemon_pids) $(parents $(programs grow)))
	finish $holds
	finish $grow
	figure memory.growth '0 KiB' KiB 1000 "$after - $before"
}

launch
restart
stream
failover
daemons
memory
