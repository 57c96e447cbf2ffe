/* SPDX-License-Identifier: ISC */
#include <stdalign.h>

#include "base/arena.h"

#include "aborts.h"
#include "tap.h"

static alignas(64) uint8_t block[4096];

static void
slices_are_aligned_and_apart(void)
{
	struct arena a;
	uint8_t *p, *end = block;
	size_t i, size;
	bool aligned = true, apart = true;

	arena_init(&a, block, sizeof(block));
	for (i = 0; i < 40; i++) {
		size = 1 + i * 7 % 50;
		p = arena_alloc(&a, 1, size);
		aligned = aligned && (uintptr_t)p % 16 == 0;
		apart = apart && p >= end && p + size <= block + sizeof(block);
		end = p + size;
	}
	ok(aligned, "40 slices at multiples of 16");
	ok(apart, "that do not overlap");
}

static void
all_of_the_block_can_be_used(void)
{
	struct arena a;

	arena_init(&a, block, 64);
	ok(arena_alloc(&a, 3, 16) == block, "48 of 64 bytes");
	ok(arena_alloc(&a, 16, 1) == block + 48, "the other 16");
	ok(arena_alloc(&a, 0, 8) != NULL, "nothing of nothing is no mistake");
	ok(arena_alloc(&a, 5, 0) != NULL, "nor are elements without a size");
}

static void
a_block_at_eight_is_good_too(void)
{
	struct arena a;
	uint8_t *p;

	arena_init(&a, block + 8, 40);
	p = arena_alloc(&a, 2, 16);
	ok(p == block + 16, "aligned by address, not by offset");
	is_u64(a.used, 40, "and all is used");
}

static void
take_one_byte_too_many(void)
{
	struct arena a;

	arena_init(&a, block, 64);
	(void)arena_alloc(&a, 65, 1);
}

static void
take_when_padding_does_not_fit(void)
{
	struct arena a;

	arena_init(&a, block, 20);
	(void)arena_alloc(&a, 17, 1);
	(void)arena_alloc(&a, 1, 1);
}

static void
take_so_many_that_the_product_wraps(void)
{
	struct arena a;

	arena_init(&a, block, sizeof(block));
	(void)arena_alloc(&a, SIZE_MAX / 2 + 1, 2);
}

static void
take_after_the_seal(void)
{
	struct arena a;

	arena_init(&a, block, sizeof(block));
	arena_seal(&a);
	(void)arena_alloc(&a, 1, 1);
}

int
main(void)
{
	slices_are_aligned_and_apart();
	all_of_the_block_can_be_used();
	a_block_at_eight_is_good_too();
	ok(aborts(take_one_byte_too_many), "running out aborts");
	ok(aborts(take_when_padding_does_not_fit), "so does the padding");
	ok(aborts(take_so_many_that_the_product_wraps), "and an overflow");
	ok(aborts(take_after_the_seal), "and an allocation after the seal");
	return done_testing();
}
