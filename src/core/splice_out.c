/* SPDX-License-Identifier: ISC */
/*
 * The delivering half of the splice: what may go out, when the stream is
 * complete, and whose output is another one.
 */
#include "core/splice.h"

#include <string.h>

#include "base/require.h"

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
fork_at(const struct splice *s, uint32_t a, uint32_t b)
{
	return a == b ? UINT64_MAX : s->forks[(size_t)a * s->lanes_len + b];
}

static bool
takes_part(const struct splice_rank *r)
{
	return r->open || r->ended;
}

/* How far a replica has written what this lane holds. */
static uint64_t
agreed(const struct splice *s, uint32_t lane, const struct splice_rank *r)
{
	return takes_part(r) ? min_u64(r->pos, fork_at(s, lane, r->lane)) : 0;
}

static uint32_t
majority(const struct splice *s)
{
	return s->conf.ranks_len / 2 + 1;
}

/* The offset up to which a majority has written what this lane holds. */
static uint64_t
lane_agreed(const struct splice *s, uint32_t lane)
{
	uint64_t best = 0, a;
	uint32_t i, k, n;

	for (i = 0; i < s->conf.ranks_len; i++) {
		a = agreed(s, lane, &s->ranks[i]);
		if (a <= best)
			continue;
		for (k = 0, n = 0; k < s->conf.ranks_len; k++)
			n += agreed(s, lane, &s->ranks[k]) >= a;
		if (n >= majority(s))
			best = a;
	}
	return best;
}

/* The lane to deliver from and the offset up to which it may be delivered. */
static uint64_t
deliverable(const struct splice *s, uint32_t *lane)
{
	uint64_t to;
	uint32_t i;

	*lane = s->trunk;
	if (s->conf.mode == SPLICE_LEADER) {
		if (s->leader == ORCM_RANK_NONE ||
		    !takes_part(&s->ranks[s->leader]) ||
		    s->ranks[s->leader].hashing)
			return s->done;
		*lane = s->ranks[s->leader].lane;
		return s->ranks[s->leader].pos;
	}
	for (i = 0; i < s->lanes_len; i++) {
		if (!s->lanes[i].used || fork_at(s, i, s->trunk) < s->done)
			continue;
		to = lane_agreed(s, i);
		if (to > s->done) {
			*lane = i;
			return to;
		}
	}
	return s->done;
}

/*
 * From here on another lane's text is delivered.  A replay that is still
 * below the place where they part is compared with that one.
 */
static void
trunk_moves(struct splice *s, uint32_t to)
{
	struct splice_rank *r;
	uint32_t i;

	for (i = 0; i < s->conf.ranks_len && s->lanes[to].hashed; i++) {
		r = &s->ranks[i];
		if (r->open && r->hashing && r->lane == s->trunk &&
		    r->pos <= fork_at(s, s->trunk, to) &&
		    r->pos < s->lanes[to].lo)
			r->lane = to;
	}
	s->trunk = to;
}

static bool differs(const struct splice *s, const struct splice_rank *r,
    uint32_t lane, uint64_t pos, bool ended, struct splice_out *o);

/* Is the leader's text another one than what was delivered before it led? */
static bool
leader_differs(struct splice *s, struct splice_out *o)
{
	struct splice_rank *r;

	if (s->conf.mode != SPLICE_LEADER || s->leader == ORCM_RANK_NONE)
		return false;
	r = &s->ranks[s->leader];
	if (r->reported || !takes_part(r) ||
	    !differs(s, r, s->trunk, s->done, false, o))
		return false;
	o->rank = s->leader;
	r->reported = true;
	return true;
}

/*
 * The leader's text is not the one that was delivered so far (nobody else is
 * left, or it is a new life of the only one).  The stream goes on with it,
 * but not in silence.
 */
static void
leader_turns(struct splice *s)
{
	REQUIRE(s->outs_len < s->conf.ranks_len);
	s->outs_len += leader_differs(s, &s->outs[s->outs_len]);
}

size_t
splice_deliver(struct splice *s, const uint8_t **at)
{
	uint32_t lane;
	uint64_t to = deliverable(s, &lane);
	const struct splice_lane *l = &s->lanes[lane];

	*at = NULL;
	if (to <= s->done || s->done < l->lo)
		return 0;
	REQUIRE(to <= l->head);
	if (lane != s->trunk) {
		leader_turns(s);
		trunk_moves(s, lane);
	}
	*at = l->buf + s->done % s->cap;
	return (size_t)min_u64(to - s->done, s->cap - s->done % s->cap);
}

void
splice_delivered(struct splice *s, size_t n)
{
	REQUIRE(s->done + n <= s->lanes[s->trunk].head);
	s->done += n;
}

bool
splice_level(const struct splice *s, uint32_t rank)
{
	const struct splice_rank *r = &s->ranks[rank];

	return takes_part(r) && !r->hashing && r->pos >= s->done;
}

