/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "core/keep.h"
#include "tap.h"

#define JOBS 4u
#define PROCS 8u
#define JOB UINT64_C(0x1230000)
#define SEGV (STATUS_SIGNAL | 11u)

static struct keep k;
static struct keep_conf conf = { JOBS, PROCS };
static void *memory;
static uint64_t now = 1000 * ORCM_SECOND;
static struct record_job job;
static char did[512];	  /* the effects of the last event but records */
static enum proc_state state[PROCS]; /* as published, by rank */
static struct record_proc record[PROCS];
static uint32_t dels;
static bool last;

static void
begin(void)
{
	struct arena a;

	free(memory);
	memory = calloc(1, keep_memory(&conf));
	if (memory == NULL)
		abort();
	arena_init(&a, memory, keep_memory(&conf));
	keep_init(&k, &a, &conf);
	memset(&job, 0, sizeof(job));
	memcpy(job.name, "job", 4);
	job.size = 2;
	job.budget = BUDGET_INF;
	job.grace_ms = 1000;
	job.signal = 15;
	memset(state, 0, sizeof(state));
}

static bool
tell(const struct keep_in *in)
{
	static const char *const names[] = {
		[KEEP_OUT_SPAWN] = "spawn", [KEEP_OUT_RUN] = "run",
		[KEEP_OUT_SIGNAL] = "signal", [KEEP_OUT_END] = "end",
		[KEEP_OUT_REAP] = "reap",
	};
	struct keep_out out;
	size_t len = 0;
	bool good;

	did[0] = '\0';
	good = keep_feed(&k, now, in);
	while (keep_take(&k, &out)) {
		if (out.verb == KEEP_OUT_PUT) {
			state[RECORD_RANK(out.id)] = out.proc.state;
			record[RECORD_RANK(out.id)] = out.proc;
		} else if (out.verb == KEEP_OUT_DEL) {
			dels++;
			last = out.last;
		} else {
			len += (size_t)snprintf(did + len, sizeof(did) - len,
			    "%s%s %u.%u", len > 0 ? ", " : "",
			    names[out.verb], RECORD_RANK(out.id), out.value);
		}
	}
	return good;
}

static bool
put_job(uint64_t id)
{
	struct keep_in in = { .event = KEEP_IN_JOB, .id = id, .job = &job };

	return tell(&in);
}

static void
put_flow(uint32_t rank, uint32_t incarnation, uint32_t flags)
{
	struct record_flow flow = { incarnation, flags };
	struct keep_in in = { .event = KEEP_IN_FLOW, .id = JOB | rank,
		.flow = &flow };

	(void)tell(&in);
}

static void
put_proc(uint32_t rank, enum proc_state s, uint32_t incarnation,
    uint32_t keeper)
{
	struct record_proc proc = { .state = s, .incarnation = incarnation,
		.keeper = keeper, .pid = 900, .restarts = incarnation,
		.status = STATUS_NONE };
	struct keep_in in = { .event = KEEP_IN_PROC, .id = JOB | rank,
		.proc = &proc };

	(void)tell(&in);
}

static void
plain(enum keep_event event, uint64_t id, uint32_t value)
{
	struct keep_in in = { .event = event, .id = id, .value = value };

	(void)tell(&in);
}

static void
process(uint64_t id, enum proc_event event, uint32_t incarnation,
    uint32_t value)
{
	struct keep_in in = { .event = KEEP_IN_PROCESS, .id = id,
		.process = { event, incarnation, value } };

	(void)tell(&in);
}

static void
keeper(uint32_t rank, uint32_t incarnation)
{
	process(JOB | rank, PROC_IN_KEEPER, incarnation, 100 + rank);
	process(JOB | rank, PROC_IN_STARTED, incarnation, 200 + rank);
}

static void
both_up(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	(void)put_job(JOB);
	keeper(0, 0);
	keeper(1, 0);
}

