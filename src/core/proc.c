/* SPDX-License-Identifier: ISC */
/*
 * One replica's lives, as a table of states and events.  The first death is
 * followed by a new life at once; only short lives in a row that achieved
 * nothing are slowed down (0, 50, 200, 1000, 4000 ms).  The budget ends it:
 * more than so many restarts within a period and the replica has failed.
 * Unless the budget is strict, a life that moved the job on (it had caught
 * up, and bytes were read or delivered meanwhile) costs nothing, so a job
 * that makes progress is never given up.
 */
#include "core/proc.h"

#include <string.h>

#include "base/require.h"

static const uint64_t backoffs[PROC_BACKOFFS] = {
	0, 50 * ORCM_MS, 200 * ORCM_MS, 1000 * ORCM_MS, 4000 * ORCM_MS
};

/* The numbers are the same on every system that we know (POSIX asks KILL). */
#define SIGNAL_KILL 9

void
proc_init(struct proc *p, const struct proc_conf *conf, uint64_t *deaths)
{
	memset(p, 0, sizeof(*p));
	p->conf = conf;
	p->deaths = deaths;
	p->due = ORCM_NEVER;
	p->fresh = true;
	p->r.status = STATUS_NONE;
}

void
proc_recall(struct proc *p, const struct record_proc *r)
{
	p->r = *r;
	p->fresh = false;
	/* Only what cannot change any more is taken as it was. */
	if (r->state != PROC_DONE && r->state != PROC_FAILED)
		p->r.state = PROC_NEW;
}

static void
emit(struct proc *p, enum proc_verb verb, uint32_t value)
{
	REQUIRE(p->outs_len < PROC_OUTS_MAX);
	p->outs[p->outs_len].verb = verb;
	p->outs[p->outs_len].value = value;
	p->outs_len++;
}

static void
become(struct proc *p, enum proc_state state, uint64_t due)
{
	p->r.state = state;
	p->due = due;
}

/*
 * No further life: the keeper, if there is one, may leave; with `rest` when
 * what the program left behind has written its last.
 */
static void
over(struct proc *p, enum proc_state state, bool rest)
{
	p->r.pid = 0;
	if (p->keeper)
		emit(p, PROC_OUT_END, rest);
	become(p, state, ORCM_NEVER);
}

static void
next_life(struct proc *p, uint64_t now)
{
	if (!p->fresh) {
		p->r.incarnation++;
		p->r.restarts++;
	}
	p->fresh = false;
	p->fruit = p->adopted = false;
	p->since = now;
	p->r.pid = 0;
	emit(p, p->keeper ? PROC_OUT_RUN : PROC_OUT_SPAWN, p->r.incarnation);
	become(p, PROC_STARTING, now + PROC_START_MAX);
}

/*
 * May one more restart be made?  Notes this death.  Only as many deaths as
 * the budget has are remembered: older ones cannot matter.
 */
static bool
budget_allows(struct proc *p, uint64_t now)
{
	const struct proc_conf *c = p->conf;
	uint32_t i, n = 0, at;

	if (c->budget == BUDGET_INF || (!c->strict && p->fruit))
		return true;
	if (c->budget == 0)
		return false;
	REQUIRE(c->budget <= BUDGET_MAX);
	for (i = 0; i < p->deaths_len && i < c->budget; i++) {
		at = (p->deaths_at + c->budget - 1 - i) % c->budget;
		if (c->period != 0 && now - p->deaths[at] > c->period)
			break;
		n++;
	}
	if (n >= c->budget)
		return false;
	p->deaths[p->deaths_at] = now;
	p->deaths_at = (p->deaths_at + 1) % c->budget;
	if (p->deaths_len < c->budget)
		p->deaths_len++;
	return true;
}

static void
died(struct proc *p, uint64_t now, uint32_t status)
{
	uint64_t wait;

	p->r.status = status;
	p->r.pid = 0;
	if (p->stop || !record_restarts(p->conf->restart, status)) {
		over(p, PROC_DONE, !p->stop && STATUS_IS_CODE(status));
		return;
	}
	if (!budget_allows(p, now)) {
		over(p, PROC_FAILED, false);
		return;
	}
	if (p->fruit || now - p->since >= PROC_LONG_LIFE)
		p->shorts = 0;
	wait = backoffs[p->shorts];
	if (p->shorts < PROC_BACKOFFS - 1)
		p->shorts++;
	if (wait == 0)
		next_life(p, now);
	else
		become(p, PROC_BACKOFF, now + wait);
}

