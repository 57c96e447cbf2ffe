/* SPDX-License-Identifier: ISC */
/*
 * A document of n chunks is n + 1 records of one owner: chunks 1..n, put
 * first, and the head (number 0), put last, with rank, number of chunks and
 * hash.  A reader looks when a head or a chunk of a better document comes,
 * and takes it only when all chunks are there and the hash fits; what is
 * being replaced does not fit.  Records come in order, so that is seldom.
 *
 * A document must survive its writer, but a copy owned by each node would be
 * n copies in each node's picture.  So the DOC_KEEPERS nodes with the lowest
 * numbers offer it under their own name; its writer does until they have it.
 * Every node remembers the document it has applied: if nobody's records show
 * that one any more, it offers it itself until the keepers have taken it.
 *
 * Of two with the same rank, which single writers do not make, the one with
 * the higher hash counts: nodes agree in any case.
 */
#include "core/doc.h"

#include <string.h>

#include "base/hash.h"
#include "base/require.h"
#include "base/wire.h"

#define N(t) (UINT64_C(1) << TLV_##t)

_Static_assert(DOC_CHUNK + 4 <= RECORD_VALUE_MAX, "a chunk is one record");

struct head {
	struct doc_rank rank;
	uint64_t hash;
	uint32_t chunks;
};

size_t
doc_memory(void)
{
	return DOC_NAMES * (size_t)DOC_SIZE_MAX + DOC_NAMES * 16;
}

void
doc_init(struct doc *d, struct arena *a, const struct picture *p)
{
	unsigned i;

	memset(d, 0, sizeof(*d));
	d->picture = p;
	d->spare = arena_alloc(a, 1, DOC_SIZE_MAX);
	for (i = DOC_CONFIG; i < DOC_NAMES; i++)
		d->copies[i].bytes = arena_alloc(a, 1, DOC_SIZE_MAX);
}

static uint64_t
id_of(unsigned name, uint32_t chunk)
{
	return (uint64_t)name << 32 | chunk;
}

static uint32_t
chunks_of(uint32_t size)
{
	return (size + DOC_CHUNK - 1) / DOC_CHUNK;
}

static size_t
head_put(const struct doc_copy *c, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_u8(&w, TLV_FLAGS, c->rank.quorate);
	wr_tlv_u64(&w, TLV_EPOCH, c->rank.term);
	wr_tlv_u64(&w, TLV_SEQ, c->rank.version);
	wr_tlv_u16(&w, TLV_SIZE, (uint16_t)chunks_of(c->size));
	wr_tlv_u64(&w, TLV_ID, c->hash);
	REQUIRE(!wr_bad(&w));
	return wr_size(&w);
}

