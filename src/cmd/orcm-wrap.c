/* SPDX-License-Identifier: ISC */
/*
 * orcm-wrap: the keeper of one replica.  It makes an unmodified program a
 * replica: the job's input becomes its stdin, its stdout the job's output.
 * The owner of the job (orcm-run) says what to run; orcmd says when.
 *
 * It makes the pipes, hands their other ends to the owner and is out of the
 * way of the data from then on.  It is the program's parent for one or more
 * lives, so no death of a daemon loses an exit status; it tells both the
 * owner and orcmd, and connects to orcmd again for as long as it lives.
 * When the owner is gone the program is killed: a job never outlives it.
 *
 * A program that has ended may have left something in its group that writes
 * on.  It may, until the owner says that it does not listen any more.  The
 * program itself is looked at but not reaped until its group is killed: as
 * long as it is a zombie, the group's number cannot become somebody else's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <orcm/types.h>
#include <orcm/version.h>

#include "base/name.h"
#include "base/num.h"
#include "base/rd.h"
#include "base/wr.h"
#include "core/keep.h"
#include "core/record.h"
#include "lib/charge.h"
#include "lib/spec.h"
#include "node/node.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/path.h"
#include "sys/spawn.h"

#define SPEC_TIME (5 * ORCM_SECOND) /* the owner answers by then */

/* As orcmd is told when it asks again. */
enum wrap_state { WRAP_WAITS, WRAP_RUNS, WRAP_ENDED };

static struct wrap {
	struct loop loop;
	struct conn owner;
	struct charge charge;
	struct timer late;
	char run[PATH_ROOM];
	uint64_t job;
	uint32_t rank, incarnation;
	struct spec spec;
	enum wrap_state state;
	bool dismissed; /* we stay only for what the program left behind */
	bool unheard;	/* the owner does not listen to that any more */
	pid_t pid;
	uint32_t status, error; /* of the last life; error: errno of exec */
} w;

static _Noreturn void
usage(void)
{
	die(EXIT_USAGE,
	    "usage: orcm-wrap -r rundir -j job-id -k rank -i incarnation");
}

/* Nobody of the program's group survives its keeper. */
static _Noreturn void
leave(int code)
{
	if (w.pid > 0)
		(void)kill(-w.pid, SIGKILL);
	exit(code);
}

static void
begin(struct wr *wr, uint8_t *frame, enum wire_type type)
{
	struct wire_header h = { .type = (uint8_t)type };

	wire_begin(wr, frame, WIRE_CONTROL_MAX, &h);
	wr_tlv_u32(wr, TLV_INCARNATION, w.incarnation);
}

static void
tell_both(uint8_t *frame, struct wr *wr)
{
	size_t size = wire_end(wr, 0);

	(void)conn_send(&w.owner, frame, size);
	(void)charge_send(&w.charge, frame, size);
}

static void
tell_failed(void)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr wr;

	begin(&wr, frame, WIRE_FAILED);
	wr_tlv_u32(&wr, TLV_ERROR, w.error);
	tell_both(frame, &wr);
}

/* What came with the life before must not write into this one. */
static void
end_group(void)
{
	if (w.pid > 0) {
		(void)kill(-w.pid, SIGKILL);
		(void)waitpid(w.pid, NULL, w.state == WRAP_ENDED ? 0 : WNOHANG);
	}
	w.pid = 0;
}

static int
spawn_program(int child[3])
{
	char rank[16], incarnation[16];
	struct spawn s;

	(void)num_text(rank, sizeof(rank), w.rank);
	(void)num_text(incarnation, sizeof(incarnation), w.incarnation);
	if (spec_env(&w.spec, "ORCM_RANK", rank) == -1 ||
	    spec_env(&w.spec, "ORCM_INCARNATION", incarnation) == -1)
		return -1;
	memset(&s, 0, sizeof(s));
	s.file = w.spec.argv[0];
	s.argv = w.spec.argv;
	s.envp = w.spec.envp;
	memcpy(s.fd, child, sizeof(s.fd));
	s.dir = w.spec.dir;
	s.die_with_parent = true;
	s.umask = w.spec.umask;
	s.nice = w.spec.nice;
	s.limits = w.spec.limits;
	s.limits_len = w.spec.limits_len;
	w.pid = spawn(&s);
	return w.pid == -1 ? -1 : 0;
}

static void
tell_started(int fds[3])
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr wr;
	size_t size;

	begin(&wr, frame, WIRE_STARTED);
	wr_tlv_u32(&wr, TLV_PID, (uint32_t)w.pid);
	size = wire_end(&wr, 0);
	/* Which of the three there are follows from the spec's STDIO. */
	(void)conn_send_fds(&w.owner, frame, size, fds, (size_t)spec_fds(fds));
	(void)charge_send(&w.charge, frame, size);
}

