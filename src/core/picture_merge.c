/* SPDX-License-Identifier: ISC */
/*
 * Other nodes' records.  The higher version wins, so it does not matter from
 * whom, in which order and how often a record comes.
 *
 * Each number of an owner's sequence is one change.  So who has all up to n
 * and hears of n + 1 has all up to n + 1; where numbers are missing (a later
 * change of the same record took their place) the teller says so at the end:
 * picture_told().  What is complete cannot be added to: a record that is not
 * there any more was deleted, even if its tombstone is forgotten already.
 *
 * A higher epoch is a new life of the owner's switchboard, which learns
 * anew what it owns.  Its former records stay until told again or until it
 * says that it is whole.  Tombstones are kept for the present epoch only;
 * "floor" says up to where they may be missing, and who has less than that
 * has to be told all.
 */
#include "core/picture.h"

#include "base/require.h"
#include "core/picture_table.h"

#define DONE UINT32_MAX

/* Returns PICTURE_NEWS when it may be taken; *have: it has its key. */
static enum picture_merged
judge(struct picture *p, struct picture_owner *o,
    const struct picture_record *r, struct picture_record **have)
{
	int order;

	*have = NULL;
	if (o->gone && r->epoch <= o->epoch)
		return PICTURE_OLD;
	if (r->epoch > o->epoch)
		table_raise(p, o, r->epoch);
	*have = table_find(p, r->owner, r->kind, r->id);
	if (r->epoch < o->epoch && (o->whole || r->dead))
		return PICTURE_OLD;
	if (*have == NULL)
		return r->epoch == o->epoch && r->seq <= o->seq ?
		    PICTURE_OLD : PICTURE_NEWS;
	order = table_compare(*have, r->epoch, r->seq);
	return order > 0 ? PICTURE_OLD :
	    order == 0 ? PICTURE_KNOWN : PICTURE_NEWS;
}

static enum picture_merged
take(struct picture *p, struct picture_owner *o,
    const struct picture_record *r, struct picture_record *have, uint32_t *at)
{
	bool lived = have != NULL && !have->dead, anew = have == NULL;

	if (anew)
		have = table_add(p, r->owner, r->kind, r->id);
	if (have == NULL)
		return PICTURE_NO_ROOM;
	if (!table_value(p, have, r->value, r->dead ? 0 : r->value_size)) {
		if (anew)
			table_remove(p, have);
		return PICTURE_NO_ROOM;
	}
	if (!anew)
		table_delist(p, o, have);
	have->epoch = r->epoch;
	have->seq = r->seq;
	have->dead = r->dead;
	have->stale = false;
	table_enlist(p, o, have);
	*at = (uint32_t)(have - p->records);
	table_limit(p);
	return lived || !r->dead ? PICTURE_NEWS : PICTURE_KNOWN;
}

enum picture_merged
picture_merge(struct picture *p, const struct picture_record *r, uint32_t *at)
{
	enum picture_merged verdict;
	struct picture_record *have;
	struct picture_owner *o;

	if (r->kind == 0 || r->kind > 31 || r->epoch == 0 ||
	    r->epoch > PICTURE_EPOCH_MAX || r->seq == 0 ||
	    r->value_size > RECORD_VALUE_MAX)
		return PICTURE_BAD;
	o = table_owner_add(p, r->owner);
	if (o == NULL)
		return PICTURE_NO_ROOM;
	if (r->owner == p->conf.node)
		return r->epoch > o->epoch ||
		    (r->epoch == o->epoch && r->seq > o->seq) ?
		    PICTURE_AHEAD : PICTURE_OURS;
	verdict = judge(p, o, r, &have);
	if (verdict == PICTURE_NEWS)
		verdict = take(p, o, r, have, at);
	else if (verdict == PICTURE_KNOWN)
		have->stale = false;
	if ((verdict == PICTURE_NEWS || verdict == PICTURE_KNOWN) &&
	    r->epoch == o->epoch && r->seq == o->seq + 1)
		o->seq++;
	table_digest(p, o);
	return verdict;
}

const struct picture_owner *
picture_owner(const struct picture *p, uint16_t node)
{
	const struct picture_owner *o = table_owner(p, node);

	return o == NULL || o->gone || o->epoch == 0 ? NULL : o;
}

int
picture_owner_place(struct picture *p, uint16_t node, bool add)
{
	const struct picture_owner *o =
	    add ? table_owner_add(p, node) : table_owner(p, node);

	return o == NULL ? -1 : (int)(o - p->owners);
}

uint64_t
picture_owner_gone(const struct picture *p, uint16_t node)
{
	const struct picture_owner *o = table_owner(p, node);

	return o != NULL && o->gone ? o->epoch : 0;
}

const struct picture_owner *
picture_owner_next(const struct picture *p, uint32_t node)
{
	const struct picture_owner *o;
	uint32_t i;

	for (i = 0; i < p->owners_len; i++) {
		o = &p->owners[p->order[i]];
		if (o->node >= node && !o->gone && o->epoch != 0)
			return o;
	}
	return NULL;
}

uint64_t
picture_digest(const struct picture *p)
{
	return p->digest;
}

/*
 * The first record of a list with a version beyond the walk's.  *hint is the
 * place of one that it has passed; if that has moved or gone meanwhile, the
 * search begins at the end, where what is left to walk is.
 */
