/* SPDX-License-Identifier: ISC */
/*
 * The keepers of our replicas.  Each connects to our socket in the run
 * directory, is told what to run, and hands us the pipes of each life.
 */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/log.h"

#define QUEUE_MAX (SPEC_PAYLOAD_MAX + 65536u)
#define STRANGERS_MAX 16u
#define WAITING_MAX (ORCM_RANKS_MAX + STRANGERS_MAX)

/* Connections that have not said which replica they keep. */
static struct conn waiting[WAITING_MAX];
static struct run *the_run;

void
keeper_signal(struct run *r, uint32_t rank, int sig)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = WIRE_SIGNAL };
	struct wr w;

	if (!conn_is_open(&r->reps[rank].conn))
		return;
	wire_begin(&w, frame, sizeof(frame), &h);
	wr_tlv_u8(&w, TLV_SIGNAL, (uint8_t)sig);
	(void)conn_send(&r->reps[rank].conn, frame, wire_end(&w, 0));
}

void
keeper_release(struct run *r, uint32_t rank)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = WIRE_END };
	struct wr w;

	if (!conn_is_open(&r->reps[rank].conn))
		return;
	wire_begin(&w, frame, sizeof(frame), &h);
	wr_tlv_u32(&w, TLV_INCARNATION, r->job.ranks[rank].incarnation);
	(void)conn_send(&r->reps[rank].conn, frame, wire_end(&w, 0));
}

static bool
send_piece(void *arg, const void *frame, size_t size, int dir)
{
	struct conn *c = arg;
	int fd = dir == -1 ? -1 : fcntl(dir, F_DUPFD_CLOEXEC, 3);

	if (fd == -1)
		return conn_send(c, frame, size) == 0;
	if (conn_send_fds(c, frame, size, &fd, 1) == 0)
		return true;
	close(fd);
	return false;
}

static void
replica_started(struct run *r, uint32_t rank, const struct wire_msg *m,
    int *fds, size_t fds_len)
{
	size_t want = 1, at = 0;
	int in = -1, err = -1, out;

	want += (r->spec.stdio & SPEC_STDIN) != 0;
	want += (r->spec.stdio & SPEC_STDERR) != 0;
	if (fds_len != want) {
		log_line(LOG_ERROR, "rank %u: %zu descriptors instead of %zu",
		    rank, fds_len, want);
		conn_close(&r->reps[rank].conn);
		act_rank(r, JOB_IN_DETACHED, rank, 0, 0);
		return;
	}
	if (r->spec.stdio & SPEC_STDIN)
		in = fds[at++];
	out = fds[at++];
	if (r->spec.stdio & SPEC_STDERR)
		err = fds[at++];
	for (at = 0; at < fds_len; at++)
		fds[at] = -1;
	act_rank(r, JOB_IN_STARTED, rank,
	    (uint32_t)wire_num(m, TLV_INCARNATION),
	    (uint32_t)wire_num(m, TLV_PID));
	input_start(r, rank, in);
	output_start(r, rank, out);
	errout_start(r, rank, err);
}

/* The program cannot be executed, which all of them find out. */
static void
failed(struct run *r, const char *why)
{
	static bool said;

	if (!said)
		run_note(r, "%s: %s", r->opt.argv[0], why);
	said = true;
}

static void
keeper_frame(struct conn *c, const struct wire_msg *m, int *fds,
    size_t fds_len)
{
	struct rep *p = c->arg;
	struct run *r = p->run;
	uint32_t incarnation = (uint32_t)wire_num(m, TLV_INCARNATION);

	switch (m->h.type) {
	case WIRE_STARTED:
		replica_started(r, p->rank, m, fds, fds_len);
		break;
	case WIRE_ENDED:
		act_rank(r, JOB_IN_ENDED, p->rank, incarnation,
		    (uint32_t)wire_num(m, TLV_STATUS));
		break;
	case WIRE_FAILED:
		failed(r, strerror((int)wire_num(m, TLV_ERROR)));
		break;
	default:
		break;
	}
}

static void
keeper_end(struct conn *c, enum conn_end why)
{
	struct rep *p = c->arg;

	(void)why;
	act_rank(p->run, JOB_IN_DETACHED, p->rank, 0, 0);
}

static const struct conn_ops keeper_ops = {
	.frame = keeper_frame,
	.end = keeper_end,
};

/*
 * A keeper for a rank that has one already: the higher life counts, because
 * orcmd ordered it when it had given up the other.
 */
