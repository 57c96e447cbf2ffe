/* SPDX-License-Identifier: ISC */
/*
 * What comes in.  There is no queue of things to be sent: sync_take() makes
 * each frame from what the picture holds at that moment, so a slow peer costs
 * no memory and hears the last state of a record, not all of its history.
 *
 * When a peer connects, each side tells what it has of each owner.  A peer
 * is always asked for its own records from where we stand: that also makes
 * it tell its further changes.  Other owners' records are asked for only
 * when the peer has more, and only while their owner is not connected, of
 * one peer at a time.  Every PULL is answered by one WHOLE.
 *
 * Who is so far behind that the tombstones it needs may be gone is told all
 * that lives, between a WHOLE that says so (BEGIN) and one that ends it
 * (ALL); what was not told in between was deleted.  If a tombstone that was
 * not sent yet goes meanwhile, the peer is asked to pull once more (AGAIN).
 *
 * When digests differ for long although nothing is under way, vectors are
 * exchanged again, ever more rarely as long as it does not help.
 *
 * A connection that is lost leaves nothing behind: what it was telling is
 * pulled from another peer that has offered it, or when it comes back.
 */
#include "core/sync.h"

#include <string.h>

#include "base/require.h"

static uint32_t
owners_for(const struct picture_conf *conf)
{
	return conf->owners_max != 0 ? conf->owners_max : 1;
}

size_t
sync_memory(const struct sync_conf *conf, const struct picture_conf *picture)
{
	return conf->peers_max * sizeof(struct sync_peer) +
	    owners_for(picture) * sizeof(struct sync_owner) + 2 * 16;
}

void
sync_init(struct sync *s, struct arena *a, struct picture *p,
    const struct sync_conf *conf)
{
	REQUIRE(conf->peers_max > 0 && conf->peers_max <= SYNC_PEERS_MAX);
	REQUIRE(conf->window > 0);
	REQUIRE(p->conf.epoch > 0);
	memset(s, 0, sizeof(*s));
	s->conf = *conf;
	s->picture = p;
	s->peers = arena_alloc(a, conf->peers_max, sizeof(*s->peers));
	s->owners = arena_alloc(a, owners_for(&p->conf), sizeof(*s->owners));
}

struct sync_owner *
sync_owner(struct sync *s, uint16_t node, bool add)
{
	int place = picture_owner_place(s->picture, node, add);
	struct sync_owner *o;

	if (place == -1)
		return NULL;
	o = &s->owners[place];
	/* The place may have been another's. */
	if (o->node != node) {
		memset(o, 0, sizeof(*o));
		o->node = node;
	}
	return o;
}

struct sync_peer *
sync_peer(const struct sync *s, uint16_t node)
{
	uint32_t i;

	for (i = 0; i < s->conf.peers_max; i++)
		if (s->peers[i].up && s->peers[i].node == node)
			return &s->peers[i];
	return NULL;
}

static void
peer_down(struct sync *s, uint32_t peer)
{
	struct sync_owner *o;
	uint32_t i;

	for (i = 0; i < owners_for(&s->picture->conf); i++) {
		o = &s->owners[i];
		o->offers[peer / 64] &= ~(UINT64_C(1) << peer % 64);
		if (o->source == peer + 1)
			o->source = 0;
	}
	s->peers[peer].up = false;
	s->pull = true;
}

static void
peer_up(struct sync *s, const struct sync_in *in)
{
	struct sync_peer *c = sync_peer(s, in->owner);

	REQUIRE(in->owner != s->picture->conf.node);
	/* A new connection takes the place of the former one. */
	if (c != NULL)
		peer_down(s, (uint32_t)(c - s->peers));
	if (s->peers[in->peer].up)
		peer_down(s, in->peer);
	c = &s->peers[in->peer];
	memset(c, 0, sizeof(*c));
	c->up = c->having = true;
	c->node = in->owner;
	c->ask_wait = SYNC_ASK_MIN;
}

/*
 * Somebody has heard of us what we do not know: a former life had a higher
 * epoch than we began with.  All is told anew, under one that is higher
 * still, so that nobody takes it for old.
 */