static void
close_all(int *fds, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

static void
start_life(uint32_t incarnation)
{
	int child[3] = { -1, -1, -1 }, ours[3] = { -1, -1, -1 };

	end_group();
	w.dismissed = w.unheard = false;
	w.incarnation = incarnation;
	w.status = STATUS_NONE;
	w.error = 0;
	if (spec_pipes(w.spec.stdio, child, ours) == -1 ||
	    spawn_program(child) == -1) {
		w.error = (uint32_t)errno;
		w.pid = 0;
		w.state = WRAP_ENDED;
		close_all(child, 3);
		close_all(ours, 3);
		tell_failed();
		return;
	}
	close_all(child, 3);
	w.state = WRAP_RUNS;
	tell_started(ours);
}

static void
on_child(void *arg, int sig)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	siginfo_t how;
	struct wr wr;

	(void)arg;
	(void)sig;
	memset(&how, 0, sizeof(how));
	if (w.state != WRAP_RUNS ||
	    waitid(P_PID, (id_t)w.pid, &how, WEXITED | WNOHANG | WNOWAIT) ==
		-1 ||
	    how.si_pid != w.pid)
		return;
	w.state = WRAP_ENDED;
	w.status = how.si_code == CLD_EXITED
		       ? (uint32_t)how.si_status & 0xffu
		       : STATUS_SIGNAL | (uint32_t)how.si_status;
	begin(&wr, frame, WIRE_ENDED);
	wr_tlv_u16(&wr, TLV_STATUS, (uint16_t)w.status);
	tell_both(frame, &wr);
}

static void
send_signal(uint32_t sig)
{
	int number = (int)sig;

	if (sig == KEEP_SIGNAL_PAUSE)
		number = SIGSTOP;
	else if (sig == KEEP_SIGNAL_RESUME)
		number = SIGCONT;
	/* Nothing runs that could end: the order to end is for us. */
	else if (w.state != WRAP_RUNS)
		leave(EXIT_YES);
	if (w.state != WRAP_RUNS)
		return;
	(void)kill(-w.pid, number);
	/* A stopped program would not see its end coming. */
	if (number == SIGTERM || number == SIGHUP || number == SIGINT)
		(void)kill(-w.pid, SIGCONT);
}

static void
charge_frame(struct charge *c, const struct wire_msg *m)
{
	(void)c;
	switch (m->h.type) {
	case WIRE_RUN:
		if (w.state != WRAP_WAITS)
			start_life((uint32_t)wire_num(m, TLV_INCARNATION));
		break;
	case WIRE_SIGNAL:
		send_signal((uint32_t)wire_num(m, TLV_SIGNAL));
		break;
	case WIRE_END:
		w.dismissed = wire_has(m, TLV_REASON) &&
			      w.state == WRAP_ENDED && w.pid > 0 && !w.unheard;
		if (!w.dismissed)
			leave(EXIT_YES);
		break;
	default:
		break;
	}
}

static void
charge_up_now(struct charge *c)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = WIRE_CHARGE };
	struct wr wr;
	size_t size;

	wire_begin(&wr, frame, sizeof(frame), &h);
	wr_tlv_str(&wr, TLV_ROLE, "orcm-wrap");
	wr_tlv_u32(&wr, TLV_PID, (uint32_t)getpid());
	wr_tlv_u64(&wr, TLV_ID, RECORD_ID_RANK(w.job, w.rank));
	wr_tlv_u16(&wr, TLV_RANK, (uint16_t)w.rank);
	wr_tlv_u32(&wr, TLV_INCARNATION, w.incarnation);
	wr_tlv_u8(&wr, TLV_STATE, (uint8_t)w.state);
	wr_tlv_u32(&wr, TLV_KEEPER, (uint32_t)w.pid);
	wr_tlv_u16(&wr, TLV_STATUS, (uint16_t)w.status);
	size = wire_end(&wr, 0);
	(void)charge_send(c, frame, size);
	if (w.error != 0)
		tell_failed();
}

static void
owner_frame(struct conn *c, const struct wire_msg *m, int *fds, size_t fds_len)
{
	static const struct charge_ops ops = {
		.up = charge_up_now,
		.frame = charge_frame,
	};
	enum spec_verdict verdict;

	(void)c;
	switch (m->h.type) {
	case WIRE_SPEC:
		if (w.state != WRAP_WAITS)
			break;
		verdict = spec_take(&w.spec, m, fds, fds_len);
		if (verdict == SPEC_MORE)
			break;
		if (verdict == SPEC_BAD)
			die(EXIT_BUG, "the owner's order is broken");
		loop_timer_stop(&w.loop, &w.late);
		start_life(w.incarnation);
		charge_init(&w.charge, &w.loop, &ops, NULL);
		if (charge_start(&w.charge, w.run) == -1)
			die_sys(EXIT_USAGE, "%s", w.run);
		break;
	case WIRE_SIGNAL:
		send_signal((uint32_t)wire_num(m, TLV_SIGNAL));
		break;
	case WIRE_END:
		if (wire_num(m, TLV_INCARNATION) != w.incarnation)
			break;
		if (w.dismissed)
			leave(EXIT_YES);
		w.unheard = true;
		break;
	default:
		break;
	}
}

