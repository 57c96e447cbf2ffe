/* SPDX-License-Identifier: ISC */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/*
 * Pieces of 1..512 bytes out of one area: rounded up to a power of two, at
 * least 32.  A pool of n blocks has room for any n pieces, whatever came and
 * went before; memory is touched only when it is used.
 */
#define POOL_BLOCK 512u

struct pool {
	uint8_t *area;
	uint16_t *taken; /* of each block: bit n: its nth 32 bytes are in use */
	uint32_t blocks, high; /* no block at or above high was ever used */
	uint32_t free[5]; /* lists of free pieces of 32 << n; place + 1 */
};

size_t pool_memory(size_t size);
/* size is rounded down to blocks. */
void pool_init(struct pool *p, struct arena *a, size_t size);
/* NULL when there is no room; size 1..POOL_BLOCK. */
uint8_t *pool_get(struct pool *p, size_t size);
/* Gives back a piece that was taken with this size. */
void pool_put(struct pool *p, const uint8_t *piece, size_t size);

#endif