static bool
head_get(const struct doc *d, uint16_t owner, unsigned name, struct head *h)
{
	const struct picture_record *r =
	    picture_get(d->picture, owner, RECORD_DOC, id_of(name, 0));
	const uint64_t needs =
	    N(FLAGS) | N(EPOCH) | N(SEQ) | N(SIZE) | N(ID);
	struct wire_msg m;

	if (r == NULL ||
	    wire_parse_value(&m, r->value, r->value_size) != WIRE_OK ||
	    (m.has & needs) != needs)
		return false;
	h->rank.quorate = wire_num(&m, TLV_FLAGS) & 1;
	h->rank.term = wire_num(&m, TLV_EPOCH);
	h->rank.version = wire_num(&m, TLV_SEQ);
	h->chunks = (uint32_t)wire_num(&m, TLV_SIZE);
	h->hash = wire_num(&m, TLV_ID);
	return h->chunks <= DOC_CHUNKS_MAX;
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Positive when (rank, hash) is higher than that of the copy. */
static int
compare(const struct doc_rank *rank, uint64_t hash, const struct doc_copy *c)
{
	int order;

	if (!c->here)
		return 1;
	order = compare_numbers(rank->quorate, c->rank.quorate);
	if (order == 0)
		order = compare_numbers(rank->term, c->rank.term);
	if (order == 0)
		order = compare_numbers(rank->version, c->rank.version);
	return order != 0 ? order : compare_numbers(hash, c->hash);
}

/* How many nodes below that number show the document that we have. */
static uint32_t
shown_by(const struct doc *d, unsigned name, uint32_t below)
{
	const struct picture_owner *o;
	struct head h;
	uint32_t node, n = 0;

	for (node = 0; (o = picture_owner_next(d->picture, node)) != NULL &&
	     o->node < below; node = o->node + 1u)
		if (o->node != d->picture->conf.node &&
		    head_get(d, o->node, name, &h) &&
		    compare(&h.rank, h.hash, &d->copies[name]) == 0)
			n++;
	return n;
}

/* Is our number one of the lowest? */
static bool
keeper(const struct doc *d)
{
	const struct picture_owner *o;
	uint32_t node = 0, n;

	for (n = 0; n < DOC_KEEPERS; n++) {
		o = picture_owner_next(d->picture, node);
		if (o == NULL || o->node == d->picture->conf.node)
			return true;
		node = o->node + 1u;
	}
	return false;
}

static void
decide(struct doc *d, unsigned name)
{
	struct doc_copy *c = &d->copies[name];

	if (!c->here || keeper(d))
		c->offered = c->here;
	else if (c->offered)
		c->offered = shown_by(d, name, d->picture->conf.node) <
		    DOC_KEEPERS;
	else
		c->offered = shown_by(d, name, UINT32_MAX) == 0;
}

/* The copy's bytes are new. */
static void
adopt(struct doc *d, unsigned name, const struct doc_rank *rank,
    uint64_t hash, uint32_t size)
{
	struct doc_copy *c = &d->copies[name];

	c->here = c->apply = true;
	c->rank = *rank;
	c->hash = hash;
	c->size = size;
	c->next = 1;
	c->current = false;
	decide(d, name);
}

static bool
written(struct doc *d, const struct doc_in *in)
{
	struct doc_copy *c;
	uint64_t hash;

	if (in->name < DOC_CONFIG || in->name >= DOC_NAMES ||
	    in->size > DOC_SIZE_MAX)
		return false;
	c = &d->copies[in->name];
	hash = hash_of(in->bytes, in->size);
	if (compare(&in->rank, hash, c) == 0)
		return true;
	/* A writer gives each text a version of its own. */
	if (compare(&in->rank, c->hash, c) <= 0)
		return false;
	if (in->size > 0)
		memcpy(c->bytes, in->bytes, in->size);
	/* Nobody else has it. */
	c->offered = true;
	adopt(d, in->name, &in->rank, hash, (uint32_t)in->size);
	return true;
}

/* All chunks into the spare room; false when they do not make the document. */
static bool
assemble(struct doc *d, uint16_t owner, unsigned name, const struct head *h,
    uint32_t *size)
{
	const struct picture_record *r;
	struct wire_msg m;
	uint32_t i, n;

	*size = 0;
	for (i = 1; i <= h->chunks; i++) {
		r = picture_get(d->picture, owner, RECORD_DOC,
		    id_of(name, i));
		if (r == NULL ||
		    wire_parse_value(&m, r->value, r->value_size) !=
			WIRE_OK ||
		    !(m.has & N(VECTOR)))
			return false;
		n = m.tlv[TLV_VECTOR].size;
		if (n > DOC_SIZE_MAX - *size)
			return false;
		memcpy(d->spare + *size, m.tlv[TLV_VECTOR].p, n);
		*size += n;
	}
	return hash_of(d->spare, *size) == h->hash &&
	    chunks_of(*size) == h->chunks;
}

static void
record_came(struct doc *d, const struct picture_record *r)
{
	unsigned name = (unsigned)(r->id >> 32);
	struct doc_copy *c;
	struct head h;
	uint8_t *bytes;
	uint32_t size;

	if (r->kind != RECORD_DOC || r->owner == d->picture->conf.node ||
	    name < DOC_CONFIG || name >= DOC_NAMES)
		return;
	c = &d->copies[name];
	if (head_get(d, r->owner, name, &h) &&
	    compare(&h.rank, h.hash, c) > 0 &&
	    assemble(d, r->owner, name, &h, &size)) {
		bytes = c->bytes;
		c->bytes = d->spare;
		d->spare = bytes;
		adopt(d, name, &h.rank, h.hash, size);
	} else if ((uint32_t)r->id == 0) {
		decide(d, name);
	}
}

bool
doc_feed(struct doc *d, uint64_t now, const struct doc_in *in)
{
	unsigned i;

	(void)now;
	switch (in->event) {
	case DOC_IN_WRITE:
		return written(d, in);
	case DOC_IN_RECORD:
		record_came(d, in->record);
		break;
	case DOC_IN_OWNERS:
		for (i = DOC_CONFIG; i < DOC_NAMES; i++)
			decide(d, i);
		break;
	}
	return true;
}

static bool
put_chunk(struct doc *d, unsigned name, struct doc_copy *c,
    struct doc_out *out)
{
	uint32_t from = (c->next - 1) * DOC_CHUNK, n = c->size - from;
	struct wr w;

	wr_init(&w, d->value, sizeof(d->value));
	wr_tlv(&w, TLV_VECTOR, c->bytes + from, n < DOC_CHUNK ? n : DOC_CHUNK);
	out->verb = DOC_PUT;
	out->id = id_of(name, c->next);
	out->bytes = d->value;
	out->size = wr_size(&w);
	if (c->next > c->chunks)
		c->chunks = c->next;
	c->next++;
	return true;
}

static bool
del(struct doc_out *out, uint64_t id)
{
	out->verb = DOC_DEL;
	out->id = id;
	return true;
}

/* One step towards the own records that shall be there. */
static bool
records(struct doc *d, unsigned name, struct doc_out *out)
{
	struct doc_copy *c = &d->copies[name];
	uint32_t chunks = c->offered ? chunks_of(c->size) : 0;

	if (!c->offered) {
		c->next = 1;
		c->current = false;
		if (c->head) {
			c->head = false;
			return del(out, id_of(name, 0));
		}
	} else if (c->next <= chunks) {
		return put_chunk(d, name, c, out);
	}
	if (c->chunks > chunks)
		return del(out, id_of(name, c->chunks--));
	if (!c->offered || c->current)
		return false;
	c->head = c->current = true;
	out->verb = DOC_PUT;
	out->id = id_of(name, 0);
	out->bytes = d->value;
	out->size = head_put(c, d->value);
	return true;
}

bool
doc_take(struct doc *d, struct doc_out *out)
{
	struct doc_copy *c;
	unsigned i;

	memset(out, 0, sizeof(*out));
	for (i = DOC_CONFIG; i < DOC_NAMES; i++) {
		c = &d->copies[i];
		out->name = (enum doc_name)i;
		if (c->apply) {
			c->apply = false;
			out->verb = DOC_APPLY;
			out->rank = c->rank;
			out->bytes = c->bytes;
			out->size = c->size;
			return true;
		}
		if (records(d, i, out))
			return true;
	}
	return false;
}

uint64_t
doc_due(const struct doc *d)
{
	(void)d;
	return ORCM_NEVER;
}
