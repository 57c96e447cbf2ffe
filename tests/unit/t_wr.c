/* SPDX-License-Identifier: ISC */
#include "base/rd.h"
#include "base/wr.h"

#include "aborts.h"
#include "tap.h"

static void
numbers_are_big_endian(void)
{
	static const uint8_t want[] = { 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6,
		0xe7, 0xf8, 0x09, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e, 0x6f, 'x' };
	uint8_t out[sizeof(want)];
	struct wr w;

	wr_init(&w, out, sizeof(out));
	is_u64(wr_size(&w), 0, "nothing written yet");
	wr_u8(&w, 0x81);
	wr_u16(&w, 0x92a3);
	wr_u32(&w, 0xb4c5d6e7);
	wr_u64(&w, UINT64_C(0xf8091a2b3c4d5e6f));
	wr_bytes(&w, "x", 1);
	wr_bytes(&w, NULL, 0);
	ok(!wr_bad(&w), "all of it fits");
	is_u64(wr_size(&w), sizeof(want), "its size");
	ok(memcmp(out, want, sizeof(want)) == 0, "most significant byte first");
}

/* Writes the same things with every room, and one byte too few is bad. */
static void
write_one(struct wr *w, int what)
{
	switch (what) {
	case 0:
		wr_u8(w, 0xff);
		break;
	case 1:
		wr_u16(w, 0xffff);
		break;
	case 2:
		wr_u32(w, UINT32_MAX);
		break;
	case 3:
		wr_u64(w, UINT64_MAX);
		break;
	case 4:
		wr_bytes(w, "\377\377\377", 3);
		break;
	case 5:
		wr_tlv_u8(w, 0xffff, 0xff);
		break;
	case 6:
		wr_tlv_u16(w, 0xffff, 0xffff);
		break;
	case 7:
		wr_tlv_u32(w, 0xffff, UINT32_MAX);
		break;
	case 8:
		wr_tlv_u64(w, 0xffff, UINT64_MAX);
		break;
	case 9:
		wr_tlv_str(w, 0xffff, "\377\377");
		break;
	default:
		wr_tlv(w, 0xffff, NULL, 0);
		break;
	}
}

static void
what_does_not_fit_leaves_no_trace(void)
{
	static const size_t sizes[] = { 1, 2, 4, 8, 3, 5, 6, 8, 12, 6, 4 };
	uint8_t out[16];
	struct wr w;
	size_t i, room, n;
	bool fits = true, clean = true, sticks = true;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (room = 0; room <= sizes[i]; room++) {
			memset(out, 0, sizeof(out));
			wr_init(&w, out, room);
			write_one(&w, (int)i);
			fits = fits && wr_bad(&w) == (room < sizes[i]) &&
			    wr_size(&w) == (room < sizes[i] ? 0 : sizes[i]);
			if (!wr_bad(&w))
				continue;
			wr_u8(&w, 0xff);
			wr_bytes(&w, NULL, 0);
			sticks = sticks && wr_bad(&w) && wr_size(&w) == 0;
			for (n = 0; n < sizeof(out); n++)
				clean = clean && out[n] == 0;
		}
	ok(fits, "fits exactly when there is room for all of it");
	ok(clean, "and is not written in part");
	ok(sticks, "and nothing fits later");
}

static void
a_tlv_is_type_size_value(void)
{
	static const uint8_t want[] = { 0x80, 0x03, 0, 4, 1, 2, 3, 4, 0, 13, 0,
		2, 'h', 'i', 0, 12, 0, 2, 0xab, 0xcd, 0, 6, 0, 1, 9, 0, 7, 0, 8,
		0, 0, 0, 0, 0, 0, 0, 5, 0, 10, 0, 0 };
	uint8_t out[64];
	struct wr w;

	wr_init(&w, out, sizeof(out));
	wr_tlv_u32(&w, 0x8003, 0x01020304);
	wr_tlv_str(&w, 13, "hi");
	wr_tlv_u16(&w, 12, 0xabcd);
	wr_tlv_u8(&w, 6, 9);
	wr_tlv_u64(&w, 7, 5);
	wr_tlv(&w, 10, NULL, 0);
	is_u64(wr_size(&w), sizeof(want), "size of six TLVs");
	ok(memcmp(out, want, sizeof(want)) == 0, "their bytes");
}

static void
a_tlv_of_64_kib_is_refused(void)
{
	static uint8_t out[70000], value[65536];
	struct wr w;

	wr_init(&w, out, sizeof(out));
	wr_tlv(&w, 1, value, 65535);
	ok(!wr_bad(&w) && wr_size(&w) == 65539, "65535 bytes are a TLV");
	wr_init(&w, out, sizeof(out));
	wr_tlv(&w, 1, value, 65536);
	ok(wr_bad(&w) && wr_size(&w) == 0, "65536 bytes are not");
	wr_u8(&w, 1);
	ok(wr_size(&w) == 0, "and the writer stays bad");
}

static void
a_patch_overwrites(void)
{
	uint8_t out[8];
	struct wr w;
	struct rd r;

	wr_init(&w, out, sizeof(out));
	wr_u64(&w, 0);
	wr_patch_u32(&w, 4, 0xdeadbeef);
	rd_init(&r, out, sizeof(out));
	is_u64(rd_u64(&r), 0xdeadbeef, "the last four bytes");
	is_u64(wr_size(&w), 8, "no byte more");
	wr_u8(&w, 1);
	wr_patch_u32(&w, 0, 1);
	ok(wr_bad(&w) && out[3] == 0, "no patch on a bad writer");
}

static void
patch_what_is_not_there(void)
{
	uint8_t out[8] = { 0 };
	struct wr w;

	wr_init(&w, out, sizeof(out));
	wr_u32(&w, 0);
	wr_patch_u32(&w, 1, 0);
}

int
main(void)
{
	numbers_are_big_endian();
	what_does_not_fit_leaves_no_trace();
	a_tlv_is_type_size_value();
	a_tlv_of_64_kib_is_refused();
	a_patch_overwrites();
	ok(aborts(patch_what_is_not_there), "a patch beyond the end aborts");
	return done_testing();
}
