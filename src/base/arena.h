/* SPDX-License-Identifier: ISC */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Slices of one block that a program obtained at its start.  Nothing is
 * given back.  After arena_seal() a further allocation is our mistake.
 */
struct arena {
	uint8_t *start;
	size_t size, used;
	bool sealed;
};

/* block must be zeroed (fresh from mmap) and aligned for any object. */
void arena_init(struct arena *a, void *block, size_t size);
/*
 * len zeroed elements of size bytes, aligned to 16.  Running out is our
 * mistake too (the caller sized the block), so this never returns NULL.
 */
void *arena_alloc(struct arena *a, size_t len, size_t size);
void arena_seal(struct arena *a);

#endif
