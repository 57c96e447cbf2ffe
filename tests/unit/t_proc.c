/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "aborts.h"
#include "core/proc.h"
#include "tap.h"

#define S ORCM_SECOND
#define KILL 9u
#define TERM 15u
#define SEGV (STATUS_SIGNAL | 11u)

static struct proc p;
static struct proc_conf conf;
static uint64_t deaths[BUDGET_MAX];
static uint64_t now;
static char did[128]; /* the effects of the last event, as text */

static void
begin(enum job_restart restart, uint32_t budget, uint64_t period)
{
	memset(deaths, 0, sizeof(deaths));
	memset(&conf, 0, sizeof(conf));
	conf.restart = restart;
	conf.budget = budget;
	conf.period = period;
	conf.grace = 5 * S;
	conf.signal = TERM;
	now = 1000 * S;
	proc_init(&p, &conf, deaths);
}

static void
tell(enum proc_event event, uint32_t incarnation, uint32_t value)
{
	static const char *const names[] = {
		[PROC_OUT_SPAWN] = "spawn", [PROC_OUT_RUN] = "run",
		[PROC_OUT_SIGNAL] = "signal", [PROC_OUT_END] = "end",
		[PROC_OUT_REAP] = "reap",
	};
	struct proc_in in = { event, incarnation, value };
	struct proc_out out;
	size_t len = 0;

	did[0] = '\0';
	proc_feed(&p, now, &in);
	while (proc_take(&p, &out))
		len += (size_t)snprintf(did + len, sizeof(did) - len,
		    "%s%s %u", len > 0 ? ", " : "", names[out.verb],
		    out.value);
}

/* One life: keeper, program, death. */
static void
up(uint32_t incarnation)
{
	if (!p.keeper)
		tell(PROC_IN_KEEPER, incarnation, 100);
	tell(PROC_IN_STARTED, incarnation, 200 + incarnation);
}

static void
life_from_start_to_end(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	is_str(did, "spawn 0", "a keeper is asked for");
	ok(p.r.state == PROC_STARTING && p.r.incarnation == 0, "starting");
	tell(PROC_IN_KEEPER, 0, 77);
	is_str(did, "", "it knows what to do");
	is_u64(p.r.keeper, 77, "its pid");
	tell(PROC_IN_STARTED, 0, 88);
	ok(p.r.state == PROC_UP && p.r.pid == 88, "up");
	is_u64(proc_due(&p), ORCM_NEVER, "nothing to wait for");
	tell(PROC_IN_ENDED, 0, 0);
	is_str(did, "end 1", "the keeper may leave");
	ok(p.r.state == PROC_DONE && p.r.status == 0 && p.r.pid == 0, "done");
	ok(!proc_over(&p), "the keeper is still there");
	tell(PROC_IN_LOST, 0, 0);
	ok(proc_over(&p), "now it is over");
	is_u64(p.r.restarts, 0, "no restart");
}

static void
restarts_go_by_the_policy(void)
{
	static const struct {
		enum job_restart policy;
		uint32_t status;
		bool again;
	} rows[] = {
		{ RESTART_CRASH, 0, false }, { RESTART_CRASH, 1, false },
		{ RESTART_CRASH, SEGV, true }, { RESTART_FAILURE, 0, false },
		{ RESTART_FAILURE, 1, true }, { RESTART_FAILURE, SEGV, true },
		{ RESTART_ALWAYS, 0, true }, { RESTART_ALWAYS, SEGV, true },
		{ RESTART_NEVER, 1, false }, { RESTART_NEVER, SEGV, false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].policy, BUDGET_INF, 0);
		tell(PROC_IN_START, 0, 0);
		up(0);
		tell(PROC_IN_ENDED, 0, rows[i].status);
		is_str(did, rows[i].again ? "run 1" :
		    STATUS_IS_CODE(rows[i].status) ? "end 1" : "end 0",
		    "policy %d, status 0x%x", (int)rows[i].policy,
		    rows[i].status);
	}
}

