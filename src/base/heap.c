/* SPDX-License-Identifier: ISC */
#include "base/heap.h"
#include "base/require.h"

/*
 * The timers of an event loop or of a core: nodes[0] is the earliest, and
 * the children of place i are 2i + 1 and 2i + 2.  Every move of a node
 * writes its new place into it.  The heap never allocates and never looks at
 * a clock; the array and the nodes belong to the caller.
 */

static bool
before(const struct heap_node *a, const struct heap_node *b)
{
	if (a->due != b->due)
		return a->due < b->due;
	return a->order < b->order;
}

static void
put(struct heap *h, struct heap_node *n, size_t at)
{
	h->nodes[at] = n;
	n->at = at;
}

/* Moves the gap at `at` towards the root until n may stand there. */
static size_t
gap_up(struct heap *h, size_t at, const struct heap_node *n)
{
	size_t parent;

	while (at > 0) {
		parent = (at - 1) / 2;
		if (!before(n, h->nodes[parent]))
			break;
		put(h, h->nodes[parent], at);
		at = parent;
	}
	return at;
}

/* The same away from the root. */
static size_t
gap_down(struct heap *h, size_t at, const struct heap_node *n)
{
	size_t child;

	while ((child = 2 * at + 1) < h->len) {
		if (child + 1 < h->len &&
		    before(h->nodes[child + 1], h->nodes[child]))
			child++;
		if (!before(h->nodes[child], n))
			break;
		put(h, h->nodes[child], at);
		at = child;
	}
	return at;
}

static void
settle(struct heap *h, struct heap_node *n, size_t at)
{
	at = gap_up(h, at, n);
	at = gap_down(h, at, n);
	put(h, n, at);
}

void
heap_init(struct heap *h, struct heap_node **nodes, size_t max)
{
	h->nodes = nodes;
	h->len = 0;
	h->max = max;
	h->orders = 0;
}

void
heap_node_init(struct heap_node *n)
{
	n->due = 0;
	n->order = 0;
	n->at = HEAP_OUT;
}

bool
heap_set(struct heap *h, struct heap_node *n, uint64_t due)
{
	size_t at = n->at;

	if (at == HEAP_OUT) {
		if (h->len == h->max)
			return false;
		at = h->len++;
	} else
		REQUIRE(at < h->len && h->nodes[at] == n);
	n->due = due;
	n->order = h->orders++;
	settle(h, n, at);
	return true;
}

void
heap_remove(struct heap *h, struct heap_node *n)
{
	struct heap_node *last;
	size_t at = n->at;

	if (at == HEAP_OUT)
		return;
	REQUIRE(at < h->len && h->nodes[at] == n);
	n->at = HEAP_OUT;
	last = h->nodes[--h->len];
	if (last != n)
		settle(h, last, at);
}

struct heap_node *
heap_first(const struct heap *h)
{
	return h->len > 0 ? h->nodes[0] : NULL;
}
