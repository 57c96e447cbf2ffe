/* SPDX-License-Identifier: ISC */
#include "job_side.h"
#include "tap.h"

#define LEADER ORCM_DELIVER_LEADER

static void
first_life_becomes_ready_and_leads(void)
{
	side_conf(2, LEADER);
	side_begin();
	side_event(JOB_IN_ATTACHED, 0, 0, 0);
	is_u64(x.flow[0], FLOW_ATTACHED, "its keeper is there");
	side_life(0, 0);
	is_str(x.did, "ready 0", "ready at once: nothing is to be caught up");
	is_u64(x.flow[0], FLOW_ATTACHED | FLOW_ALIVE | FLOW_READY, "and told");
	side_lead(0);
	is_str(x.did, "leader 0", "it leads");
	side_write(0, "abc", 1);
	side_deliver();
	is_str(x.text, "abc", "delivered");
	ok(x.flow[0] & FLOW_FRUIT, "a fruitful life");
	ok(!(x.flow[1] & FLOW_ATTACHED), "of the other nothing is told");
	is_u64(x.flows, 3, "three records in all");
}

static void
older_claims_are_not_followed(void)
{
	struct job_in in = { .event = JOB_IN_LEAD, .rank = 1, .epoch = 7 };

	side_conf(3, LEADER);
	side_up();
	side_tell(&in);
	is_u64(x.j.leader, 1, "epoch 7");
	in.rank = 2;
	side_tell(&in);
	is_u64(x.j.leader, 1, "the same again is not newer");
	in.epoch = 6;
	side_tell(&in);
	is_u64(x.j.leader, 1, "6 is older");
	in.epoch = 8;
	in.rank = ORCM_RANK_NONE;
	side_tell(&in);
	is_u64(x.j.leader, ORCM_RANK_NONE, "8: nobody");
}

static void
switch_loses_nothing(void)
{
	side_conf(2, LEADER);
	side_up();
	side_write(0, "abc", 1);
	side_write(1, "abcde", 1);
	side_deliver();
	side_event(JOB_IN_ENDED, 0, 0, DIED(KILL));
	is_u64(x.flow[0], FLOW_ATTACHED | FLOW_FRUIT,
	    "told: it is dead, its keeper lives, it was of use");
	side_deliver();
	is_str(x.text, "abc", "until somebody leads");
	side_lead(1);
	side_deliver();
	is_str(x.text, "abcde", "goes on");
	side_life(0, 1);
	ok(!(x.flow[0] & FLOW_READY), "the next life has to catch up");
	side_write(0, "abcde", 1);
	side_deliver();
	is_str(x.did, "ready 0", "caught up");
	is_u64(x.j.ranks[0].incarnation, 1, "its second life");
}

static void
late_news_of_an_earlier_life(void)
{
	side_conf(1, LEADER);
	side_up();
	side_event(JOB_IN_ENDED, 0, 0, DIED(KILL));
	side_life(0, 1);
	side_event(JOB_IN_ENDED, 0, 0, DIED(KILL));
	ok(x.j.ranks[0].alive, "changes nothing");
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	ok(!x.j.ranks[0].alive && x.flow[0] == 0, "a lost keeper is a death");
	is_u64(x.code, JOB_UNDECIDED, "but not the end");
}

static void
every_exit_status_is_relayed(void)
{
	uint32_t status, bad = 0;

	for (status = 0; status < 256; status++) {
		side_conf(2, LEADER);
		side_up();
		side_write(0, "x", 1);
		side_write(1, "x", 1);
		side_end(0, status);
		side_end(1, status);
		bad += x.code != status || strcmp(x.text, "x") != 0;
	}
	is_u64(bad, 0, "0 to 255");
}

static void
signals_are_128_and_more(void)
{
	uint32_t sig, bad = 0;

	for (sig = 1; sig < 64; sig++) {
		side_conf(1, LEADER);
		x.conf.restart = RESTART_NEVER;
		side_up();
		side_event(JOB_IN_ENDED, 0, 0, DIED(sig));
		side_proc(0, PROC_DONE, 0, 0);
		bad += x.code != JOB_UNDECIDED;
		side_event(JOB_IN_DETACHED, 0, 0, 0);
		bad += x.code != 128 + sig;
	}
	is_u64(bad, 0, "when no life follows");
}

