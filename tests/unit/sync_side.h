/* SPDX-License-Identifier: ISC */
#ifndef SYNC_SIDE_H
#define SYNC_SIDE_H

#include <stdlib.h>
#include <string.h>

#include "core/sync.h"

/*
 * Nodes with their pictures, the programs that own records, local subscribers
 * and streams between the nodes.  Nothing moves by itself.
 */
#define NODES 8u
#define KEYS 24u /* that the programs of one node may have */
#define WINDOW 5u

struct side_frame {
	struct sync_out out;
	struct picture_record record;
	uint8_t value[RECORD_VALUE_MAX];
	struct sync_row rows[SYNC_ROWS_MAX];
};

struct side_queue {
	struct side_frame frames[WINDOW];
	uint32_t first, len, taken; /* taken: since there was room */
	bool up;
};

struct side_key {
	bool here; /* a program has it */
	bool told; /* it told this daemon */
	uint32_t value;
};

struct side_node {
	struct picture picture;
	struct sync sync;
	void *memory;
	uint64_t epoch;
	bool settled;
	struct side_key keys[KEYS];
	/* What local subscribers see of all: value + 1, or 0. */
	uint32_t view[NODES][KEYS];
};

static struct {
	struct side_node nodes[NODES];
	struct side_queue queues[NODES][NODES]; /* from, to */
	uint64_t now;
	uint32_t records_max, tombstones_max;
	uint32_t immortal; /* keys below are never seen as deleted */
	uint32_t frames, bad; /* bad: broken rules */
	uint32_t sent[SYNC_SEND_WHOLE + 1];
} side;

/* Numbers of nodes are not slots of peers. */
static inline uint16_t
side_number(uint32_t n)
{
	return (uint16_t)(100 + 7 * n);
}

static inline uint32_t
side_slot(uint32_t n, uint32_t other)
{
	return (other + NODES - n) % NODES;
}

static inline uint32_t
side_at(uint32_t n, uint32_t slot)
{
	return (slot + n) % NODES;
}

static inline uint8_t
side_kind(uint32_t key)
{
	return (uint8_t)(RECORD_JOB + key % 3);
}

static inline void
side_see(struct side_node *n, const struct picture_record *r)
{
	uint32_t owner = (r->owner - 100u) / 7, key = (uint32_t)r->id;
	uint32_t value = 0;

	if (r->dead) {
		side.bad += key < side.immortal;
		n->view[owner][key] = 0;
		return;
	}
	memcpy(&value, r->value, 4);
	n->view[owner][key] = value + 1;
}

/* Everything that a node wants to do. */
static inline void
side_take(uint32_t n)
{
	struct side_node *me = &side.nodes[n];
	struct side_queue *q;
	struct side_frame *f;
	struct sync_out out;

	while (sync_take(&me->sync, &out)) {
		side.sent[out.verb]++;
		if (out.verb == SYNC_TELL) {
			side_see(me, out.record);
			continue;
		}
		if (out.verb == SYNC_EPOCH) {
			me->epoch = out.epoch;
			continue;
		}
		q = &side.queues[n][side_at(n, out.peer)];
		if (!q->up || ++q->taken > WINDOW) {
			side.bad++;
			continue;
		}
		side.frames++;
		f = &q->frames[(q->first + q->len++) % WINDOW];
		f->out = out;
		if (out.record != NULL) {
			f->record = *out.record;
			memcpy(f->value, out.record->value,
			    out.record->value_size);
			f->record.value = f->value;
		}
		if (out.rows_len > 0)
			memcpy(f->rows, out.rows,
			    out.rows_len * sizeof(*out.rows));
	}
}

static inline void
side_feed(uint32_t n, struct sync_in in)
{
	sync_feed(&side.nodes[n].sync, side.now, &in);
	side_take(n);
}

static inline void
side_event(uint32_t n, uint32_t other, enum sync_event event)
{
	side_feed(n, (struct sync_in){ .event = event,
	    .peer = side_slot(n, other), .owner = side_number(other) });
}

/* The daemon of a node begins with nothing. */
static inline void
side_start(uint32_t n, uint64_t epoch)
{
	struct side_node *me = &side.nodes[n];
	struct picture_conf conf = { .records_max = side.records_max,
		.tombstones_max = side.tombstones_max,
		.owners_max = NODES, .node = side_number(n),
		.epoch = epoch };
	struct sync_conf sync_conf = { .peers_max = NODES,
		.window = WINDOW, .patience = 100 * ORCM_MS };
	size_t size = picture_memory(&conf) + sync_memory(&sync_conf, &conf);
	struct arena a;
	uint32_t k;

	free(me->memory);
	me->memory = calloc(1, size);
	if (me->memory == NULL)
		abort();
	arena_init(&a, me->memory, size);
	picture_init(&me->picture, &a, &conf);
	sync_init(&me->sync, &a, &me->picture, &sync_conf);
	me->epoch = epoch;
	me->settled = false;
	memset(me->view, 0, sizeof(me->view));
	for (k = 0; k < KEYS; k++)
		me->keys[k].told = false;
}

static inline void
side_begin(uint32_t len)
{
	uint32_t n;

	for (n = 0; n < NODES; n++)
		free(side.nodes[n].memory);
	memset(&side, 0, sizeof(side));
	side.records_max = NODES * KEYS + 64;
	for (n = 0; n < len; n++)
		side_start(n, 10);
}

