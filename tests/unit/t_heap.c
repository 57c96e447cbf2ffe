/* SPDX-License-Identifier: ISC */
#include "base/heap.h"
#include "base/rand.h"

#include "aborts.h"
#include "tap.h"

#define NODES 200

static struct heap heap;
static struct heap_node *places[NODES], nodes[NODES];

static void
reset(size_t max)
{
	size_t i;

	heap_init(&heap, places, max);
	for (i = 0; i < NODES; i++)
		heap_node_init(&nodes[i]);
}

/* Takes the first node out; its index in nodes[], or -1. */
static int
take(void)
{
	struct heap_node *n = heap_first(&heap);

	if (n == NULL)
		return -1;
	heap_remove(&heap, n);
	return (int)(n - nodes);
}

static void
an_empty_heap_has_no_first(void)
{
	reset(NODES);
	ok(heap_first(&heap) == NULL, "no first node");
	heap_remove(&heap, &nodes[0]);
	ok(nodes[0].at == HEAP_OUT, "removing what is out does nothing");
}

static void
the_earliest_leaves_first(void)
{
	reset(NODES);
	heap_set(&heap, &nodes[0], 30);
	heap_set(&heap, &nodes[1], 10);
	heap_set(&heap, &nodes[2], UINT64_MAX);
	heap_set(&heap, &nodes[3], 0);
	ok(take() == 3 && take() == 1 && take() == 0 && take() == 2,
	    "0, 10, 30, never");
	ok(take() == -1, "and then nobody");
}

static void
equal_times_leave_in_the_order_they_were_set(void)
{
	int i;
	bool inorder = true;

	reset(NODES);
	for (i = 0; i < NODES; i++)
		heap_set(&heap, &nodes[i], 7);
	for (i = 0; i < NODES; i++)
		inorder = inorder && take() == i;
	ok(inorder, "first set, first out");
	heap_set(&heap, &nodes[0], 7);
	heap_set(&heap, &nodes[1], 7);
	heap_set(&heap, &nodes[0], 7);
	ok(take() == 1 && take() == 0, "setting again goes to the end");
}

static void
a_full_heap_refuses_but_moves(void)
{
	reset(2);
	ok(heap_set(&heap, &nodes[0], 5) && heap_set(&heap, &nodes[1], 6),
	    "two of two");
	ok(!heap_set(&heap, &nodes[2], 1), "a third is refused");
	ok(nodes[2].at == HEAP_OUT, "and is out");
	ok(heap_set(&heap, &nodes[1], 4), "one that is in can be moved");
	ok(take() == 1 && take() == 0, "and has moved");
	heap_init(&heap, NULL, 0);
	ok(!heap_set(&heap, &nodes[0], 1), "a heap of none takes none");
}

static bool
in_shape(void)
{
	size_t i;

	for (i = 0; i < heap.len; i++) {
		if (places[i]->at != i)
			return false;
		if (i > 0 && places[(i - 1) / 2]->due > places[i]->due)
			return false;
	}
	return true;
}

/* Compares with the plain way: look at all nodes for the earliest. */
static struct heap_node *
earliest(void)
{
	struct heap_node *best = NULL, *n;

	for (n = nodes; n < nodes + NODES; n++)
		if (n->at != HEAP_OUT &&
		    (best == NULL || n->due < best->due ||
			(n->due == best->due && n->order < best->order)))
			best = n;
	return best;
}

static void
random_moves_agree_with_a_search(void)
{
	struct rand rand;
	struct heap_node *n;
	size_t turn;
	bool shape = true, first = true;

	reset(NODES);
	rand_seed(&rand, 3);
	for (turn = 0; turn < 20000; turn++) {
		n = &nodes[rand_below(&rand, NODES)];
		if (rand_below(&rand, 5) < 3)
			heap_set(&heap, n, rand_below(&rand, 50));
		else
			heap_remove(&heap, n);
		shape = shape && in_shape();
		first = first && heap_first(&heap) == earliest();
	}
	ok(shape, "20000 random steps keep the shape");
	ok(first, "and the first is the earliest");
	for (turn = heap.len; turn > 0; turn--) {
		n = earliest();
		first = first && heap_first(&heap) == n;
		heap_remove(&heap, n);
	}
	ok(first && heap.len == 0, "to the last one");
}

static void
set_a_node_of_another_heap(void)
{
	static struct heap_node *other_places[1];
	struct heap other;

	reset(NODES);
	heap_init(&other, other_places, 1);
	heap_set(&heap, &nodes[0], 1);
	heap_set(&other, &nodes[0], 1);
}

int
main(void)
{
	an_empty_heap_has_no_first();
	the_earliest_leaves_first();
	equal_times_leave_in_the_order_they_were_set();
	a_full_heap_refuses_but_moves();
	random_moves_agree_with_a_search();
	ok(aborts(set_a_node_of_another_heap), "a node has one heap");
	return done_testing();
}
