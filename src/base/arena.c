/* SPDX-License-Identifier: ISC */
#include "base/arena.h"
#include "base/require.h"

#define ALIGN 16u

void
arena_init(struct arena *a, void *block, size_t size)
{
	REQUIRE(block != NULL);
	REQUIRE((uintptr_t)block % sizeof(void *) == 0);
	a->start = block;
	a->size = size;
	a->used = 0;
	a->sealed = false;
}

void *
arena_alloc(struct arena *a, size_t len, size_t size)
{
	uint8_t *p;
	size_t pad;

	REQUIRE(!a->sealed);
	/* Counted from the address: a block may be aligned to 8 only. */
	pad = (ALIGN - ((uintptr_t)a->start + a->used) % ALIGN) % ALIGN;
	REQUIRE(pad <= a->size - a->used);
	REQUIRE(size == 0 || len <= (a->size - a->used - pad) / size);
	p = a->start + a->used + pad;
	a->used += pad + len * size;
	return p;
}

void
arena_seal(struct arena *a)
{
	a->sealed = true;
}
