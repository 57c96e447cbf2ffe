/* SPDX-License-Identifier: ISC */
#ifndef FRAME_H
#define FRAME_H

#include <string.h>

#include "base/name.h"
#include "base/require.h"
#include "base/wire.h"

/*
 * Frames made from the table, and what must hold for each that was parsed:
 * for t_wire.c and for the fuzzer and its seeds.
 */
enum frame_length {
	FRAME_SHORTEST,
	FRAME_TYPICAL,
	FRAME_LONGEST
};

#define FRAME_TYPES 64 /* message numbers are below */

static const struct wire_header frame_header = {
	.flags = WIRE_FLAG_MORE | WIRE_FLAG_DEAD,
	.key = 0x0102,
	.dvm = 0x03040506,
	.sender = 0x0708090a,
	.epoch = UINT64_C(0x0b0c0d0e0f101112),
	.counter = UINT64_C(0x131415161718191a),
};

static inline size_t
frame_value_size(unsigned number, enum frame_length length)
{
	const struct wire_tlv_row *row = wire_tlv_row(number);

	switch (length) {
	case FRAME_SHORTEST:
		return row->min;
	case FRAME_LONGEST:
		return row->max;
	case FRAME_TYPICAL:
		break;
	}
	return row->min + (row->max - row->min) / 8u;
}

/* A record's value of size bytes, filled up with a TLV nobody knows. */
static inline void
frame_record(uint8_t *out, size_t size)
{
	static const uint8_t zeros[WIRE_CONTROL_MAX];
	struct wr w;

	wr_init(&w, out, size);
	if (size == 0)
		return;
	wr_tlv_str(&w, TLV_JOB, "job");
	wr_tlv_u16(&w, TLV_RANK, 2);
	wr_tlv_u32(&w, TLV_INCARNATION, 5);
	wr_tlv_u32(&w, TLV_PID, 4711);
	wr_tlv_u8(&w, TLV_STATE, 3);
	wr_tlv(&w, 0x7abc, zeros, size - wr_size(&w) - 4);
	REQUIRE(!wr_bad(&w) && wr_size(&w) == size);
}

/* A value that is good for that TLV: each one has other bytes. */
static inline void
frame_value(uint8_t *out, size_t size, unsigned number)
{
	const struct wire_tlv_row *row = wire_tlv_row(number);
	size_t i;

	if (row->form == WIRE_TLVS) {
		frame_record(out, size);
		return;
	}
	for (i = 0; i < size; i++)
		if (row->form == WIRE_STR || row->form == WIRE_NAME_FORM)
			out[i] = (uint8_t)('a' + (number + i) % 26);
		else
			out[i] = (uint8_t)(number * 5 + i);
}

/* One frame with those TLVs and no payload; returns its size. */
static inline size_t
frame_build(uint8_t *out, unsigned type, uint64_t tlvs,
    enum frame_length length)
{
	uint8_t value[WIRE_CONTROL_MAX];
	struct wire_header h = frame_header;
	struct wr w;
	unsigned n;
	size_t size;

	h.type = (uint8_t)type;
	wire_begin(&w, out, WIRE_CONTROL_MAX, &h);
	for (n = 1; n < WIRE_TLV_MAX; n++)
		if ((tlvs >> n & 1) != 0) {
			size = frame_value_size(n, length);
			frame_value(value, size, n);
			wr_tlv(&w, (uint16_t)n, value, size);
		}
	return wire_end(&w, 0);
}

/* Are all TLVs inside of p[size] and of their form? */
static inline bool
frame_tlvs_hold(const struct wire_msg *m, const uint8_t *p, size_t size)
{
	char text[WIRE_CONTROL_MAX];
	const struct wire_tlv_row *row;
	enum wire_tlv t;
	size_t n, len;

	for (n = 0; n < WIRE_TLV_MAX; n++) {
		t = (enum wire_tlv)n;
		row = wire_tlv_row((unsigned)n);
		if (!wire_has(m, t)) {
			if (m->tlv[n].p != NULL || m->tlv[n].size != 0)
				return false;
			continue;
		}
		len = m->tlv[n].size;
		if (row == NULL || len < row->min || len > row->max ||
		    m->tlv[n].p < p || len > size ||
		    (size_t)(m->tlv[n].p - p) > size - len)
			return false;
		if (row->form <= WIRE_U64) {
			if (len < 8 && wire_num(m, t) >> 8 * len != 0)
				return false;
		} else if (row->form <= WIRE_NAME_FORM) {
			wire_str(m, t, text, sizeof(text));
			if (strlen(text) != len ||
			    memcmp(text, m->tlv[n].p, len) != 0)
				return false;
		}
		if (row->form == WIRE_NAME_FORM && !name_ok(text, len))
			return false;
	}
	return true;
}

/* The same for a value, and for the value in it, down to the last. */
static inline bool
frame_values_hold(const uint8_t *p, size_t size)
{
	struct wire_msg m;

	while (wire_parse_value(&m, p, size) == WIRE_OK) {
		if (!frame_tlvs_hold(&m, p, size))
			return false;
		if (!wire_has(&m, TLV_VALUE))
			return true;
		p = m.tlv[TLV_VALUE].p;
		size = m.tlv[TLV_VALUE].size;
	}
	return m.has == 0;
}

/* What must hold after wire_parse() of p[size] with that verdict. */
static inline bool
frame_holds(const struct wire_msg *m, const uint8_t *p, size_t size,
    enum wire_verdict v)
{
	const struct wire_msg_row *row;

	if (v == WIRE_BAD)
		return m->has == 0 && m->payload == NULL && m->h.size == 0;
	if (v == WIRE_SHORT || m->h.size != size)
		return false;
	row = wire_msg_row(m->h.type);
	if (row == NULL || (m->has & row->needs) != row->needs ||
	    (m->has & ~(row->needs | row->may)) != 0)
		return false;
	if (m->payload_size > size || m->payload != p + size - m->payload_size)
		return false;
	if (m->payload_size > 0 && m->h.type != WIRE_SPEC)
		return false;
	if (wire_has(m, TLV_VALUE) &&
	    !frame_values_hold(m->tlv[TLV_VALUE].p, m->tlv[TLV_VALUE].size))
		return false;
	return frame_tlvs_hold(m, p, size);
}

static inline uint64_t
tlv_bit(unsigned number)
{
	return UINT64_C(1) << number;
}

/* All TLVs that such a message may have; it must be in the table. */
static inline uint64_t
all_tlvs(unsigned type)
{
	return wire_msg_row(type)->needs | wire_msg_row(type)->may;
}

static inline void
set_u32(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* Makes the header fit size bytes without payload. */
static inline void
set_sizes(uint8_t *p, size_t size)
{
	set_u32(p + 8, size);
	set_u32(p + 12, size - WIRE_HEADER);
}

/* Parses as anybody's frame, and looks at all that came out. */
static inline enum wire_verdict
verdict(const uint8_t *p, size_t size)
{
	struct wire_msg m;
	enum wire_verdict v;

	v = wire_parse(&m, p, size, WIRE_BY_ANY);
	REQUIRE(frame_holds(&m, p, size, v));
	return v;
}

#endif