/* The picture may tell of the end before the keeper does. */
static void
record_that_is_faster_than_the_keeper(void)
{
	side_conf(1, LEADER);
	side_begin();
	side_event(JOB_IN_ATTACHED, 0, 0, 0);
	side_proc(0, PROC_DONE, 0, 0);
	is_u64(x.code, JOB_UNDECIDED, "its keeper has the last word");
	side_life(0, 0);
	side_lead(0);
	side_end(0, 7);
	is_u64(x.code, 7, "and here it is");
}

static void
given_up_is_123(void)
{
	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_ENDED, 0, 0, DIED(11));
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_proc(0, PROC_FAILED, 0, 0);
	is_u64(x.code, JOB_UNDECIDED, "one is left");
	side_event(JOB_IN_ENDED, 1, 0, DIED(11));
	side_event(JOB_IN_DETACHED, 1, 0, 0);
	is_u64(x.code, JOB_UNDECIDED, "it may come again");
	side_proc(1, PROC_FAILED, 0, 0);
	is_u64(x.code, JOB_GAVE_UP, "nobody is left");

	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_proc(0, PROC_FAILED, 0, 0);
	side_lead(1);
	side_end(1, 0);
	is_u64(x.code, 0, "one that comes to its end is enough");
}

static void
what_cannot_be_run(void)
{
	side_conf(1, LEADER);
	side_begin();
	side_event(JOB_IN_ATTACHED, 0, 0, 0);
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_proc(0, PROC_FAILED, 0, 2);
	is_u64(x.code, JOB_NOT_FOUND, "ENOENT is 127");
	side_conf(1, LEADER);
	side_begin();
	side_proc(0, PROC_FAILED, 0, 13);
	is_u64(x.code, JOB_CANNOT_EXEC, "everything else 126");
}

static void
restart_policies_decide_what_an_end_is(void)
{
	side_conf(1, LEADER);
	x.conf.restart = RESTART_FAILURE;
	side_up();
	side_write(0, "ab", 1);
	side_event(JOB_IN_ENDED, 0, 0, 1);
	ok(!x.j.ranks[0].ended, "a failure is no end");
	side_life(0, 1);
	side_lead(0);
	side_write(0, "ab", 1);
	side_end(0, 0);
	is_u64(x.code, 0, "a success is");
	is_str(x.text, "ab", "and its output is said once");
	side_conf(1, LEADER);
	side_up();
	side_end(0, 1);
	is_u64(x.code, 1, "a plain failure is an end by default");
}

static void
rules_for_the_status(void)
{
	side_conf(3, LEADER);
	side_up();
	side_end(1, 5);
	side_end(2, 9);
	side_end(0, 3);
	is_u64(x.code, 3, "leader: the leader's");

	side_conf(3, LEADER);
	x.conf.rule = JOB_STATUS_WORST;
	side_up();
	side_end(0, 0);
	is_u64(x.code, JOB_UNDECIDED, "worst: the others are waited for");
	side_end(1, 5);
	side_end(2, 4);
	is_u64(x.code, 5, "worst: the largest");

	side_conf(2, LEADER);
	x.conf.rule = JOB_STATUS_AGREE;
	side_up();
	side_end(0, 3);
	side_end(1, 3);
	is_u64(x.code, 3, "agree: all the same");
	side_conf(2, LEADER);
	x.conf.rule = JOB_STATUS_AGREE;
	side_up();
	side_end(0, 0);
	side_end(1, 3);
	is_u64(x.code, JOB_DISAGREED, "agree: different statuses");
	side_conf(2, LEADER);
	x.conf.rule = JOB_STATUS_AGREE;
	side_up();
	side_write(0, "ab", 1);
	side_write(1, "aX", 1);
	side_end(0, 0);
	side_end(1, 0);
	is_u64(x.code, JOB_DISAGREED, "agree: different outputs");

	side_conf(2, LEADER);
	x.conf.rule = JOB_STATUS_WORST;
	side_up();
	side_end(0, 2);
	side_wait(2000);
	ok(x.want == JOB_DOWN, "worst: who takes longer than the grace");
	side_end(1, DIED(TERM));
	is_u64(x.code, 2, "is stopped and has no say");
}