static void
owner_end(struct conn *c, enum conn_end why)
{
	(void)c;
	(void)why;
	leave(EXIT_NODAEMON);
}

static void
on_late(struct timer *t)
{
	(void)t;
	leave(EXIT_NODAEMON);
}

static void
on_term(void *arg, int sig)
{
	(void)arg;
	leave(128 + sig);
}

/*
 * The owner's socket is there before we are started; only when many keepers
 * come at once its queue may be full for a moment.
 */
static int
connect_owner(void)
{
	uint64_t end = clock_now() + SPEC_TIME;
	struct timespec nap = { 0, 2 * ORCM_MS };
	char path[PATH_ROOM];
	int fd;

	if (spec_socket(w.run, w.job, path) == -1)
		die_sys(EXIT_USAGE, "%s", w.run);
	while ((fd = sock_connect(path)) == -1 && errno == EAGAIN &&
	    clock_now() < end)
		(void)nanosleep(&nap, NULL);
	return fd;
}

static void
attach(void)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = WIRE_ATTACH };
	struct sock_peer peer;
	struct wr wr;
	int fd = connect_owner();

	if (fd == -1 || sock_peer(fd, &peer) == -1)
		exit(EXIT_NODAEMON);
	if (peer.uid != geteuid() && peer.uid != 0)
		die(EXIT_USAGE, "the job's owner is another user");
	if (conn_open(&w.owner, fd, WIRE_BY_RUN, WIRE_FRAME_MAX, 65536) == -1)
		die_sys(EXIT_TEMP, "the job's owner");
	wire_begin(&wr, frame, sizeof(frame), &h);
	wr_tlv_u16(&wr, TLV_RANK, (uint16_t)w.rank);
	wr_tlv_u32(&wr, TLV_INCARNATION, w.incarnation);
	wr_tlv_u32(&wr, TLV_KEEPER, (uint32_t)getpid());
	(void)conn_send(&w.owner, frame, wire_end(&wr, 0));
}

static void
options(int argc, char **argv)
{
	uint64_t job = 0, rank = ORCM_RANK_NONE, incarnation = 0;
	bool good = true;
	int c;

	while ((c = getopt(argc, argv, "Vi:j:k:r:")) != -1)
		switch (c) {
		case 'V':
			printf("orcm-wrap %s wire %d\n", ORCM_VERSION,
			    ORCM_WIRE_VERSION);
			if (fflush(stdout) == EOF)
				die_sys(EXIT_TEMP, "standard output");
			exit(EXIT_YES);
		case 'i':
			good = good &&
			       num_u64(optarg, 0, UINT32_MAX, &incarnation);
			break;
		case 'j':
			good = good && num_u64(optarg, 1, UINT64_MAX, &job);
			break;
		case 'k':
			good = good &&
			       num_u64(optarg, 0, ORCM_RANKS_MAX - 1, &rank);
			break;
		case 'r':
			good = good && copy_str(w.run, sizeof(w.run), optarg);
			break;
		default:
			usage();
		}
	if (!good || optind != argc || job == 0 || RECORD_RANK(job) != 0 ||
	    rank == ORCM_RANK_NONE || w.run[0] == '\0')
		usage();
	w.job = job;
	w.rank = (uint32_t)rank;
	w.incarnation = (uint32_t)incarnation;
}

NODE_MAIN(orcm_wrap)
{
	static const struct conn_ops ops = {
		.frame = owner_frame,
		.end = owner_end,
	};

	log_init("orcm-wrap", LOG_WARN);
	options(argc, argv);
	(void)fd_std_open();
	w.status = STATUS_NONE;
	spec_init(&w.spec);
	if (loop_init(&w.loop, 8, 8) == -1)
		die_sys(EXIT_TEMP, "event loop");
	(void)loop_signal(&w.loop, SIGCHLD, on_child, NULL);
	(void)loop_signal(&w.loop, SIGTERM, on_term, NULL);
	(void)loop_signal(&w.loop, SIGINT, on_term, NULL);
	(void)loop_signal(&w.loop, SIGHUP, on_term, NULL);
	conn_init(&w.owner, &w.loop, &ops, NULL);
	attach();
	timer_init(&w.late, on_late, NULL);
	loop_timer(&w.loop, &w.late, clock_now() + SPEC_TIME);
	if (loop_run(&w.loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
	return 0;
}
