/* SPDX-License-Identifier: ISC */
/*
 * A hash table of fixed size with chains.  Deleted records leave tombstones,
 * so that a peer that slept learns of the deletion; when room is needed the
 * oldest tombstones go first.  Only the owner's node calls put and del, so
 * a conflict cannot exist.
 */
#include "core/picture.h"

#include <string.h>

#include "base/hash.h"
#include "base/require.h"

#define NONE UINT32_MAX

/* Few, so that a small picture touches little memory; chains stay short. */
static uint32_t
buckets_for(const struct picture_conf *conf)
{
	return conf->records_max / 16 + 16;
}

size_t
picture_memory(const struct picture_conf *conf)
{
	return conf->records_max * sizeof(struct picture_record) +
	    buckets_for(conf) * sizeof(uint32_t) + 2 * 16;
}

void
picture_init(struct picture *p, struct arena *a,
    const struct picture_conf *conf)
{
	memset(p, 0, sizeof(*p));
	p->conf = *conf;
	p->records = arena_alloc(a, conf->records_max, sizeof(*p->records));
	p->buckets_len = buckets_for(conf);
	p->buckets = arena_alloc(a, p->buckets_len, sizeof(*p->buckets));
	if (p->conf.tombstones_max == 0)
		p->conf.tombstones_max = conf->records_max / 2;
	p->free = NONE;
}

/* Buckets hold place + 1, so that zeroed memory is an empty table. */
static uint32_t *
bucket(const struct picture *p, uint16_t owner, uint8_t kind, uint64_t id)
{
	uint64_t key[2] = { id, (uint64_t)owner << 8 | kind };

	return &p->buckets[hash_of(key, sizeof(key)) % p->buckets_len];
}

static struct picture_record *
find(const struct picture *p, uint8_t kind, uint64_t id)
{
	uint32_t i = *bucket(p, p->conf.node, kind, id);
	struct picture_record *r;

	for (; i != 0; i = r->next) {
		r = &p->records[i - 1];
		if (r->id == id && r->kind == kind &&
		    r->owner == p->conf.node)
			return r;
	}
	return NULL;
}

static void
unlink_record(struct picture *p, struct picture_record *r)
{
	uint32_t at = (uint32_t)(r - p->records), *i;

	for (i = bucket(p, r->owner, r->kind, r->id); *i != at + 1;
	     i = &p->records[*i - 1].next)
		REQUIRE(*i != 0);
	*i = r->next;
	p->dead -= r->dead;
	r->used = false;
	r->next = p->free;
	p->free = at;
	p->used--;
}

static bool
drop_oldest_tombstone(struct picture *p)
{
	struct picture_record *r, *oldest = NULL;
	uint32_t i;

	for (i = 0; i < p->high; i++) {
		r = &p->records[i];
		if (r->used && r->dead &&
		    (oldest == NULL || r->seq < oldest->seq))
			oldest = r;
	}
	if (oldest == NULL)
		return false;
	unlink_record(p, oldest);
	return true;
}

static struct picture_record *
add(struct picture *p, uint8_t kind, uint64_t id)
{
	struct picture_record *r;
	uint32_t at, *b;

	if (p->free == NONE && p->high == p->conf.records_max &&
	    !drop_oldest_tombstone(p))
		return NULL;
	if (p->free != NONE) {
		at = p->free;
		p->free = p->records[at].next;
	} else {
		at = p->high++;
	}
	r = &p->records[at];
	memset(r, 0, offsetof(struct picture_record, value));
	r->used = true;
	r->owner = p->conf.node;
	r->kind = kind;
	r->id = id;
	b = bucket(p, r->owner, kind, id);
	r->next = *b;
	*b = at + 1;
	p->used++;
	return r;
}

static uint32_t
changed(struct picture *p, struct picture_record *r)
{
	r->epoch = p->conf.epoch;
	r->seq = ++p->seq;
	return (uint32_t)(r - p->records);
}

enum picture_verdict
picture_put(struct picture *p, uint32_t writer, uint8_t kind, uint64_t id,
    const uint8_t *value, size_t size, uint32_t *at)
{
	struct picture_record *r = find(p, kind, id);

	REQUIRE(size <= RECORD_VALUE_MAX);
	if (r != NULL && !r->dead && r->writer != writer)
		return PICTURE_DENIED;
	if (r == NULL)
		r = add(p, kind, id);
	else if (!r->dead && r->value_size == size &&
	    memcmp(r->value, value, size) == 0) {
		r->stale = false;
		return PICTURE_SAME;
	}
	if (r == NULL)
		return PICTURE_FULL;
	r->writer = writer;
	p->dead -= r->dead;
	r->dead = r->stale = false;
	r->value_size = (uint16_t)size;
	memcpy(r->value, value, size);
	*at = changed(p, r);
	return PICTURE_CHANGED;
}

static void
bury(struct picture *p, struct picture_record *r, uint32_t *at)
{
	r->dead = true;
	r->stale = false;
	r->value_size = 0;
	*at = changed(p, r);
	if (++p->dead > p->conf.tombstones_max)
		(void)drop_oldest_tombstone(p);
}

enum picture_verdict
picture_del(struct picture *p, uint32_t writer, uint8_t kind, uint64_t id,
    uint32_t *at)
{
	struct picture_record *r = find(p, kind, id);

	if (r == NULL || r->dead)
		return PICTURE_SAME;
	if (r->writer != writer)
		return PICTURE_DENIED;
	bury(p, r, at);
	return PICTURE_CHANGED;
}

void
picture_returned(struct picture *p, uint32_t writer)
{
	uint32_t i;

	for (i = 0; i < p->high; i++)
		if (p->records[i].used && !p->records[i].dead &&
		    p->records[i].writer == writer)
			p->records[i].stale = true;
}

static bool
bury_one(struct picture *p, uint32_t writer, bool all, uint32_t *at)
{
	struct picture_record *r;
	uint32_t i;

	for (i = 0; i < p->high; i++) {
		r = &p->records[i];
		if (r->used && !r->dead && r->writer == writer &&
		    (all || r->stale)) {
			bury(p, r, at);
			return true;
		}
	}
	return false;
}

bool
picture_settled(struct picture *p, uint32_t writer, uint32_t *at)
{
	return bury_one(p, writer, false, at);
}

bool
picture_forget(struct picture *p, uint32_t writer, uint32_t *at)
{
	return bury_one(p, writer, true, at);
}

const struct picture_record *
picture_next(const struct picture *p, uint32_t kinds, uint32_t *place)
{
	const struct picture_record *r;

	while (*place < p->high) {
		r = &p->records[(*place)++];
		if (r->used && !r->dead && (kinds & RECORD_BIT(r->kind)))
			return r;
	}
	return NULL;
}

const struct picture_record *
picture_at(const struct picture *p, uint32_t at)
{
	REQUIRE(at < p->high);
	return &p->records[at];
}
