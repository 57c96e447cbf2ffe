/* SPDX-License-Identifier: ISC */
#include "base/siphash.h"

/*
 * SipHash-2-4 after "SipHash: a fast short-input PRF" (Aumasson, Bernstein,
 * 2012), section 2: two rounds for each 8 bytes, four at the end.  The 128-bit
 * variant is that of the authors' reference code: another start, 0xee in
 * place of 0xff, and four more rounds for the second half.
 */

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline uint64_t
le64(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	    (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	    (uint64_t)p[7] << 56;
}

static inline void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline void
word(struct state *s, uint64_t m)
{
	s->v3 ^= m;
	rounds(s, 2);
	s->v0 ^= m;
}

/* All of the data, with its size in the last word's top byte. */
static void
absorb(struct state *s, const uint8_t *key, const uint8_t *p, size_t size)
{
	uint64_t k0 = le64(key), k1 = le64(key + 8);
	uint64_t last = (uint64_t)(size & 0xff) << 56;
	size_t i;

	s->v0 = k0 ^ UINT64_C(0x736f6d6570736575);
	s->v1 ^= k1 ^ UINT64_C(0x646f72616e646f6d);
	s->v2 = k0 ^ UINT64_C(0x6c7967656e657261);
	s->v3 = k1 ^ UINT64_C(0x7465646279746573);
	for (; size >= 8; size -= 8, p += 8)
		word(s, le64(p));
	for (i = 0; i < size; i++)
		last |= (uint64_t)p[i] << 8 * i;
	word(s, last);
}

static inline uint64_t
sum(struct state *s)
{
	rounds(s, 4);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t
siphash64(const uint8_t key[SIPHASH_KEY], const void *data, size_t size)
{
	struct state s = { 0 };

	absorb(&s, key, data, size);
	s.v2 ^= 0xff;
	return sum(&s);
}

void
siphash128(const uint8_t key[SIPHASH_KEY], const void *data, size_t size,
    uint8_t out[16])
{
	struct state s = { .v1 = 0xee };
	uint64_t a, b;
	unsigned i;

	absorb(&s, key, data, size);
	s.v2 ^= 0xee;
	a = sum(&s);
	s.v1 ^= 0xdd;
	b = sum(&s);
	for (i = 0; i < 8; i++) {
		out[i] = (uint8_t)(a >> 8 * i);
		out[i + 8] = (uint8_t)(b >> 8 * i);
	}
}
