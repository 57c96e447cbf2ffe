/* SPDX-License-Identifier: ISC */
#ifndef AUTH_TALK_H
#define AUTH_TALK_H

#include "auth_side.h"
#include "tap.h"

/* Two nodes and a connection between them, step by step. */

/* The three frames of a handshake, as they were sent. */
enum {
	HELLO,
	REPLY,
	CONFIRM,
	STEPS
};

struct talk {
	struct auth_stream c, s;
	uint8_t p[STEPS][AUTH_BEFORE_MAX];
	size_t size[STEPS];
	enum auth_verdict client, server; /* the last of each */
};

struct record {
	size_t size;
	uint8_t p[SIDE_ROOM];
};

static struct side a, b; /* node 1 connects, node 2 is connected to */
static struct talk t;
static uint64_t now;

static inline void
begin(void)
{
	now = 100 * ORCM_SECOND;
	side_begin(&a, 1, 10);
	side_begin(&b, 2, 20);
}

static inline void
end(void)
{
	side_end(&a);
	side_end(&b);
}

static inline enum auth_verdict
step(struct side *n, struct auth_stream *s, const uint8_t *p, size_t size,
    uint8_t *out, size_t *out_size)
{
	/* Of its exact size, for the address sanitizer. */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	enum auth_verdict v;

	REQUIRE(copy != NULL);
	memcpy(copy, p, size);
	v = auth_stream_step(&n->a, s, copy, size, out, out_size);
	free(copy);
	return v;
}

/* Goes on from a step whose frame is in t; a frame lost ends it. */
static inline void
go_on(unsigned from)
{
	uint8_t out[AUTH_BEFORE_MAX];
	size_t n;

	if (from <= HELLO && t.size[HELLO] != 0)
		t.server = step(&b, &t.s, t.p[HELLO], t.size[HELLO],
		    t.p[REPLY], &t.size[REPLY]);
	if (from <= REPLY && t.size[REPLY] != 0)
		t.client = step(&a, &t.c, t.p[REPLY], t.size[REPLY],
		    t.p[CONFIRM], &t.size[CONFIRM]);
	if (t.size[CONFIRM] != 0) {
		t.server = step(&b, &t.s, t.p[CONFIRM], t.size[CONFIRM], out,
		    &n);
		REQUIRE(n == 0);
	}
}

static inline void
connect_to(uint16_t peer)
{
	memset(&t, 0, sizeof(t));
	t.size[HELLO] = auth_stream_connect(&a.a, &t.c, peer, t.p[HELLO]);
	auth_stream_accept(&t.s);
}

/* All that comes before that frame; it is made, but not given yet. */
static inline void
lead_up_to(unsigned which)
{
	connect_to(2);
	if (which > HELLO)
		t.server = step(&b, &t.s, t.p[HELLO], t.size[HELLO],
		    t.p[REPLY], &t.size[REPLY]);
	if (which > REPLY)
		t.client = step(&a, &t.c, t.p[REPLY], t.size[REPLY],
		    t.p[CONFIRM], &t.size[CONFIRM]);
}

static inline bool
both_ready(void)
{
	return t.c.step == AUTH_STEP_READY && t.s.step == AUTH_STEP_READY;
}

static inline bool
talk(void)
{
	connect_to(2);
	go_on(HELLO);
	return both_ready();
}

static inline void
put(struct side *n, struct auth_stream *s, struct record *r)
{
	r->size = auth_stream_seal(&n->a, s, r->p,
	    side_frame(r->p, sizeof(r->p), WIRE_BYE, NULL), sizeof(r->p));
}

static inline enum auth_verdict
get(struct side *n, struct auth_stream *s, const struct record *r)
{
	uint8_t *p = malloc(r->size > 0 ? r->size : 1);
	enum auth_verdict v;

	REQUIRE(p != NULL);
	memcpy(p, r->p, r->size);
	v = auth_stream_open(&n->a, s, p, r->size);
	free(p);
	return v;
}

#endif
