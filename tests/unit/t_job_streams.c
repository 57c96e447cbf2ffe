/* SPDX-License-Identifier: ISC */
#include "job_side.h"
#include "tap.h"

/* What the owner reads off the streams: who stalls, whose rest may be cut. */
#define LEADER ORCM_DELIVER_LEADER

static void
stall_and_its_end(void)
{
	side_conf(2, LEADER);
	side_up();
	side_write(1, "x", 1);
	side_event(JOB_IN_LOOK, 0, 0, 0);
	side_wait(499);
	ok(!(x.flow[0] & FLOW_STALLED), "not yet");
	side_wait(60);
	ok(x.flow[0] & FLOW_STALLED, "half a second behind without a move");
	is_str(x.did, "stalled 0", "told once");
	side_wait(10000);
	ok(x.j.ranks[0].alive, "as long as its input is kept it may stay");
	side_write(0, "x", 1);
	side_event(JOB_IN_LOOK, 0, 0, 0);
	ok(!(x.flow[0] & FLOW_STALLED), "it moves");

	side_conf(2, LEADER);
	side_up();
	side_wait(10000);
	ok(!((x.flow[0] | x.flow[1]) & FLOW_STALLED),
	    "who is not behind does not stall");

	side_conf(2, LEADER);
	side_up();
	side_write(1, "0123456789abcdef", SIDE_WINDOW / 16);
	side_event(JOB_IN_LOOK, 0, 0, 0);
	side_wait(100);
	ok(x.flow[0] & FLOW_STALLED,
	    "a leader that holds a follower back stalls sooner");
}

static void
stall_by_input(void)
{
	side_conf(2, LEADER);
	x.feed_conf.window = UINT64_C(1) << 20;
	side_up();
	feed_input(&x.feed, 500000);
	feed_fed(&x.feed, 0, 500000);
	feed_fed(&x.feed, 1, 500000 - JOB_INPUT_SLACK);
	side_wait(1000);
	ok(!(x.flow[1] & FLOW_STALLED), "so much may be in pipes");
	feed_input(&x.feed, 1);
	feed_fed(&x.feed, 0, 1);
	side_event(JOB_IN_LOOK, 0, 0, 0);
	side_wait(1000);
	ok(x.flow[1] & FLOW_STALLED, "one byte more is behind");

	side_conf(2, LEADER);
	x.feed_conf.window = UINT64_C(1) << 20;
	side_up();
	feed_input(&x.feed, 500000);
	feed_fed(&x.feed, 0, 500000);
	feed_stop(&x.feed, 1);
	side_wait(1000);
	ok(!(x.flow[1] & FLOW_STALLED), "who wants no more input is not");
}

static void
kick_when_its_input_is_not_kept(void)
{
	side_conf(2, LEADER);
	x.feed_conf.keep = 1000;
	side_up();
	feed_input(&x.feed, feed_room(&x.feed));
	is_u64(x.feed.head, 1000, "as much as is kept");
	feed_fed(&x.feed, 0, 1000);
	side_write(0, "x", 1);
	side_event(JOB_IN_LOOK, 0, 0, 0);
	side_wait(4900);
	ok(x.j.ranks[1].alive, "ten times the stall");
	side_wait(200);
	is_str(x.did, "kick 1", "then it is not waited for any more");
	ok(feed_room(&x.feed) > 0, "and the others go on");
	is_u64(x.flow[1] & FLOW_ALIVE, 0, "it counts as dead");
	side_life(1, 1);
	ok(x.j.ranks[1].alive, "its next life is another one");
}

static void
replay_that_cannot_be(void)
{
	side_conf(2, LEADER);
	x.feed_conf.keep = 0;
	side_up();
	feed_input(&x.feed, 100);
	feed_fed(&x.feed, 0, 100);
	feed_fed(&x.feed, 1, 100);
	is_u64(feed_low(&x.feed), 100, "dropped");
	side_event(JOB_IN_NO_REPLAY, 0, 0, 0);
	is_u64(x.restart, RESTART_NEVER, "no life can follow");
	side_event(JOB_IN_ENDED, 1, 0, DIED(11));
	side_life(1, 1);
	is_str(x.did, "kick 1", "one that was on its way is sent back");
	side_event(JOB_IN_DETACHED, 1, 1, 0);
	side_proc(1, PROC_DONE, 1, 0);
	side_event(JOB_IN_ENDED, 0, 0, DIED(11));
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_proc(0, PROC_DONE, 0, 0);
	is_u64(x.code, JOB_GAVE_UP, "given up, not a signal");
}

/* orcm-sim -s 404: the status of one that failed became the job's. */
static void
a_failure_stays_one_without_replay(void)
{
	side_conf(2, LEADER);
	x.conf.restart = RESTART_FAILURE;
	x.feed_conf.keep = 0;
	side_up();
	feed_input(&x.feed, 100);
	feed_fed(&x.feed, 0, 100);
	feed_fed(&x.feed, 1, 100);
	(void)feed_low(&x.feed);
	side_event(JOB_IN_NO_REPLAY, 0, 0, 0);
	side_write(0, "ab", 1);
	side_write(1, "abc", 1);
	side_end(0, 3);
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_proc(0, PROC_DONE, 0, 0);
	is_u64(x.flow[0] & FLOW_DONE, 0, "no end that counts");
	side_lead(1);
	side_end(1, 0);
	is_str(x.text, "abc", "the other one goes on");
	is_u64(x.code, 0, "and has the last word");
}

