/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/beat.h"

#include "tap.h"

static const struct memb_beat sample = {
	.node = 0x102,
	.link = 3,
	.flags = MEMB_BEAT_STALLED,
	.epoch = UINT64_C(0x0102030405060708),
	.count = 77,
	.period_us = 50000,
	.mult = 4,
	.health = 200,
	.late_us = 1234,
	.seq = UINT64_C(0x1112131415161718),
	.view = UINT64_C(0x2122232425262728),
	.digest = UINT64_C(0x3132333435363738),
	.elect = UINT64_C(0x4142434445464748),
};

/* What the core "auth" writes into the header. */
static void
address(uint8_t *p, const struct memb_beat *b)
{
	unsigned i;

	p[20] = (uint8_t)(b->node >> 8);
	p[21] = (uint8_t)b->node;
	for (i = 0; i < 8; i++) {
		p[24 + i] = (uint8_t)(b->epoch >> (56 - 8 * i));
		p[32 + i] = (uint8_t)(b->count >> (56 - 8 * i));
	}
}

static bool
comes_back(const struct memb_beat *b, size_t *size)
{
	uint8_t p[1024];
	struct memb_beat got;
	struct wire_msg m;

	*size = beat_put(b, p, sizeof(p));
	address(p, b);
	return wire_parse(&m, p, *size, WIRE_BY_NODE) == WIRE_OK &&
	       beat_get(&got, &m) && got.node == b->node &&
	       got.link == b->link && got.flags == b->flags &&
	       got.epoch == b->epoch && got.count == b->count &&
	       got.period_us == b->period_us && got.mult == b->mult &&
	       got.health == b->health && got.late_us == b->late_us &&
	       got.seq == b->seq && got.view == b->view &&
	       got.digest == b->digest && got.elect == b->elect &&
	       got.heard_len == b->heard_len &&
	       memcmp(got.heard, b->heard,
		   b->heard_len * sizeof(b->heard[0])) == 0;
}

static void
beats_come_back(void)
{
	struct memb_beat b = sample;
	size_t size;

	ok(comes_back(&b, &size), "a beat that hears nobody");
	for (; b.heard_len < 8; b.heard_len++)
		b.heard[b.heard_len] = (uint16_t)(0x101 * b.heard_len);
	ok(comes_back(&b, &size), "eight nodes");
	ok(size < 200, "in %zu bytes", size);
	for (; b.heard_len < MEMB_NODES_MAX; b.heard_len++)
		b.heard[b.heard_len] = (uint16_t)(0x1ff - b.heard_len);
	ok(comes_back(&b, &size), "the most nodes");
	ok(size < 500, "in %zu bytes", size);
}

static void
a_list_of_odd_bytes_is_none(void)
{
	uint8_t p[1024];
	struct memb_beat b = sample;
	struct wire_msg m;
	size_t size;

	b.heard_len = 1;
	size = beat_put(&b, p, sizeof(p));
	/* The list is the last TLV: one byte less of it. */
	p[size - 3]--;
	p[11]--;
	p[15]--;
	ok(wire_parse(&m, p, size - 1, WIRE_BY_NODE) == WIRE_OK &&
		!beat_get(&b, &m),
	    "refused");
	ok(beat_put(&sample, p, 100) == 0, "no room is no frame");
}

int
main(void)
{
	beats_come_back();
	a_list_of_odd_bytes_is_none();
	return done_testing();
}