/* The polite signal, with KILL to follow; or KILL when it was said twice. */
static void
send_stop(struct proc *p, uint64_t now)
{
	p->stop = true;
	emit(p, PROC_OUT_SIGNAL, p->conf->signal);
	become(p, PROC_STOPPING, now + p->conf->grace);
}

static void
send_kill(struct proc *p, uint64_t now)
{
	p->stop = true;
	emit(p, PROC_OUT_SIGNAL, SIGNAL_KILL);
	become(p, PROC_KILLING, now + ORCM_SECOND);
}

typedef void handler(struct proc *, uint64_t, const struct proc_in *);

static void
ignore(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)p;
	(void)now;
	(void)in;
}

static void
to_start(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)in;
	next_life(p, now);
}

static void
to_adopting(struct proc *p, uint64_t now, const struct proc_in *in)
{
	p->r.incarnation = in->incarnation;
	p->fresh = false;
	p->adopted = true;
	become(p, PROC_ADOPTING, now + PROC_ADOPT_MAX);
}

static void
keeper_came(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)now;
	if (p->r.state != PROC_NEW && in->incarnation < p->r.incarnation)
		return;
	p->keeper = true;
	/* It comes by itself: nobody here has ordered it. */
	if (p->r.state == PROC_NEW)
		p->adopted = true;
	p->fresh = false;
	p->r.keeper = in->value;
	if (in->incarnation > p->r.incarnation)
		p->r.incarnation = in->incarnation;
	if (p->r.state == PROC_NEW || p->r.state == PROC_ADOPTING)
		become(p, PROC_STARTING, now + PROC_START_MAX);
}

/* A keeper that comes when nothing shall run any more. */
static void
keeper_unwanted(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)now;
	p->keeper = true;
	p->r.keeper = in->value;
	emit(p, PROC_OUT_END, 0);
}

static void
to_up(struct proc *p, uint64_t now, const struct proc_in *in)
{
	/* A life that was given up already does not come back. */
	if (in->incarnation < p->r.incarnation)
		return;
	p->r.incarnation = in->incarnation;
	p->r.pid = in->value;
	p->since = now;
	p->fresh = false;
	if (p->stop)
		send_stop(p, now);
	else
		become(p, PROC_UP, ORCM_NEVER);
}

static void
has_ended(struct proc *p, uint64_t now, const struct proc_in *in)
{
	if (in->incarnation == p->r.incarnation)
		died(p, now, in->value);
}

static void
cannot_run(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)now;
	p->r.error = in->value;
	over(p, PROC_FAILED, false);
}

static void
keeper_lost(struct proc *p, uint64_t now, const struct proc_in *in)
{
	uint32_t pid = p->r.pid;

	(void)in;
	p->keeper = false;
	p->r.keeper = 0;
	if (pid != 0)
		emit(p, PROC_OUT_REAP, pid);
	died(p, now, STATUS_LOST);
}

static void
keeper_left(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)now;
	(void)in;
	p->keeper = false;
	p->r.keeper = 0;
}

static void
stop_running(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)in;
	send_stop(p, now);
}

static void
kill_running(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)in;
	send_kill(p, now);
}

/* KILL did not help: the keeper itself must be stuck. */
static void
kill_keeper(struct proc *p, uint64_t now, const struct proc_in *in)
{
	if (p->r.keeper != 0)
		emit(p, PROC_OUT_REAP, p->r.keeper);
	kill_running(p, now, in);
}

/* Nothing runs yet: it is stopped as soon as it does. */
static void
stop_later(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)in;
	p->stop = true;
	if (p->keeper)
		send_stop(p, now);
}

static void
stop_idle(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)now;
	(void)in;
	p->stop = true;
	over(p, PROC_DONE, false);
}

/* The keeper neither came nor reported in time. */
static void
start_late(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)in;
	if (p->r.keeper != 0)
		emit(p, PROC_OUT_REAP, p->r.keeper);
	p->keeper = false;
	p->r.keeper = 0;
	died(p, now, STATUS_LOST);
}