static void
second_life_is_run_by_the_same_keeper(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_ENDED, 0, SEGV);
	is_str(did, "run 1", "at once");
	ok(p.r.incarnation == 1 && p.r.restarts == 1, "counted");
	tell(PROC_IN_ENDED, 0, SEGV);
	is_str(did, "", "the same death told twice is one");
	tell(PROC_IN_STARTED, 1, 201);
	ok(p.r.state == PROC_UP, "up again");
	tell(PROC_IN_STARTED, 0, 200);
	ok(p.r.incarnation == 1 && p.r.pid == 201,
	    "no way back to an earlier life");
}

/* A keeper that says once more how its last program ended. */
static void
an_end_is_that_of_its_life(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_ENDED, 0, SEGV);
	tell(PROC_IN_ENDED, 0, SEGV);
	is_str(did, "", "no third life while the second one starts");
	up(1);
	tell(PROC_IN_ENDED, 0, 0);
	is_str(did, "", "the first one's end is no end of the second");
	ok(p.r.state == PROC_UP && p.r.restarts == 1, "which goes on");
}

static void
short_lives_are_slowed_down(void)
{
	static const uint64_t waits[] = { 0, 50, 200, 1000, 4000, 4000 };
	uint32_t i;

	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	for (i = 0; i < 6; i++) {
		up(i);
		tell(PROC_IN_ENDED, i, SEGV);
		if (waits[i] == 0) {
			ok(p.r.state == PROC_STARTING, "no wait");
			continue;
		}
		is_u64(proc_due(&p) - now, waits[i] * ORCM_MS, "wait %u", i);
		now = proc_due(&p) - 1;
		tell(PROC_IN_TICK, 0, 0);
		ok(p.r.state == PROC_BACKOFF, "not before");
		now++;
		tell(PROC_IN_TICK, 0, 0);
		ok(p.r.state == PROC_STARTING, "but then");
	}
	up(6);
	now += PROC_LONG_LIFE;
	tell(PROC_IN_ENDED, 6, SEGV);
	ok(p.r.state == PROC_STARTING, "a long life begins anew");
	up(7);
	tell(PROC_IN_ENDED, 7, SEGV);
	is_u64(proc_due(&p) - now, 50 * ORCM_MS, "then 50 ms again");
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	up(8);
	proc_fruit(&p);
	tell(PROC_IN_ENDED, 8, SEGV);
	ok(p.r.state == PROC_STARTING, "a fruitful life too");
}

static uint32_t
restarts_until_failed(bool fruit, uint64_t apart)
{
	uint32_t i;

	tell(PROC_IN_START, 0, 0);
	for (i = 0; i < 2000 && p.r.state != PROC_FAILED; i++) {
		if (p.r.state == PROC_BACKOFF) {
			now = proc_due(&p);
			tell(PROC_IN_TICK, 0, 0);
		}
		up(p.r.incarnation);
		if (fruit)
			proc_fruit(&p);
		now += apart;
		tell(PROC_IN_ENDED, p.r.incarnation, SEGV);
	}
	return p.r.state == PROC_FAILED ? p.r.restarts : UINT32_MAX;
}

static void
budget_ends_it(void)
{
	begin(RESTART_CRASH, 0, 0);
	is_u64(restarts_until_failed(false, 0), 0, "no restart at all");
	is_str(did, "end 0", "the keeper may leave");
	begin(RESTART_CRASH, 3, 0);
	is_u64(restarts_until_failed(false, 0), 3, "three");
	begin(RESTART_CRASH, BUDGET_MAX, 0);
	is_u64(restarts_until_failed(false, 2 * S), BUDGET_MAX, "as many as "
	    "there can be");
	begin(RESTART_CRASH, BUDGET_INF, 0);
	is_u64(restarts_until_failed(false, 2 * S), UINT32_MAX, "for ever");
	begin(RESTART_CRASH, 3, 10 * S);
	is_u64(restarts_until_failed(false, 5 * S), UINT32_MAX,
	    "old deaths do not count");
	begin(RESTART_CRASH, 3, 10 * S);
	is_u64(restarts_until_failed(false, 2 * S), 3, "four in ten seconds");
	begin(RESTART_CRASH, 3, 0);
	is_u64(restarts_until_failed(true, 0), UINT32_MAX,
	    "fruitful lives cost nothing");
	begin(RESTART_CRASH, 3, 0);
	conf.strict = true;
	is_u64(restarts_until_failed(true, 0), 3, "unless it is strict");
}