static void
majority_decides(void)
{
	side_conf(3, ORCM_DELIVER_MAJORITY);
	side_up();
	side_write(0, "ab", 1);
	side_write(1, "ab", 1);
	side_write(2, "aX", 1);
	side_deliver();
	is_str(x.text, "ab", "two of three");
	ok(x.flow[2] & FLOW_DIVERGED, "the third is told as diverged");
	side_end(0, 4);
	is_u64(x.code, JOB_UNDECIDED, "one end is none");
	side_end(2, 9);
	side_end(1, 4);
	is_u64(x.code, 4, "the majority's status");

	side_conf(3, ORCM_DELIVER_MAJORITY);
	side_up();
	side_write(0, "1", 1);
	side_write(1, "2", 1);
	side_write(2, "3", 1);
	side_deliver();
	ok(x.want == JOB_DOWN && x.code == JOB_UNDECIDED, "three answers");
	side_end(0, DIED(TERM));
	side_end(1, DIED(TERM));
	side_end(2, DIED(TERM));
	is_u64(x.code, JOB_DISAGREED, "no majority");

	side_conf(3, ORCM_DELIVER_MAJORITY);
	side_up();
	side_end(0, 1);
	side_end(1, 2);
	side_end(2, 3);
	is_u64(x.code, JOB_DISAGREED, "no majority of statuses");

	side_conf(3, ORCM_DELIVER_MAJORITY);
	side_up();
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_event(JOB_IN_DETACHED, 1, 0, 0);
	side_proc(0, PROC_FAILED, 0, 0);
	is_u64(x.want, JOB_UP, "two can still agree");
	side_proc(1, PROC_FAILED, 0, 0);
	is_u64(x.want, JOB_DOWN, "one cannot");
	side_end(2, DIED(TERM));
	is_u64(x.code, JOB_GAVE_UP, "and it is not a disagreement");

	/* orcm-sim -P source -s 11011732: a new orcmd tries one again. */
	side_conf(4, ORCM_DELIVER_MAJORITY);
	side_up();
	side_event(JOB_IN_DETACHED, 0, 0, 0);
	side_proc(0, PROC_FAILED, 0, 0);
	side_event(JOB_IN_DETACHED, 1, 0, 0);
	side_proc(0, PROC_STARTING, 1, 0);
	side_proc(1, PROC_FAILED, 0, 0);
	side_end(2, DIED(TERM));
	side_end(3, DIED(TERM));
	is_u64(x.code, JOB_GAVE_UP, "nor is that");

	/* orcm-sim -s 12014284: its end was told after the stop. */
	side_conf(3, ORCM_DELIVER_MAJORITY);
	side_up();
	side_event(JOB_IN_STOP, 0, 0, TERM);
	side_end(0, 0);
	side_end(1, DIED(TERM));
	side_end(2, DIED(TERM));
	is_u64(x.code, 128 + TERM, "stopped: the worst");
}

static void
all_outputs_of_all(void)
{
	side_conf(2, ORCM_DELIVER_ALL);
	side_up();
	side_write(0, "a", 1);
	side_write(1, "b", 1);
	side_deliver();
	is_str(x.text, "ab", "everybody's");
	side_end(0, 3);
	is_u64(x.code, JOB_UNDECIDED, "all have to end");
	side_end(1, 1);
	is_u64(x.code, 3, "the worst");

	side_conf(2, ORCM_DELIVER_ALL);
	x.conf.restart = RESTART_NEVER;
	side_up();
	side_end(0, 0);
	side_event(JOB_IN_ENDED, 1, 0, DIED(11));
	side_event(JOB_IN_DETACHED, 1, 0, 0);
	side_proc(1, PROC_DONE, 0, 0);
	is_u64(x.code, 128 + 11, "one that crashed for good is no success");
}

