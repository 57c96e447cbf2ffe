/* SPDX-License-Identifier: ISC */
/*
 * One entry for each replica that ever failed.  A count is kept in parts of
 * 256 and halves with each `decay` that goes by, so a program that
 * dies once a year never meets its limit, and one that was good for a while
 * has something to spend again.  What is not the replica's own fault, its
 * node's death above all, is answered but not counted.
 *
 * A life ends once: the end of one that was answered before, or of an older
 * one, changes nothing, so reports may come twice and late.  What is held
 * stays held whatever comes, until it is cleared.  When there is no room the
 * history whose last fault is the longest ago goes, but none that is held;
 * if all are, each fault is a first one, with the longest back-off.
 */
#include "core/ladder.h"

#include <string.h>

#include "base/hash.h"
#include "base/wr.h"

#define JITTER_PERCENT 20u
#define COUNT_MAX (1000u * LADDER_COUNT_ONE)

size_t
ladder_memory(const struct ladder_conf *conf)
{
	return conf->replicas_max * sizeof(struct ladder_entry) +
	    conf->crashes_max * sizeof(struct ladder_crash) + 2 * 16;
}

void
ladder_init(struct ladder *l, struct arena *a, const struct ladder_conf *conf)
{
	memset(l, 0, sizeof(*l));
	l->conf = *conf;
	l->entries = arena_alloc(a, conf->replicas_max, sizeof(*l->entries));
	l->crashes = arena_alloc(a, conf->crashes_max, sizeof(*l->crashes));
}

static struct ladder_entry *
entry_find(const struct ladder *l, uint64_t app, uint32_t rank)
{
	struct ladder_entry *e;
	uint32_t i;

	for (i = 0; i < l->conf.replicas_max; i++) {
		e = &l->entries[i];
		if (e->used && e->app == app && e->rank == rank)
			return e;
	}
	return NULL;
}

/* A new one; NULL when all are held. */
static struct ladder_entry *
entry_new(struct ladder *l, uint64_t now, const struct ladder_fault *f)
{
	struct ladder_entry *e, *oldest = NULL;
	uint32_t i;

	for (i = 0; i < l->conf.replicas_max; i++) {
		e = &l->entries[i];
		if (!e->used) {
			oldest = e;
			break;
		}
		if (!e->held && (oldest == NULL || e->at < oldest->at))
			oldest = e;
	}
	if (oldest == NULL || oldest->used)
		l->forgotten++;
	if (oldest == NULL)
		return NULL;
	memset(oldest, 0, sizeof(*oldest));
	oldest->used = true;
	oldest->app = f->app;
	oldest->rank = f->rank;
	oldest->node = f->node;
	oldest->decayed = now;
	return oldest;
}

/* What is left of a count; between two halvings it falls evenly. */
static uint32_t
left(const struct ladder_entry *e, uint64_t now, uint32_t count)
{
	uint64_t times, rest, c;

	if (e->decay == 0)
		return count;
	times = (now - e->decayed) / e->decay;
	rest = (now - e->decayed) % e->decay;
	if (times > 31)
		return 0;
	c = count >> times;
	/* In microseconds, so that the product fits. */
	return (uint32_t)(c - c * (rest / 2000) / (e->decay / 1000 + 1));
}

/* Only at a fault of its own, or what is lost by rounding would add up. */
static void
decay(struct ladder_entry *e, uint64_t now)
{
	uint32_t i;

	e->here = left(e, now, e->here);
	e->faults = left(e, now, e->faults);
	for (i = 0; i < LADDER_TRAIL; i++)
		e->trail[i].count = left(e, now, e->trail[i].count);
	e->decayed = now;
}

static uint32_t
one_more(uint32_t count)
{
	return count < COUNT_MAX ? count + LADDER_COUNT_ONE : count;
}

/* Where it failed; the oldest place makes room for a new one. */
static void
trail(struct ladder_entry *e, uint64_t now, uint16_t node)
{
	struct ladder_trail *t = &e->trail[0];
	uint32_t i;

	for (i = 0; i < LADDER_TRAIL; i++) {
		if (e->trail[i].count > 0 && e->trail[i].node == node) {
			t = &e->trail[i];
			break;
		}
		if (e->trail[i].count == 0 ||
		    (t->count > 0 && e->trail[i].at < t->at))
			t = &e->trail[i];
	}
	if (t->node != node)
		t->count = 0;
	t->node = node;
	t->at = now;
	t->count = one_more(t->count);
}