static void
rise(struct sync *s, uint64_t epoch)
{
	const struct picture_owner *row;
	struct sync_range *own;
	uint32_t i;

	if (epoch > PICTURE_EPOCH_MAX - 2 * SYNC_EPOCH_STEP) {
		s->bad++;
		return;
	}
	epoch = (epoch / SYNC_EPOCH_STEP + 1) * SYNC_EPOCH_STEP +
	    s->picture->conf.epoch % SYNC_EPOCH_STEP;
	picture_own_rise(s->picture, epoch);
	s->idle = false;
	row = picture_owner(s->picture, s->picture->conf.node);
	s->risen = true;
	for (i = 0; i < s->conf.peers_max; i++) {
		own = &s->peers[i].own;
		own->epoch = row->epoch;
		own->seq = 0;
		own->all = true;
		own->begun = false;
		own->floor = row->floor;
		memset(&own->walk, 0, sizeof(own->walk));
		own->walk.owner = s->picture->conf.node;
	}
}

/* True when it speaks of us, and then it is dealt with. */
static bool
speaks_of_us(struct sync *s, uint16_t owner, uint64_t epoch, uint64_t seq)
{
	const struct picture_owner *own;

	if (owner != s->picture->conf.node)
		return false;
	own = picture_owner(s->picture, owner);
	if (epoch > own->epoch || (epoch == own->epoch && seq > own->seq))
		rise(s, epoch);
	return true;
}

static void
offered(struct sync *s, uint32_t peer, uint16_t owner, uint64_t epoch,
    uint64_t seq)
{
	struct sync_owner *o = sync_owner(s, owner, true);
	const struct sync_peer *own = sync_peer(s, owner);
	uint32_t at = own != NULL ? (uint32_t)(own - s->peers) : peer;

	if (o == NULL) {
		s->full++;
		return;
	}
	/* An owner that we are in step with tells us by itself. */
	if (at != peer && own->heard && !sync_offers(o, at) &&
	    o->source != at + 1)
		return;
	o->offers[peer / 64] |= UINT64_C(1) << peer % 64;
	if (epoch > o->epoch || (epoch == o->epoch && seq > o->seq)) {
		o->epoch = epoch;
		o->seq = seq;
	}
	s->pull = true;
}

/*
 * The same version and yet not the same records.  The owner is right, else
 * of two the one with the lower number.
 */
static void
differs(struct sync *s, uint32_t peer, const struct sync_row *r)
{
	const struct sync_owner *o = sync_owner(s, r->owner, false);
	uint16_t node = s->peers[peer].node;

	if (node != r->owner && sync_peer(s, r->owner) != NULL)
		return;
	if (o == NULL || o->source != 0)
		return;
	if (node == r->owner || node < s->picture->conf.node)
		picture_distrust(s->picture, r->owner);
	offered(s, peer, r->owner, r->epoch, r->seq);
}

static void
have_row(struct sync *s, uint32_t peer, const struct sync_row *r)
{
	const struct picture_owner *o;

	if (r->epoch == 0 || r->epoch > PICTURE_EPOCH_MAX) {
		s->bad++;
		return;
	}
	if (speaks_of_us(s, r->owner, r->epoch, r->seq))
		return;
	if (picture_owner_gone(s->picture, r->owner) >= r->epoch) {
		/* It lives: it shall hear that it needs another epoch. */
		if (s->peers[peer].node == r->owner)
			offered(s, peer, r->owner, r->epoch, r->seq);
		return;
	}
	o = picture_owner(s->picture, r->owner);
	if (o == NULL || r->epoch > o->epoch ||
	    (r->epoch == o->epoch && r->seq > o->seq))
		offered(s, peer, r->owner, r->epoch, r->seq);
	else if (r->epoch == o->epoch && r->seq == o->seq &&
	    r->hash != o->hash)
		differs(s, peer, r);
}

static void
have_came(struct sync *s, const struct sync_in *in)
{
	struct sync_peer *c = &s->peers[in->peer];
	uint32_t i;

	for (i = 0; i < in->rows_len; i++)
		have_row(s, in->peer, &in->rows[i]);
	if (!in->last)
		return;
	if (!c->heard)
		offered(s, in->peer, c->node, 0, 0);
	c->heard = true;
	if (in->ask) {
		c->having = true;
		c->have_next = 0;
	}
}

/* Where to begin for somebody who has all up to (epoch, seq). */
static void
range_begin(struct sync_range *g, const struct picture_owner *o,
    const struct sync_in *in)
{
	memset(g, 0, sizeof(*g));
	g->used = g->answer = true;
	g->owner = g->walk.owner = in->owner;
	if (o == NULL)
		return;
	g->epoch = o->epoch;
	g->seq = o->seq;
	g->last = o->whole;
	g->floor = o->floor;
	g->all = in->epoch < o->epoch || (in->epoch == o->epoch &&
	    (in->seq == 0 || in->seq < o->floor));
	g->walk.epoch = in->epoch;
	g->walk.seq = g->all && in->epoch == o->epoch ? 0 : in->seq;
}