static void
stopping(void)
{
	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_STOP, 0, 0, 2);
	ok(x.want == JOB_DOWN && x.signal == 2, "asked with that signal");
	side_write(0, "bye", 1);
	side_end(0, DIED(2));
	is_u64(x.code, JOB_UNDECIDED, "the other one still lives");
	side_end(1, DIED(2));
	is_u64(x.code, 128 + 2, "died of it");
	is_str(x.text, "bye", "what the leader said is delivered");

	side_conf(1, LEADER);
	side_up();
	side_event(JOB_IN_STOP, 0, 0, TERM);
	side_end(0, 0);
	is_u64(x.code, 0, "who ends well ends well");

	side_conf(1, LEADER);
	side_begin();
	side_event(JOB_IN_STOP, 0, 0, TERM);
	is_u64(x.code, 128 + TERM, "nothing had begun");

	side_conf(1, LEADER);
	side_up();
	side_event(JOB_IN_STOP, 0, 0, TERM);
	side_event(JOB_IN_RESUME, 0, 0, 0);
	is_u64(x.want, JOB_DOWN, "what was told to die is not told to live");
	side_event(JOB_IN_KILL, 0, 0, 0);
	is_u64(x.want, JOB_KILL, "but to die faster");
	side_wait(2999);
	is_u64(x.code, JOB_UNDECIDED, "nobody tells that it is dead");
	side_wait(1);
	is_u64(x.code, 128 + TERM, "nobody is waited for longer");
}

static void
stop_that_nobody_answers(void)
{
	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_STOP, 0, 0, TERM);
	side_wait(2000 + 2999);
	is_u64(x.code, JOB_UNDECIDED, "grace and three seconds");
	side_wait(1);
	is_u64(x.code, 128 + TERM, "not longer");
}

/* orcm-sim -n 4 -s 16023199: the end of its life before was taken for it. */
static void
an_end_is_that_of_its_life(void)
{
	side_conf(3, LEADER);
	x.conf.rule = JOB_STATUS_AGREE;
	side_up();
	side_write(0, "ab", 1);
	side_write(1, "ab", 1);
	side_write(2, "ab", 1);
	side_end(2, 0);
	side_event(JOB_IN_DETACHED, 2, 0, 0);
	side_life(2, 1);
	side_end(0, 0);
	side_end(1, 0);
	side_wait(2000);
	ok(x.want == JOB_DOWN, "the second one is stopped");
	side_end(2, DIED(TERM));
	is_u64(x.code, 0, "and has no say");
}

static void
stop_has_its_status_under_every_rule(void)
{
	static const enum job_rule rules[] = { JOB_STATUS_LEADER,
		JOB_STATUS_WORST, JOB_STATUS_AGREE };
	static const enum orcm_delivery ways[] = { LEADER, ORCM_DELIVER_ALL,
		ORCM_DELIVER_MAJORITY };
	uint32_t i, k, bad = 0;

	for (i = 0; i < 3; i++)
		for (k = 0; k < 3; k++) {
			side_conf(3, ways[k]);
			x.conf.rule = rules[i];
			side_up();
			side_event(JOB_IN_STOP, 0, 0, TERM);
			side_end(1, DIED(TERM));
			side_end(2, DIED(TERM));
			side_end(0, DIED(TERM));
			bad += x.code != 128 + TERM;
		}
	is_u64(bad, 0, "stopped is stopped");

	/* orcm-sim -n 4 -s 8002033: a follower had come to its end already. */
	for (i = 0, bad = 0; i < 3; i++)
		for (k = 0; k < 2; k++) {
			side_conf(2, ways[k]);
			x.conf.rule = rules[i];
			side_up();
			side_write(0, "ab", 1);
			side_write(1, "abcd", 1);
			side_end(1, 0);
			side_event(JOB_IN_STOP, 0, 0, TERM);
			side_end(0, DIED(TERM));
			bad += x.code != 128 + TERM;
		}
	is_u64(bad, 0, "also when the others have reached their end");

	/* orcm-sim -P last -s 11004494, orcm-sim -s 12007471 */
	side_conf(3, ORCM_DELIVER_MAJORITY);
	side_up();
	side_write(0, "abcd", 1);
	side_end(0, 0);
	side_event(JOB_IN_STOP, 0, 0, TERM);
	side_end(1, DIED(TERM));
	side_end(2, DIED(TERM));
	is_u64(x.code, 128 + TERM, "and one of them was the first");
	side_conf(1, LEADER);
	side_begin();
	side_life(0, 0);
	side_write(0, "ab", 1);
	side_end(0, 0);
	side_event(JOB_IN_STOP, 0, 0, TERM);
	is_u64(x.code, 128 + TERM, "or nobody led, so nothing was delivered");
}

