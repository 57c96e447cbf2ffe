/* SPDX-License-Identifier: ISC */
#include "base/require.h"
#include "base/wire.h"

#include "../unit/frame.h"
#include "fuzz.h"

/* Writes the TLVs that were understood again: they must be parsed alike. */
static void
encode_again(const struct wire_msg *m)
{
	static uint8_t p[WIRE_CONTROL_MAX];
	static struct wire_msg again;
	struct wr w;
	unsigned n;
	size_t size;

	wire_begin(&w, p, sizeof(p), &m->h);
	for (n = 0; n < WIRE_TLV_MAX; n++)
		if ((m->has & tlv_bit(n)) != 0)
			wr_tlv(&w, (uint16_t)n, m->tlv[n].p, m->tlv[n].size);
	size = wire_end(&w, 0);
	REQUIRE(size != 0);
	REQUIRE(wire_parse(&again, p, size, WIRE_BY_ANY) == WIRE_OK);
	REQUIRE(again.has == m->has);
	REQUIRE(again.h.epoch == m->h.epoch);
	REQUIRE(again.h.counter == m->h.counter);
	for (n = 0; n < WIRE_TLV_MAX; n++) {
		REQUIRE(again.tlv[n].size == m->tlv[n].size);
		REQUIRE(again.tlv[n].size == 0 ||
		    memcmp(again.tlv[n].p, m->tlv[n].p, m->tlv[n].size) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_msg m;
	enum wire_verdict first, v;
	uint32_t frame = 0;

	first = wire_frame_size(data, size, WIRE_FRAME_MAX, &frame);
	REQUIRE(first != WIRE_DENIED);
	REQUIRE((first == WIRE_OK) == (frame != 0));
	REQUIRE(frame <= WIRE_FRAME_MAX);
	v = wire_parse(&m, data, size, WIRE_BY_ANY);
	REQUIRE(frame_holds(&m, data, size, v));
	if (v == WIRE_OK) {
		REQUIRE(first == WIRE_OK && frame == size);
		encode_again(&m);
	}
	REQUIRE(frame_values_hold(data, size));
	if (size > WIRE_HEADER)
		REQUIRE(frame_values_hold(data + WIRE_HEADER,
		    size - WIRE_HEADER));
	return 0;
}
