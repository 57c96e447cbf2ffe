/* SPDX-License-Identifier: ISC */
/*
 * The outputs of n replicas become one stream.  Replicas are deterministic,
 * so their outputs are one text written n times at different speed.  This
 * core keeps that text once, in a ring called a lane: whoever is furthest
 * appends, everybody behind is compared with what is there.  A replica whose
 * bytes differ gets a lane of its own from that offset on; forks[] says up
 * to where two lanes agree.  Lanes cost memory only when replicas differ.
 *
 * Of a lane, the bytes from lo to head are kept: what is not delivered yet
 * (at most a window) and some history.  Of older bytes only a hash is kept,
 * at lo and at marks that grow further apart as the stream grows, so a
 * restarted replica that writes everything again is checked against all of
 * it in bounded memory.
 *
 * The trunk is the lane that was delivered last.  It stays even when no
 * replica is on it, because new lives are compared with it.
 *
 * This core never copies what it can compare in place, never blocks, and
 * knows no descriptors: the caller asks for room, reads, and tells.
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
ring_size(const struct splice_conf *conf)
{
	uint64_t history = conf->history != 0 ? conf->history :
						SPLICE_HISTORY;
	uint64_t cap = 4096;

	while (cap < conf->window + history)
		cap *= 2;
	return cap;
}

/* Every replica on a lane of its own, and a trunk that nobody is on. */
static uint32_t
lanes_needed(const struct splice_conf *conf)
{
	return conf->ranks_len + 1;
}

size_t
splice_memory(const struct splice_conf *conf)
{
	size_t lanes = lanes_needed(conf);
	size_t each = ring_size(conf) + SPLICE_MARKS * sizeof(uint64_t) +
	    sizeof(struct splice_lane) + lanes * sizeof(uint64_t);

	return lanes * each +
	    conf->ranks_len *
		(sizeof(struct splice_rank) + sizeof(struct splice_out)) +
	    SPLICE_CHUNK + 16 * (2 * lanes + 8);
}

static uint64_t *
fork_of(const struct splice *s, uint32_t a, uint32_t b)
{
	return &s->forks[(size_t)a * s->lanes_len + b];
}

static void
lane_reset(const struct splice *s, struct splice_lane *l)
{
	l->used = true;
	l->hashed = true;
	l->lo = l->head = 0;
	hash_init(&l->at_lo);
	l->step = s->conf.mark != 0 ? s->conf.mark : SPLICE_MARK_FIRST;
	l->marks_len = 0;
}

void
splice_init(struct splice *s, struct arena *a, const struct splice_conf *conf)
{
	uint32_t i;

	REQUIRE(conf->ranks_len >= 1 && conf->ranks_len <= ORCM_RANKS_MAX);
	REQUIRE(conf->window >= 4096);
	memset(s, 0, sizeof(*s));
	s->conf = *conf;
	s->cap = ring_size(conf);
	s->lanes_len = lanes_needed(conf);
	s->leader = ORCM_RANK_NONE;
	s->ranks = arena_alloc(a, conf->ranks_len, sizeof(*s->ranks));
	s->outs = arena_alloc(a, conf->ranks_len, sizeof(*s->outs));
	s->lanes = arena_alloc(a, s->lanes_len, sizeof(*s->lanes));
	s->forks = arena_alloc(a, (size_t)s->lanes_len * s->lanes_len,
	    sizeof(*s->forks));
	s->stage = arena_alloc(a, 1, SPLICE_CHUNK);
	for (i = 0; i < s->lanes_len; i++) {
		s->lanes[i].buf = arena_alloc(a, 1, s->cap);
		s->lanes[i].marks = arena_alloc(a, SPLICE_MARKS,
		    sizeof(*s->lanes[i].marks));
	}
	lane_reset(s, &s->lanes[0]);
}

/* Is any life still writing on, or standing on, this lane? */
static bool
lane_wanted(const struct splice *s, uint32_t lane)
{
	uint32_t i;

	if (lane == s->trunk)
		return true;
	for (i = 0; i < s->conf.ranks_len; i++)
		if ((s->ranks[i].open || s->ranks[i].ended) &&
		    s->ranks[i].lane == lane)
			return true;
	return false;
}

static void
lanes_collect(struct splice *s)
{
	uint32_t i;

	for (i = 0; i < s->lanes_len; i++)
		if (s->lanes[i].used && !lane_wanted(s, i))
			s->lanes[i].used = false;
}

static uint32_t
lane_free(struct splice *s)
{
	uint32_t i;

	lanes_collect(s);
	for (i = 0; i < s->lanes_len; i++)
		if (!s->lanes[i].used)
			return i;
	/* One lane a replica and the trunk are all there can be. */
	REQUIRE(i < s->lanes_len);
	return 0;
}

static void
mark_add(struct splice_lane *l)
{
	uint32_t i;

	if (l->marks_len == SPLICE_MARKS) {
		for (i = 0; i < SPLICE_MARKS / 2; i++)
			l->marks[i] = l->marks[2 * i + 1];
		l->marks_len = SPLICE_MARKS / 2;
		l->step *= 2;
		if (l->lo % l->step != 0)
			return;
	}
	l->marks[l->marks_len++] = hash_value(&l->at_lo);
}