bool
splice_agrees(const struct splice *s, uint32_t rank)
{
	const struct splice_rank *r = &s->ranks[rank];

	return takes_part(r) &&
	    fork_at(s, r->lane, s->trunk) >= min_u64(r->pos, s->done);
}

bool
splice_pending(const struct splice *s)
{
	uint32_t lane;

	return deliverable(s, &lane) > s->done;
}

/* Replicas that ended exactly here, having written what was delivered. */
static uint32_t
ends_here(const struct splice *s)
{
	uint32_t i, n = 0;

	for (i = 0; i < s->conf.ranks_len; i++)
		n += s->ranks[i].ended && !s->ranks[i].stopped &&
		    s->ranks[i].pos == s->done && splice_agrees(s, i);
	return n;
}

bool
splice_complete(const struct splice *s)
{
	const struct splice_rank *r;

	if (s->conf.mode == SPLICE_MAJORITY)
		return ends_here(s) >= majority(s);
	if (s->leader == ORCM_RANK_NONE)
		return false;
	r = &s->ranks[s->leader];
	return r->ended && r->pos <= s->done;
}

bool
splice_split(const struct splice *s)
{
	uint32_t i, k, n, most = ends_here(s), open = 0;
	const struct splice_rank *r;

	if (s->conf.mode != SPLICE_MAJORITY)
		return false;
	for (i = 0; i < s->conf.ranks_len; i++) {
		r = &s->ranks[i];
		if (r->gone && !r->ended)
			continue;
		/* A life that may still say anything about the next byte. */
		open += !takes_part(r) ||
		    (r->open && r->pos <= s->done && splice_agrees(s, i));
	}
	for (i = 0; i < s->lanes_len; i++) {
		if (!s->lanes[i].used || fork_at(s, i, s->trunk) < s->done)
			continue;
		for (k = 0, n = 0; k < s->conf.ranks_len; k++)
			n += agreed(s, i, &s->ranks[k]) > s->done;
		most = n > most ? n : most;
	}
	return most + open < majority(s);
}

static uint32_t
copy_shown(const struct splice *s, uint32_t lane, uint64_t from, uint64_t to,
    uint8_t *out)
{
	const struct splice_lane *l = &s->lanes[lane];
	uint32_t n = 0;

	if (from < l->lo)
		return 0;
	to = min_u64(to, l->head);
	for (; from < to && n < SPLICE_SHOWN; from++)
		out[n++] = l->buf[from % s->cap];
	return n;
}

/* Up to where the reference is known: the leader's bytes, or the delivered. */
static bool
reference(const struct splice *s, uint32_t *lane, uint64_t *pos, bool *ended)
{
	const struct splice_rank *r;

	if (s->conf.mode == SPLICE_MAJORITY) {
		*lane = s->trunk;
		*pos = s->done;
		*ended = splice_complete(s);
		return true;
	}
	if (s->leader == ORCM_RANK_NONE)
		return false;
	r = &s->ranks[s->leader];
	*lane = r->lane;
	*pos = r->pos;
	*ended = r->ended && !r->stopped;
	return takes_part(r);
}

static bool
differs(const struct splice *s, const struct splice_rank *r, uint32_t lane,
    uint64_t pos, bool ended, struct splice_out *o)
{
	uint64_t at = fork_at(s, lane, r->lane);

	memset(o, 0, sizeof(*o));
	/* Lanes that part only later hold the same text up to here. */
	if (at < pos && at < r->pos)
		o->how = SPLICE_BYTES;
	else if (r->ended && !r->stopped && r->pos < pos)
		o->how = SPLICE_SHORTER, at = r->pos;
	else if (ended && r->pos > pos)
		o->how = SPLICE_LONGER, at = pos;
	else
		return false;
	o->from = o->to = at;
	/* Found by hashes: it begins somewhere up to where the lane begins. */
	if (o->how == SPLICE_BYTES && !s->lanes[r->lane].hashed)
		o->to = min_u64(s->lanes[r->lane].lo, at + s->lanes[lane].step);
	o->theirs_len = copy_shown(s, r->lane, at, r->pos, o->theirs);
	o->ours_len = copy_shown(s, lane, at, pos, o->ours);
	return true;
}

bool
splice_take(struct splice *s, struct splice_out *out)
{
	uint32_t lane, i;
	uint64_t pos;
	bool ended;

	if (s->outs_len > 0) {
		*out = s->outs[--s->outs_len];
		return true;
	}
	if (leader_differs(s, out))
		return true;
	if (!reference(s, &lane, &pos, &ended))
		return false;
	for (i = 0; i < s->conf.ranks_len; i++) {
		if (i == s->leader || s->ranks[i].reported ||
		    !takes_part(&s->ranks[i]))
			continue;
		if (!differs(s, &s->ranks[i], lane, pos, ended, out))
			continue;
		out->rank = i;
		s->ranks[i].reported = true;
		return true;
	}
	return false;
}