static void
stop_ladder(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_STOP, 0, 0);
	is_str(did, "signal 15", "politely");
	is_u64(proc_due(&p) - now, 5 * S, "then it has its grace");
	tell(PROC_IN_STOP, 0, 0);
	is_str(did, "", "said once");
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	is_str(did, "signal 9", "then KILL");
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	is_str(did, "reap 100, signal 9", "then the keeper itself");
	tell(PROC_IN_LOST, 0, 0);
	is_str(did, "reap 200", "and what it leaves");
	ok(p.r.state == PROC_DONE && proc_over(&p), "no restart after a stop");
}

static void
kill_skips_the_grace(void)
{
	begin(RESTART_ALWAYS, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_KILL, 0, 0);
	is_str(did, "signal 9", "at once");
	tell(PROC_IN_ENDED, 0, STATUS_SIGNAL | KILL);
	ok(p.r.state == PROC_DONE, "and no other life");
}

static void
stop_at_any_time(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_STOP, 0, 0);
	ok(proc_over(&p), "before it began");
	tell(PROC_IN_START, 0, 0);
	is_str(did, "", "it does not begin any more");

	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	tell(PROC_IN_STOP, 0, 0);
	is_str(did, "", "while it begins");
	tell(PROC_IN_KEEPER, 0, 100);
	tell(PROC_IN_STARTED, 0, 200);
	is_str(did, "signal 15", "as soon as there is something to stop");
	tell(PROC_IN_ENDED, 0, STATUS_SIGNAL | TERM);
	ok(p.r.state == PROC_DONE, "done");

	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_ENDED, 0, SEGV);
	up(1);
	tell(PROC_IN_ENDED, 1, SEGV);
	ok(p.r.state == PROC_BACKOFF, "between two lives");
	tell(PROC_IN_STOP, 0, 0);
	is_str(did, "end 0", "the keeper leaves");
	ok(p.r.state == PROC_DONE, "done");
}

static void
lost_keeper_is_a_death(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_LOST, 0, 0);
	is_str(did, "reap 200, spawn 1", "its program must not live on");
	is_u64(p.r.status, STATUS_LOST, "nobody saw how");
	tell(PROC_IN_LOST, 0, 0);
	ok(p.r.state == PROC_BACKOFF, "one that never came counts too");
	begin(RESTART_NEVER, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	up(0);
	tell(PROC_IN_LOST, 0, 0);
	ok(p.r.state == PROC_DONE, "never means never");
}

static void
late_keeper_is_given_up(void)
{
	begin(RESTART_CRASH, 1, 0);
	tell(PROC_IN_START, 0, 0);
	p.r.keeper = 55;
	is_u64(proc_due(&p) - now, PROC_START_MAX, "it has ten seconds");
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	is_str(did, "reap 55, spawn 1", "then there is another");
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	ok(p.r.state == PROC_FAILED, "and then the budget's end");
}

static void
what_cannot_be_executed_has_failed(void)
{
	begin(RESTART_ALWAYS, BUDGET_INF, 0);
	tell(PROC_IN_START, 0, 0);
	tell(PROC_IN_KEEPER, 0, 100);
	tell(PROC_IN_FAILED, 0, 2);
	is_str(did, "end 0", "no other life");
	ok(p.r.state == PROC_FAILED && p.r.error == 2, "with its errno");
}

static void
adoption(void)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_ADOPT, 7, 0);
	is_str(did, "", "nothing is started");
	ok(p.r.state == PROC_ADOPTING && p.r.incarnation == 7, "waiting");
	tell(PROC_IN_START, 0, 0);
	is_str(did, "", "also when it shall run");
	tell(PROC_IN_KEEPER, 7, 100);
	tell(PROC_IN_STARTED, 7, 300);
	ok(p.r.state == PROC_UP && p.r.restarts == 0 && p.adopted, "adopted");

	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_ADOPT, 7, 0);
	is_u64(proc_due(&p), now + PROC_ADOPT_MAX, "it is not waited for long");
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	is_str(did, "spawn 8", "it did not come: the next life");
	tell(PROC_IN_KEEPER, 7, 99);
	tell(PROC_IN_STARTED, 7, 300);
	ok(p.r.incarnation == 8 && !p.keeper, "too late");

	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_KEEPER, 3, 100);
	tell(PROC_IN_STARTED, 3, 300);
	ok(p.r.state == PROC_UP && p.r.incarnation == 3, "it came by itself");
	tell(PROC_IN_ENDED, 3, SEGV);
	is_str(did, "run 4", "and goes on as any");

	begin(RESTART_CRASH, BUDGET_INF, 0);
	tell(PROC_IN_ADOPT, 7, 0);
	tell(PROC_IN_STOP, 0, 0);
	now = proc_due(&p);
	tell(PROC_IN_TICK, 0, 0);
	ok(p.r.state == PROC_DONE, "stopped while nobody was there");
}