/* Hashes kept bytes up to an offset, over the end of the buffer and marks. */
static void
lane_hash(struct splice *s, struct splice_lane *l, uint64_t to)
{
	uint64_t n;

	while (l->lo < to) {
		n = min_u64(to - l->lo, l->step - l->lo % l->step);
		n = min_u64(n, s->cap - l->lo % s->cap);
		hash_add(&l->at_lo, l->buf + l->lo % s->cap, (size_t)n);
		l->lo += n;
		if (l->lo % l->step == 0)
			mark_add(l);
	}
}

/*
 * Forgets the bytes below an offset.  A replica that stands among them goes
 * on by hashing, from the hash of exactly where it stands.
 */
static void
lane_forget(struct splice *s, uint32_t lane, uint64_t to)
{
	struct splice_lane *l = &s->lanes[lane];
	struct splice_rank *r;
	uint64_t stop;
	uint32_t i;

	while (l->lo < to) {
		stop = to;
		for (i = 0; i < s->conf.ranks_len; i++) {
			r = &s->ranks[i];
			if (r->open && r->lane == lane && !r->hashing &&
			    r->pos >= l->lo)
				stop = min_u64(stop, r->pos);
		}
		if (stop == l->lo) {
			for (i = 0; i < s->conf.ranks_len; i++) {
				r = &s->ranks[i];
				if (r->open && r->lane == lane &&
				    !r->hashing && r->pos == l->lo) {
					r->hash = l->at_lo;
					r->hashing = true;
				}
			}
			continue;
		}
		lane_hash(s, l, stop);
	}
}

/* Makes place for n bytes at the head. */
static void
lane_reserve(struct splice *s, uint32_t lane, uint64_t n)
{
	struct splice_lane *l = &s->lanes[lane];

	if (l->head + n > l->lo + s->cap)
		lane_forget(s, lane, l->head + n - s->cap);
}

/* A lane that agrees with another one below offset x and is empty from x. */
static uint32_t
lane_fork(struct splice *s, uint32_t from, uint64_t x)
{
	uint32_t to = lane_free(s), i;
	const struct splice_lane *a = &s->lanes[from];
	struct splice_lane *b = &s->lanes[to];
	uint64_t at, n;

	b->used = true;
	b->hashed = a->hashed;
	b->lo = a->lo;
	b->head = x;
	b->at_lo = a->at_lo;
	b->step = a->step;
	b->marks_len = a->marks_len;
	memcpy(b->marks, a->marks, a->marks_len * sizeof(*a->marks));
	for (at = a->lo; at < x; at += n) {
		n = min_u64(x - at, s->cap - at % s->cap);
		memcpy(b->buf + at % s->cap, a->buf + at % s->cap, (size_t)n);
	}
	for (i = 0; i < s->lanes_len; i++)
		if (i != to && s->lanes[i].used)
			*fork_of(s, i, to) = *fork_of(s, to, i) =
			    i == from ? x : min_u64(*fork_of(s, i, from), x);
	return to;
}

/*
 * A lane of its own for a replica whose old bytes were not the delivered
 * ones, as the hashes show, somewhere after offset `agreed`.
 */
static void
stray(struct splice *s, struct splice_rank *r, uint64_t agreed)
{
	uint32_t old = r->lane, to, i;
	struct splice_lane *l;

	r->open = false;
	to = lane_free(s);
	r->open = true;
	l = &s->lanes[to];
	lane_reset(s, l);
	l->hashed = false;
	l->lo = l->head = r->pos;
	for (i = 0; i < s->lanes_len; i++)
		if (i != to && s->lanes[i].used)
			*fork_of(s, i, to) = *fork_of(s, to, i) = i == old ?
			    agreed :
			    min_u64(*fork_of(s, i, old), agreed);
	r->lane = to;
	r->hashing = false;
}

void
splice_start(struct splice *s, uint32_t rank)
{
	struct splice_rank *r = &s->ranks[rank];

	REQUIRE(rank < s->conf.ranks_len);
	r->open = true;
	r->ended = r->gone = r->stopped = false;
	r->lane = s->trunk;
	r->pos = 0;
	hash_init(&r->hash);
	r->hashing = s->lanes[s->trunk].lo > 0;
}

void
splice_eof(struct splice *s, uint32_t rank)
{
	REQUIRE(rank < s->conf.ranks_len);
	if (!s->ranks[rank].open)
		return;
	s->ranks[rank].open = false;
	s->ranks[rank].ended = true;
}

void
splice_stopped(struct splice *s, uint32_t rank)
{
	splice_eof(s, rank);
	s->ranks[rank].stopped = true;
}

void
splice_lost(struct splice *s, uint32_t rank)
{
	REQUIRE(rank < s->conf.ranks_len);
	s->ranks[rank].open = s->ranks[rank].ended = false;
}

void
splice_gone(struct splice *s, uint32_t rank)
{
	REQUIRE(rank < s->conf.ranks_len);
	s->ranks[rank].open = false;
	s->ranks[rank].gone = true;
}

