/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/rand.h"
#include "base/wire.h"

#include "frame.h"
#include "tap.h"

/*
 * Frames that are cut or damaged.  They lie in memory of exactly their size,
 * so that the address sanitizer sees a read of one byte too many; whatever
 * the verdict is, all that came out must hold (frame_holds()).
 */

static uint8_t *
exact(const uint8_t *p, size_t size)
{
	uint8_t *copy;

	copy = malloc(size > 0 ? size : 1);
	REQUIRE(copy != NULL);
	memcpy(copy, p, size);
	return copy;
}

static void
truncated_frames_are_refused(void)
{
	uint8_t whole[WIRE_CONTROL_MAX], *p;
	uint32_t frame;
	unsigned t;
	size_t size, n, full, v;
	bool bad = true, kept = true, waited = true;

	for (t = 0; t < FRAME_TYPES; t++) {
		if (wire_msg_row(t) == NULL)
			continue;
		full = frame_build(whole, t, all_tlvs(t), FRAME_LONGEST);
		for (n = 0; n < full; n++) {
			p = exact(whole, n);
			size = n < WIRE_HEADER ? WIRE_SHORT : WIRE_OK;
			waited = waited &&
			    wire_frame_size(p, n, full, &frame) == size;
			bad = bad && verdict(p, n) == WIRE_BAD;
			if (n >= WIRE_HEADER) {
				set_sizes(p, n);
				v = verdict(p, n);
				kept = kept && (v == WIRE_BAD || v == WIRE_OK);
			}
			free(p);
		}
	}
	ok(bad, "at every length");
	ok(waited, "and more is asked for only while the header is not there");
	ok(kept, "with a header that lies too");
}

static void
no_single_bit_does_harm(void)
{
	uint8_t whole[WIRE_CONTROL_MAX], *p;
	struct wire_msg m;
	uint32_t frame;
	unsigned t, length;
	size_t size, i;
	enum wire_verdict v;
	bool held = true;

	for (t = 0; t < FRAME_TYPES * 3; t++) {
		length = t % 3;
		if (wire_msg_row(t / 3) == NULL)
			continue;
		size = frame_build(whole, t / 3, all_tlvs(t / 3),
		    (enum frame_length)length);
		p = exact(whole, size);
		for (i = 0; i < size * 8; i++) {
			p[i / 8] ^= (uint8_t)(1u << i % 8);
			(void)wire_frame_size(p, size, WIRE_FRAME_MAX, &frame);
			v = wire_parse(&m, p, size, WIRE_BY_ANY);
			held = held && frame_holds(&m, p, size, v);
			p[i / 8] ^= (uint8_t)(1u << i % 8);
		}
		free(p);
	}
	ok(held, "in any message, of any length");
}

static void
no_random_damage_does_harm(void)
{
	uint8_t whole[WIRE_CONTROL_MAX], *p;
	struct rand rand;
	struct wire_msg m;
	unsigned t, turn, n;
	size_t size;
	enum wire_verdict v;
	bool held = true;

	rand_seed(&rand, 11);
	for (turn = 0; turn < 50000; turn++) {
		t = (unsigned)rand_below(&rand, FRAME_TYPES);
		if (wire_msg_row(t) == NULL)
			continue;
		size = frame_build(whole, t, all_tlvs(t), FRAME_TYPICAL);
		for (n = (unsigned)rand_below(&rand, 5); n > 0; n--)
			whole[WIRE_HEADER + rand_below(&rand, size)] =
			    (uint8_t)rand_u64(&rand);
		size = WIRE_HEADER + rand_below(&rand, size - WIRE_HEADER + 1);
		set_sizes(whole, size);
		p = exact(whole, size);
		v = wire_parse(&m, p, size, WIRE_BY_ANY);
		held = held && frame_holds(&m, p, size, v) &&
		    frame_values_hold(p + WIRE_HEADER, size - WIRE_HEADER);
		free(p);
	}
	ok(held, "50000 frames with some bytes overwritten");
}

int
main(void)
{
	truncated_frames_are_refused();
	no_single_bit_does_harm();
	no_random_damage_does_harm();
	return done_testing();
}