static void
pull_came(struct sync *s, const struct sync_in *in)
{
	struct sync_peer *c = &s->peers[in->peer];
	struct sync_range *g, *unused = NULL;
	const struct picture_owner *o;

	if (speaks_of_us(s, in->owner, in->epoch, in->seq)) {
		range_begin(&c->own, picture_owner(s->picture, in->owner), in);
		/* From here on it is told each change. */
		c->own.seq = c->own.all ? 0 : c->own.walk.seq;
		return;
	}
	for (g = c->ranges; g < c->ranges + SYNC_RANGES; g++)
		if (!g->used)
			unused = g;
		else if (g->owner == in->owner)
			break;
	if (g == c->ranges + SYNC_RANGES) {
		if (unused == NULL) {
			s->bad++;
			return;
		}
		g = unused;
		c->telling++;
	}
	o = picture_owner(s->picture, in->owner);
	range_begin(g, o, in);
}

static void
record_came(struct sync *s, const struct sync_in *in)
{
	const struct picture_record *r = in->record;
	const struct sync_peer *c = &s->peers[in->peer];
	struct sync_owner *o;
	uint32_t at;

	if (speaks_of_us(s, r->owner, r->epoch, r->seq))
		return;
	o = sync_owner(s, r->owner, false);
	/* Only who was asked tells. */
	if (o == NULL || (o->source != in->peer + 1 && c->node != r->owner)) {
		s->bad++;
		return;
	}
	switch (picture_merge(s->picture, r, &at)) {
	case PICTURE_NEWS:
		s->tell = at + 1;
		break;
	case PICTURE_NO_ROOM:
		s->full++;
		o->lacking = true;
		break;
	case PICTURE_BAD:
		s->bad++;
		break;
	case PICTURE_KNOWN:
	case PICTURE_OLD:
	case PICTURE_OURS:
	case PICTURE_AHEAD:
		break;
	}
}

/* What is to be done after the source of an owner has told all it has. */
static void
answered(struct sync *s, struct sync_owner *o, uint32_t peer)
{
	const struct picture_owner *row = picture_owner(s->picture, o->node);
	const struct sync_peer *own = sync_peer(s, o->node);
	uint32_t i;

	o->source = 0;
	s->pull = true;
	o->offers[peer / 64] &= ~(UINT64_C(1) << peer % 64);
	if (&s->peers[peer] != own && (row == NULL || row->epoch < o->epoch ||
	    (row->epoch == o->epoch && row->seq < o->seq)))
		return;
	for (i = 0; i < s->conf.peers_max; i++)
		if (&s->peers[i] != own)
			o->offers[i / 64] &= ~(UINT64_C(1) << i % 64);
	o->epoch = o->seq = 0;
}

static void
whole_came(struct sync *s, const struct sync_in *in)
{
	struct sync_peer *c = &s->peers[in->peer];
	struct sync_owner *o = sync_owner(s, in->owner, false);
	bool answer = (in->flags & SYNC_WHOLE_ANSWER) != 0, counts;
	bool all = (in->flags & SYNC_WHOLE_ALL) != 0;
	bool last = (in->flags & SYNC_WHOLE_LAST) != 0;

	if ((in->flags & ~SYNC_WHOLE_FLAGS) != 0 || (answer && c->pulls == 0)) {
		s->bad++;
		return;
	}
	c->pulls -= answer;
	if (o == NULL || speaks_of_us(s, in->owner, in->epoch, in->seq))
		return;
	if (in->flags & SYNC_WHOLE_BEGIN) {
		if (o->source == in->peer + 1 || c->node == in->owner)
			picture_await(s->picture, in->owner);
		return;
	}
	/* What was on its way before the answer may be older than the PULL. */
	counts = answer ? o->source == in->peer + 1 :
	    o->source == 0 && c->node == in->owner &&
	    !sync_offers(o, in->peer);
	if (counts && (in->flags & SYNC_WHOLE_AGAIN)) {
		o->source = 0;
		offered(s, in->peer, in->owner, in->epoch, in->seq);
		return;
	}
	if (counts && !o->lacking &&
	    picture_told(s->picture, in->owner, in->epoch, in->seq, all,
		last)) {
		s->sweep_owner = in->owner;
		s->sweep_place = 0;
		s->sweep = (uint8_t)(all << PICTURE_UNTOLD |
		    last << PICTURE_FORMER);
	}
	if (counts && answer)
		answered(s, o, in->peer);
}

