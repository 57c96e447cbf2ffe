/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/rd.h"
#include "core/beat.h"

/* A list with a node more would not fit TLV_HEARD. */
_Static_assert(MEMB_NODES_MAX * 2 == 256, "as in wire.def");

size_t
beat_put(const struct memb_beat *b, uint8_t *out, size_t size)
{
	struct wire_header h = { .type = WIRE_BEAT };
	uint8_t heard[MEMB_NODES_MAX * 2];
	struct wr w;
	size_t i;

	for (i = 0; i < b->heard_len; i++) {
		heard[2 * i] = (uint8_t)(b->heard[i] >> 8);
		heard[2 * i + 1] = (uint8_t)b->heard[i];
	}
	wire_begin(&w, out, size, &h);
	wr_tlv_u8(&w, TLV_LINK, b->link);
	wr_tlv_u8(&w, TLV_FLAGS, b->flags);
	wr_tlv_u32(&w, TLV_PERIOD_US, b->period_us);
	wr_tlv_u8(&w, TLV_MULT, b->mult);
	wr_tlv_u32(&w, TLV_LATE_US, b->late_us);
	wr_tlv_u8(&w, TLV_HEALTH, b->health);
	wr_tlv_u64(&w, TLV_SEQ, b->seq);
	wr_tlv_u64(&w, TLV_VIEW, b->view);
	wr_tlv_u64(&w, TLV_DIGEST, b->digest);
	wr_tlv_u64(&w, TLV_ELECT, b->elect);
	wr_tlv(&w, TLV_HEARD, heard, 2u * b->heard_len);
	return wire_end(&w, 0);
}

bool
beat_get(struct memb_beat *b, const struct wire_msg *m)
{
	struct rd r;

	memset(b, 0, sizeof(*b));
	b->node = (uint16_t)(m->h.sender >> 16);
	b->epoch = m->h.epoch;
	b->count = m->h.counter;
	b->link = (uint8_t)wire_num(m, TLV_LINK);
	b->flags = (uint8_t)wire_num(m, TLV_FLAGS);
	b->period_us = (uint32_t)wire_num(m, TLV_PERIOD_US);
	b->mult = (uint8_t)wire_num(m, TLV_MULT);
	b->late_us = (uint32_t)wire_num(m, TLV_LATE_US);
	b->health = (uint8_t)wire_num(m, TLV_HEALTH);
	b->seq = wire_num(m, TLV_SEQ);
	b->view = wire_num(m, TLV_VIEW);
	b->digest = wire_num(m, TLV_DIGEST);
	b->elect = wire_num(m, TLV_ELECT);
	rd_init(&r, m->tlv[TLV_HEARD].p, m->tlv[TLV_HEARD].size);
	while (rd_left(&r) > 0 && b->heard_len < MEMB_NODES_MAX)
		b->heard[b->heard_len++] = rd_u16(&r);
	return rd_done(&r);
}
