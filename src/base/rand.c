/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "base/require.h"

static uint64_t
rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

/* splitmix64 (Steele, Lea, Flood 2014), as Vigna advises for seeding. */
static uint64_t
split(uint64_t *state)
{
	uint64_t z;

	z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The upper half of a * b, the lower one in *low, without a 128-bit type. */
static uint64_t
mul_high(uint64_t a, uint64_t b, uint64_t *low)
{
	uint64_t a0 = a & UINT32_MAX, a1 = a >> 32;
	uint64_t b0 = b & UINT32_MAX, b1 = b >> 32;
	uint64_t mid0 = a1 * b0 + (a0 * b0 >> 32);
	uint64_t mid1 = a0 * b1 + (mid0 & UINT32_MAX);

	*low = a * b;
	return a1 * b1 + (mid0 >> 32) + (mid1 >> 32);
}

void
rand_seed(struct rand *r, uint64_t seed)
{
	int i;

	for (i = 0; i < 4; i++)
		r->s[i] = split(&seed);
}

uint64_t
rand_u64(struct rand *r)
{
	uint64_t *s = r->s;
	uint64_t v = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return v;
}

uint64_t
rand_below(struct rand *r, uint64_t n)
{
	uint64_t high, low, least;

	REQUIRE(n > 0);
	high = mul_high(rand_u64(r), n, &low);
	if (low < n) {
		/* 2^64 mod n products are too many: these are thrown away. */
		least = (0 - n) % n;
		while (low < least)
			high = mul_high(rand_u64(r), n, &low);
	}
	return high;
}
