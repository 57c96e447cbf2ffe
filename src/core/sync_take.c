/* SPDX-License-Identifier: ISC */
/*
 * What goes out: to local subscribers first, then to the peers in turn, each
 * until there is nothing more for it or its queue is full.  For one peer: our
 * vector, which everything else waits for, then our own changes, then other
 * owners' records that it has pulled.
 */
#include "core/sync.h"

#include <string.h>

/* Something for local subscribers? */
static bool
local(struct sync *s, struct sync_out *out)
{
	unsigned what;

	out->verb = SYNC_TELL;
	if (s->tell != 0) {
		out->record = picture_at(s->picture, s->tell - 1);
		s->tell = 0;
		return true;
	}
	for (what = PICTURE_UNTOLD; what <= PICTURE_ALL; what++) {
		if (!(s->sweep & 1u << what))
			continue;
		if (picture_drop(s->picture, s->sweep_owner,
			(enum picture_drop)what, &s->sweep_place, &s->gone)) {
			out->record = &s->gone;
			return true;
		}
		s->sweep &= (uint8_t)~(1u << what);
		s->sweep_place = 0;
	}
	if (s->risen) {
		s->risen = false;
		out->verb = SYNC_EPOCH;
		out->epoch = s->picture->conf.epoch;
		return true;
	}
	return false;
}

static bool
may_pull(const struct sync *s, const struct sync_owner *o, uint32_t peer)
{
	const struct sync_peer *c = &s->peers[peer];

	return c->up && c->heard && sync_offers(o, peer) &&
	    c->pulls < SYNC_RANGES && c->sent < s->conf.window;
}

/* Of whom to ask for this owner: itself when it is here. */
static struct sync_peer *
source_for(const struct sync *s, const struct sync_owner *o)
{
	struct sync_peer *c = sync_peer(s, o->node);
	uint32_t i;

	if (c != NULL)
		return may_pull(s, o, (uint32_t)(c - s->peers)) ? c : NULL;
	for (i = 0; i < s->conf.peers_max; i++)
		if (may_pull(s, o, i))
			return &s->peers[i];
	return NULL;
}

/*
 * From where on we want to be told.  Who was forgotten is told with which
 * epoch: nobody is beyond its end, so that an owner takes a higher one.
 */
static void
pull_from(const struct picture *p, struct sync_out *out)
{
	const struct picture_owner *row = picture_owner(p, out->owner);

	if (row != NULL) {
		out->epoch = row->epoch;
		out->seq = row->seq;
		return;
	}
	out->epoch = picture_owner_gone(p, out->owner);
	out->seq = out->epoch != 0 ? UINT64_MAX : 0;
}

static bool
pull(struct sync *s, struct sync_out *out)
{
	const struct picture *p = s->picture;
	struct sync_owner *o;
	struct sync_peer *c;
	uint32_t i;

	for (i = 0; s->pull && i < p->owners_len; i++) {
		o = sync_owner(s, p->owners[p->order[i]].node, false);
		if (o->source != 0)
			continue;
		c = source_for(s, o);
		if (c == NULL)
			continue;
		o->source = (uint16_t)(c - s->peers + 1);
		o->lacking = false;
		c->pulls++;
		c->sent++;
		out->verb = SYNC_SEND_PULL;
		out->peer = o->source - 1u;
		out->owner = o->node;
		pull_from(p, out);
		return true;
	}
	s->pull = false;
	return false;
}

static void
send_have(struct sync *s, struct sync_peer *c, struct sync_out *out)
{
	const struct picture_owner *o;
	struct sync_row *r;

	out->verb = SYNC_SEND_HAVE;
	out->rows = s->rows;
	while ((o = picture_owner_next(s->picture, c->have_next)) != NULL &&
	    out->rows_len < SYNC_ROWS_MAX) {
		r = &s->rows[out->rows_len++];
		r->owner = o->node;
		r->epoch = o->epoch;
		r->seq = o->seq;
		r->hash = o->hash;
		c->have_next = o->node + 1u;
	}
	out->last = o == NULL;
	out->ask = out->last && c->ask;
	if (out->last)
		c->having = c->ask = false;
}

