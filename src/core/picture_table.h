/* SPDX-License-Identifier: ISC */
#ifndef CORE_PICTURE_TABLE_H
#define CORE_PICTURE_TABLE_H

#include "core/picture.h"

/* What lies beneath picture.c and picture_merge.c; nobody else calls it. */

/* Sets up everything but the conf. */
void table_init(struct picture *p, struct arena *a);

/* Also one that has gone; NULL when it is unknown. */
struct picture_owner *table_owner(const struct picture *p, uint16_t node);
/* Makes it known if need be; NULL when there are too many. */
struct picture_owner *table_owner_add(struct picture *p, uint16_t node);
/* A new life: its tombstones go, its records are those of a former one. */
void table_raise(struct picture *p, struct picture_owner *o, uint64_t epoch);
/* After a change of its epoch, seq, gone or records. */
void table_digest(struct picture *p, struct picture_owner *o);

struct picture_record *table_find(const struct picture *p, uint16_t owner,
    uint8_t kind, uint64_t id);
/*
 * A record with its key, yet in no list; tombstones make room for it.  NULL
 * when all are alive.
 */
struct picture_record *table_add(struct picture *p, uint16_t owner,
    uint8_t kind, uint64_t id);
/* False, and nothing changed, when there is no room for the value. */
bool table_value(struct picture *p, struct picture_record *r,
    const uint8_t *value, size_t size);
/* Into the list of the living or the dead, at the place of its version. */
void table_enlist(struct picture *p, struct picture_owner *o,
    struct picture_record *r);
void table_delist(struct picture *p, struct picture_owner *o,
    struct picture_record *r);
/* Of a record that is in no list. */
void table_remove(struct picture *p, struct picture_record *r);
/* Drops tombstones until there are no more than may be. */
void table_limit(struct picture *p);
/* The owner's oldest tombstone. */
void table_drop_dead(struct picture *p, struct picture_owner *o);

static inline struct picture_record *
table_at(const struct picture *p, uint32_t place)
{
	return place == 0 ? NULL : &p->records[place - 1];
}

/* Negative, 0 or positive, as versions go. */
static inline int
table_compare(const struct picture_record *r, uint64_t epoch, uint64_t seq)
{
	if (r->epoch != epoch)
		return r->epoch < epoch ? -1 : 1;
	return r->seq < seq ? -1 : r->seq > seq;
}

#endif
