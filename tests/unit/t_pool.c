/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "aborts.h"
#include "base/pool.h"
#include "base/rand.h"
#include "tap.h"

static struct pool pool;
static void *memory;

static void
begin(size_t size)
{
	struct arena a;

	free(memory);
	memory = calloc(1, pool_memory(size));
	if (memory == NULL)
		abort();
	arena_init(&a, memory, pool_memory(size));
	pool_init(&pool, &a, size);
}

static void
a_block_is_divided_and_becomes_whole_again(void)
{
	uint8_t *p[16];
	uint32_t i;

	begin(POOL_BLOCK + 100);
	for (i = 0; i < 16; i++)
		p[i] = pool_get(&pool, 1 + i);
	ok(p[15] != NULL, "sixteen small pieces in a block");
	ok(pool_get(&pool, 1) == NULL, "and no more");
	for (i = 0; i < 16; i++)
		pool_put(&pool, p[i * 7 % 16], 1 + i * 7 % 16);
	p[0] = pool_get(&pool, POOL_BLOCK);
	ok(p[0] != NULL, "back they are one long piece");
	pool_put(&pool, p[0], POOL_BLOCK);
	p[0] = pool_get(&pool, 33);
	p[1] = pool_get(&pool, 200);
	p[2] = pool_get(&pool, 65);
	ok(p[0] != NULL && p[1] != NULL && p[2] != NULL, "mixed sizes");
	ok(pool_get(&pool, 65) == NULL && pool_get(&pool, 64) != NULL,
	    "what is left is 64 bytes");
}

static void
unused_memory_is_not_touched(void)
{
	size_t i, touched = 0;

	begin(100 * POOL_BLOCK);
	for (i = 0; i < 80; i++)
		(void)pool_get(&pool, 64);
	for (i = 10 * POOL_BLOCK; i < 100 * POOL_BLOCK; i++)
		touched += pool.area[i] != 0;
	is_u64(pool.high, 10, "ten blocks hold eighty pieces");
	is_u64(touched, 0, "the others are as they were");
}

/* Pieces never overlap, and as many as blocks always fit. */
static void
any_n_pieces_fit_in_n_blocks(void)
{
	static struct {
		uint8_t *p;
		size_t size;
		uint8_t fill;
	} piece[40];
	struct rand rnd;
	uint32_t i, k, failed = 0, broken = 0;

	begin(40 * POOL_BLOCK);
	memset(piece, 0, sizeof(piece));
	rand_seed(&rnd, 5);
	for (i = 0; i < 200000; i++) {
		k = (uint32_t)rand_below(&rnd, 40);
		if (piece[k].p != NULL) {
			broken += piece[k].p[0] != piece[k].fill ||
			    memcmp(piece[k].p, piece[k].p + 1,
				piece[k].size - 1) != 0;
			pool_put(&pool, piece[k].p, piece[k].size);
			piece[k].p = NULL;
			continue;
		}
		/* Now mostly short ones, now mostly long ones. */
		piece[k].size = 1 + rand_below(&rnd,
		    i / 1000 % 2 == 0 ? 60 : POOL_BLOCK);
		piece[k].p = pool_get(&pool, piece[k].size);
		failed += piece[k].p == NULL;
		if (piece[k].p == NULL)
			continue;
		piece[k].fill = (uint8_t)i;
		memset(piece[k].p, piece[k].fill, piece[k].size);
	}
	is_u64(failed, 0, "always room");
	is_u64(broken, 0, "and each is alone in its own");
}

static void
given_back_twice(void)
{
	uint8_t *p;

	begin(POOL_BLOCK);
	p = pool_get(&pool, 40);
	pool_put(&pool, p, 40);
	pool_put(&pool, p, 40);
}

static void
too_long(void)
{
	begin(2 * POOL_BLOCK);
	(void)pool_get(&pool, POOL_BLOCK + 1);
}

int
main(void)
{
	a_block_is_divided_and_becomes_whole_again();
	unused_memory_is_not_touched();
	any_n_pieces_fit_in_n_blocks();
	ok(aborts(given_back_twice), "given back twice");
	ok(aborts(too_long), "longer than a block");
	free(memory);
	return done_testing();
}