static inline void
side_link(uint32_t a, uint32_t b)
{
	if (side.queues[a][b].up)
		return;
	memset(&side.queues[a][b], 0, sizeof(side.queues[a][b]));
	memset(&side.queues[b][a], 0, sizeof(side.queues[b][a]));
	side.queues[a][b].up = side.queues[b][a].up = true;
	side_event(a, b, SYNC_IN_PEER_UP);
	side_event(b, a, SYNC_IN_PEER_UP);
}

/* What is on its way is lost. */
static inline void
side_cut(uint32_t a, uint32_t b)
{
	if (!side.queues[a][b].up)
		return;
	side.queues[a][b].up = side.queues[b][a].up = false;
	side_event(a, b, SYNC_IN_PEER_DOWN);
	side_event(b, a, SYNC_IN_PEER_DOWN);
}

static inline void
side_put(uint32_t n, uint32_t key, uint32_t value)
{
	struct side_node *me = &side.nodes[n];
	/* Values of all lengths, equal only when the numbers are. */
	uint8_t bytes[RECORD_VALUE_MAX] = { 0 };
	size_t size = 4 + value % 7 * 60;
	uint32_t at;

	memcpy(bytes, &value, 4);
	me->keys[key].here = me->keys[key].told = true;
	me->keys[key].value = value;
	if (picture_put(&me->picture, 2, side_kind(key), key, bytes, size,
		&at) == PICTURE_CHANGED)
		side_see(me, picture_at(&me->picture, at));
	side_take(n);
}

static inline void
side_del(uint32_t n, uint32_t key)
{
	struct side_node *me = &side.nodes[n];
	uint32_t at;

	me->keys[key].here = false;
	if (picture_del(&me->picture, 2, side_kind(key), key, &at) ==
	    PICTURE_CHANGED)
		side_see(me, picture_at(&me->picture, at));
	side_take(n);
}

static inline void
side_settle(uint32_t n)
{
	uint32_t k;

	for (k = 0; k < KEYS; k++)
		if (side.nodes[n].keys[k].here && !side.nodes[n].keys[k].told)
			side_put(n, k, side.nodes[n].keys[k].value);
	side.nodes[n].settled = true;
	side_feed(n, (struct sync_in){ .event = SYNC_IN_SETTLED });
}

/* One frame from a to b; false when there is none. */
static inline bool
side_deliver(uint32_t a, uint32_t b)
{
	static const enum sync_event events[] = {
		[SYNC_SEND_HAVE] = SYNC_IN_HAVE,
		[SYNC_SEND_PULL] = SYNC_IN_PULL,
		[SYNC_SEND_RECORD] = SYNC_IN_RECORD,
		[SYNC_SEND_WHOLE] = SYNC_IN_WHOLE,
	};
	struct side_queue *q = &side.queues[a][b];
	struct side_frame *f = &q->frames[q->first];
	struct sync_in in;

	if (!q->up || q->len == 0)
		return false;
	memset(&in, 0, sizeof(in));
	in.event = events[f->out.verb];
	in.peer = side_slot(b, a);
	in.owner = f->out.owner;
	in.epoch = f->out.epoch;
	in.seq = f->out.seq;
	in.flags = f->out.flags;
	in.last = f->out.last;
	in.ask = f->out.ask;
	in.rows = f->rows;
	in.rows_len = f->out.rows_len;
	in.record = f->out.record != NULL ? &f->record : NULL;
	q->first = (q->first + 1) % WINDOW;
	q->len--;
	side_feed(b, in);
	if (q->len == 0 && q->taken > 0) {
		q->taken = 0;
		side_event(a, b, SYNC_IN_SENT);
	}
	return true;
}

/* Until nothing is on its way. */
static inline void
side_quiet(void)
{
	uint32_t a, b;
	bool more = true;

	while (more) {
		more = false;
		for (a = 0; a < NODES; a++)
			for (b = 0; b < NODES; b++)
				while (side_deliver(a, b))
					more = true;
	}
}

/* a's beat reaches b. */
static inline void
side_beat(uint32_t a, uint32_t b)
{
	side_feed(b, (struct sync_in){ .event = SYNC_IN_DIGEST,
	    .peer = side_slot(b, a),
	    .digest = picture_digest(&side.nodes[a].picture) });
}

/* What b has of a is what a's programs have, and so do its subscribers. */
static inline bool
side_knows(uint32_t b, uint32_t a)
{
	const struct side_node *owner = &side.nodes[a], *me = &side.nodes[b];
	const struct picture_record *r;
	uint32_t k, value;

	for (k = 0; k < KEYS; k++) {
		r = picture_get(&me->picture, side_number(a), side_kind(k), k);
		if ((r != NULL) != owner->keys[k].here)
			return false;
		value = r == NULL ? 0 : owner->keys[k].value + 1;
		if (me->view[a][k] != value)
			return false;
		if (r != NULL && (memcmp(r->value, &owner->keys[k].value,
				      4) != 0 ||
			r->value_size != 4 + (value - 1) % 7 * 60))
			return false;
	}
	return true;
}

static inline void
side_end(void)
{
	uint32_t n;

	for (n = 0; n < NODES; n++) {
		free(side.nodes[n].memory);
		side.nodes[n].memory = NULL;
	}
}

#endif
