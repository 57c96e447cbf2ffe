/* SPDX-License-Identifier: ISC */
#ifndef BASE_BLAKE2S_H
#define BASE_BLAKE2S_H

#include <stddef.h>
#include <stdint.h>

/*
 * BLAKE2s (RFC 7693), a hash of 1 to 32 bytes, and with a key a MAC.  A
 * struct copy is a snapshot.
 */
#define BLAKE2S_BLOCK 64u
#define BLAKE2S_OUT_MAX 32u
#define BLAKE2S_KEY_MAX 32u

struct blake2s {
	uint32_t h[8];
	uint64_t total;	 /* bytes so far, the key's block included */
	uint8_t buf[BLAKE2S_BLOCK]; /* not hashed yet: it may be the last */
	uint8_t buf_size, out_size;
};

/* What a key's block makes of the start: one compression less a message. */
struct blake2s_keyed {
	uint32_t h[8];
	uint8_t out_size;
};

/* out_size 1..32. */
void blake2s_init(struct blake2s *b, size_t out_size);
/* key_size 0..32; without a key it is blake2s_init(). */
void blake2s_init_key(struct blake2s *b, size_t out_size, const void *key,
    size_t key_size);
void blake2s_add(struct blake2s *b, const void *data, size_t size);
/* Writes out_size bytes.  b is over then; copy it before to go on. */
void blake2s_final(struct blake2s *b, void *out);

/* key_size 1..32. */
void blake2s_keyed_init(struct blake2s_keyed *k, size_t out_size,
    const void *key, size_t key_size);
/* Like blake2s_init_key(); at least one byte must follow. */
void blake2s_keyed_start(struct blake2s *b, const struct blake2s_keyed *k);

#endif
