/* SPDX-License-Identifier: ISC */
#ifndef CORE_PICTURE_H
#define CORE_PICTURE_H

#include <orcm/types.h>

#include "base/arena.h"
#include "core/record.h"

/*
 * The records that a node knows.  Key: (owner node, kind, id).  Version:
 * (epoch of the owner's switchboard, sequence).  On its own node a record
 * has a writer, the program that put it; nobody else may change it.
 */
struct picture_conf {
	uint32_t records_max; /* living ones and tombstones, all kinds */
	uint16_t node;	      /* number of this node */
	uint64_t epoch;	      /* of this life */
	uint32_t tombstones_max; /* 0: half of the records */
};

struct picture_record {
	uint64_t id, epoch, seq;
	uint32_t writer; /* who wrote it; its meaning is the caller's */
	uint16_t owner, value_size;
	uint8_t kind;
	bool used, dead; /* dead: a tombstone, no value */
	bool stale;	 /* its writer came back and has not put it again */
	uint32_t next;	 /* in its hash chain, or in the free list */
	uint8_t value[RECORD_VALUE_MAX];
};

struct picture {
	struct picture_conf conf;
	struct picture_record *records;
	uint32_t *buckets, buckets_len;
	uint32_t free, used, dead; /* dead: tombstones among the used */
	uint32_t high;	/* no record at or above this place */
	uint64_t seq;	/* of the last change */
};

enum picture_verdict {
	PICTURE_CHANGED, /* tell the subscribers */
	PICTURE_SAME,	 /* it was so already */
	PICTURE_DENIED,	 /* another program's record */
	PICTURE_FULL
};

size_t picture_memory(const struct picture_conf *conf);
void picture_init(struct picture *p, struct arena *a,
    const struct picture_conf *conf);

/* Writes an own record.  *at: its place, when it changed. */
enum picture_verdict picture_put(struct picture *p, uint32_t writer,
    uint8_t kind, uint64_t id, const uint8_t *value, size_t size,
    uint32_t *at);
/* Leaves a tombstone. */
enum picture_verdict picture_del(struct picture *p, uint32_t writer,
    uint8_t kind, uint64_t id, uint32_t *at);
/*
 * A writer came back from a death: what it does not put again until
 * picture_settled() will be deleted then.
 */
void picture_returned(struct picture *p, uint32_t writer);
/*
 * Deletes one stale record of a writer; *at is its place.  False when there
 * is none left.
 */
bool picture_settled(struct picture *p, uint32_t writer, uint32_t *at);
/* Deletes one record of a writer that is gone for good, like the above. */
bool picture_forget(struct picture *p, uint32_t writer, uint32_t *at);
/*
 * The records of some kinds (bit n: kind n), one a call; *place starts at 0.
 * NULL at the end.  Tombstones are not among them.
 */
const struct picture_record *picture_next(const struct picture *p,
    uint32_t kinds, uint32_t *place);
const struct picture_record *picture_at(const struct picture *p, uint32_t at);

#endif
