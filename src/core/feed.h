/* SPDX-License-Identifier: ISC */
#ifndef CORE_FEED_H
#define CORE_FEED_H

#include <orcm/types.h>

#include "base/arena.h"

/*
 * One input stream to several replicas: who gets which bytes next, how much
 * may be read from the producer, and which bytes must be kept.  Offsets
 * only; the bytes themselves are the caller's.
 */
struct feed_conf {
	uint32_t ranks_len;
	uint64_t window; /* how far the fastest may be ahead of the slowest */
	uint64_t keep;	 /* bytes kept for replays: 0 none, UINT64_MAX all */
	bool leader_only; /* the others get nothing until they lead */
};

struct feed_rank {
	bool begun; /* its first life has begun, or never will */
	bool open;  /* a life that takes input */
	bool level; /* it has caught up with the others in this life */
	bool stalled; /* it holds nobody back while it does not move */
	uint64_t fed;
};

struct feed {
	struct feed_conf conf;
	struct feed_rank *ranks;
	uint64_t head;	 /* bytes read from the producer */
	uint64_t base;	 /* bytes below are no longer kept */
	uint64_t credit; /* new bytes allowed while somebody catches up */
	uint32_t leader;
	bool eof;
};

size_t feed_memory(const struct feed_conf *conf);
void feed_init(struct feed *f, struct arena *a, const struct feed_conf *conf);

/* How many bytes may be read from the producer now. */
uint64_t feed_room(const struct feed *f);
/* n bytes were read; n <= feed_room(). */
void feed_input(struct feed *f, uint64_t n);
void feed_eof(struct feed *f);

/*
 * A new life wants the input from its start.  False when that is no longer
 * kept: it cannot be fed.
 */
bool feed_start(struct feed *f, uint32_t rank);
/* It takes no more input: ended, or it closed its stdin. */
void feed_stop(struct feed *f, uint32_t rank);
void feed_stalled(struct feed *f, uint32_t rank, bool stalled);
void feed_lead(struct feed *f, uint32_t rank);

/* What to give it next: *n bytes from *at; *n 0 when there is nothing. */
void feed_next(const struct feed *f, uint32_t rank, uint64_t *at, uint64_t *n);
void feed_fed(struct feed *f, uint32_t rank, uint64_t n);
/* Has it got all there is, so that its input may be closed? */
bool feed_finished(const struct feed *f, uint32_t rank);
/* Has it been fed about as much as the others? */
bool feed_level(const struct feed *f, uint32_t rank);
/* From now on only so much can be kept (the disk is full). */
void feed_keep(struct feed *f, uint64_t keep);
/*
 * Bytes below this offset are not needed any more.  Once it is above 0 no
 * life can be fed from the start again.
 */
uint64_t feed_low(struct feed *f);

#endif
