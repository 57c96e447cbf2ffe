/* SPDX-License-Identifier: ISC */
#ifndef SPLICE_SIDE_H
#define SPLICE_SIDE_H

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "core/splice.h"

/* A splice with its memory, and a text that has no period. */
struct side {
	struct splice s;
	void *memory;
};

static inline uint8_t
side_byte(uint64_t at)
{
	at = (at + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint8_t)((at ^ at >> 29) >> 11);
}

static inline void
side_open(struct side *d, uint32_t ranks, enum splice_mode mode,
    uint64_t window)
{
	struct splice_conf conf = {
		.ranks_len = ranks,
		.mode = mode,
		.window = window,
	};
	size_t size = splice_memory(&conf);
	struct arena a;

	d->memory = calloc(1, size);
	if (d->memory == NULL)
		abort();
	arena_init(&a, d->memory, size);
	splice_init(&d->s, &a, &conf);
}

static inline void
side_close(struct side *d)
{
	free(d->memory);
}

/* Writes as much of n bytes as there is room for. */
static inline size_t
side_put(struct side *d, uint32_t rank, const void *p, size_t n)
{
	const uint8_t *from = p;
	size_t done = 0, k;
	uint8_t *at;

	while (done < n) {
		k = splice_room(&d->s, rank, &at);
		if (k > n - done)
			k = n - done;
		if (k > 0)
			memcpy(at, from + done, k);
		splice_took(&d->s, rank, k);
		if (k == 0)
			break;
		done += k;
	}
	return done;
}

static inline size_t
side_str(struct side *d, uint32_t rank, const char *text)
{
	return side_put(d, rank, text, strlen(text));
}

/* The next n bytes of the text, from where this life stands. */
static inline size_t
side_text(struct side *d, uint32_t rank, size_t n)
{
	size_t done = 0, k, i;
	uint64_t pos;
	uint8_t *at;

	while (done < n) {
		k = splice_room(&d->s, rank, &at);
		if (k > n - done)
			k = n - done;
		pos = d->s.ranks[rank].pos;
		for (i = 0; i < k; i++)
			at[i] = side_byte(pos + i);
		splice_took(&d->s, rank, k);
		if (k == 0)
			break;
		done += k;
	}
	return done;
}

/* Takes all that may be delivered; false when it is not the text. */
static inline bool
side_drain(struct side *d, uint64_t *bytes)
{
	const uint8_t *at;
	bool good = true;
	size_t n, i;

	*bytes = 0;
	while ((n = splice_deliver(&d->s, &at)) > 0) {
		for (i = 0; i < n; i++)
			good = good && at[i] == side_byte(d->s.done + i);
		splice_delivered(&d->s, n);
		*bytes += n;
	}
	return good;
}

/* The same as a string. */
static inline const char *
side_read(struct side *d)
{
	static char text[512];
	const uint8_t *at;
	size_t len = 0, n;

	while ((n = splice_deliver(&d->s, &at)) > 0) {
		if (n > sizeof(text) - 1 - len)
			n = sizeof(text) - 1 - len;
		if (n == 0)
			break;
		memcpy(text + len, at, n);
		len += n;
		splice_delivered(&d->s, n);
	}
	text[len] = '\0';
	return text;
}

static inline uint32_t
side_lanes(const struct side *d)
{
	uint32_t i, k, n = 0;

	for (i = 0; i < d->s.lanes_len; i++)
		for (k = 0; k < d->s.conf.ranks_len; k++)
			if ((d->s.ranks[k].open || d->s.ranks[k].ended) &&
			    d->s.ranks[k].lane == i) {
				n++;
				break;
			}
	return n;
}

#endif
