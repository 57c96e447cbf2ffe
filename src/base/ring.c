/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/require.h"
#include "base/ring.h"

/*
 * Bytes on their way between a socket or pipe and a parser.  Used in two
 * ways: in place, for read(2) and write(2) (ring_space(), ring_put() and
 * ring_data(), ring_drop()), or by copies.  Never grows and never overwrites
 * what was not taken out: what happens when full is the caller's answer.
 */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

void
ring_init(struct ring *r, void *buf, size_t size)
{
	REQUIRE(buf != NULL && size > 0);
	r->buf = buf;
	r->size = size;
	r->head = 0;
	r->tail = 0;
}

size_t
ring_used(const struct ring *r)
{
	return (size_t)(r->head - r->tail);
}

size_t
ring_free(const struct ring *r)
{
	return r->size - ring_used(r);
}

size_t
ring_space(const struct ring *r, uint8_t **p)
{
	size_t at;

	at = (size_t)(r->head % r->size);
	*p = r->buf + at;
	return least(ring_free(r), r->size - at);
}

void
ring_put(struct ring *r, size_t n)
{
	REQUIRE(n <= ring_free(r));
	r->head += n;
}

size_t
ring_data(const struct ring *r, const uint8_t **p)
{
	size_t at;

	at = (size_t)(r->tail % r->size);
	*p = r->buf + at;
	return least(ring_used(r), r->size - at);
}

void
ring_drop(struct ring *r, size_t n)
{
	REQUIRE(n <= ring_used(r));
	r->tail += n;
}

bool
ring_write(struct ring *r, const void *data, size_t size)
{
	const uint8_t *from = data;
	uint8_t *p;
	size_t n;

	if (size > ring_free(r))
		return false;
	/* Twice at most: up to the end of the memory and from its start. */
	while (size > 0) {
		n = least(ring_space(r, &p), size);
		memcpy(p, from, n);
		ring_put(r, n);
		from += n;
		size -= n;
	}
	return true;
}

size_t
ring_read(struct ring *r, void *data, size_t size)
{
	uint8_t *to = data;
	const uint8_t *p;
	size_t n, got = 0;

	while (got < size && ring_used(r) > 0) {
		n = least(ring_data(r, &p), size - got);
		memcpy(to + got, p, n);
		ring_drop(r, n);
		got += n;
	}
	return got;
}
