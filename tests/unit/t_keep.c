/* SPDX-License-Identifier: ISC */
#include "keep_side.h"
#include "tap.h"

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
	is_str(did, "end 0.1", "an end: the keeper may leave");
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
	is_str(did, "", "not against the owner's own record");
	plain(KEEP_IN_DOWN, 0, 0);
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
		if (n % 2 == 0) {
			plain(KEEP_IN_DOWN, 0, 0);
			plain(KEEP_IN_SYNCED, 0, 0);
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
	fruit_reaches_its_process();
	no_room();
	ten_thousand_jobs_leak_nothing();
	events_between_effects();
	free(memory);
	return done_testing();
}
