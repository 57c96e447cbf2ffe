/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/pool.h"
#include "base/require.h"

/*
 * Buddies (Knowlton 1965) inside blocks of 512 bytes.  A bit of "taken" tells
 * of each 32 bytes whether they are in use; two free buddies are always one
 * piece, so a piece's buddy is free as a whole exactly when its bits are 0.
 * Free pieces of one size are a list, and their links lie in themselves.
 *
 * As a block holds a piece as long as it has no room for the longest one, n
 * blocks with fewer than n pieces have one that is empty: pool_get() does not
 * fail before there are as many pieces as blocks.
 */

#define UNIT 32u
#define UNITS (POOL_BLOCK / UNIT)
#define ORDERS 5u
#define NONE 0u

_Static_assert(UNIT << (ORDERS - 1) == POOL_BLOCK, "orders");

/* Numbers of units, counted from the area's start, plus 1. */
struct link {
	uint32_t prev, next;
};

static unsigned
order_of(size_t size)
{
	unsigned order = 0;

	REQUIRE(size > 0 && size <= POOL_BLOCK);
	while ((size_t)UNIT << order < size)
		order++;
	return order;
}

static uint16_t
mask(unsigned order, uint32_t unit)
{
	uint32_t ones = (UINT32_C(1) << (1u << order)) - 1;

	return (uint16_t)(ones << unit % UNITS);
}

static struct link
link_get(const struct pool *p, uint32_t place)
{
	struct link l;

	memcpy(&l, p->area + (size_t)(place - 1) * UNIT, sizeof(l));
	return l;
}

static void
link_set(struct pool *p, uint32_t place, struct link l)
{
	memcpy(p->area + (size_t)(place - 1) * UNIT, &l, sizeof(l));
}

static void
list_add(struct pool *p, unsigned order, uint32_t unit)
{
	struct link l = { NONE, p->free[order] }, other;

	if (l.next != NONE) {
		other = link_get(p, l.next);
		other.prev = unit + 1;
		link_set(p, l.next, other);
	}
	link_set(p, unit + 1, l);
	p->free[order] = unit + 1;
}

static void
list_remove(struct pool *p, unsigned order, uint32_t unit)
{
	struct link l = link_get(p, unit + 1), other;

	if (l.next != NONE) {
		other = link_get(p, l.next);
		other.prev = l.prev;
		link_set(p, l.next, other);
	}
	if (l.prev == NONE) {
		p->free[order] = l.next;
		return;
	}
	other = link_get(p, l.prev);
	other.next = l.next;
	link_set(p, l.prev, other);
}

size_t
pool_memory(size_t size)
{
	size_t blocks = size / POOL_BLOCK;

	return blocks * (POOL_BLOCK + sizeof(uint16_t)) + 2 * 16;
}

void
pool_init(struct pool *p, struct arena *a, size_t size)
{
	memset(p, 0, sizeof(*p));
	REQUIRE(size / POOL_BLOCK < UINT32_MAX / UNITS);
	p->blocks = (uint32_t)(size / POOL_BLOCK);
	p->area = arena_alloc(a, p->blocks, POOL_BLOCK);
	p->taken = arena_alloc(a, p->blocks, sizeof(*p->taken));
}

uint8_t *
pool_get(struct pool *p, size_t size)
{
	unsigned order = order_of(size), from = order;
	uint32_t unit;

	while (from < ORDERS && p->free[from] == NONE)
		from++;
	if (from < ORDERS) {
		unit = p->free[from] - 1;
		list_remove(p, from, unit);
	} else {
		if (p->high == p->blocks)
			return NULL;
		unit = p->high++ * UNITS;
		from = ORDERS - 1;
	}
	/* The upper half goes back until what is left has the right size. */
	while (from > order) {
		from--;
		list_add(p, from, unit + (1u << from));
	}
	p->taken[unit / UNITS] |= mask(order, unit);
	return p->area + (size_t)unit * UNIT;
}

void
pool_put(struct pool *p, const uint8_t *piece, size_t size)
{
	unsigned order = order_of(size);
	uint32_t unit = (uint32_t)((size_t)(piece - p->area) / UNIT), buddy;
	uint16_t *taken = &p->taken[unit / UNITS];

	REQUIRE((*taken & mask(order, unit)) == mask(order, unit));
	*taken &= (uint16_t)~mask(order, unit);
	for (; order < ORDERS - 1; order++) {
		buddy = unit ^ 1u << order;
		if (*taken & mask(order, buddy))
			break;
		list_remove(p, order, buddy);
		if (buddy < unit)
			unit = buddy;
	}
	list_add(p, order, unit);
}
