/* SPDX-License-Identifier: ISC */
#include "base/rd.h"

#include "tap.h"

static const uint8_t bytes[] = {
	0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8,
	0x09, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e, 0x6f, 0x70,
};

static void
numbers_are_big_endian(void)
{
	struct rd r;

	rd_init(&r, bytes, 15);
	is_u64(rd_u8(&r), 0x81, "u8");
	is_u64(rd_u16(&r), 0x92a3, "u16 at an odd address");
	is_u64(rd_u32(&r), 0xb4c5d6e7, "u32 at an odd address");
	ok(!rd_done(&r), "not done while bytes are left");
	is_u64(rd_left(&r), 8, "8 bytes left");
	is_u64(rd_u64(&r), UINT64_C(0xf8091a2b3c4d5e6f), "u64");
	ok(rd_done(&r), "done at the end");
	ok(!rd_bad(&r), "and not bad");
}

static void
every_read_beyond_the_end_is_refused(void)
{
	static const size_t sizes[] = { 1, 2, 4, 8 };
	struct rd r;
	uint64_t v;
	size_t i, n;
	bool all = true;

	for (i = 0; i < 4; i++)
		for (n = 0; n < sizes[i]; n++) {
			rd_init(&r, bytes, n);
			v = i == 0 ? rd_u8(&r) :
			    i == 1 ? rd_u16(&r) :
			    i == 2 ? rd_u32(&r) :
				     rd_u64(&r);
			all = all && v == 0 && rd_bad(&r) && !rd_done(&r) &&
			    rd_left(&r) == 0;
		}
	ok(all, "a number is never read in part");
}

static void
an_error_sticks(void)
{
	struct rd r;
	size_t size = 99;

	rd_init(&r, bytes, 3);
	is_u64(rd_u32(&r), 0, "4 of 3 bytes are 0");
	is_u64(rd_u8(&r), 0, "what would have fitted is 0 too");
	ok(rd_bytes(&r, 0) == NULL, "no bytes are NULL on a bad reader");
	ok(rd_rest(&r, &size) == NULL && size == 0, "the rest is nothing");
	ok(rd_bad(&r) && !rd_done(&r), "bad to the end");
}

static void
bytes_are_in_place(void)
{
	struct rd r;
	size_t size = 99;

	rd_init(&r, bytes, sizeof(bytes));
	ok(rd_bytes(&r, 3) == bytes, "three bytes from the start");
	ok(rd_bytes(&r, 0) == bytes + 3, "no bytes are not an error");
	ok(rd_rest(&r, &size) == bytes + 3 && size == 13, "the rest");
	ok(rd_rest(&r, &size) != NULL && size == 0, "an empty rest");
	ok(rd_done(&r), "done");
	ok(rd_bytes(&r, 1) == NULL && rd_bad(&r), "one more is refused");
	rd_init(&r, bytes, 4);
	ok(rd_bytes(&r, SIZE_MAX) == NULL && rd_bad(&r), "SIZE_MAX is refused");
}

static void
nothing_can_be_read_from_null(void)
{
	struct rd r;
	size_t size = 99;

	rd_init(&r, NULL, 0);
	ok(rd_done(&r), "done at once");
	ok(rd_bytes(&r, 0) != NULL, "0 bytes are there");
	ok(rd_rest(&r, &size) != NULL && size == 0, "an empty rest");
	is_u64(rd_u8(&r), 0, "no byte is");
	ok(rd_bad(&r), "bad then");
}

int
main(void)
{
	numbers_are_big_endian();
	every_read_beyond_the_end_is_refused();
	an_error_sticks();
	bytes_are_in_place();
	nothing_can_be_read_from_null();
	return done_testing();
}