static void
pausing(void)
{
	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_PAUSE, 0, 0, 0);
	is_u64(x.want, JOB_PAUSED, "paused");
	side_write(1, "x", 1);
	side_wait(10000);
	ok(!(x.flow[0] & FLOW_STALLED), "a pause is no stall");
	side_event(JOB_IN_RESUME, 0, 0, 0);
	is_u64(x.want, JOB_UP, "resumed");
}

static void
time_limit(void)
{
	side_conf(1, LEADER);
	x.conf.limit = ORCM_SECOND;
	side_up();
	side_wait(999);
	is_u64(x.want, JOB_UP, "not yet");
	side_wait(1);
	is_u64(x.want, JOB_DOWN, "now");
	side_end(0, DIED(TERM));
	is_u64(x.code, JOB_TIMED_OUT, "timed out");
}

static void
closed_stdout_is_sigpipe(void)
{
	side_conf(2, LEADER);
	side_up();
	side_write(0, "x", 1);
	side_event(JOB_IN_CLOSED, 0, 0, 141);
	ok(x.want == JOB_DOWN && x.signal == 13, "they get what any program "
	    "gets");
	side_event(JOB_IN_ENDED, 0, 0, DIED(13));
	side_event(JOB_IN_ENDED, 1, 0, DIED(13));
	is_u64(x.code, 141, "as a shell would see it");
}

static void
settle_time(void)
{
	side_conf(2, LEADER);
	side_up();
	side_end(0, 6);
	is_u64(x.code, JOB_UNDECIDED, "the other one has a moment");
	side_wait(99);
	is_u64(x.want, JOB_UP, "99 ms");
	side_wait(1);
	is_u64(x.want, JOB_DOWN, "100 ms");
	side_end(1, DIED(TERM));
	is_u64(x.code, 6, "who was stopped has no say");
	side_conf(2, LEADER);
	side_up();
	side_end(0, 6);
	side_end(1, 6);
	is_u64(x.code, 6, "no waiting when all have ended");
}

/* A policy that switches back must not change what is over. */
static void
leader_at_the_end_has_the_last_word(void)
{
	side_conf(2, LEADER);
	side_up();
	side_event(JOB_IN_ENDED, 1, 0, DIED(11));
	side_write(0, "x", 1);
	side_end(0, 0);
	side_life(1, 1);
	side_write(1, "x", 1);
	side_deliver();
	side_lead(1);
	is_u64(x.j.leader, 0, "the stream was whole already");
	side_wait(100);
	side_end(1, DIED(TERM));
	is_u64(x.code, 0, "its status");
}

int
main(void)
{
	first_life_becomes_ready_and_leads();
	older_claims_are_not_followed();
	switch_loses_nothing();
	late_news_of_an_earlier_life();
	every_exit_status_is_relayed();
	signals_are_128_and_more();
	record_that_is_faster_than_the_keeper();
	given_up_is_123();
	what_cannot_be_run();
	restart_policies_decide_what_an_end_is();
	rules_for_the_status();
	majority_decides();
	all_outputs_of_all();
	stopping();
	stop_that_nobody_answers();
	an_end_is_that_of_its_life();
	stop_has_its_status_under_every_rule();
	pausing();
	time_limit();
	closed_stdout_is_sigpipe();
	settle_time();
	leader_at_the_end_has_the_last_word();
	free(x.memory);
	return done_testing();
}
