/* SPDX-License-Identifier: ISC */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Binary heap of timers, earliest first; equal times leave in the order in
 * which they were set.  A node lives in its owner, the heap holds pointers;
 * each node knows its place, so removal costs log n.
 */
#define HEAP_OUT SIZE_MAX

struct heap_node {
	uint64_t due, order;
	size_t at; /* index in the heap, HEAP_OUT when not in it */
};

struct heap {
	struct heap_node **nodes;
	size_t len, max;
	uint64_t orders;
};

void heap_init(struct heap *h, struct heap_node **nodes, size_t max);
/* Marks a node as in no heap.  Once per node, before its first use. */
void heap_node_init(struct heap_node *n);
/* Puts the node in, or moves it if it is in.  False when the heap is full. */
bool heap_set(struct heap *h, struct heap_node *n, uint64_t due);
void heap_remove(struct heap *h, struct heap_node *n); /* no-op if not in */
/* The earliest node, or NULL. */
struct heap_node *heap_first(const struct heap *h);

#endif
