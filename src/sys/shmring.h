/* SPDX-License-Identifier: ISC */
#ifndef SYS_SHMRING_H
#define SYS_SHMRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A single-writer broadcast ring in shared memory (research: messaging 4.3).
 * The writer creates it, readers map it read-only from a descriptor that is
 * passed to them.  The memory has no name from the start, so nothing can be
 * left behind.  Records are published by one release store: a writer killed
 * in the middle of a record leaves all earlier ones readable and the torn
 * one invisible.  No lock, no claim, nothing that a death could hold.
 */
struct shmring {
	struct shmring_head *head;
	uint8_t *data;
	size_t size; /* of data, a power of two */
	int fd;	     /* to pass to readers; -1 in a reader */
};

struct shmring_reader {
	struct shmring ring;
	uint64_t at;   /* position of the next record */
	uint64_t seen; /* payload bytes before it; UINT64_MAX: not known yet */
};

/* size: power of two, 4096..2^30.  Memory is reserved at once.  -1 errno. */
int shmring_create(struct shmring *r, size_t size);
void shmring_free(struct shmring *r);
/* Largest record that fits: a quarter of the ring. */
size_t shmring_record_max(const struct shmring *r);
/* Appends one record and publishes it; overwrites the oldest ones.  -1 and
 * EMSGSIZE when it is too large. */
int shmring_put(struct shmring *r, const void *data, size_t size);
/* Says that no more will come. */
void shmring_finish(struct shmring *r);

/*
 * Maps the ring behind fd read-only and starts at the oldest record that is
 * still there.  Checks everything it reads.  fd stays the caller's and may be
 * closed afterwards.  -1 with errno (EPROTO: no ring).
 */
int shmring_open(struct shmring_reader *r, int fd);
void shmring_close(struct shmring_reader *r);

enum shmring_result {
	SHMRING_RECORD, /* *size bytes are in out */
	SHMRING_NONE,	/* nothing new */
	SHMRING_GAP,	/* the writer overtook us: *size bytes were lost */
	SHMRING_END	/* the writer has finished */
};
/*
 * Copies the next record to out[max] (max >= shmring_record_max()).  The bytes
 * of a gap are payload, exactly; 0 means that the writer is too fast to count
 * them now, and a later call tells.  A ring that contradicts itself is at its
 * end.  What out holds without SHMRING_RECORD means nothing.
 */
enum shmring_result shmring_get(struct shmring_reader *r, void *out,
    size_t max, size_t *size);

#endif
