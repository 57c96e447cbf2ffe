/* SPDX-License-Identifier: ISC */
#include "base/siphash.h"
#include "tap.h"

/*
 * vectors.h of the authors' reference code: key 00..0f, input 00, 01, ...
 * That of 15 bytes is also in the paper, appendix A.
 */
static const struct {
	size_t size;
	uint64_t short_one;
	const char *long_one;
} rows[] = {
	/* clang-format off */
	{ 0, UINT64_C(0x726fdb47dd0e0e31),
	    "a3817f04ba25a8e66df67214c7550293" },
	{ 1, UINT64_C(0x74f839c593dc67fd),
	    "da87c1d86b99af44347659119b22fc45" },
	{ 2, UINT64_C(0x0d6c8009d9a94f5a),
	    "8177228da4a45dc7fca38bdef60affe4" },
	{ 3, UINT64_C(0x85676696d7fb7e2d),
	    "9c70b60c5267a94e5f33b6b02985ed51" },
	{ 4, UINT64_C(0xcf2794e0277187b7),
	    "f88164c12d9c8faf7d0f6e7c7bcd5579" },
	{ 5, UINT64_C(0x18765564cd99a68d),
	    "1368875980776f8854527a07690e9627" },
	{ 6, UINT64_C(0xcbc9466e58fee3ce),
	    "14eeca338b208613485ea0308fd7a15e" },
	{ 7, UINT64_C(0xab0200f58b01d137),
	    "a1f1ebbed8dbc153c0b84aa61ff08239" },
	{ 8, UINT64_C(0x93f5f5799a932462),
	    "3b62a9ba6258f5610f83e264f31497b4" },
	{ 9, UINT64_C(0x9e0082df0ba9e4b0),
	    "264499060ad9baabc47f8b02bb6d71ed" },
	{ 10, UINT64_C(0x7a5dbbc594ddb9f3),
	    "00110dc378146956c95447d3f3d0fbba" },
	{ 11, UINT64_C(0xf4b32f46226bada7),
	    "0151c568386b6677a2b4dc6f81e5dc18" },
	{ 12, UINT64_C(0x751e8fbc860ee5fb),
	    "d626b266905ef35882634df68532c125" },
	{ 13, UINT64_C(0x14ea5627c0843d90),
	    "9869e247e9c08b10d029934fc4b952f7" },
	{ 14, UINT64_C(0xf723ca908e7af2ee),
	    "31fcefac66d7de9c7ec7485fe4494902" },
	{ 15, UINT64_C(0xa129ca6149be45e5),
	    "5493e99933b0a8117e08ec0f97cfc3d9" },
	{ 16, UINT64_C(0x3f2acc7f57c29bdb),
	    "6ee2a4ca67b054bbfd3315bf85230577" },
	{ 31, UINT64_C(0x32d892fad841c342),
	    "2939b0183223fafc1723de4f52c43d35" },
	{ 32, UINT64_C(0x7127512f72f27cce),
	    "7c3956ca5eeafc3e363e9d556546eb68" },
	{ 63, UINT64_C(0x958a324ceb064572),
	    "5150d1772f50834a503e069a973fbd7c" },
	/* clang-format on */
};

static void
count_up(uint8_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		p[i] = (uint8_t)i;
}

int
main(void)
{
	uint8_t key[SIPHASH_KEY], in[64], out[16];
	char text[33];
	size_t i, j;

	count_up(key, sizeof(key));
	count_up(in, sizeof(in));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		is_u64(siphash64(key, in, rows[i].size), rows[i].short_one,
		    "64 bits of %zu bytes", rows[i].size);
		siphash128(key, in, rows[i].size, out);
		for (j = 0; j < sizeof(out); j++)
			snprintf(text + 2 * j, 3, "%02x", out[j]);
		is_str(text, rows[i].long_one, "128 bits of %zu bytes",
		    rows[i].size);
	}
	return done_testing();
}
