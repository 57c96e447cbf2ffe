/* SPDX-License-Identifier: ISC */
#ifndef SYS_STORE_H
#define SYS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/*
 * The input of a job, kept by offset: the first 64 MiB in memory, what comes
 * after in an unlinked file below $TMPDIR, and always the last window in a
 * ring.  When the input is a regular file, that file itself is what is read
 * again, as long as nobody changes it.
 */
#define STORE_MEMORY (UINT64_C(64) << 20)
#define STORE_CHUNK  65536u

struct store {
	uint64_t head;   /* bytes that came in */
	uint64_t low;    /* bytes below are forgotten */
	uint64_t memory; /* bytes from 0 on that are in mem */
	uint8_t *mem, *ring, *stage;
	size_t ring_size;
	int file; /* bytes from `memory` up to file_end, or -1 */
	uint64_t file_end;
	int source;      /* regular file, or -1 */
	off_t source_at; /* where offset 0 is */
	struct timespec source_time;
	off_t source_size;
	bool keeping; /* everything is still there */
};

/*
 * keep: bytes that shall be kept, 0 for none.  window: the ring holds at
 * least so much of the latest.  -1 with errno.
 */
int store_init(struct store *s, uint64_t keep, size_t window);
void store_free(struct store *s);
/* fd is a regular file at its present offset: it is its own store. */
int store_source(struct store *s, int fd);

/* Where the next input goes; how much fits there, at most 256 KiB. */
size_t store_space(struct store *s, uint8_t **at);
/*
 * n bytes are there now.  -1 with errno when they cannot be kept for good
 * (they are in the ring all the same): nothing is kept from then on.
 */
int store_add(struct store *s, size_t n);
/*
 * Bytes from an offset on: how many are at *at.  0 with errno when they
 * cannot be had any more (EIO, or ESTALE: the source file was changed).
 * Valid until the next call.
 */
size_t
store_get(struct store *s, uint64_t from, const uint8_t **at, size_t max);
/* Nothing below this offset is needed any more. */
void store_drop(struct store *s, uint64_t below);

#endif