static void
job_is_launched(void)
{
	begin();
	ok(put_job(JOB), "a job");
	is_str(did, "", "nothing before the picture is complete");
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "spawn 0.0, spawn 1.0", "then both replicas");
	plain(KEEP_IN_SPAWNED, JOB | 1, 77);
	is_u64(record[1].keeper, 77, "the keeper's pid is published");
	ok(state[0] == PROC_STARTING && state[1] == PROC_STARTING, "starting");
	keeper(0, 0);
	keeper(1, 0);
	ok(state[0] == PROC_UP && state[1] == PROC_UP, "up");
	is_str(did, "", "nothing else to do");
	is_u64(keep_due(&k), ORCM_NEVER, "nothing to wait for");
	ok(keep_job(&k, JOB) != NULL && keep_job(&k, 5) == NULL &&
	    keep_jobs(&k) == 1, "it is known");
	process(JOB | 1, PROC_IN_ENDED, 0, SEGV);
	is_str(did, "run 1.1", "a crash: the next life");
	process(JOB | 0, PROC_IN_ENDED, 0, 0);
	is_str(did, "end 0.0", "an end: the keeper may leave");
	ok(state[0] == PROC_DONE, "done");
}

static void
job_that_is_taken_back_leaves_nothing(void)
{
	both_up();
	dels = 0;
	plain(KEEP_IN_JOB_GONE, JOB, 0);
	is_str(did, "signal 0.9, signal 1.9", "its programs are killed");
	process(JOB | 0, PROC_IN_ENDED, 0, STATUS_SIGNAL | 9);
	is_str(did, "end 0.0", "no other life");
	process(JOB | 1, PROC_IN_ENDED, 0, STATUS_SIGNAL | 9);
	process(JOB | 0, PROC_IN_LOST, 0, 0);
	is_u64(dels, 0, "one keeper is still there");
	process(JOB | 1, PROC_IN_LOST, 0, 0);
	ok(dels == 2 && last, "all records are taken back");
	ok(keep_jobs(&k) == 0, "it is forgotten");
	plain(KEEP_IN_JOB_GONE, JOB, 0);
	process(JOB | 1, PROC_IN_LOST, 0, 0);
	is_u64(dels, 2, "and not twice");
}

static void
job_gone_before_it_began(void)
{
	begin();
	(void)put_job(JOB);
	dels = 0;
	plain(KEEP_IN_JOB_GONE, JOB, 0);
	ok(dels == 2 && keep_jobs(&k) == 0, "nothing was started");
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "", "nothing is");
}

static void
orphan_ends_its_job(void)
{
	both_up();
	plain(KEEP_IN_ORPHAN, JOB, 0);
	is_str(did, "signal 0.9, signal 1.9", "the owner is gone for good");
}

static void
wishes_are_fulfilled(void)
{
	both_up();
	job.want = JOB_PAUSED;
	(void)put_job(JOB);
	is_str(did, "signal 0.254, signal 1.254", "paused");
	(void)put_job(JOB);
	is_str(did, "", "the same again is nothing new");
	job.want = JOB_UP;
	(void)put_job(JOB);
	is_str(did, "signal 0.255, signal 1.255", "resumed");
	job.pokes = 1;
	job.poke = 10;
	(void)put_job(JOB);
	is_str(did, "signal 0.10, signal 1.10", "a signal for all");
	(void)put_job(JOB);
	is_str(did, "", "once");
	job.want = JOB_DOWN;
	job.signal = 2;
	(void)put_job(JOB);
	is_str(did, "signal 0.2, signal 1.2", "stopped as asked");
	now = keep_due(&k);
	plain(KEEP_IN_TICK, 0, 0);
	is_str(did, "signal 0.9, signal 1.9", "and killed after its grace");
	both_up();
	job.want = JOB_KILL;
	(void)put_job(JOB);
	is_str(did, "signal 0.9, signal 1.9", "killed at once");
}

static void
paused_job_can_begin_later(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	job.want = JOB_PAUSED;
	(void)put_job(JOB);
	is_str(did, "", "nothing is started in a pause");
	job.want = JOB_UP;
	(void)put_job(JOB);
	is_str(did, "spawn 0.0, spawn 1.0", "but after it");
}

static void
hold_waits_for_the_flows(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	job.hold = true;
	(void)put_job(JOB);
	is_str(did, "", "held");
	put_flow(1, 4, FLOW_ATTACHED | FLOW_ALIVE);
	job.hold = false;
	(void)put_job(JOB);
	is_str(did, "spawn 0.0", "only who does not live is started");
	ok(state[1] == PROC_ADOPTING && record[1].incarnation == 4,
	    "the other is waited for");
	keeper(1, 4);
	ok(state[1] == PROC_UP && record[1].pid == 201, "and comes");
	is_u64(record[1].restarts, 0, "no restart");
}

/*
 * A new daemon hears of the same job in any order: records of the picture
 * (job, process, flow) and the two keepers, who connect when they like.
 */