static void
send_record(struct sync_out *out, const struct picture_record *r)
{
	out->verb = SYNC_SEND_RECORD;
	out->record = r;
}

/* Not more than we have ourselves. */
static void
send_whole(struct sync_out *out, struct sync_range *g,
    const struct picture_owner *o)
{
	out->verb = SYNC_SEND_WHOLE;
	out->owner = g->owner;
	out->flags = g->answer ? SYNC_WHOLE_ANSWER : 0;
	g->answer = false;
	if (o == NULL)
		return;
	out->epoch = o->epoch;
	out->seq = g->seq < o->seq ? g->seq : o->seq;
	out->flags |= (uint8_t)((g->all ? SYNC_WHOLE_ALL : 0) |
	    (o->whole && g->last ? SYNC_WHOLE_LAST : 0));
	g->all = false;
}

/* Was a tombstone dropped that should have been sent? */
static bool
hole(const struct sync_range *g, const struct picture_owner *o)
{
	return o != NULL && (o->epoch != g->epoch ||
	    (g->walk.epoch == o->epoch && g->walk.seq < o->floor &&
		g->floor < o->floor));
}

/* Before it, the receiver may have heard of what is gone now. */
static bool
send_begin(struct sync_out *out, struct sync_range *g)
{
	if (!g->all || g->begun)
		return false;
	g->begun = true;
	out->verb = SYNC_SEND_WHOLE;
	out->owner = g->owner;
	out->flags = SYNC_WHOLE_BEGIN;
	return true;
}

static void
send_again(struct sync_out *out, struct sync_range *g)
{
	out->verb = SYNC_SEND_WHOLE;
	out->owner = g->owner;
	out->flags = (uint8_t)(SYNC_WHOLE_AGAIN |
	    (g->answer ? SYNC_WHOLE_ANSWER : 0));
	g->used = false;
}

/* Our own changes: for ever, once it has pulled. */
static bool
send_own(struct sync *s, struct sync_peer *c, const struct picture_owner *own,
    struct sync_out *out)
{
	struct sync_range *g = &c->own;
	const struct picture_record *r;

	if (!g->used || (g->seq == own->seq && !g->answer))
		return false;
	if (hole(g, own)) {
		send_again(out, g);
		return true;
	}
	if (send_begin(out, g))
		return true;
	r = picture_walk(s->picture, &g->walk);
	if (r != NULL) {
		if (r->seq == g->seq + 1)
			g->seq++;
		send_record(out, r);
		return true;
	}
	g->seq = own->seq;
	g->last = own->whole;
	send_whole(out, g, own);
	return true;
}

static bool
send_range(struct sync *s, struct sync_peer *c, struct sync_out *out)
{
	const struct picture_record *r;
	const struct picture_owner *o;
	struct sync_range *g = c->ranges;

	if (c->telling == 0)
		return false;
	while (!g->used)
		g++;
	o = picture_owner(s->picture, g->owner);
	if (g->epoch != 0 && hole(g, o)) {
		send_again(out, g);
		c->telling--;
		return true;
	}
	if (send_begin(out, g))
		return true;
	r = picture_walk(s->picture, &g->walk);
	if (r != NULL) {
		send_record(out, r);
		return true;
	}
	send_whole(out, g, o);
	g->used = false;
	c->telling--;
	return true;
}

bool
sync_take(struct sync *s, struct sync_out *out)
{
	const struct picture_owner *own;
	struct sync_peer *c;
	uint32_t i;

	memset(out, 0, sizeof(*out));
	if (local(s, out) || pull(s, out))
		return true;
	own = picture_owner(s->picture, s->picture->conf.node);
	if (s->idle && s->idle_seq == own->seq)
		return false;
	for (i = 0; i < s->conf.peers_max; i++) {
		c = &s->peers[s->turn];
		out->peer = s->turn;
		if (c->up && c->sent < s->conf.window) {
			if (c->having)
				send_have(s, c, out);
			if (out->rows != NULL || send_own(s, c, own, out) ||
			    send_range(s, c, out)) {
				c->sent++;
				return true;
			}
		}
		s->turn = (s->turn + 1) % s->conf.peers_max;
	}
	s->idle = true;
	s->idle_seq = own->seq;
	return false;
}