/* orcm-sim -n 3 -s 12001951: hundreds of records while nothing happened. */
static void
another_text_is_told_once(void)
{
	uint32_t i, flows;

	side_conf(2, LEADER);
	side_up();
	side_write(0, "ab", 1);
	side_write(1, "aX", 1);
	side_deliver();
	ok(x.flow[1] & FLOW_DIVERGED, "told");
	flows = x.flows;
	for (i = 0; i < 10; i++) {
		side_write(0, "cd", 1);
		side_deliver();
		side_write(1, "cd", 1);
		side_deliver();
	}
	is_u64(x.flows, flows, "also while it is behind, then level again");
	side_event(JOB_IN_ENDED, 1, 0, DIED(11));
	side_life(1, 1);
	is_u64(x.flow[1] & FLOW_DIVERGED, 0, "its next life is another one");
}

/* Death and next life in one turn: all flags are as they were. */
static void
a_new_life_is_told_anew(void)
{
	struct job_in died = { .event = JOB_IN_ENDED, .rank = 1,
		.value = DIED(11) };
	uint32_t flags, flows;

	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_LOOK, 0, 0, 0);
	flags = x.flow[1];
	flows = x.flows;
	job_feed(&x.j, x.now, &died);
	side_event(JOB_IN_STARTED, 1, 1, 101);
	ok(x.flow[1] == flags && x.flows > flows, "another incarnation");
	is_u64(x.j.ranks[1].flags_incarnation, 1, "is what they say it of");
}

/* orcm-sim -n 5 -s 12051531: it was reported to end early. */
static void
what_we_close_is_no_end(void)
{
	struct splice_out o;

	side_conf(2, LEADER);
	side_up();
	side_write(0, "abcd", 1);
	side_write(1, "ab", 1);
	side_event(JOB_IN_ENDED, 1, 0, 0);
	side_event(JOB_IN_CLOSED, 0, 0, 32);
	side_event(JOB_IN_OUT_EOF, 1, 0, 0);
	ok(!splice_take(&x.splices[0], &o), "no difference is seen in it");
}

static void
only_the_leader_is_fed(void)
{
	side_conf(2, LEADER);
	x.feed_conf.leader_only = true;
	side_up();
	feed_input(&x.feed, 10);
	feed_fed(&x.feed, 0, 10);
	side_write(0, "abc", 1);
	side_deliver();
	side_wait(20000);
	ok(!(x.flow[1] & FLOW_STALLED) && x.j.ranks[1].alive,
	    "who waits to lead does not stall");
	side_event(JOB_IN_ENDED, 1, 0, DIED(11));
	side_life(1, 1);
	ok(x.flow[1] & FLOW_READY, "and its next life can take over at once");
	side_event(JOB_IN_ENDED, 0, 0, DIED(11));
	side_lead(1);
	feed_fed(&x.feed, 1, 10);
	side_write(1, "abcd", 1);
	side_deliver();
	is_str(x.text, "abcd", "it goes on");
}

static void
output_that_something_else_holds_open(void)
{
	side_conf(1, LEADER);
	side_up();
	side_write(0, "x", 1);
	side_event(JOB_IN_ENDED, 0, 0, 0);
	side_deliver();
	side_wait(1999);
	is_str(x.did, "", "its grace");
	side_wait(1);
	is_str(x.did, "cut 0", "then it is cut off");
	side_event(JOB_IN_OUT_EOF, 0, 0, 0);
	side_deliver();
	is_u64(x.code, 0, "and that is the end");
}

/* A slow reader of our stdout must not cost it its last bytes. */
static void
output_that_we_leave_in_the_pipe(void)
{
	uint32_t i;

	side_conf(1, LEADER);
	side_up();
	side_write(0, "0123456789abcdef", SIDE_WINDOW / 16);
	side_event(JOB_IN_ENDED, 0, 0, 0);
	side_wait(60000);
	is_str(x.did, "", "a window is full: it is not cut");
	for (i = 0; i < 100; i++) {
		side_deliver();
		side_write(0, "x", 1);
		side_wait(1500);
	}
	is_str(x.did, "", "nor while it comes");
	side_event(JOB_IN_OUT_EOF, 0, 0, 0);
	side_deliver();
	is_u64(x.code, 0, "the end");

	side_conf(1, LEADER);
	x.conf.grace = 0;
	side_up();
	side_event(JOB_IN_ENDED, 0, 0, 0);
	is_str(x.did, "", "no grace is still time to read the pipe");
}

static void
due_is_never_late(void)
{
	side_conf(2, LEADER);
	side_up();
	is_u64(job_due(&x.j), ORCM_NEVER, "nothing to wait for");
	side_write(1, "x", 1);
	side_event(JOB_IN_LOOK, 0, 0, 0);
	ok(job_due(&x.j) <= x.now + x.conf.stall, "a stall to look for");
	side_conf(1, LEADER);
	x.conf.limit = 5 * ORCM_SECOND;
	side_begin();
	is_u64(job_due(&x.j), x.now + 5 * ORCM_SECOND, "the limit");
}

int
main(void)
{
	stall_and_its_end();
	stall_by_input();
	kick_when_its_input_is_not_kept();
	replay_that_cannot_be();
	a_failure_stays_one_without_replay();
	another_text_is_told_once();
	a_new_life_is_told_anew();
	what_we_close_is_no_end();
	only_the_leader_is_fed();
	output_that_something_else_holds_open();
	output_that_we_leave_in_the_pipe();
	due_is_never_late();
	free(x.memory);
	return done_testing();
}
