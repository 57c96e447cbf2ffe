/* SPDX-License-Identifier: ISC */
/*
 * The replicas' stderr.  The leader's is passed on; of the others the last
 * lines are kept, to be shown when one fails.  What the first leader wrote
 * before anybody led is not lost: it is in the same ring.
 */
#include "run/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/log.h"

static void on_err(struct watch *w, short revents);

void
run_note(struct run *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	size_t n;
	int k;

	if (r->opt.quiet)
		return;
	n = (size_t)snprintf(text, sizeof(text), "orcm-run: ");
	va_start(ap, fmt);
	k = vsnprintf(text + n, sizeof(text) - n - 1, fmt, ap);
	va_end(ap);
	if (k < 0)
		return;
	n += (size_t)k < sizeof(text) - n - 1 ? (size_t)k :
						 sizeof(text) - n - 2;
	text[n++] = '\n';
	(void)fd_write_all(STDERR_FILENO, text, n, 1000);
}

void
errout_begin(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->opt.n; i++)
		watch_init(&r->reps[i].err, on_err, &r->reps[i]);
}

void
errout_close(struct run *r, uint32_t rank)
{
	run_close(r, &r->reps[rank].err);
}

void
errout_start(struct run *r, uint32_t rank, int fd)
{
	struct rep *p = &r->reps[rank];

	errout_close(r, rank);
	watch_init(&p->err, on_err, p);
	p->err.fd = fd;
	p->err_head = p->err_tail = 0;
	p->err_shown = false;
	if (fd == -1)
		return;
	(void)fd_nonblock(fd, true);
	run_watch(r, &p->err, POLLIN);
}

/* Does what this replica writes go to our stderr as it comes? */
static bool
passes(const struct run *r, uint32_t rank)
{
	return r->opt.err == RUN_STDERR_ALL ||
	    r->policy.ops->delivery == ORCM_DELIVER_ALL ||
	    rank == (r->policy.ops->delivery == ORCM_DELIVER_MAJORITY ?
			    0 :
			    r->job.leader);
}

static bool
nobody_leads(const struct run *r)
{
	return r->policy.ops->delivery == ORCM_DELIVER_LEADER &&
	    r->job.leader == ORCM_RANK_NONE;
}

/* Writes on from the ring; false when our stderr takes no more now. */
static bool
flush(struct run *r, struct rep *p)
{
	size_t n, k;

	while (p->err_tail < p->err_head) {
		n = ERR_RING - (size_t)(p->err_tail % ERR_RING);
		if (n > p->err_head - p->err_tail)
			n = (size_t)(p->err_head - p->err_tail);
		k = sink_write(r, &r->err, p->err_ring +
		    p->err_tail % ERR_RING, n);
		if (k == 0)
			break;
		p->err_tail += k;
	}
	if (r->err.error != 0)
		p->err_tail = p->err_head;
	return p->err_tail == p->err_head;
}

static void
drain(struct run *r, struct rep *p)
{
	size_t n;
	ssize_t k;

	while (p->err.fd != -1) {
		if (passes(r, p->rank) && !flush(r, p)) {
			run_watch(r, &p->err, 0);
			return;
		}
		/* Nobody leads yet: keep all of it as long as that goes. */
		if (nobody_leads(r) && p->err_head - p->err_tail == ERR_RING) {
			run_watch(r, &p->err, 0);
			return;
		}
		n = ERR_RING - (size_t)(p->err_head % ERR_RING);
		if (nobody_leads(r) &&
		    n > ERR_RING - (p->err_head - p->err_tail))
			n = (size_t)(ERR_RING - (p->err_head - p->err_tail));
		k = read(p->err.fd, p->err_ring + p->err_head % ERR_RING, n);
		if (k == 0) {
			errout_close(r, p->rank);
			return;
		}
		if (k < 0)
			return;
		p->err_head += (size_t)k;
		if (p->err_head - p->err_tail > ERR_RING)
			p->err_tail = p->err_head - ERR_RING;
	}
}

static void
on_err(struct watch *w, short revents)
{
	struct rep *p = w->arg;

	(void)revents;
	drain(p->run, p);
}

void
errout_pump(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->opt.n; i++) {
		struct rep *p = &r->reps[i];

		if (passes(r, i))
			(void)flush(r, p);
		if (p->err.fd != -1 && p->err.at == SIZE_MAX &&
		    (!passes(r, i) || p->err_tail == p->err_head) &&
		    !(nobody_leads(r) &&
			p->err_head - p->err_tail == ERR_RING))
			run_watch(r, &p->err, POLLIN);
	}
}

bool
errout_rest(struct run *r)
{
	bool rest = false;
	uint32_t i;

	for (i = 0; i < r->opt.n; i++) {
		if (!passes(r, i))
			continue;
		drain(r, &r->reps[i]);
		rest |= !flush(r, &r->reps[i]);
	}
	return rest;
}

/* Where the last n lines begin. */
static uint64_t
last_lines(const struct rep *p, unsigned n)
{
	uint64_t at = p->err_head, low = p->err_head > ERR_RING ?
	    p->err_head - ERR_RING : 0;

	if (low < p->err_tail)
		low = p->err_tail;
	while (at > low) {
		if (p->err_ring[(at - 1) % ERR_RING] == '\n' &&
		    at != p->err_head && n-- == 1)
			break;
		at--;
	}
	return at;
}

void
errout_show(struct run *r, uint32_t rank)
{
	struct rep *p = &r->reps[rank];
	char line[256];
	uint64_t at;
	size_t n = 0;

	drain(r, p);
	if (r->opt.quiet || passes(r, rank) ||
	    r->opt.err != RUN_STDERR_LEADER)
		return;
	for (at = last_lines(p, ERR_LINES); at < p->err_head; at++) {
		char c = (char)p->err_ring[at % ERR_RING];

		if (c != '\n' && n < sizeof(line) - 1)
			line[n++] = c;
		if (c != '\n' && at + 1 < p->err_head)
			continue;
		line[n] = '\0';
		run_note(r, "rank %u: %s", rank, line);
		n = 0;
	}
	p->err_tail = p->err_head;
}