void
splice_lead(struct splice *s, uint32_t rank)
{
	REQUIRE(rank < s->conf.ranks_len || rank == ORCM_RANK_NONE);
	s->leader = rank;
}

size_t
splice_room(struct splice *s, uint32_t rank, uint8_t **at)
{
	struct splice_rank *r = &s->ranks[rank];
	struct splice_lane *l = &s->lanes[r->lane];
	uint64_t limit = s->done + s->conf.window, n;

	REQUIRE(rank < s->conf.ranks_len);
	*at = s->stage;
	s->direct = false;
	if (!r->open || r->pos >= limit)
		return 0;
	n = min_u64(limit - r->pos, SPLICE_CHUNK);
	if (r->hashing || r->pos != l->head)
		return (size_t)n;
	n = min_u64(n, s->cap - l->head % s->cap);
	lane_reserve(s, r->lane, n);
	*at = l->buf + l->head % s->cap;
	s->direct = true;
	return (size_t)n;
}

/* Bytes below lo: only hashes are left to compare with. */
static size_t
take_hashed(struct splice *s, struct splice_rank *r, const uint8_t *p,
    size_t size)
{
	struct splice_lane *l = &s->lanes[r->lane];
	uint64_t n, below, mark;

	if (r->pos == l->lo) {
		if (l->hashed && hash_value(&r->hash) != hash_value(&l->at_lo))
			stray(s, r, r->pos / l->step * l->step);
		r->hashing = false;
		return 0;
	}
	below = r->pos / l->step * l->step;
	n = min_u64(min_u64(size, l->lo - r->pos), below + l->step - r->pos);
	hash_add(&r->hash, p, (size_t)n);
	r->pos += n;
	if (r->pos % l->step != 0)
		return (size_t)n;
	mark = r->pos / l->step - 1;
	if (l->hashed && mark < l->marks_len &&
	    hash_value(&r->hash) != l->marks[mark])
		stray(s, r, below);
	return (size_t)n;
}

/* A lane that only this replica needs is cut off where it goes on. */
static bool
lane_cut(struct splice *s, struct splice_rank *r)
{
	uint32_t lane = r->lane, i;
	bool wanted;

	r->open = false;
	wanted = lane_wanted(s, lane);
	r->open = true;
	if (wanted)
		return false;
	s->lanes[lane].head = r->pos;
	for (i = 0; i < s->lanes_len; i++)
		if (i != lane && s->lanes[i].used)
			*fork_of(s, i, lane) = *fork_of(s, lane, i) =
			    min_u64(*fork_of(s, i, lane), r->pos);
	return true;
}

/* At pos its bytes are not the lane's: another lane's, or a new one's. */
static void
move_lane(struct splice *s, struct splice_rank *r, uint8_t byte)
{
	const struct splice_lane *m;
	uint32_t i;

	for (i = 0; i < s->lanes_len; i++) {
		m = &s->lanes[i];
		if (i == r->lane || !m->used ||
		    *fork_of(s, i, r->lane) != r->pos || r->pos < m->lo)
			continue;
		if (r->pos == m->head || m->buf[r->pos % s->cap] == byte) {
			r->lane = i;
			return;
		}
	}
	if (!lane_cut(s, r))
		r->lane = lane_fork(s, r->lane, r->pos);
}

static size_t
take_compared(struct splice *s, struct splice_rank *r, const uint8_t *p,
    size_t size)
{
	const struct splice_lane *l = &s->lanes[r->lane];
	const uint8_t *q = l->buf + r->pos % s->cap;
	size_t n, i;

	n = (size_t)min_u64(min_u64(size, l->head - r->pos),
	    s->cap - r->pos % s->cap);
	if (memcmp(p, q, n) == 0) {
		r->pos += n;
		return n;
	}
	for (i = 0; p[i] == q[i]; i++)
		;
	r->pos += i;
	move_lane(s, r, p[i]);
	return i;
}

static size_t
take_appended(struct splice *s, struct splice_rank *r, const uint8_t *p,
    size_t size)
{
	struct splice_lane *l = &s->lanes[r->lane];
	size_t n = (size_t)min_u64(size, s->cap - l->head % s->cap);

	lane_reserve(s, r->lane, n);
	memcpy(l->buf + l->head % s->cap, p, n);
	l->head += n;
	r->pos += n;
	return n;
}

void
splice_took(struct splice *s, uint32_t rank, size_t n)
{
	struct splice_rank *r = &s->ranks[rank];
	const uint8_t *p = s->stage;
	size_t k;

	if (s->direct) {
		s->lanes[r->lane].head += n;
		r->pos += n;
		return;
	}
	while (n > 0) {
		if (r->hashing)
			k = take_hashed(s, r, p, n);
		else if (r->pos < s->lanes[r->lane].head)
			k = take_compared(s, r, p, n);
		else
			k = take_appended(s, r, p, n);
		p += k;
		n -= k;
	}
	/* Where it stands may be checkable at once, without a further byte. */
	if (r->hashing && r->pos == s->lanes[r->lane].lo)
		(void)take_hashed(s, r, p, 0);
}