static void
adopt_late(struct proc *p, uint64_t now, const struct proc_in *in)
{
	(void)in;
	p->r.keeper = 0;
	p->keeper = false;
	died(p, now, STATUS_LOST);
}

/* clang-format off */
static handler *const table[PROC_STATES][PROC_EVENTS] = {
	[PROC_NEW] = {
		[PROC_IN_START] = to_start,	[PROC_IN_ADOPT] = to_adopting,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = has_ended,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_left,	[PROC_IN_STOP] = stop_idle,
		[PROC_IN_KILL] = stop_idle,	[PROC_IN_TICK] = ignore,
	},
	[PROC_ADOPTING] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = to_adopting,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = has_ended,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_lost,	[PROC_IN_STOP] = stop_later,
		[PROC_IN_KILL] = stop_later,	[PROC_IN_TICK] = adopt_late,
	},
	[PROC_STARTING] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = has_ended,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_lost,	[PROC_IN_STOP] = stop_later,
		[PROC_IN_KILL] = stop_later,	[PROC_IN_TICK] = start_late,
	},
	[PROC_UP] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = has_ended,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_lost,	[PROC_IN_STOP] = stop_running,
		[PROC_IN_KILL] = kill_running,	[PROC_IN_TICK] = ignore,
	},
	[PROC_BACKOFF] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = ignore,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_left,	[PROC_IN_STOP] = stop_idle,
		[PROC_IN_KILL] = stop_idle,	[PROC_IN_TICK] = to_start,
	},
	[PROC_STOPPING] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = has_ended,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_lost,	[PROC_IN_STOP] = ignore,
		[PROC_IN_KILL] = kill_running,	[PROC_IN_TICK] = kill_running,
	},
	[PROC_KILLING] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_came,	[PROC_IN_STARTED] = to_up,
		[PROC_IN_ENDED] = has_ended,	[PROC_IN_FAILED] = cannot_run,
		[PROC_IN_LOST] = keeper_lost,	[PROC_IN_STOP] = ignore,
		[PROC_IN_KILL] = kill_running,	[PROC_IN_TICK] = kill_keeper,
	},
	[PROC_DONE] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_unwanted, [PROC_IN_STARTED] = ignore,
		[PROC_IN_ENDED] = ignore,	[PROC_IN_FAILED] = ignore,
		[PROC_IN_LOST] = keeper_left,	[PROC_IN_STOP] = ignore,
		[PROC_IN_KILL] = ignore,	[PROC_IN_TICK] = ignore,
	},
	[PROC_FAILED] = {
		[PROC_IN_START] = ignore,	[PROC_IN_ADOPT] = ignore,
		[PROC_IN_KEEPER] = keeper_unwanted, [PROC_IN_STARTED] = ignore,
		[PROC_IN_ENDED] = ignore,	[PROC_IN_FAILED] = ignore,
		[PROC_IN_LOST] = keeper_left,	[PROC_IN_STOP] = ignore,
		[PROC_IN_KILL] = ignore,	[PROC_IN_TICK] = ignore,
	},
};
/* clang-format on */

void
proc_feed(struct proc *p, uint64_t now, const struct proc_in *in)
{
	REQUIRE(p->outs_len == 0);
	REQUIRE(in->event < PROC_EVENTS);
	REQUIRE(p->r.state < PROC_STATES);
	if (in->event == PROC_IN_TICK && now < p->due)
		return;
	table[p->r.state][in->event](p, now, in);
}

bool
proc_take(struct proc *p, struct proc_out *out)
{
	if (p->outs_len == 0)
		return false;
	*out = p->outs[0];
	p->outs_len--;
	memmove(&p->outs[0], &p->outs[1], p->outs_len * sizeof(p->outs[0]));
	return true;
}

uint64_t
proc_due(const struct proc *p)
{
	return p->due;
}

void
proc_fruit(struct proc *p)
{
	p->fruit = true;
}

bool
proc_over(const struct proc *p)
{
	return !p->keeper &&
	    (p->r.state == PROC_DONE || p->r.state == PROC_FAILED);
}