static void
adopt_in_order(const uint32_t order[4])
{
	bool spawned = false;
	uint32_t i;

	begin();
	for (i = 0; i < 4; i++) {
		switch (order[i]) {
		case 0:
			job.hold = true;
			(void)put_job(JOB);
			put_proc(0, PROC_UP, 3, 100);
			put_proc(1, PROC_UP, 5, 101);
			put_flow(0, 3, FLOW_ATTACHED | FLOW_ALIVE);
			put_flow(1, 5, FLOW_ATTACHED | FLOW_ALIVE);
			job.hold = false;
			(void)put_job(JOB);
			break;
		case 1:
			plain(KEEP_IN_SYNCED, 0, 0);
			break;
		case 2:
			keeper(0, 3);
			break;
		default:
			keeper(1, 5);
			break;
		}
		spawned = spawned || did[0] != '\0';
	}
	ok(!spawned && state[0] == PROC_UP && state[1] == PROC_UP &&
	    record[0].incarnation == 3 && record[1].incarnation == 5 &&
	    record[0].pid == 200 && record[1].pid == 201,
	    "order %u%u%u%u: both adopted as they are", order[0], order[1],
	    order[2], order[3]);
}

static void
adoption_in_all_orders(void)
{
	uint32_t a, b, c, d;

	for (a = 0; a < 4; a++)
		for (b = 0; b < 4; b++)
			for (c = 0; c < 4; c++)
				for (d = 0; d < 4; d++) {
					uint32_t order[4] = { a, b, c, d };

					if (a != b && a != c && a != d &&
					    b != c && b != d && c != d)
						adopt_in_order(order);
				}
}

static void
early_keeper_said_more(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	process(JOB, PROC_IN_KEEPER, 2, 100);
	process(JOB, PROC_IN_STARTED, 2, 200);
	process(JOB, PROC_IN_ENDED, 2, SEGV);
	process(JOB | 1, PROC_IN_KEEPER, 0, 101);
	process(JOB | 1, PROC_IN_FAILED, 0, 13);
	(void)put_job(JOB);
	is_str(did, "run 0.3, end 1.0", "as if it were said now");
	ok(state[1] == PROC_FAILED && record[1].error == 13, "failed");

	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	keeper(0, 2);
	process(JOB, PROC_IN_LOST, 0, 0);
	(void)put_job(JOB);
	is_str(did, "spawn 0.0, spawn 1.0", "one that left is forgotten");

	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	keeper(0, 2);
	keeper(1, 2);
	job.want = JOB_DOWN;
	(void)put_job(JOB);
	is_str(did, "signal 0.15, signal 1.15",
	    "a wish that is older than we are is fulfilled");
}

static void
early_keepers_are_bounded(void)
{
	uint32_t i;

	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	for (i = 0; i < 3 * PROCS; i++)
		process(JOB + ((uint64_t)i << 16), PROC_IN_KEEPER, 0, 5);
	is_str(did, "", "no harm");
	for (i = 0; i < 3 * PROCS; i++)
		process(JOB + ((uint64_t)i << 16), PROC_IN_LOST, 0, 0);
	keeper(0, 1);
	(void)put_job(JOB);
	ok(state[0] == PROC_UP, "and there is room again");
}

static void
dead_while_we_were_away(void)
{
	begin();
	(void)put_job(JOB);
	put_proc(0, PROC_UP, 3, 100);
	put_proc(1, PROC_UP, 3, 101);
	put_flow(0, 3, 0);
	put_flow(1, 3, FLOW_ATTACHED | FLOW_ALIVE);
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "spawn 0.4", "whose keeper went is started at once");
	put_flow(1, 3, 0);
	is_str(did, "reap 1.900, spawn 1.4", "so is one that goes now");

	begin();
	(void)put_job(JOB);
	put_proc(0, PROC_STARTING, 4, 100);
	put_flow(0, 3, 0);
	put_proc(1, PROC_UP, 0, 101);
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "", "a keeper on its way is waited for");
	now = keep_due(&k);
	plain(KEEP_IN_TICK, 0, 0);
	is_str(did, "spawn 0.5, spawn 1.1", "for two seconds");
}

static void
what_was_over_stays_over(void)
{
	begin();
	(void)put_job(JOB);
	put_proc(0, PROC_DONE, 3, 0);
	put_proc(1, PROC_FAILED, 3, 0);
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "", "nothing is started");
	ok(state[0] == PROC_DONE && state[1] == PROC_FAILED, "published again");

	begin();
	(void)put_job(JOB);
	put_flow(0, 3, FLOW_DONE | FLOW_READY);
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "spawn 1.0", "its owner knows that it has ended");
	ok(state[0] == PROC_DONE, "done");
}

