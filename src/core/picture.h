/* SPDX-License-Identifier: ISC */
#ifndef CORE_PICTURE_H
#define CORE_PICTURE_H

#include <orcm/types.h>

#include "base/arena.h"
#include "base/pool.h"
#include "core/record.h"

/*
 * The records that a node knows, its own and other nodes'.  Key: (owner
 * node, kind, id).  Version: (epoch of the owner's switchboard, sequence).
 * On its own node a record has a writer, the program that put it; nobody
 * else may change it.  Other nodes' records come by picture_merge().
 */
struct picture_conf {
	uint32_t records_max; /* living ones and tombstones, all kinds */
	uint16_t node;	      /* number of this node */
	uint64_t epoch;	      /* of this life */
	uint32_t tombstones_max; /* 0: half of the records */
	uint32_t owners_max;	 /* nodes with records, ours too; 0: ours */
	/* For values; 0: enough for all records with the longest value. */
	size_t values_size;
};

/* Tombstones older than this are dropped, when twice as old at the latest. */
#define PICTURE_TOMBSTONE_TIME (600 * ORCM_SECOND)
/* No epoch is beyond, so that there is always a higher one. */
#define PICTURE_EPOCH_MAX (UINT64_MAX >> 1)

struct picture_record {
	uint64_t id, epoch, seq;
	const uint8_t *value;
	uint32_t writer; /* who wrote it; its meaning is the caller's */
	uint32_t next;	 /* in its hash chain, or in the free list */
	uint32_t older, newer; /* in the list of its owner */
	uint16_t owner, value_size;
	uint8_t kind;
	bool used, dead; /* dead: a tombstone, no value */
	bool stale; /* who told it tells all again, but not yet this one */
};

struct picture_list {
	uint32_t first, last; /* lowest and highest version; place + 1 */
	uint32_t len;
};

/*
 * What is known of an owner.  seq: all its changes up to here are in the
 * picture.  Records of lower epochs stay until the owner is whole in its
 * new one, so that a daemon's death does not look like its processes'.
 */
struct picture_owner {
	uint64_t epoch, seq;
	uint64_t hash;	 /* over its living records of that epoch */
	uint64_t digest; /* over all of the above */
	uint64_t floor;	 /* tombstones up to this seq may be missing */
	uint64_t mark;	 /* tombstones up to this seq are old */
	uint64_t told;	 /* by the last one who told all */
	struct picture_list living, dead; /* by version */
	uint16_t node;
	bool used, gone; /* gone: forgotten with this epoch */
	bool whole; /* nothing of its lower epochs is left */
};

struct picture {
	struct picture_conf conf;
	struct picture_record *records;
	uint8_t *kinds; /* of the living record at that place, or 0 */
	struct picture_owner *owners;
	uint16_t *order; /* places in owners, by node */
	uint32_t owners_len; /* in order */
	struct pool values;
	uint32_t *buckets, buckets_len;
	uint32_t free, used, dead; /* dead: tombstones among the used */
	uint32_t high;	 /* no record at or above this place */
	uint64_t digest; /* over all owners */
	uint64_t marked; /* when the owners' marks were set */
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
/* The living record of that key, or NULL. */
const struct picture_record *picture_get(const struct picture *p,
    uint16_t owner, uint8_t kind, uint64_t id);

/*
 * All programs of this node have told what they have: nothing of our former
 * life is left.
 */
void picture_own_whole(struct picture *p);
/* Others know a later life of ours: all our records get this epoch. */
void picture_own_rise(struct picture *p, uint64_t epoch);

enum picture_merged {
	PICTURE_NEWS,	/* taken, *at is its place: tell the subscribers */
	PICTURE_KNOWN,	/* nothing to tell; a tombstone may have been kept */
	PICTURE_OLD,	/* a higher version is here, or the owner has gone */
	PICTURE_OURS,	/* claims to be ours: never taken */
	PICTURE_AHEAD,	/* the same, later than we are: our epoch must rise */
	PICTURE_NO_ROOM,
	PICTURE_BAD	/* no record can be like that */
};

/*
 * A record as another node told it: of r, the key, the version, dead, value
 * and value_size count.
 */
enum picture_merged picture_merge(struct picture *p,
    const struct picture_record *r, uint32_t *at);

/* NULL when it is unknown or has gone. */
const struct picture_owner *picture_owner(const struct picture *p,
    uint16_t node);
/*
 * Place of an owner among the owners, also when nothing is known of it yet or
 * it has gone; -1 when it is not there and there is no room (or not add).
 */
int picture_owner_place(struct picture *p, uint16_t node, bool add);
/* The epoch with which it was forgotten, or 0. */
uint64_t picture_owner_gone(const struct picture *p, uint16_t node);
/* The first owner with a number of at least node, or NULL. */
const struct picture_owner *picture_owner_next(const struct picture *p,
    uint32_t node);
/* Over everything; alike on two nodes when their owners' rows are. */
uint64_t picture_digest(const struct picture *p);

/*
 * Records of one owner, tombstones too, from one version on: a walk that
 * stays right whatever changes between its steps.  Begin with the version
 * and the other members 0.
 */
struct picture_walk {
	uint64_t epoch, seq;   /* of the last record, or where it begins */
	uint32_t living, dead; /* where to look first */
	uint16_t owner;
};
/* The record with the next version, or NULL. */
const struct picture_record *picture_walk(const struct picture *p,
    struct picture_walk *w);

/*
 * All of an owner is about to be told: what is not told until picture_told()
 * is known to have gone.
 */
void picture_await(struct picture *p, uint16_t owner);
/* What is known of an owner may be wrong: nothing counts as complete. */
void picture_distrust(struct picture *p, uint16_t owner);
/*
 * All changes of that epoch up to seq were told; all: and it began with the
 * first, so picture_drop(PICTURE_UNTOLD) follows; whole: nothing of a lower
 * epoch lives, so picture_drop(PICTURE_FORMER) follows.  False when the
 * owner has a higher epoch or has gone, or when there is no room for it.
 */
bool picture_told(struct picture *p, uint16_t owner, uint64_t epoch,
    uint64_t seq, bool all, bool whole);
/* It is dead or has left: picture_drop(PICTURE_ALL) follows. */
void picture_gone(struct picture *p, uint16_t owner);

enum picture_drop { PICTURE_UNTOLD, PICTURE_FORMER, PICTURE_ALL };
/*
 * Removes one record of an owner without a tombstone; *gone is what it was,
 * dead and without its value.  *place starts at 0.  False at the end.
 */
bool picture_drop(struct picture *p, uint16_t owner, enum picture_drop what,
    uint32_t *place, struct picture_record *gone);

/* All peers have all we have: nobody needs the tombstones. */
void picture_bury_all(struct picture *p);
/* Drops old tombstones; call it at picture_due(). */
void picture_tick(struct picture *p, uint64_t now);
uint64_t picture_due(const struct picture *p);

#endif