static uint32_t
moves(const struct ladder_entry *e, uint64_t now, uint64_t window)
{
	uint32_t i, n = 0;

	for (i = 0; i < LADDER_MOVES && i < e->moves_len; i++)
		if (now - e->moves[i] < window)
			n++;
	return n;
}

static bool
is_crash(enum orcm_cause cause)
{
	return cause == ORCM_CAUSE_CRASH || cause == ORCM_CAUSE_EXIT;
}

static void
crash_add(struct ladder *l, uint64_t now, const struct ladder_fault *f)
{
	if (l->conf.crashes_max == 0)
		return;
	l->crashes[l->crashes_at++ % l->conf.crashes_max] =
	    (struct ladder_crash){ true, f->app, f->node, f->status, now };
}

/* Was crash i the first of those like f on its node? */
static bool
first_there(const struct ladder *l, uint32_t i, uint64_t since)
{
	const struct ladder_crash *c = &l->crashes[i], *b;

	for (b = l->crashes; b < c; b++)
		if (b->used && b->app == c->app && b->node == c->node &&
		    b->status == c->status && b->at >= since)
			return false;
	return true;
}

/* On how many nodes it just ended like that. */
static uint32_t
same(const struct ladder *l, uint64_t now, uint64_t alike,
    const struct ladder_fault *f)
{
	uint64_t since = now > alike ? now - alike : 0;
	uint32_t i, n = 0;

	for (i = 0; i < l->conf.crashes_max; i++)
		if (l->crashes[i].used && l->crashes[i].app == f->app &&
		    l->crashes[i].status == f->status &&
		    l->crashes[i].at >= since && first_there(l, i, since))
			n++;
	return n;
}

/* To the nearest: one fault counts for one `decay`. */
static uint32_t
whole(uint32_t count)
{
	return (count + LADDER_COUNT_ONE / 2) / LADDER_COUNT_ONE;
}

/* What all replicas of the app have on their count. */
static uint32_t
app_faults(const struct ladder *l, uint64_t now, uint64_t app)
{
	uint32_t i, sum = 0;

	for (i = 0; i < l->conf.replicas_max; i++)
		if (l->entries[i].used && l->entries[i].app == app)
			sum += left(&l->entries[i], now, l->entries[i].faults);
	return whole(sum);
}

/* The n-th restart in a row waits for so long, give or take a fifth. */
static uint64_t
backoff(const struct ladder *l, const struct ladder_fault *f, uint32_t n)
{
	static const uint64_t steps[LADDER_STEPS] = { 0, 50 * ORCM_MS,
		250 * ORCM_MS, ORCM_SECOND, 4 * ORCM_SECOND };
	uint64_t step = steps[n < LADDER_STEPS ? n : LADDER_STEPS - 1], range;
	uint8_t key[24];
	struct wr w;

	if (step == 0)
		return 0;
	wr_init(&w, key, sizeof(key));
	wr_u64(&w, l->conf.seed);
	wr_u64(&w, f->app);
	wr_u32(&w, f->rank);
	wr_u32(&w, f->incarnation);
	range = 2 * step / 100 * JITTER_PERCENT;
	return step - range / 2 + hash_of(key, sizeof(key)) % (range + 1);
}

/* Into the history; what of it the strategy may know goes into `seen`. */
static void
history_add(struct ladder *l, uint64_t now, const struct ladder_policy *policy,
    const struct ladder_fault *f, struct ladder_entry *e,
    struct orcm_errmgr_fault *seen)
{
	e->decay = policy->decay;
	decay(e, now);
	if (e->node != f->node)
		e->here = 0;
	e->node = f->node;
	e->cause = f->cause;
	e->status = f->status;
	e->at = now;
	if (f->cause != ORCM_CAUSE_PREDICTED) {
		e->ended = true;
		e->incarnation = f->incarnation;
	}
	if (orcm_cause_counts(f->cause)) {
		e->here = one_more(e->here);
		e->faults = one_more(e->faults);
	}
	if (f->cause != ORCM_CAUSE_PREEMPTED)
		trail(e, now, f->node);
	if (is_crash(f->cause))
		crash_add(l, now, f);
	seen->here = whole(e->here);
	seen->faults = whole(e->faults);
	seen->moves = moves(e, now, policy->window);
	seen->app_faults = app_faults(l, now, f->app);
	if (is_crash(f->cause))
		seen->same = same(l, now, policy->alike, f);
}

static enum orcm_answer
ask(struct ladder *l, const struct ladder_policy *policy,
    const struct orcm_errmgr_fault *seen)
{
	enum orcm_answer verb = policy->ops->answer(seen);

	if ((unsigned)verb < ORCM_ANSWERS)
		return verb;
	l->wrong++;
	return ORCM_ANSWER_HOLD;
}

