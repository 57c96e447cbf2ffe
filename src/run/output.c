/* SPDX-License-Identifier: ISC */
/*
 * The replicas' stdout to ours.  The core (splice) says how much may be
 * taken from whom and where to put it; what it releases is written at once.
 * Nothing here blocks: a slow reader of our stdout only makes the core give
 * no more room, so the replicas' pipes fill and they wait.
 */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/log.h"

#define READS_MAX 8 /* pieces from one replica in a turn */

#ifdef PIPE_BUF
#define SURE PIPE_BUF
#else
#define SURE 512
#endif

static void on_out(struct watch *w, short revents);

static void
on_sink(struct watch *w, short revents)
{
	struct run *r = w->arg;

	(void)revents;
	loop_unwatch(&r->loop, w);
	if (w == &r->out.watch)
		r->out.ready = true;
	else
		r->err.ready = true;
}

/*
 * A descriptor of our own for the same pipe or terminal, because its flags
 * are shared with whoever gave it to us.  Where that cannot be had, poll(2)
 * promises room for PIPE_BUF bytes, and no more are written at a time.
 */
static void
sink_init(struct run *r, struct sink *s, int fd)
{
	struct stat st;
	int own;

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->most = SIZE_MAX;
	s->ready = true;
	watch_init(&s->watch, on_sink, r);
	if (fstat(fd, &st) == -1)
		return;
	if (S_ISSOCK(st.st_mode)) {
		s->socket = true;
	} else if (!S_ISREG(st.st_mode)) {
		own = fd_reopen_nonblock(fd, O_WRONLY);
		if (own != -1) {
			s->fd = own;
		} else {
			s->most = SURE;
			s->ready = false;
		}
	}
	s->watch.fd = s->fd;
}

