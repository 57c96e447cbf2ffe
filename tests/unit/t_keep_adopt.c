/* SPDX-License-Identifier: ISC */
#include "keep_side.h"
#include "tap.h"

/* A new daemon, or a new picture: what lives is adopted, never doubled. */

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
	char all[2 * sizeof(did)] = "";
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
		(void)snprintf(all + strlen(all), sizeof(all) - strlen(all),
		    "%s%s", all[0] != '\0' && did[0] != '\0' ? ", " : "",
		    did);
	}
	/* A pause may have ended meanwhile; but nothing is started. */
	ok((strcmp(all, "signal 0.255, signal 1.255") == 0 ||
	    strcmp(all, "signal 1.255, signal 0.255") == 0) &&
	    state[0] == PROC_UP && state[1] == PROC_UP &&
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

/*
 * orcm-sim -P last -s 14004050: paused, the daemon dies, resumed, and the
 * replicas stood still for ever.
 */
static void
a_pause_is_made_true(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	job.want = JOB_PAUSED;
	job.hold = true;
	(void)put_job(JOB);
	put_flow(0, 0, FLOW_ATTACHED | FLOW_ALIVE);
	put_flow(1, 0, FLOW_ATTACHED | FLOW_ALIVE);
	job.hold = false;
	(void)put_job(JOB);
	keeper(0, 0);
	is_str(did, "signal 0.254", "it began while nobody was there");
	process(JOB, PROC_IN_ENDED, 0, SEGV);
	is_str(did, "run 0.1", "who dies in it is started again");
	process(JOB, PROC_IN_STARTED, 1, 201);
	is_str(did, "signal 0.254", "but does not run");
	job.want = JOB_UP;
	(void)put_job(JOB);
	keeper(1, 0);
	is_str(did, "signal 1.255", "it ended before this one came");
	process(JOB | 1, PROC_IN_ENDED, 0, SEGV);
	process(JOB | 1, PROC_IN_STARTED, 1, 202);
	is_str(did, "", "a life of our own needs nothing");
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
	is_str(did, "end 0.1", "it ended while we were away");
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

int
main(void)
{
	hold_waits_for_the_flows();
	adoption_in_all_orders();
	a_pause_is_made_true();
	early_keeper_said_more();
	early_keepers_are_bounded();
	dead_while_we_were_away();
	what_was_over_stays_over();
	ended_program_of_a_keeper_that_stays();
	keeper_that_is_too_late();
	second_picture_is_heard_whole();
	job_that_nobody_tells_again_is_forgotten();
	free(memory);
	return done_testing();
}
