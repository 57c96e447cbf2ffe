/* SPDX-License-Identifier: ISC */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * 64-bit hash of a byte stream that can be taken at any point: XXH64 (Collet,
 * xxHash specification 0.1.1), seed 0.  Finds differences between replicas;
 * it keeps no enemy out.  A struct copy is a snapshot.
 */
struct hash {
	uint64_t acc[4], total;
	uint8_t rest[32]; /* total % 32 bytes not in acc yet */
};

void hash_init(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t size);
/* The hash of all bytes so far; h goes on unchanged. */
uint64_t hash_value(const struct hash *h);
/* Of one block. */
uint64_t hash_of(const void *data, size_t size);

#endif