static void
what_is_over_stays_over(void)
{
	struct record_proc past = { .state = PROC_FAILED, .incarnation = 4,
		.restarts = 9, .status = SEGV };

	begin(RESTART_CRASH, BUDGET_INF, 0);
	proc_recall(&p, &past);
	tell(PROC_IN_START, 0, 0);
	ok(p.r.state == PROC_FAILED && did[0] == '\0', "failed it was");
	tell(PROC_IN_KEEPER, 4, 100);
	is_str(did, "end 0", "its keeper may leave");
	past.state = PROC_UP;
	begin(RESTART_CRASH, BUDGET_INF, 0);
	proc_recall(&p, &past);
	tell(PROC_IN_START, 0, 0);
	is_str(did, "spawn 5", "what may have died is the next life");
	is_u64(p.r.restarts, 10, "and counted on");
}

/* Brings a fresh process into a state. */
static void
into(enum proc_state state)
{
	begin(RESTART_CRASH, BUDGET_INF, 0);
	switch (state) {
	case PROC_NEW:
		return;
	case PROC_ADOPTING:
		tell(PROC_IN_ADOPT, 1, 0);
		return;
	default:
		tell(PROC_IN_START, 0, 0);
		if (state == PROC_STARTING)
			return;
		up(0);
		break;
	}
	if (state == PROC_BACKOFF) {
		tell(PROC_IN_ENDED, 0, SEGV);
		up(1);
		tell(PROC_IN_ENDED, 1, SEGV);
	} else if (state == PROC_STOPPING || state == PROC_KILLING) {
		tell(state == PROC_STOPPING ? PROC_IN_STOP : PROC_IN_KILL, 0,
		    0);
	} else if (state == PROC_DONE) {
		tell(PROC_IN_ENDED, 0, 0);
	} else if (state == PROC_FAILED) {
		tell(PROC_IN_FAILED, 0, 2);
	}
}

/* No empty cell: every event in every state, and every pair of them. */
static void
every_event_in_every_state(void)
{
	uint32_t s, a, b, walked = 0, bad = 0;

	for (s = 0; s < PROC_STATES; s++)
		for (a = 0; a < PROC_EVENTS; a++)
			for (b = 0; b < PROC_EVENTS; b++) {
				into((enum proc_state)s);
				bad += p.r.state != s;
				now += 20 * S;
				tell((enum proc_event)a, p.r.incarnation, 5);
				now += 20 * S;
				tell((enum proc_event)b, p.r.incarnation, 6);
				bad += p.r.state >= PROC_STATES;
				bad += p.stop && p.r.state == PROC_UP;
				bad += (s == PROC_DONE || s == PROC_FAILED) &&
				    p.r.state != s;
				walked++;
			}
	is_u64(walked, PROC_STATES * PROC_EVENTS * PROC_EVENTS, "all walked");
	is_u64(bad, 0, "none broke a rule");
}

static void
effects_left(void)
{
	struct proc_in in = { .event = PROC_IN_START };

	begin(RESTART_CRASH, BUDGET_INF, 0);
	proc_feed(&p, now, &in);
	proc_feed(&p, now, &in);
}

int
main(void)
{
	life_from_start_to_end();
	restarts_go_by_the_policy();
	second_life_is_run_by_the_same_keeper();
	an_end_is_that_of_its_life();
	short_lives_are_slowed_down();
	budget_ends_it();
	stop_ladder();
	kill_skips_the_grace();
	stop_at_any_time();
	lost_keeper_is_a_death();
	late_keeper_is_given_up();
	what_cannot_be_executed_has_failed();
	adoption();
	what_is_over_stays_over();
	every_event_in_every_state();
	ok(aborts(effects_left), "effects have to be taken");
	return done_testing();
}
