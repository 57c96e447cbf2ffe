/* SPDX-License-Identifier: ISC */
/*
 * A hash table of fixed size with chains, and for each owner two lists by
 * version: of the living and of tombstones.  Changes come in the order of
 * their versions, so a list is nearly always entered at its end.
 *
 * An owner's hash is the sum of its living records' hashes, and the digest
 * the sum of the owners': each change costs the same, however many there are.
 * Only records of the owner's present epoch count, and no tombstones: two
 * nodes with the same (epoch, seq) of an owner agree on those, while either
 * may have dropped tombstones or may still show records of a former life.
 */
#include "core/picture_table.h"

#include <string.h>

#include "base/require.h"

#define NONE UINT32_MAX
#define NOTHING ((const uint8_t *)"")

/* Takes one number more into a hash: the steps of splitmix64 (Steele 2014). */
static uint64_t
mix(uint64_t hash, uint64_t v)
{
	hash = (hash ^ v) + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

static uint64_t
hash_key(uint16_t owner, uint8_t kind, uint64_t id)
{
	return mix(id, (uint64_t)owner << 8 | kind);
}

/* Few, so that a small picture touches little memory; chains stay short. */
static uint32_t
buckets_for(const struct picture_conf *conf)
{
	return conf->records_max / 4 + 16;
}

static size_t
values_for(const struct picture_conf *conf)
{
	return conf->values_size != 0 ? conf->values_size :
	    (size_t)conf->records_max * RECORD_VALUE_MAX;
}

static uint32_t
owners_for(const struct picture_conf *conf)
{
	return conf->owners_max != 0 ? conf->owners_max : 1;
}

size_t
picture_memory(const struct picture_conf *conf)
{
	return conf->records_max * (sizeof(struct picture_record) + 1) +
	    owners_for(conf) *
	    (sizeof(struct picture_owner) + sizeof(uint16_t)) +
	    pool_memory(values_for(conf)) +
	    buckets_for(conf) * sizeof(uint32_t) + 5 * 16;
}

void
table_init(struct picture *p, struct arena *a)
{
	_Static_assert(RECORD_VALUE_MAX <= POOL_BLOCK, "a value is one piece");

	p->conf.owners_max = owners_for(&p->conf);
	p->records = arena_alloc(a, p->conf.records_max, sizeof(*p->records));
	p->kinds = arena_alloc(a, p->conf.records_max, 1);
	p->owners = arena_alloc(a, p->conf.owners_max, sizeof(*p->owners));
	p->order = arena_alloc(a, p->conf.owners_max, sizeof(*p->order));
	p->buckets_len = buckets_for(&p->conf);
	p->buckets = arena_alloc(a, p->buckets_len, sizeof(*p->buckets));
	pool_init(&p->values, a, values_for(&p->conf));
	p->free = NONE;
	if (p->conf.tombstones_max == 0)
		p->conf.tombstones_max = (p->conf.records_max + 1) / 2;
}

/* In the order of their numbers: the first with at least this one. */
static uint32_t
owner_search(const struct picture *p, uint32_t node)
{
	uint32_t low = 0, high = p->owners_len, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (p->owners[p->order[middle]].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct picture_owner *
table_owner(const struct picture *p, uint16_t node)
{
	uint32_t i = owner_search(p, node);

	if (i == p->owners_len || p->owners[p->order[i]].node != node)
		return NULL;
	return &p->owners[p->order[i]];
}

/* Who has gone or never came is remembered only while there is room. */
static void
make_room(struct picture *p)
{
	struct picture_owner *o;
	uint32_t i;

	for (i = 0; i < p->owners_len; i++) {
		o = &p->owners[p->order[i]];
		if (!o->gone && o->epoch != 0)
			continue;
		memset(o, 0, sizeof(*o));
		p->owners_len--;
		memmove(&p->order[i], &p->order[i + 1],
		    (p->owners_len - i) * sizeof(*p->order));
		return;
	}
}

struct picture_owner *
table_owner_add(struct picture *p, uint16_t node)
{
	struct picture_owner *o = table_owner(p, node);
	uint32_t i, place;

	if (o != NULL)
		return o;
	if (p->owners_len == p->conf.owners_max)
		make_room(p);
	if (p->owners_len == p->conf.owners_max)
		return NULL;
	for (place = 0; p->owners[place].used; place++)
		;
	i = owner_search(p, node);
	memmove(&p->order[i + 1], &p->order[i],
	    (p->owners_len - i) * sizeof(*p->order));
	p->order[i] = (uint16_t)place;
	p->owners_len++;
	o = &p->owners[place];
	o->used = true;
	o->node = node;
	return o;
}

void
table_digest(struct picture *p, struct picture_owner *o)
{
	p->digest -= o->digest;
	o->digest = o->gone ? 0 :
	    mix(mix(mix(o->node, o->epoch), o->seq), o->hash);
	p->digest += o->digest;
}

static uint64_t
hash_record(const struct picture_record *r)
{
	return mix(mix(hash_key(r->owner, r->kind, r->id), r->epoch),
	    r->seq);
}

/* Buckets hold place + 1, so that zeroed memory is an empty table. */
static uint32_t *
bucket(const struct picture *p, uint16_t owner, uint8_t kind, uint64_t id)
{
	return &p->buckets[hash_key(owner, kind, id) % p->buckets_len];
}

struct picture_record *
table_find(const struct picture *p, uint16_t owner, uint8_t kind, uint64_t id)
{
	uint32_t i = *bucket(p, owner, kind, id);
	struct picture_record *r;

	for (; i != 0; i = r->next) {
		r = &p->records[i - 1];
		if (r->id == id && r->kind == kind && r->owner == owner)
			return r;
	}
	return NULL;
}

void
table_remove(struct picture *p, struct picture_record *r)
{
	uint32_t at = (uint32_t)(r - p->records), *i;

	for (i = bucket(p, r->owner, r->kind, r->id); *i != at + 1;
	     i = &p->records[*i - 1].next)
		REQUIRE(*i != 0);
	*i = r->next;
	(void)table_value(p, r, NOTHING, 0);
	r->used = false;
	r->next = p->free;
	p->free = at;
	p->used--;
}

void
table_drop_dead(struct picture *p, struct picture_owner *o)
{
	struct picture_record *r = table_at(p, o->dead.first);

	if (r->seq > o->floor)
		o->floor = r->seq;
	table_delist(p, o, r);
	table_remove(p, r);
}

/* Who has most of them can best do without its oldest. */
static bool
drop_tombstone(struct picture *p)
{
	struct picture_owner *o, *most = NULL;
	uint32_t i;

	if (p->dead == 0)
		return false;
	for (i = 0; i < p->owners_len; i++) {
		o = &p->owners[p->order[i]];
		if (most == NULL || o->dead.len > most->dead.len)
			most = o;
	}
	table_drop_dead(p, most);
	return true;
}

void
table_limit(struct picture *p)
{
	while (p->dead > p->conf.tombstones_max)
		(void)drop_tombstone(p);
}

struct picture_record *
table_add(struct picture *p, uint16_t owner, uint8_t kind, uint64_t id)
{
	struct picture_record *r;
	uint32_t at, *b;

	if (p->free == NONE && p->high == p->conf.records_max &&
	    !drop_tombstone(p))
		return NULL;
	if (p->free != NONE) {
		at = p->free;
		p->free = p->records[at].next;
	} else {
		at = p->high++;
	}
	r = &p->records[at];
	memset(r, 0, sizeof(*r));
	r->used = true;
	r->value = NOTHING;
	r->owner = owner;
	r->kind = kind;
	r->id = id;
	b = bucket(p, owner, kind, id);
	r->next = *b;
	*b = at + 1;
	p->used++;
	return r;
}

/* The old one goes first, so that a full pool still has room for a change. */
bool
table_value(struct picture *p, struct picture_record *r, const uint8_t *value,
    size_t size)
{
	uint8_t old[RECORD_VALUE_MAX], *piece = NULL;
	size_t old_size = r->value_size;

	memcpy(old, r->value, old_size);
	if (old_size > 0)
		pool_put(&p->values, r->value, old_size);
	r->value = NOTHING;
	r->value_size = 0;
	if (size == 0)
		return true;
	piece = pool_get(&p->values, size);
	if (piece != NULL) {
		memcpy(piece, value, size);
		r->value = piece;
		r->value_size = (uint16_t)size;
		return true;
	}
	if (old_size > 0) {
		piece = pool_get(&p->values, old_size);
		REQUIRE(piece != NULL);
		memcpy(piece, old, old_size);
		r->value = piece;
		r->value_size = (uint16_t)old_size;
	}
	return false;
}

void
table_enlist(struct picture *p, struct picture_owner *o,
    struct picture_record *r)
{
	struct picture_list *l = r->dead ? &o->dead : &o->living;
	uint32_t at = (uint32_t)(r - p->records), older = l->last;

	while (older != 0 &&
	    table_compare(table_at(p, older), r->epoch, r->seq) > 0)
		older = table_at(p, older)->older;
	r->older = older;
	r->newer = older != 0 ? table_at(p, older)->newer : l->first;
	*(older != 0 ? &table_at(p, older)->newer : &l->first) = at + 1;
	*(r->newer != 0 ? &table_at(p, r->newer)->older : &l->last) = at + 1;
	l->len++;
	p->dead += r->dead;
	if (r->dead)
		return;
	p->kinds[at] = r->kind;
	if (r->epoch == o->epoch)
		o->hash += hash_record(r);
}

void
table_delist(struct picture *p, struct picture_owner *o,
    struct picture_record *r)
{
	struct picture_list *l = r->dead ? &o->dead : &o->living;

	*(r->older != 0 ? &table_at(p, r->older)->newer : &l->first) =
	    r->newer;
	*(r->newer != 0 ? &table_at(p, r->newer)->older : &l->last) =
	    r->older;
	l->len--;
	p->dead -= r->dead;
	if (r->dead)
		return;
	p->kinds[r - p->records] = 0;
	if (r->epoch == o->epoch)
		o->hash -= hash_record(r);
}

void
table_raise(struct picture *p, struct picture_owner *o, uint64_t epoch)
{
	while (o->dead.len > 0)
		table_drop_dead(p, o);
	o->epoch = epoch;
	o->seq = o->hash = o->floor = o->mark = o->told = 0;
	o->gone = o->whole = false;
	table_digest(p, o);
}
