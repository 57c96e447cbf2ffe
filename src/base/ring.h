/* SPDX-License-Identifier: ISC */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A byte queue of fixed size in one process.  Positions count for ever, the
 * place in memory is position modulo size.
 */
struct ring {
	uint8_t *buf;
	size_t size;
	uint64_t head, tail; /* next byte in, next byte out */
};

void ring_init(struct ring *r, void *buf, size_t size);
size_t ring_used(const struct ring *r);
size_t ring_free(const struct ring *r);
/* Longest contiguous free piece: *p is where it starts; 0 when full. */
size_t ring_space(const struct ring *r, uint8_t **p);
/* n <= ring_space() bytes were put there. */
void ring_put(struct ring *r, size_t n);
/* Longest contiguous piece to take out; 0 when empty. */
size_t ring_data(const struct ring *r, const uint8_t **p);
void ring_drop(struct ring *r, size_t n);
/* Copies all of data in, or nothing and returns false when it does not fit. */
bool ring_write(struct ring *r, const void *data, size_t size);
/* Copies up to size bytes out, returns how many. */
size_t ring_read(struct ring *r, void *data, size_t size);

#endif