static void
attach(struct run *r, int fd, uint32_t rank, uint32_t incarnation)
{
	struct rep *p = &r->reps[rank];

	if (conn_is_open(&p->conn)) {
		if (incarnation <= r->job.ranks[rank].incarnation) {
			close(fd);
			return;
		}
		conn_close(&p->conn);
		act_rank(r, JOB_IN_DETACHED, rank, 0, 0);
	}
	conn_init(&p->conn, &r->loop, &keeper_ops, p);
	if (conn_open(&p->conn, fd, WIRE_BY_CHARGE, WIRE_CONTROL_MAX,
		QUEUE_MAX) == -1)
		return;
	act_rank(r, JOB_IN_ATTACHED, rank, incarnation, 0);
	if (!spec_send(&r->spec, send_piece, &p->conn))
		log_line(LOG_ERROR, "rank %u: cannot send what to run", rank);
}

static void
waiting_frame(struct conn *c, const struct wire_msg *m, int *fds,
    size_t fds_len)
{
	struct run *r = the_run;
	uint32_t rank = (uint32_t)wire_num(m, TLV_RANK);
	int fd;

	(void)fds;
	(void)fds_len;
	if (m->h.type != WIRE_ATTACH || rank >= r->opt.n) {
		conn_close(c);
		return;
	}
	/* A keeper says nothing more until it is answered. */
	fd = fcntl(c->watch.fd, F_DUPFD_CLOEXEC, 3);
	conn_close(c);
	if (fd == -1) {
		log_sys(LOG_ERROR, "rank %u", rank);
		return;
	}
	attach(r, fd, rank, (uint32_t)wire_num(m, TLV_INCARNATION));
}

static void
waiting_end(struct conn *c, enum conn_end why)
{
	(void)c;
	(void)why;
}

static const struct conn_ops waiting_ops = {
	.frame = waiting_frame,
	.end = waiting_end,
};

/* Room for every keeper that is still to come, as they may come at once. */
static uint32_t
waiting_len(const struct run *r)
{
	uint32_t i, len = STRANGERS_MAX;

	for (i = 0; i < r->opt.n; i++)
		len += !conn_is_open(&r->reps[i].conn);
	return len;
}

static void
take(struct run *r, int fd)
{
	static uint32_t next;
	struct sock_peer who;
	uint32_t i, len = waiting_len(r);

	if (sock_peer(fd, &who) == -1 ||
	    (who.uid != geteuid() && who.uid != 0)) {
		close(fd);
		return;
	}
	for (i = 0; i < len && conn_is_open(&waiting[i]); i++)
		;
	if (i == len) {
		/* Silent ones make room; a keeper speaks at once. */
		i = next++ % len;
		conn_close(&waiting[i]);
	}
	conn_init(&waiting[i], &r->loop, &waiting_ops, r);
	(void)conn_open(&waiting[i], fd, WIRE_BY_CHARGE, WIRE_CONTROL_MAX,
	    4096);
}

static void
on_listen(struct watch *w, short revents)
{
	int fd, i;

	(void)revents;
	for (i = 0; i < 16 && (fd = sock_accept(w->fd)) != -1; i++)
		take(w->arg, fd);
}

void
keepers_listen(struct run *r)
{
	uint32_t i;

	the_run = r;
	for (i = 0; i < r->opt.n; i++) {
		struct rep *p = &r->reps[i];

		p->run = r;
		p->rank = i;
		conn_init(&p->conn, &r->loop, &keeper_ops, p);
		watch_init(&p->in, NULL, p);
		watch_init(&p->out, NULL, p);
		watch_init(&p->err, NULL, p);
		p->in.fd = p->out.fd = p->err.fd = -1;
	}
	for (i = 0; i < r->opt.n + STRANGERS_MAX; i++)
		conn_init(&waiting[i], &r->loop, &waiting_ops, r);
	if (spec_socket(r->run, r->id, r->sock) == -1)
		die_sys(JOB_OUR_FAULT, "%s", r->run);
	watch_init(&r->listen, on_listen, r);
	r->listen.fd = sock_listen(r->sock, (int)WAITING_MAX);
	if (r->listen.fd == -1)
		die_sys(JOB_OUR_FAULT, "listen on %s", r->sock);
	if (loop_watch(&r->loop, &r->listen, POLLIN) == -1)
		die_sys(JOB_OUR_FAULT, "%s", r->sock);
}

void
keepers_end(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->opt.n; i++)
		conn_close(&r->reps[i].conn);
	for (i = 0; i < r->opt.n + STRANGERS_MAX; i++)
		conn_close(&waiting[i]);
	loop_unwatch(&r->loop, &r->listen);
	close(r->listen.fd);
	(void)unlink(r->sock);
}
