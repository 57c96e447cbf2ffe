/* SPDX-License-Identifier: ISC */
#ifndef CONN_SIDE_H
#define CONN_SIDE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wr.h"
#include "sys/conn.h"

/*
 * One end is a conn in a loop, the other a bare descriptor or a second conn.
 * Turns are driven by hand; a UNIX socket hands bytes over at once, so what
 * was sent before a turn is there in that turn.
 */
#define QUEUE_MAX 100000u
#define PAYLOAD 300000u

struct side {
	struct conn *c;
	unsigned frames, ends, idle;
	enum conn_end why;
	int error;
	uint64_t last;	   /* counter of the last frame */
	bool in_order;	   /* counters rose by one */
	size_t payload;	   /* size of the last one's, if it is as sent */
	size_t fds_len;	   /* came with frame fds_frame */
	uint64_t fds_frame;
	void (*then)(struct side *s); /* called from the frame callback */
	struct side *other;
	uint8_t frame[WIRE_HEADER];
};

static struct loop loop;
static uint8_t big[PAYLOAD + 64];

static inline size_t
make_frame(uint8_t *out, size_t size, uint64_t counter)
{
	struct wire_header h;
	struct wr w;

	memset(&h, 0, sizeof(h));
	h.type = WIRE_SETTLED;
	h.counter = counter;
	wire_begin(&w, out, size, &h);
	return wire_end(&w, 0);
}

/* A frame with payload bytes that can be checked. */
static inline size_t
make_big(uint64_t counter, size_t payload)
{
	struct wire_header h;
	struct wr w;
	size_t head, i;

	memset(&h, 0, sizeof(h));
	h.type = WIRE_SPEC;
	h.counter = counter;
	wire_begin(&w, big, sizeof(big), &h);
	wr_tlv_u32(&w, TLV_ARGC, 1);
	head = wr_size(&w);
	wire_end(&w, payload);
	for (i = 0; i < payload; i++)
		big[head + i] = (uint8_t)(i * 31 >> 4);
	return head + payload;
}

static inline void
on_frame(struct conn *c, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct side *s = c->arg;
	size_t i;

	s->frames++;
	s->in_order = s->in_order && m->h.counter == s->last + 1;
	s->last = m->h.counter;
	for (i = 0; i < m->payload_size; i++)
		if (m->payload[i] != (uint8_t)(i * 31 >> 4))
			break;
	s->payload = i;
	if (fds_len > 0) {
		s->fds_len = fds_len;
		s->fds_frame = m->h.counter;
		/* The first is taken and used, the others are left. */
		s->in_order = s->in_order && write(fds[0], "f", 1) == 1;
		close(fds[0]);
		fds[0] = -1;
	}
	if (s->then != NULL)
		s->then(s);
}

static inline void
on_end(struct conn *c, enum conn_end why)
{
	struct side *s = c->arg;

	s->error = errno;
	s->ends++;
	s->why = why;
}

/* A seal is good when each of its bytes is the frame's last one plus one. */
static inline bool
on_check(struct conn *c, const uint8_t *frame, size_t size,
    const uint8_t *tail)
{
	size_t i;

	for (i = 0; i < c->tail_size; i++)
		if (tail[i] != (uint8_t)(frame[size - 1] + 1))
			return false;
	return true;
}

static inline void
on_idle(struct conn *c)
{
	struct side *s = c->arg;

	s->idle++;
}

static const struct conn_ops ops = {
	.frame = on_frame,
	.idle = on_idle,
	.end = on_end,
	.check = on_check,
};

static inline void
side_init(struct side *s, struct conn *c)
{
	memset(s, 0, sizeof(*s));
	memset(c, 0xa5, sizeof(*c));
	s->c = c;
	s->in_order = true;
	conn_init(c, &loop, &ops, s);
}

static inline void
side_open(struct side *s, struct conn *c, int fd)
{
	side_init(s, c);
	if (conn_open(c, fd, WIRE_BY_CLIENT | WIRE_BY_RUN, WIRE_FRAME_MAX,
	    QUEUE_MAX) == -1)
		abort();
}

/* A conn and the bare descriptor of its peer. */
static inline int
open_one(struct side *s, struct conn *c)
{
	int fd[2];

	if (loop_init(&loop, 4, 1) == -1 || sock_pair(fd) == -1)
		abort();
	side_open(s, c, fd[0]);
	return fd[1];
}

static inline void
open_two(struct side *a, struct conn *ca, struct side *b, struct conn *cb)
{
	int fd[2];

	if (loop_init(&loop, 4, 1) == -1 || sock_pair(fd) == -1)
		abort();
	side_open(a, ca, fd[0]);
	side_open(b, cb, fd[1]);
}

/* A turn that does not wait when nothing is ready. */
static inline void
nothing_due(struct timer *t)
{
	(void)t;
}

static inline void
turn(void)
{
	struct timer t;

	timer_init(&t, nothing_due, NULL);
	loop_timer(&loop, &t, 0);
	loop_turn(&loop);
	loop_timer_stop(&loop, &t);
}

static inline void
turns(unsigned n)
{
	while (n-- > 0)
		turn();
}

static inline void
put(int fd, uint64_t from, uint64_t to)
{
	uint8_t frame[WIRE_HEADER];
	size_t size;

	for (; from <= to; from++) {
		size = make_frame(frame, sizeof(frame), from);
		if (sock_send(fd, frame, size, NULL, 0) != (ssize_t)size)
			abort();
	}
}

/* To see whether descriptors leak. */
static inline int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

#endif