/* Whoever has the same digest as we has everything that we have. */
static void
compare(struct sync *s)
{
	uint32_t i, up = 0, same = 0;

	for (i = 0; i < s->conf.peers_max; i++) {
		if (!s->peers[i].up)
			continue;
		up++;
		if (s->digest != picture_digest(s->picture))
			s->peers[i].same = false;
		same += s->peers[i].same;
	}
	s->digest = picture_digest(s->picture);
	if (same > 0 && same == up)
		picture_bury_all(s->picture);
}

static void
digest_came(struct sync *s, uint64_t now, const struct sync_in *in)
{
	struct sync_peer *c = &s->peers[in->peer];

	if (s->digest != picture_digest(s->picture))
		compare(s);
	c->same = in->digest == s->digest;
	if (c->same) {
		c->differs = false;
		c->ask_wait = SYNC_ASK_MIN;
		compare(s);
		return;
	}
	if (!c->differs) {
		c->differs = true;
		c->differs_since = now;
	}
	if (now - c->differs_since < s->conf.patience || now < c->ask_next ||
	    c->having || !c->heard || c->pulls > 0)
		return;
	c->having = c->ask = true;
	c->have_next = 0;
	c->ask_next = now + c->ask_wait;
	c->ask_wait *= 2;
	if (c->ask_wait > SYNC_ASK_MAX)
		c->ask_wait = SYNC_ASK_MAX;
}

static void
forget(struct sync *s, uint16_t owner)
{
	struct sync_owner *o = sync_owner(s, owner, false);

	if (o == NULL || owner == s->picture->conf.node)
		return;
	memset(o->offers, 0, sizeof(o->offers));
	o->lacking = false;
	picture_gone(s->picture, owner);
	s->sweep_owner = owner;
	s->sweep_place = 0;
	s->sweep = 1u << PICTURE_ALL;
}

static void
peer_said(struct sync *s, uint64_t now, const struct sync_in *in)
{
	if (!s->peers[in->peer].up)
		return;
	switch (in->event) {
	case SYNC_IN_PEER_DOWN:
		peer_down(s, in->peer);
		break;
	case SYNC_IN_SENT:
		s->peers[in->peer].sent = 0;
		s->pull = true;
		break;
	case SYNC_IN_HAVE:
		have_came(s, in);
		break;
	case SYNC_IN_PULL:
		pull_came(s, in);
		break;
	case SYNC_IN_RECORD:
		record_came(s, in);
		break;
	case SYNC_IN_WHOLE:
		whole_came(s, in);
		break;
	case SYNC_IN_DIGEST:
		digest_came(s, now, in);
		break;
	default:
		break;
	}
}

void
sync_feed(struct sync *s, uint64_t now, const struct sync_in *in)
{
	REQUIRE(s->tell == 0 && s->sweep == 0);
	REQUIRE(in->peer < s->conf.peers_max);
	/* These come by thousands, and give peers nothing. */
	if (in->event != SYNC_IN_RECORD && in->event != SYNC_IN_WHOLE)
		s->idle = false;
	switch (in->event) {
	case SYNC_IN_PEER_UP:
		peer_up(s, in);
		break;
	case SYNC_IN_SETTLED:
		picture_own_whole(s->picture);
		break;
	case SYNC_IN_RISE:
		if (in->epoch >= s->picture->conf.epoch)
			rise(s, in->epoch);
		break;
	case SYNC_IN_FORGET:
		forget(s, in->owner);
		break;
	case SYNC_IN_TICK:
		picture_tick(s->picture, now);
		break;
	default:
		peer_said(s, now, in);
		break;
	}
}

uint64_t
sync_due(const struct sync *s)
{
	return picture_due(s->picture);
}

bool
sync_complete(const struct sync *s)
{
	const struct sync_owner *o;
	uint32_t i, k;

	for (i = 0; i < s->conf.peers_max; i++)
		if (s->peers[i].up && !s->peers[i].heard)
			return false;
	for (i = 0; i < owners_for(&s->picture->conf); i++) {
		o = &s->owners[i];
		if (o->source != 0 || o->lacking)
			return false;
		for (k = 0; k < SYNC_PEERS_MAX / 64; k++)
			if (o->offers[k] != 0)
				return false;
	}
	return true;
}
