/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/hash.h"

/*
 * XXH64 with seed 0, after "xxHash fast digest algorithm" 0.1.1, sections
 * "XXH64 Algorithm Description" step 1 to 6.  hash_add() consumes stripes of
 * 32 bytes in four lanes and keeps what is left over; hash_value() works on
 * copies, so that a stream's hash can be taken at every offset.
 *
 * Numbers are put together from bytes: compilers make one load of it where
 * that is right, and the result is the same on every machine.  These helpers
 * say "inline" because gcc counts the bytes before it sees the one load, and
 * calls in the loop halve the speed.
 */

#define STRIPE 32u

#define P1 UINT64_C(0x9e3779b185ebca87)
#define P2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define P3 UINT64_C(0x165667b19e3779f9)
#define P4 UINT64_C(0x85ebca77c2b2ae63)
#define P5 UINT64_C(0x27d4eb2f165667c5)

static inline uint64_t
rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (64 - n);
}

static inline uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static inline uint64_t
le64(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
	    (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 |
	    (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	    (uint64_t)p[7] << 56;
}

static inline uint64_t
mix(uint64_t acc, uint64_t lane)
{
	return rotl(acc + lane * P2, 31) * P1;
}

static uint64_t
merge(uint64_t v, uint64_t acc)
{
	return (v ^ mix(0, acc)) * P1 + P4;
}

static void
stripes(struct hash *h, const uint8_t *p, size_t len)
{
	uint64_t a = h->acc[0], b = h->acc[1];
	uint64_t c = h->acc[2], d = h->acc[3];

	for (; len > 0; len--) {
		a = mix(a, le64(p));
		b = mix(b, le64(p + 8));
		c = mix(c, le64(p + 16));
		d = mix(d, le64(p + 24));
		p += STRIPE;
	}
	h->acc[0] = a;
	h->acc[1] = b;
	h->acc[2] = c;
	h->acc[3] = d;
}

void
hash_init(struct hash *h)
{
	memset(h, 0, sizeof(*h));
	h->acc[0] = P1 + P2;
	h->acc[1] = P2;
	h->acc[3] = 0 - P1;
}

void
hash_add(struct hash *h, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t kept, n;

	if (size == 0)
		return;
	kept = (size_t)(h->total % STRIPE);
	h->total += size;
	if (kept > 0) {
		n = STRIPE - kept;
		if (n > size)
			n = size;
		memcpy(h->rest + kept, p, n);
		if (kept + n < STRIPE)
			return;
		stripes(h, h->rest, 1);
		p += n;
		size -= n;
	}
	n = size / STRIPE;
	stripes(h, p, n);
	memcpy(h->rest, p + n * STRIPE, size % STRIPE);
}

/* Steps 4 and 5: the bytes that do not fill a stripe. */
static uint64_t
add_rest(uint64_t v, const uint8_t *p, size_t size)
{
	for (; size >= 8; size -= 8, p += 8)
		v = rotl(v ^ mix(0, le64(p)), 27) * P1 + P4;
	if (size >= 4) {
		v = rotl(v ^ le32(p) * P1, 23) * P2 + P3;
		size -= 4;
		p += 4;
	}
	for (; size > 0; size--, p++)
		v = rotl(v ^ *p * P5, 11) * P1;
	return v;
}

uint64_t
hash_value(const struct hash *h)
{
	uint64_t v;
	int i;

	if (h->total < STRIPE) {
		v = P5;
	} else {
		v = rotl(h->acc[0], 1) + rotl(h->acc[1], 7) +
		    rotl(h->acc[2], 12) + rotl(h->acc[3], 18);
		for (i = 0; i < 4; i++)
			v = merge(v, h->acc[i]);
	}
	v = add_rest(v + h->total, h->rest, (size_t)(h->total % STRIPE));
	v = (v ^ v >> 33) * P2;
	v = (v ^ v >> 29) * P3;
	return v ^ v >> 32;
}

uint64_t
hash_of(const void *data, size_t size)
{
	struct hash h;

	hash_init(&h);
	hash_add(&h, data, size);
	return hash_value(&h);
}