static void
ended_program_of_a_keeper_that_stays(void)
{
	begin();
	(void)put_job(JOB);
	put_flow(0, 3, FLOW_ATTACHED | FLOW_DONE | FLOW_READY);
	put_flow(1, 3, FLOW_ATTACHED);
	plain(KEEP_IN_SYNCED, 0, 0);
	keeper(0, 3);
	process(JOB, PROC_IN_ENDED, 3, 0);
	is_str(did, "end 0.0", "it ended while we were away");
	keeper(1, 3);
	process(JOB | 1, PROC_IN_ENDED, 3, SEGV);
	is_str(did, "run 1.4", "it crashed while we were away");
}

static void
keeper_that_is_too_late(void)
{
	both_up();
	process(JOB, PROC_IN_LOST, 0, 0);
	is_str(did, "reap 0.200, spawn 0.1", "the next life");
	ok(!keep_expects(&k, JOB, 0), "the last one's keeper is not heard");
	ok(keep_expects(&k, JOB, 1), "this one's is");
	ok(keep_expects(&k, JOB + 0x50000, 0) && keep_expects(&k, JOB | 9, 0),
	    "and those that nobody knows, for later");
	process(JOB, PROC_IN_KEEPER, 0, 100);
	ok(record[0].keeper == 0, "it changes nothing");
}

static void
fruit_reaches_its_process(void)
{
	both_up();
	job.budget = 0;
	(void)put_job(JOB);
	put_flow(0, 0, FLOW_ATTACHED | FLOW_ALIVE | FLOW_FRUIT);
	put_flow(1, 7, FLOW_ATTACHED | FLOW_ALIVE | FLOW_FRUIT);
	process(JOB, PROC_IN_ENDED, 0, SEGV);
	is_str(did, "run 0.1", "a fruitful life costs nothing");
	process(JOB | 1, PROC_IN_ENDED, 0, SEGV);
	is_str(did, "end 1.0", "another life's fruit does not help");
	ok(state[1] == PROC_FAILED, "no budget");
	plain(KEEP_IN_FLOW_GONE, JOB, 0);
	is_str(did, "", "a flow that is taken back");
}

/* A second picture is told in the order of its kinds: jobs before flows. */
static void
second_picture_is_heard_whole(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	plain(KEEP_IN_DOWN, 0, 0);
	(void)put_job(JOB);
	is_str(did, "", "nothing before its flows are told");
	put_flow(0, 3, FLOW_ATTACHED | FLOW_ALIVE);
	put_flow(1, 2, FLOW_DONE);
	plain(KEEP_IN_SYNCED, 0, 0);
	is_str(did, "", "both live or have ended: nothing is started");
	keeper(0, 3);
	plain(KEEP_IN_DOWN, 0, 0);
	job.want = JOB_DOWN;
	(void)put_job(JOB);
	is_str(did, "signal 0.15", "a wish of a known job is heard at once");
}

/* An owner that went while the picture was lost leaves no tombstone. */
static void
job_that_nobody_tells_again_is_forgotten(void)
{
	both_up();
	process(JOB, PROC_IN_ENDED, 0, 0);
	process(JOB, PROC_IN_LOST, 0, 0);
	process(JOB | 1, PROC_IN_ENDED, 0, 0);
	plain(KEEP_IN_DOWN, 0, 0);
	is_u64(keep_due(&k), ORCM_NEVER, "nobody can tell");
	plain(KEEP_IN_SYNCED, 0, 0);
	is_u64(keep_due(&k), now + KEEP_FORGET, "its owner may come back");
	(void)put_job(JOB);
	is_u64(keep_due(&k), ORCM_NEVER, "there it is");
	plain(KEEP_IN_DOWN, 0, 0);
	plain(KEEP_IN_SYNCED, 0, 0);
	now = keep_due(&k);
	plain(KEEP_IN_TICK, 0, 0);
	is_u64(keep_jobs(&k), 1, "a keeper is there: it would know");
	process(JOB | 1, PROC_IN_LOST, 0, 0);
	now = keep_due(&k);
	dels = 0;
	plain(KEEP_IN_TICK, 0, 0);
	ok(keep_jobs(&k) == 0 && dels == 2, "nobody is left: forgotten");
}