/* The plug-in's answer takes effect on the history. */
static void
carry_out(struct ladder *l, uint64_t now, const struct ladder_fault *f,
    struct ladder_entry *e, struct ladder_answer *a)
{
	if (a->verb == ORCM_ANSWER_HOLD && e != NULL)
		e->held = true;
	if (a->verb == ORCM_ANSWER_RELOCATE && e != NULL &&
	    orcm_cause_counts(f->cause))
		e->moves[e->moves_len++ % LADDER_MOVES] = now;
	if (a->verb == ORCM_ANSWER_RESTART && a->seen.here > 0)
		a->at = now + backoff(l, f, e != NULL ? a->seen.here - 1 :
							LADDER_STEPS);
}

void
ladder_fault(struct ladder *l, uint64_t now, const struct ladder_policy *policy,
    const struct ladder_fault *f, struct ladder_answer *a)
{
	struct ladder_entry *e = entry_find(l, f->app, f->rank);

	memset(a, 0, sizeof(*a));
	a->verb = ORCM_ANSWER_IGNORE;
	a->at = now;
	a->seen.size = sizeof(a->seen);
	a->seen.cause = f->cause;
	a->seen.app = f->app;
	a->seen.rank = f->rank;
	a->seen.node = f->node;
	a->seen.incarnation = f->incarnation;
	a->seen.status = f->status;
	a->seen.args = policy->args;
	if ((unsigned)f->cause >= ORCM_CAUSES)
		return;
	a->late = e != NULL && e->ended && f->incarnation <= e->incarnation;
	if (a->late)
		return;
	if (e != NULL && e->held) {
		a->verb = ORCM_ANSWER_HOLD;
		return;
	}
	/* On purpose: no strategy may bring it back. */
	if (f->cause == ORCM_CAUSE_PLANNED)
		return;
	if (e == NULL)
		e = entry_new(l, now, f);
	if (e != NULL)
		history_add(l, now, policy, f, e, &a->seen);
	else if (orcm_cause_counts(f->cause))
		a->seen.here = a->seen.faults = a->seen.app_faults = 1;
	a->verb = ask(l, policy, &a->seen);
	carry_out(l, now, f, e, a);
}

bool
ladder_held(const struct ladder *l, uint64_t app, uint32_t rank)
{
	const struct ladder_entry *e = entry_find(l, app, rank);

	return e != NULL && e->held;
}

/* Only which life was the last one is still known of it. */
static void
entry_clear(struct ladder_entry *e)
{
	e->held = false;
	e->here = e->faults = 0;
	e->moves_len = 0;
	memset(e->trail, 0, sizeof(e->trail));
}

uint32_t
ladder_clear(struct ladder *l, uint64_t app, uint32_t rank)
{
	struct ladder_entry *e;
	uint32_t i, n = 0;

	for (i = 0; i < l->conf.replicas_max; i++) {
		e = &l->entries[i];
		if (!e->used || e->app != app ||
		    (rank != PLAN_RANK_ALL && e->rank != rank))
			continue;
		entry_clear(e);
		n++;
	}
	/* It is tried again, so it is not taken for poison from before. */
	for (i = 0; n > 0 && i < l->conf.crashes_max; i++)
		if (l->crashes[i].app == app)
			l->crashes[i].used = false;
	return n;
}

void
ladder_forget(struct ladder *l, uint64_t app)
{
	uint32_t i;

	for (i = 0; i < l->conf.replicas_max; i++)
		if (l->entries[i].app == app)
			l->entries[i].used = false;
	for (i = 0; i < l->conf.crashes_max; i++)
		if (l->crashes[i].app == app)
			l->crashes[i].used = false;
}

const struct ladder_entry *
ladder_next(const struct ladder *l, uint32_t *place)
{
	while (*place < l->conf.replicas_max)
		if (l->entries[(*place)++].used)
			return &l->entries[*place - 1];
	return NULL;
}

uint32_t
ladder_faults(const struct ladder *l, uint64_t now, struct plan_fault *faults,
    uint32_t max)
{
	const struct ladder_entry *e;
	uint32_t i, t, n, len = 0;

	for (i = 0; i < l->conf.replicas_max; i++) {
		e = &l->entries[i];
		for (t = 0; e->used && t < LADDER_TRAIL && len < max; t++) {
			n = whole(left(e, now, e->trail[t].count));
			if (n > 0)
				faults[len++] = (struct plan_fault){ e->app,
					e->rank, e->trail[t].node, n };
		}
	}
	return len;
}
