/* SPDX-License-Identifier: ISC */
/*
 * Input distribution.  Replicas that have caught up hold the producer back:
 * the fastest may be one window ahead of the slowest.  A new life starts at
 * offset 0 and does not hold the others back at once, but it must be able to
 * catch up: while one does, the producer is read at half its speed.  A
 * replica that does not move at all (stalled) holds nobody back as long as
 * the input is kept for it.
 */
#include "core/feed.h"

#include <string.h>

#include "base/require.h"

/* Of each two bytes that a catching-up replica takes, one may come new. */
#define FEED_PACE 2

size_t
feed_memory(const struct feed_conf *conf)
{
	return conf->ranks_len * sizeof(struct feed_rank) + 16;
}

void
feed_init(struct feed *f, struct arena *a, const struct feed_conf *conf)
{
	REQUIRE(conf->ranks_len >= 1 && conf->ranks_len <= ORCM_RANKS_MAX);
	REQUIRE(conf->window > 0);
	memset(f, 0, sizeof(*f));
	f->conf = *conf;
	f->ranks = arena_alloc(a, conf->ranks_len, sizeof(*f->ranks));
	f->leader = ORCM_RANK_NONE;
}

static bool
gets_input(const struct feed *f, uint32_t rank)
{
	return f->ranks[rank].open &&
	    (!f->conf.leader_only || rank == f->leader);
}

uint64_t
feed_room(const struct feed *f)
{
	uint64_t low = UINT64_MAX, room, slow = UINT64_MAX;
	/* What is not kept must not run away from anybody. */
	bool kept = f->base == 0 && f->head < f->conf.keep;
	uint32_t i;

	if (f->eof)
		return 0;
	for (i = 0; i < f->conf.ranks_len; i++) {
		const struct feed_rank *r = &f->ranks[i];

		/* Who has not begun yet must find all of it. */
		if (!kept && !r->begun && !f->conf.leader_only)
			low = 0;
		if (!gets_input(f, i) || (r->stalled && kept))
			continue;
		if (r->level || !kept)
			low = r->fed < low ? r->fed : low;
		else
			slow = r->fed < slow ? r->fed : slow;
	}
	if (low == UINT64_MAX) {
		/* Nobody is level: only a first window may be read ahead. */
		room = f->head < f->conf.window ? f->conf.window - f->head : 0;
		return slow == UINT64_MAX && f->head > 0 ? 0 : room;
	}
	room = low + f->conf.window > f->head ?
	    low + f->conf.window - f->head :
	    0;
	if (slow != UINT64_MAX && room > f->credit)
		room = f->credit;
	if (kept && room > f->conf.keep - f->head)
		room = f->conf.keep - f->head;
	return room;
}

void
feed_input(struct feed *f, uint64_t n)
{
	f->head += n;
	f->credit = n < f->credit ? f->credit - n : 0;
}

void
feed_eof(struct feed *f)
{
	f->eof = true;
}

/*
 * Level again once it is within half a window of all that there is, or of
 * the slowest that is level; when nobody is, of the furthest.  So programs
 * that do not read their input become level too.
 */
static void
level(const struct feed *f, struct feed_rank *r)
{
	uint64_t low = UINT64_MAX, far = 0;
	uint32_t i;

	if (r->level)
		return;
	for (i = 0; i < f->conf.ranks_len; i++) {
		if (!gets_input(f, i))
			continue;
		if (f->ranks[i].level && f->ranks[i].fed < low)
			low = f->ranks[i].fed;
		if (f->ranks[i].fed > far)
			far = f->ranks[i].fed;
	}
	r->level = r->fed + f->conf.window / 2 >=
	    (low != UINT64_MAX ? low : far);
}

/* One has gone or does not move: who is level is another question. */
static void
level_all(struct feed *f)
{
	uint32_t i;

	for (i = 0; i < f->conf.ranks_len; i++)
		if (gets_input(f, i))
			level(f, &f->ranks[i]);
}

bool
feed_start(struct feed *f, uint32_t rank)
{
	struct feed_rank *r = &f->ranks[rank];

	REQUIRE(rank < f->conf.ranks_len);
	if (f->base > 0)
		return false;
	memset(r, 0, sizeof(*r));
	r->begun = r->open = true;
	level(f, r);
	return true;
}

void
feed_stop(struct feed *f, uint32_t rank)
{
	REQUIRE(rank < f->conf.ranks_len);
	f->ranks[rank].open = false;
	f->ranks[rank].begun = true;
	level_all(f);
}

void
feed_stalled(struct feed *f, uint32_t rank, bool stalled)
{
	REQUIRE(rank < f->conf.ranks_len);
	f->ranks[rank].stalled = stalled;
	/* It has to catch up before it holds anybody back again. */
	if (stalled)
		f->ranks[rank].level = false;
	level_all(f);
}

void
feed_lead(struct feed *f, uint32_t rank)
{
	f->leader = rank;
}

void
feed_next(const struct feed *f, uint32_t rank, uint64_t *at, uint64_t *n)
{
	const struct feed_rank *r = &f->ranks[rank];

	REQUIRE(rank < f->conf.ranks_len);
	*at = r->fed;
	*n = gets_input(f, rank) ? f->head - r->fed : 0;
}

void
feed_fed(struct feed *f, uint32_t rank, uint64_t n)
{
	struct feed_rank *r = &f->ranks[rank];

	REQUIRE(rank < f->conf.ranks_len && r->fed + n <= f->head);
	r->fed += n;
	if (!r->level) {
		f->credit += n / FEED_PACE;
		if (f->credit > f->conf.window)
			f->credit = f->conf.window;
	}
	level(f, r);
}

bool
feed_finished(const struct feed *f, uint32_t rank)
{
	return f->eof && gets_input(f, rank) &&
	    f->ranks[rank].fed == f->head;
}

bool
feed_level(const struct feed *f, uint32_t rank)
{
	const struct feed_rank *r = &f->ranks[rank];

	/* Who waits to lead is level as long as it can still be fed. */
	if (r->open && !gets_input(f, rank))
		return r->fed >= f->base;
	return r->level || !r->open;
}

void
feed_keep(struct feed *f, uint64_t keep)
{
	f->conf.keep = keep;
}

uint64_t
feed_low(struct feed *f)
{
	uint64_t low = f->head;
	uint32_t i, any = 0;

	if (f->head <= f->conf.keep)
		return 0;
	for (i = 0; i < f->conf.ranks_len; i++) {
		if (!f->ranks[i].begun && !f->conf.leader_only)
			return f->base;
		if (!gets_input(f, i))
			continue;
		any++;
		if (f->ranks[i].fed < low)
			low = f->ranks[i].fed;
	}
	if (any == 0)
		return f->base;
	f->base = low > f->base ? low : f->base;
	return f->base;
}