static void
no_room(void)
{
	uint32_t i;

	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	job.size = 9;
	ok(!put_job(JOB), "more replicas than there is room for");
	is_str(did, "", "nothing is started of it");
	job.size = 1;
	for (i = 0; i < JOBS; i++)
		ok(put_job(JOB + ((uint64_t)i << 16)), "job %u", i);
	ok(!put_job(JOB + ((uint64_t)i << 16)), "one too many");
	job.size = 2;
	ok(!put_job(JOB), "a job does not grow");
	is_u64(keep_jobs(&k), JOBS, "what there was is there");
}

static void
ten_thousand_jobs_leak_nothing(void)
{
	uint64_t id;
	uint32_t i, n, bad = 0;

	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	for (n = 0; n < 10000; n++) {
		id = UINT64_C(0x10000) * (n + 1);
		job.size = 1 + n % 8;
		bad += !put_job(id);
		for (i = 0; i < job.size; i++) {
			process(id | i, PROC_IN_KEEPER, 0, 100);
			if (n % 3 > 0)
				process(id | i, PROC_IN_STARTED, 0, 200);
		}
		plain(n % 2 ? KEEP_IN_JOB_GONE : KEEP_IN_ORPHAN, id, 0);
		for (i = 0; i < job.size; i++) {
			if (n % 5 > 0)
				process(id | i, PROC_IN_ENDED, 0, 0);
			process(id | i, PROC_IN_LOST, 0, 0);
		}
		bad += keep_jobs(&k);
	}
	is_u64(bad, 0, "each job found an empty house");
	for (i = 0; i < PROCS; i++)
		bad += k.procs[i].used || k.early[i].used || k.procs[i].queued;
	is_u64(bad, 0, "no slot is left in use");
	is_u64(keep_due(&k), ORCM_NEVER, "no timer either");
}

/* Effects of one event may still be there when the next one comes. */
static void
events_between_effects(void)
{
	struct keep_in in = { .event = KEEP_IN_SYNCED };
	struct keep_out out;
	uint32_t n[KEEP_OUT_DEL + 1] = { 0 };
	bool ended = false;

	begin();
	(void)put_job(JOB);
	(void)keep_feed(&k, now, &in);
	ok(keep_take(&k, &out) && out.verb == KEEP_OUT_SPAWN, "one effect");
	in.event = KEEP_IN_SPAWNED;
	in.id = out.id;
	in.value = 66;
	(void)keep_feed(&k, now, &in);
	while (keep_take(&k, &out)) {
		n[out.verb]++;
		if (out.verb == KEEP_OUT_PUT && out.id == JOB)
			record[0] = out.proc;
	}
	ok(n[KEEP_OUT_SPAWN] == 1 && n[KEEP_OUT_PUT] >= 2 &&
	    record[0].keeper == 66, "the others follow, the last word last");
	in.event = KEEP_IN_JOB_GONE;
	in.id = JOB;
	(void)keep_feed(&k, now, &in);
	process(JOB, PROC_IN_LOST, 0, 0);
	in.event = KEEP_IN_PROCESS;
	in.id = JOB | 1;
	in.process.event = PROC_IN_LOST;
	(void)keep_feed(&k, now, &in);
	in.event = KEEP_IN_TICK;
	(void)keep_feed(&k, now, &in);
	memset(n, 0, sizeof(n));
	while (keep_take(&k, &out)) {
		n[out.verb]++;
		ended = out.last;
	}
	ok(n[KEEP_OUT_DEL] == 2 && ended && keep_jobs(&k) == 0,
	    "a job is swept once");
}

int
main(void)
{
	job_is_launched();
	job_that_is_taken_back_leaves_nothing();
	job_gone_before_it_began();
	orphan_ends_its_job();
	wishes_are_fulfilled();
	paused_job_can_begin_later();
	hold_waits_for_the_flows();
	adoption_in_all_orders();
	early_keeper_said_more();
	early_keepers_are_bounded();
	dead_while_we_were_away();
	what_was_over_stays_over();
	ended_program_of_a_keeper_that_stays();
	keeper_that_is_too_late();
	fruit_reaches_its_process();
	second_picture_is_heard_whole();
	job_that_nobody_tells_again_is_forgotten();
	no_room();
	ten_thousand_jobs_leak_nothing();
	events_between_effects();
	free(memory);
	return done_testing();
}