size_t
sink_write(struct run *r, struct sink *s, const void *p, size_t n)
{
	ssize_t k;

	if (s->error != 0)
		return 0;
	if (!s->ready) {
		run_watch(r, &s->watch, POLLOUT);
		return 0;
	}
	if (n > s->most)
		n = s->most;
	if (s->socket)
		k = send(s->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		k = write(s->fd, p, n);
	if (k > 0) {
		/* Room for the next piece has to be asked for. */
		if (s->most != SIZE_MAX || (size_t)k < n)
			s->ready = false;
		return (size_t)k;
	}
	if (k == -1 && errno == EINTR)
		return 0;
	s->ready = false;
	if (k == -1 && errno != EAGAIN && errno != EWOULDBLOCK)
		s->error = errno;
	else
		run_watch(r, &s->watch, POLLOUT);
	return 0;
}

void
output_begin(struct run *r)
{
	sink_init(r, &r->out, STDOUT_FILENO);
	/* As for any program: it is the first byte that cannot be written. */
	if (r->out_closed)
		r->out.fd = -1;
	sink_init(r, &r->err, STDERR_FILENO);
	r->line_of = ORCM_RANK_NONE;
}

void
output_close(struct run *r, uint32_t rank)
{
	run_close(r, &r->reps[rank].out);
}

/* It gets what any program gets whose reader has gone. */
static void
output_drop(struct run *r, uint32_t rank)
{
	output_close(r, rank);
	act_rank(r, JOB_IN_OUT_EOF, rank, r->job.ranks[rank].incarnation, 0);
}

void
output_start(struct run *r, uint32_t rank, int fd)
{
	struct rep *p = &r->reps[rank];

	output_close(r, rank);
	watch_init(&p->out, on_out, p);
	p->out.fd = fd;
	if (r->job.closed) {
		output_drop(r, rank);
		return;
	}
	(void)fd_nonblock(fd, true);
	(void)fd_pipe_size(fd, 256 * 1024);
	run_watch(r, &p->out, POLLIN);
}

static void
out_broken(struct run *r)
{
	struct job_in in = { .event = JOB_IN_CLOSED };
	uint32_t i;

	if (r->job.closed)
		return;
	if (r->out.error != EPIPE)
		run_note(r, "stdout: %s", strerror(r->out.error));
	/* Nobody reads: as any program's end.  Else it is we who failed. */
	in.value = r->out.error == EPIPE || r->out.error == ECONNRESET ||
		r->out.error == EBADF ? 128 + SIGPIPE : JOB_OUR_FAULT;
	act_feed(r, &in);
	for (i = 0; i < r->opt.n; i++)
		if (r->reps[i].out.fd != -1)
			output_drop(r, i);
}

/*
 * -L: a line gets its label when it begins, and nobody else's line begins
 * before it has ended.  Bytes of the stream that were written.
 */
static size_t
write_labelled(struct run *r, uint32_t rank, const uint8_t *at, size_t n)
{
	char label[16];
	const uint8_t *end;
	size_t k, len;

	if (r->line_of == ORCM_RANK_NONE) {
		len = (size_t)snprintf(label, sizeof(label), "%u: ", rank);
		/* A label is far below PIPE_BUF: it goes whole or not. */
		if (sink_write(r, &r->out, label, len) == 0)
			return 0;
		r->line_of = rank;
	}
	end = memchr(at, '\n', n);
	len = end != NULL ? (size_t)(end - at) + 1 : n;
	k = sink_write(r, &r->out, at, len);
	if (end != NULL && k == len)
		r->line_of = ORCM_RANK_NONE;
	return k;
}

/* Does this replica hold a whole line, or a piece too long to wait for? */
static bool
line_there(struct run *r, uint32_t rank, const uint8_t *at, size_t n)
{
	const struct splice *s = &r->splices[rank];
	uint64_t more = s->ranks[0].pos - s->done - n;

	if (r->line_of == rank || memchr(at, '\n', n) != NULL ||
	    s->ranks[0].ended || n + more >= LABEL_LINE / 2 ||
	    n + more >= r->opt.window / 2)
		return true;
	/* The rest of it is at the other end of the ring. */
	return memchr(s->lanes[s->trunk].buf, '\n', (size_t)more) != NULL;
}

static bool
deliver(struct run *r, uint32_t which)
{
	struct splice *s = &r->splices[which];
	const uint8_t *at;
	size_t n, k;
	bool any = false;

	while ((n = splice_deliver(s, &at)) > 0) {
		if (r->opt.label) {
			if (r->line_of != ORCM_RANK_NONE &&
			    r->line_of != which)
				return any;
			if (!line_there(r, which, at, n))
				return any;
			k = write_labelled(r, which, at, n);
		} else {
			k = sink_write(r, &r->out, at, n);
		}
		if (k == 0)
			break;
		splice_delivered(s, k);
		any = true;
	}
	if (r->opt.label && r->line_of == which && splice_complete(s) &&
	    sink_write(r, &r->out, "\n", 1) == 1)
		r->line_of = ORCM_RANK_NONE;
	if (r->out.error != 0)
		out_broken(r);
	return any;
}

static uint32_t
splices_len(const struct run *r)
{
	return r->policy.ops->delivery == ORCM_DELIVER_ALL ? r->opt.n : 1;
}

/* Takes what one replica has written; false when its pipe is empty. */
static void
drain(struct run *r, uint32_t rank)
{
	struct rep *p = &r->reps[rank];
	uint32_t member;
	struct splice *s = job_splice(&r->job, rank, &member);
	uint8_t *at;
	size_t room;
	ssize_t k;
	int i;

	for (i = 0; i < READS_MAX && p->out.fd != -1; i++) {
		room = splice_room(s, member, &at);
		if (room == 0) {
			splice_took(s, member, 0);
			/* The core gives room again when bytes have gone. */
			run_watch(r, &p->out, 0);
			return;
		}
		k = read(p->out.fd, at, room);
		splice_took(s, member, k > 0 ? (size_t)k : 0);
		if (k == 0) {
			output_close(r, rank);
			act_rank(r, JOB_IN_OUT_EOF, rank,
			    r->job.ranks[rank].incarnation, 0);
			return;
		}
		if (k < 0)
			break;
		if (rank == r->job.leader || splices_len(r) > 1)
			(void)deliver(r, splices_len(r) > 1 ? rank : 0);
		if ((size_t)k < room)
			break;
	}
}

static void
on_out(struct watch *w, short revents)
{
	struct rep *p = w->arg;

	(void)revents;
	drain(p->run, p->rank);
}

static void
report(struct run *r, const struct splice_out *o)
{
	static const char *const how[] = {
		[SPLICE_BYTES] = "differs",
		[SPLICE_SHORTER] = "ends early",
		[SPLICE_LONGER] = "goes on after the end",
	};
	char theirs[3 * SPLICE_SHOWN + 1] = "", ours[3 * SPLICE_SHOWN + 1] = "";
	uint32_t i;

	client_say(&r->client, "diverged", r->name, o->rank,
	    "offset=%llu until=%llu", (unsigned long long)o->from,
	    (unsigned long long)o->to);
	if (o->from == o->to)
		run_note(r, "rank %u: its output %s at byte %llu", o->rank,
		    how[o->how], (unsigned long long)o->from);
	else
		run_note(r, "rank %u: its output %s between bytes %llu and "
		    "%llu", o->rank, how[o->how],
		    (unsigned long long)o->from, (unsigned long long)o->to);
	if (!r->opt.verbose)
		return;
	for (i = 0; i < o->theirs_len; i++)
		(void)snprintf(theirs + 3 * i, 4, " %02x", o->theirs[i]);
	for (i = 0; i < o->ours_len; i++)
		(void)snprintf(ours + 3 * i, 4, " %02x", o->ours[i]);
	run_note(r, "rank %u:%s instead of%s", o->rank,
	    o->theirs_len > 0 ? theirs : " (nothing)",
	    o->ours_len > 0 ? ours : " (nothing)");
}

void
output_pump(struct run *r)
{
	struct splice_out o;
	uint32_t i, member;
	uint8_t *at;

	for (i = 0; i < splices_len(r); i++)
		(void)deliver(r, i);
	for (i = 0; i < r->opt.n; i++) {
		struct rep *p = &r->reps[i];
		struct splice *s;

		if (p->out.fd == -1 || p->out.at != SIZE_MAX)
			continue;
		s = job_splice(&r->job, i, &member);
		if (splice_room(s, member, &at) > 0)
			run_watch(r, &p->out, POLLIN);
		splice_took(s, member, 0);
	}
	/* Who is told to die ends somewhere: that is no difference. */
	while (splices_len(r) == 1 &&
	    (!r->job.stopping || r->job.finished != 0) &&
	    splice_take(&r->splices[0], &o))
		report(r, &o);
}