static const struct picture_record *
list_after(const struct picture *p, const struct picture_walk *w,
    const struct picture_list *l, bool dead, uint32_t *hint)
{
	const struct picture_record *r = table_at(p, *hint);

	if (r == NULL || !r->used || r->dead != dead ||
	    r->owner != w->owner || table_compare(r, w->epoch, w->seq) > 0) {
		r = table_at(p, l->last);
		while (r != NULL && table_compare(r, w->epoch, w->seq) > 0)
			r = table_at(p, r->older);
		if (r == NULL)
			return table_at(p, l->first);
	}
	while (r != NULL && table_compare(r, w->epoch, w->seq) <= 0) {
		*hint = (uint32_t)(r - p->records) + 1;
		r = table_at(p, r->newer);
	}
	return r;
}

const struct picture_record *
picture_walk(const struct picture *p, struct picture_walk *w)
{
	const struct picture_owner *o = picture_owner(p, w->owner);
	const struct picture_record *r, *dead;

	if (o == NULL)
		return NULL;
	r = list_after(p, w, &o->living, false, &w->living);
	dead = list_after(p, w, &o->dead, true, &w->dead);
	if (r == NULL ||
	    (dead != NULL && table_compare(r, dead->epoch, dead->seq) > 0))
		r = dead;
	if (r != NULL) {
		w->epoch = r->epoch;
		w->seq = r->seq;
	}
	return r;
}

void
picture_await(struct picture *p, uint16_t owner)
{
	struct picture_owner *o = table_owner(p, owner);
	struct picture_record *r;

	REQUIRE(owner != p->conf.node);
	for (r = o == NULL ? NULL : table_at(p, o->living.first); r != NULL;
	     r = table_at(p, r->newer))
		r->stale = true;
}

void
picture_distrust(struct picture *p, uint16_t owner)
{
	struct picture_owner *o = table_owner(p, owner);

	REQUIRE(owner != p->conf.node);
	if (o == NULL)
		return;
	o->seq = 0;
	o->whole = false;
	table_digest(p, o);
}

bool
picture_told(struct picture *p, uint16_t owner, uint64_t epoch, uint64_t seq,
    bool all, bool whole)
{
	struct picture_owner *o;

	if (owner == p->conf.node || epoch == 0 || epoch > PICTURE_EPOCH_MAX)
		return false;
	o = table_owner_add(p, owner);
	if (o == NULL || epoch < o->epoch || (o->gone && epoch == o->epoch))
		return false;
	if (epoch > o->epoch)
		table_raise(p, o, epoch);
	if (seq > o->seq)
		o->seq = seq;
	if (all) {
		o->told = seq;
		if (seq > o->floor)
			o->floor = seq;
	}
	if (whole)
		o->whole = true;
	table_digest(p, o);
	return true;
}

void
picture_gone(struct picture *p, uint16_t owner)
{
	struct picture_owner *o = table_owner(p, owner);

	REQUIRE(owner != p->conf.node);
	if (o == NULL || o->gone)
		return;
	table_raise(p, o, o->epoch);
	o->gone = true;
	table_digest(p, o);
}

static bool
goes(const struct picture_owner *o, const struct picture_record *r,
    enum picture_drop what)
{
	switch (what) {
	case PICTURE_UNTOLD:
		return r->stale && r->epoch == o->epoch && r->seq <= o->told;
	case PICTURE_FORMER:
		return r->epoch < o->epoch;
	default:
		return true;
	}
}

bool
picture_drop(struct picture *p, uint16_t owner, enum picture_drop what,
    uint32_t *place, struct picture_record *gone)
{
	struct picture_owner *o = table_owner(p, owner);
	struct picture_record *r;

	if (o == NULL || *place == DONE)
		return false;
	r = table_at(p, *place != 0 ? *place : o->living.first);
	while (r != NULL && !goes(o, r, what))
		r = table_at(p, r->newer);
	if (r == NULL) {
		*place = DONE;
		return false;
	}
	*place = r->newer != 0 ? r->newer : DONE;
	*gone = *r;
	gone->value = (const uint8_t *)"";
	gone->value_size = 0;
	gone->dead = true;
	table_delist(p, o, r);
	table_remove(p, r);
	table_digest(p, o);
	return true;
}

void
picture_bury_all(struct picture *p)
{
	uint32_t i;

	for (i = 0; p->dead > 0 && i < p->owners_len; i++)
		while (p->owners[p->order[i]].dead.len > 0)
			table_drop_dead(p, &p->owners[p->order[i]]);
}

/* What was there at the last tick but one is old. */
void
picture_tick(struct picture *p, uint64_t now)
{
	const struct picture_record *last;
	struct picture_owner *o;
	uint32_t i;

	if (now < picture_due(p))
		return;
	p->marked = now;
	for (i = 0; i < p->owners_len; i++) {
		o = &p->owners[p->order[i]];
		while (o->dead.len > 0 &&
		    table_at(p, o->dead.first)->seq <= o->mark)
			table_drop_dead(p, o);
		last = table_at(p, o->dead.last);
		o->mark = last != NULL ? last->seq : o->seq;
	}
}

uint64_t
picture_due(const struct picture *p)
{
	return p->dead == 0 ? ORCM_NEVER : p->marked + PICTURE_TOMBSTONE_TIME;
}
