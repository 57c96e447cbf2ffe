/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <string.h>

#include "base/blake2s.h"
#include "base/mac.h"
#include "base/require.h"

/*
 * BLAKE2s after RFC 7693: parameters of section 2.1, the mixing function G
 * of 3.1, the compression F of 3.2, padding and key of 3.3.  A full block is
 * kept until more comes, because the last one is compressed differently.
 *
 * With a key, a block with the key comes first.  Whoever makes many MACs
 * under one key keeps what that block leads to (struct blake2s_keyed) and
 * goes on from there.
 *
 * Numbers are put together from bytes, as in hash.c, and the result is the
 * same on every machine; no table is looked up by, and no branch depends on,
 * what is secret.
 */

#define ROUNDS 10

static const uint32_t iv[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* RFC 7693, section 2.7. */
static const uint8_t sigma[ROUNDS][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static inline uint32_t
rotr(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static inline uint32_t
le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

#define G(a, b, c, d, x, y)                                                    \
	do {                                                                   \
		a += b + (x);                                                  \
		d = rotr(d ^ a, 16);                                           \
		c += d;                                                        \
		b = rotr(b ^ c, 12);                                           \
		a += b + (y);                                                  \
		d = rotr(d ^ a, 8);                                            \
		c += d;                                                        \
		b = rotr(b ^ c, 7);                                            \
	} while (0)

/* total: the bytes up to this block's end, without padding. */
static void
compress(uint32_t h[8], const uint8_t *block, uint64_t total, bool last)
{
	uint32_t v[16], m[16];
	const uint8_t *s;
	unsigned i;

	for (i = 0; i < 16; i++)
		m[i] = le32(block + 4 * i);
	for (i = 0; i < 8; i++) {
		v[i] = h[i];
		v[i + 8] = iv[i];
	}
	v[12] ^= (uint32_t)total;
	v[13] ^= (uint32_t)(total >> 32);
	if (last)
		v[14] = ~v[14];
	for (i = 0; i < ROUNDS; i++) {
		s = sigma[i];
		G(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
		G(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
		G(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
		G(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
		G(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
		G(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
		G(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
		G(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
	}
	for (i = 0; i < 8; i++)
		h[i] ^= v[i] ^ v[i + 8];
}

/* The parameter block: sizes of output and key, fanout and depth 1. */
static void
start(uint32_t h[8], size_t out_size, size_t key_size)
{
	REQUIRE(out_size >= 1 && out_size <= BLAKE2S_OUT_MAX);
	REQUIRE(key_size <= BLAKE2S_KEY_MAX);
	memcpy(h, iv, sizeof(iv));
	h[0] ^= 0x01010000u ^ (uint32_t)key_size << 8 ^ (uint32_t)out_size;
}

void
blake2s_init_key(struct blake2s *b, size_t out_size, const void *key,
    size_t key_size)
{
	memset(b, 0, sizeof(*b));
	start(b->h, out_size, key_size);
	b->out_size = (uint8_t)out_size;
	if (key_size == 0)
		return;
	memcpy(b->buf, key, key_size);
	b->buf_size = BLAKE2S_BLOCK;
	b->total = BLAKE2S_BLOCK;
}

void
blake2s_init(struct blake2s *b, size_t out_size)
{
	blake2s_init_key(b, out_size, NULL, 0);
}

void
blake2s_keyed_init(struct blake2s_keyed *k, size_t out_size, const void *key,
    size_t key_size)
{
	uint8_t block[BLAKE2S_BLOCK] = { 0 };

	REQUIRE(key_size >= 1);
	start(k->h, out_size, key_size);
	k->out_size = (uint8_t)out_size;
	memcpy(block, key, key_size);
	compress(k->h, block, BLAKE2S_BLOCK, false);
	mac_wipe(block, sizeof(block));
}

void
blake2s_keyed_start(struct blake2s *b, const struct blake2s_keyed *k)
{
	memset(b, 0, sizeof(*b));
	memcpy(b->h, k->h, sizeof(b->h));
	b->out_size = k->out_size;
	b->total = BLAKE2S_BLOCK;
}

void
blake2s_add(struct blake2s *b, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t n;

	while (size > 0) {
		if (b->buf_size == BLAKE2S_BLOCK) {
			compress(b->h, b->buf, b->total, false);
			b->buf_size = 0;
		}
		n = BLAKE2S_BLOCK - b->buf_size;
		if (n > size)
			n = size;
		memcpy(b->buf + b->buf_size, p, n);
		b->buf_size = (uint8_t)(b->buf_size + n);
		b->total += n;
		p += n;
		size -= n;
	}
}

void
blake2s_final(struct blake2s *b, void *out)
{
	uint8_t *p = out;
	size_t i;

	/* Only the hash of nothing, without a key, ends in an empty block. */
	REQUIRE(b->buf_size > 0 || b->total == 0);
	memset(b->buf + b->buf_size, 0, BLAKE2S_BLOCK - b->buf_size);
	compress(b->h, b->buf, b->total, true);
	for (i = 0; i < b->out_size; i++)
		p[i] = (uint8_t)(b->h[i / 4] >> 8 * (i % 4));
}
