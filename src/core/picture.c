/* SPDX-License-Identifier: ISC */
/*
 * What a node's own programs do to its picture, and what everybody reads.
 * Deleted records leave tombstones, so that a peer that slept learns of the
 * deletion; when room is needed the oldest tombstones go first.  Only the
 * owner's node calls put and del, so a conflict cannot exist.
 */
#include "core/picture.h"

#include <string.h>

#include "base/require.h"
#include "core/picture_table.h"

void
picture_init(struct picture *p, struct arena *a,
    const struct picture_conf *conf)
{
	struct picture_owner *own;

	REQUIRE(conf->epoch <= PICTURE_EPOCH_MAX);
	memset(p, 0, sizeof(*p));
	p->conf = *conf;
	table_init(p, a);
	own = table_owner_add(p, conf->node);
	own->epoch = conf->epoch;
	table_digest(p, own);
}

static struct picture_owner *
own_row(const struct picture *p)
{
	return table_owner(p, p->conf.node);
}

/* Of a record in no list: into its list, with the next version. */
static uint32_t
changed(struct picture *p, struct picture_record *r)
{
	struct picture_owner *o = own_row(p);

	r->epoch = o->epoch;
	r->seq = ++o->seq;
	table_enlist(p, o, r);
	table_digest(p, o);
	return (uint32_t)(r - p->records);
}

enum picture_verdict
picture_put(struct picture *p, uint32_t writer, uint8_t kind, uint64_t id,
    const uint8_t *value, size_t size, uint32_t *at)
{
	struct picture_record *r = table_find(p, p->conf.node, kind, id);
	bool anew = r == NULL;

	REQUIRE(size <= RECORD_VALUE_MAX);
	if (!anew && !r->dead) {
		if (r->writer != writer)
			return PICTURE_DENIED;
		if (r->value_size == size &&
		    memcmp(r->value, value, size) == 0) {
			r->stale = false;
			return PICTURE_SAME;
		}
	}
	if (anew)
		r = table_add(p, p->conf.node, kind, id);
	if (r == NULL)
		return PICTURE_FULL;
	if (!table_value(p, r, value, size)) {
		if (anew)
			table_remove(p, r);
		return PICTURE_FULL;
	}
	if (!anew)
		table_delist(p, own_row(p), r);
	r->writer = writer;
	r->dead = r->stale = false;
	*at = changed(p, r);
	return PICTURE_CHANGED;
}

static void
bury(struct picture *p, struct picture_record *r, uint32_t *at)
{
	table_delist(p, own_row(p), r);
	(void)table_value(p, r, r->value, 0);
	r->dead = true;
	r->stale = false;
	*at = changed(p, r);
	table_limit(p);
}

enum picture_verdict
picture_del(struct picture *p, uint32_t writer, uint8_t kind, uint64_t id,
    uint32_t *at)
{
	struct picture_record *r = table_find(p, p->conf.node, kind, id);

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
	struct picture_record *r = table_at(p, own_row(p)->living.first);

	for (; r != NULL; r = table_at(p, r->newer))
		if (r->writer == writer)
			r->stale = true;
}

/* In the order of their places, as picture_next() has them. */
static bool
bury_one(struct picture *p, uint32_t writer, bool all, uint32_t *at)
{
	struct picture_record *r = table_at(p, own_row(p)->living.first);
	struct picture_record *first = NULL;

	for (; r != NULL; r = table_at(p, r->newer))
		if (r->writer == writer && (all || r->stale) &&
		    (first == NULL || r < first))
			first = r;
	if (first == NULL)
		return false;
	bury(p, first, at);
	return true;
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

/*
 * A version of its own, without a record: so who has all changes up to it
 * has heard this too.
 */
void
picture_own_whole(struct picture *p)
{
	struct picture_owner *o = own_row(p);

	if (o->whole)
		return;
	o->whole = true;
	o->seq++;
	table_digest(p, o);
}

void
picture_own_rise(struct picture *p, uint64_t epoch)
{
	struct picture_owner *o = own_row(p);
	uint64_t seq = o->seq;
	bool whole = o->whole;
	struct picture_record *r;

	REQUIRE(epoch > o->epoch && epoch <= PICTURE_EPOCH_MAX);
	table_raise(p, o, epoch);
	/* One by one to the end of the list, until the first is a new one. */
	while ((r = table_at(p, o->living.first)) != NULL &&
	    r->epoch != epoch) {
		table_delist(p, o, r);
		r->epoch = epoch;
		table_enlist(p, o, r);
	}
	o->seq = o->floor = seq;
	o->whole = whole;
	p->conf.epoch = epoch;
	table_digest(p, o);
}

const struct picture_record *
picture_next(const struct picture *p, uint32_t kinds, uint32_t *place)
{
	uint32_t at;

	while (*place < p->high) {
		at = (*place)++;
		if (p->kinds[at] != 0 && (kinds & RECORD_BIT(p->kinds[at])))
			return &p->records[at];
	}
	return NULL;
}

const struct picture_record *
picture_at(const struct picture *p, uint32_t at)
{
	REQUIRE(at < p->high);
	return &p->records[at];
}

const struct picture_record *
picture_get(const struct picture *p, uint16_t owner, uint8_t kind, uint64_t id)
{
	const struct picture_record *r = table_find(p, owner, kind, id);

	return r == NULL || r->dead ? NULL : r;
}
