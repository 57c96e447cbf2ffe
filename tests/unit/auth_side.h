/* SPDX-License-Identifier: ISC */
#ifndef AUTH_SIDE_H
#define AUTH_SIDE_H

#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "core/auth.h"

/*
 * Nodes with a keyring, and what must not change in one of them: for the
 * tests of core/auth.h and for its fuzzer.
 */
#define SIDE_DVM 0x01020304u
#define SIDE_NODES 4
#define SIDE_ROOM (WIRE_CONTROL_MAX + MAC_TAG)

struct side {
	struct auth a;
	uint8_t *memory;
	size_t memory_size;
};

/* A datagram and how it was sent. */
struct parcel {
	uint16_t dst;
	size_t size;
	uint8_t p[SIDE_ROOM];
};

static inline void
side_key(uint8_t key[MAC_KEY], uint16_t id)
{
	memset(key, 0x40 + id, MAC_KEY);
}

/* A life of a node without keys; side_end() frees it. */
static inline void
side_begin_in(struct side *s, uint32_t dvm, uint16_t node, uint64_t epoch)
{
	struct auth_conf conf = {
		.dvm = dvm,
		.node = node,
		.epoch = epoch,
		.nodes_max = SIDE_NODES,
	};
	struct arena arena;

	memset(conf.seed, (int)(node + epoch), sizeof(conf.seed));
	s->memory_size = auth_memory(&conf);
	s->memory = calloc(1, s->memory_size);
	REQUIRE(s->memory != NULL);
	arena_init(&arena, s->memory, s->memory_size);
	auth_init(&s->a, &arena, &conf);
}

static inline void
side_add(struct side *s, uint16_t id)
{
	uint8_t key[MAC_KEY];

	side_key(key, id);
	REQUIRE(auth_key_add(&s->a, id, key));
}

/* With key 1. */
static inline void
side_begin(struct side *s, uint16_t node, uint64_t epoch)
{
	side_begin_in(s, SIDE_DVM, node, epoch);
	side_add(s, 1);
}

static inline void
side_end(struct side *s)
{
	auth_wipe(&s->a);
	free(s->memory);
	s->memory = NULL;
}

/* All that may not change by itself: a copy, and is it still so? */
static inline void
side_copy(struct side *to, const struct side *s)
{
	*to = *s;
	memcpy(&to->a, &s->a, sizeof(s->a));
	to->memory = malloc(s->memory_size);
	REQUIRE(to->memory != NULL);
	memcpy(to->memory, s->memory, s->memory_size);
}

static inline bool
side_same(const struct side *was, const struct side *s)
{
	struct auth a, b;

	memcpy(&a, &was->a, sizeof(a));
	memcpy(&b, &s->a, sizeof(b));
	memset(&a.counts, 0, sizeof(a.counts));
	memset(&b.counts, 0, sizeof(b.counts));
	/* How many nonces were drawn: one for each call on a stream. */
	a.nonces_len = b.nonces_len = 0;
	return memcmp(&a, &b, sizeof(a)) == 0 &&
	    memcmp(was->memory, s->memory, s->memory_size) == 0;
}

/* A frame without a header that means anything: auth fills it. */
static inline size_t
side_frame(uint8_t *p, size_t room, enum wire_type type,
    const uint8_t *nonce)
{
	struct wire_header h = { .type = (uint8_t)type, .sender = 7 };
	struct wr w;
	size_t size;

	wire_begin(&w, p, room, &h);
	if (nonce != NULL)
		wr_tlv(&w, TLV_NONCE, nonce, AUTH_NONCE);
	size = wire_end(&w, 0);
	REQUIRE(size != 0);
	return size;
}

static inline void
side_send(struct side *s, uint16_t dst, struct parcel *d)
{
	d->dst = dst;
	d->size = auth_seal(&s->a, dst, d->p,
	    side_frame(d->p, sizeof(d->p), WIRE_BYE, NULL), sizeof(d->p));
	REQUIRE(d->size != 0);
}

static inline enum auth_verdict
side_open(struct side *s, uint64_t now, const struct parcel *d,
    struct auth_from *from)
{
	/* Of its exact size, for the address sanitizer. */
	uint8_t *p = malloc(d->size > 0 ? d->size : 1);
	enum auth_verdict v;

	REQUIRE(p != NULL);
	memcpy(p, d->p, d->size);
	v = auth_open(&s->a, now, d->dst == 0 ? AUTH_MULTICAST : AUTH_UNICAST,
	    p, d->size, from);
	free(p);
	return v;
}

static inline enum auth_verdict
side_get(struct side *s, uint64_t now, const struct parcel *d)
{
	struct auth_from from;

	return side_open(s, now, d, &from);
}

/* What the switchboard does: `from` is told to prove, and does. */
static inline bool
side_prove(struct side *to, struct side *from, uint64_t now,
    const uint8_t *nonce)
{
	struct parcel d;
	struct auth_from who;

	d.dst = to->a.conf.node;
	d.size = auth_seal(&from->a, d.dst, d.p,
	    side_frame(d.p, sizeof(d.p), WIRE_PROOF, nonce), sizeof(d.p));
	return side_open(to, now, &d, &who) == AUTH_UNPROVEN &&
	    auth_proved(&to->a, now, &who, nonce);
}

/* From now on `to` believes what comes from `from`. */
static inline bool
side_trust(struct side *to, struct side *from, uint64_t now)
{
	struct parcel d;
	struct auth_out out;

	side_send(from, 0, &d);
	return side_get(to, now, &d) == AUTH_UNPROVEN &&
	    auth_take(&to->a, &out) && side_prove(to, from, now, out.nonce);
}

#endif
