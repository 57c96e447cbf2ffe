/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <orcm/leader.h>

#include "core/lead.h"
#include "tap.h"

#define JOB UINT64_C(0x770000)
#define UP (FLOW_ATTACHED | FLOW_ALIVE)
#define READY (UP | FLOW_READY)
#define NONE ORCM_RANK_NONE

extern const struct orcm_plugin *const orcm_builtin[];

static struct lead l;
static struct lead_conf conf = { 3, 8 };
static void *memory;
static const struct orcm_leader_ops *ops;
static uint32_t argument;
static struct record_job job;
static struct lead_out out;
static uint64_t now, epoch; /* epoch: the last that was claimed */
static uint32_t claims;
static bool rising;

static void
policy(const char *name)
{
	size_t i;

	ops = NULL;
	argument = NONE;
	for (i = 0; orcm_builtin[i] != NULL; i++)
		if (strcmp(orcm_builtin[i]->name, name) == 0)
			ops = orcm_builtin[i]->ops;
	if (ops == NULL)
		abort();
}

/* A new life of the daemon; it knows nothing. */
static void
begin(void)
{
	struct arena a;

	free(memory);
	memory = calloc(1, lead_memory(&conf));
	if (memory == NULL)
		abort();
	arena_init(&a, memory, lead_memory(&conf));
	lead_init(&l, &a, &conf);
	memset(&job, 0, sizeof(job));
	memcpy(job.name, "job", 4);
	job.size = 3;
	rising = true;
	claims = 0;
	epoch = 0;
}

static bool
tell(const struct lead_in *in)
{
	struct lead_out o;
	bool good;

	now += ORCM_MS;
	good = lead_feed(&l, now, in);
	while (lead_take(&l, &o)) {
		out = o;
		if (!o.claim)
			continue;
		claims++;
		rising = rising && o.lead.epoch > epoch;
		epoch = o.lead.epoch;
	}
	return good;
}

static bool
put_job(uint64_t id)
{
	struct lead_in in = { .event = LEAD_IN_JOB, .id = id, .job = &job,
		.ops = ops, .argument = argument };

	return tell(&in);
}

static void
plain(enum lead_event event, uint64_t id)
{
	struct lead_in in = { .event = event, .id = id };

	(void)tell(&in);
}

static void
flow(uint32_t rank, uint32_t incarnation, uint32_t flags)
{
	struct record_flow f = { incarnation, flags };
	struct lead_in in = { .event = LEAD_IN_FLOW, .id = JOB | rank,
		.flow = &f };

	(void)tell(&in);
}

static void
proc(uint32_t rank, uint32_t incarnation, enum proc_state state)
{
	struct record_proc p = { .state = state, .incarnation = incarnation };
	struct lead_in in = { .event = LEAD_IN_PROC, .id = JOB | rank,
		.proc = &p };

	(void)tell(&in);
}

static void
claim(uint32_t rank, uint32_t incarnation, uint64_t e)
{
	struct record_lead r = { rank, incarnation, e };
	struct lead_in in = { .event = LEAD_IN_LEAD, .id = JOB, .lead = &r };

	(void)tell(&in);
}

static uint32_t
leader(void)
{
	return l.jobs[0].lead.rank;
}

static void
all_ready(const char *name)
{
	uint32_t i;

	policy(name);
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	for (i = 0; i < 3; i++) {
		proc(i, 0, PROC_UP);
		flow(i, 0, READY);
	}
}

static void
lowest_leads_and_the_next_takes_over(void)
{
	policy("lowest");
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	flow(1, 0, READY);
	is_u64(claims, 0, "rank 0 may come any moment");
	flow(0, 0, UP);
	proc(0, 0, PROC_UP);
	is_u64(claims, 0, "it is up and will be ready");
	flow(0, 0, UP | FLOW_STALLED);
	is_u64(leader(), 1, "it does not move: no more waiting");
	is_u64(epoch, 1, "the first epoch");
	is_str(out.job, "job", "of that job");
	ok(out.claim && out.was == NONE && out.id == JOB, "claimed");
	flow(0, 0, READY);
	is_u64(claims, 1, "no switch back");
	flow(1, 0, FLOW_ATTACHED);
	ok(leader() == 0 && claims == 2, "the leader dies: the next");
	ok(out.was == 1, "whom it follows");
	flow(0, 0, 0);
	is_u64(claims, 2, "nobody is left: no claim");
	flow(0, 1, UP);
	is_u64(claims, 2, "a new life that has not caught up");
	flow(0, 1, READY);
	ok(claims == 3 && out.lead.incarnation == 1,
	    "the same rank in another life is another leader");
	ok(rising, "epochs rise");
}

static void
either_reporter_of_a_death_counts(void)
{
	all_ready("lowest");
	is_u64(leader(), 0, "rank 0");
	proc(0, 0, PROC_BACKOFF);
	is_u64(leader(), 1, "orcmd was faster");
	flow(1, 0, FLOW_ATTACHED);
	is_u64(leader(), 2, "the owner was faster");
	proc(1, 0, PROC_BACKOFF);
	proc(2, 1, PROC_STARTING);
	is_u64(claims, 3, "a next life is known before this one's end: no one "
	    "is left");
	flow(2, 1, READY);
	ok(leader() == 2 && out.lead.incarnation == 1, "its next life");
	proc(2, 0, PROC_BACKOFF);
	is_u64(claims, 4, "news of an older life");
	flow(1, 1, READY);
	flow(2, 1, FLOW_DONE | FLOW_READY);
	proc(2, 1, PROC_DONE);
	is_u64(leader(), 2, "who ended as it should can lead on");
	ok(rising, "epochs rise");
}

static void
without_flows_the_processes_count(void)
{
	policy("lowest");
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	proc(1, 0, PROC_UP);
	is_u64(claims, 0, "rank 0 is not known yet");
	proc(0, 0, PROC_FAILED);
	is_u64(leader(), 1, "it will not come");
}

/* Of one orcmd says that it is up, the owner has told the others only. */
static void
up_is_not_ready_where_flows_are_told(void)
{
	policy("lowest");
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	flow(1, 0, READY);
	flow(2, 0, READY);
	proc(1, 0, PROC_UP);
	proc(2, 0, PROC_UP);
	proc(0, 0, PROC_UP);
	is_u64(leader(), ORCM_RANK_NONE, "it is waited for");
	flow(0, 0, UP);
	is_u64(claims, 0, "and does not lead before it can");
	flow(0, 0, READY);
	is_u64(leader(), 0, "it leads");
	is_u64(claims, 1, "it alone");
}

static void
who_came_and_left_is_not_waited_for(void)
{
	policy("lowest");
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	flow(0, 0, FLOW_ATTACHED);
	flow(1, 0, READY);
	is_u64(claims, 0, "its keeper is there");
	flow(0, 0, 0);
	is_u64(leader(), 1, "and has left");
}

static void
policies_mean_what_they_say(void)
{
	all_ready("first");
	is_u64(leader(), 0, "first: who was ready first");
	flow(0, 0, READY | FLOW_STALLED);
	is_u64(leader(), 1, "first: away from a stalled one");
	flow(1, 0, 0);
	is_u64(leader(), 2, "first: ready since longer than rank 1's next");
	flow(1, 1, READY);
	flow(0, 0, READY);
	flow(2, 0, 0);
	is_u64(leader(), 0, "first: a stall does not make it ready later");

	policy("fixed");
	argument = 2;
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	flow(0, 0, READY);
	is_u64(claims, 0, "fixed: waits for it at the start");
	flow(2, 0, READY);
	is_u64(leader(), 2, "fixed: there it is");
	flow(2, 0, 0);
	is_u64(leader(), 0, "fixed: somebody stands in");
	flow(2, 1, READY);
	is_u64(leader(), 2, "fixed: and back");

	all_ready("lowest");
	flow(0, 0, READY | FLOW_DIVERGED);
	is_u64(leader(), 1, "lowest: away from one that diverged");
	flow(1, 0, READY | FLOW_STALLED);
	is_u64(leader(), 2, "lowest: and from one that stalls");
	flow(2, 0, READY | FLOW_STALLED);
	is_u64(leader(), 2, "lowest: not to one that is no better off");

	all_ready("vote");
	is_u64(claims, 0, "vote: nobody claims");
	all_ready("none");
	is_u64(claims, 0, "none: nobody claims");
}

static void
new_daemon_takes_its_claim_over(void)
{
	policy("lowest");
	begin();
	(void)put_job(JOB);
	flow(0, 0, READY);
	flow(1, 0, READY);
	claim(1, 0, 7);
	is_u64(claims, 0, "nothing before the picture is complete");
	plain(LEAD_IN_SYNCED, 0);
	is_u64(claims, 0, "the old claim stands");
	epoch = 7;
	flow(1, 0, 0);
	ok(leader() == 0 && epoch == 8, "the next is higher");
	claim(1, 0, 7);
	is_u64(leader(), 0, "an echo of the old one changes nothing");

	begin();
	(void)put_job(JOB);
	flow(1, 0, 0);
	flow(0, 0, READY);
	claim(1, 0, 7);
	plain(LEAD_IN_SYNCED, 0);
	ok(leader() == 0 && out.lead.epoch == 8, "its leader died meanwhile");
}

static void
owner_remembers_the_epoch(void)
{
	policy("lowest");
	begin();
	job.epoch = 41;
	(void)put_job(JOB);
	plain(LEAD_IN_SYNCED, 0);
	flow(0, 0, READY);
	is_u64(epoch, 42, "above what the owner has accepted");
	job.epoch = 90;
	(void)put_job(JOB);
	is_u64(claims, 1, "no new claim for that");
	flow(1, 0, READY);
	flow(0, 0, 0);
	is_u64(epoch, 91, "but the next is above it");
	claim(2, 0, 200);
	flow(2, 0, 0);
	is_u64(epoch, 201, "a claim of ours from before, told late");
}

/*
 * orcm-sim -P bytes -s 12005266: a process record came before its job and was
 * dropped, and nobody led for as long as that replica was backed off.
 */
static void
who_led_was_forgotten_by_all_but_the_owner(void)
{
	policy("lowest");
	begin();
	proc(0, 2, PROC_BACKOFF);
	job.epoch = 4;
	(void)put_job(JOB);
	flow(0, 2, FLOW_ATTACHED);
	flow(1, 0, READY);
	plain(LEAD_IN_SYNCED, 0);
	ok(leader() == 1 && epoch == 5, "nobody is waited for");
}

static void
second_picture_is_heard_whole(void)
{
	policy("first");
	begin();
	plain(LEAD_IN_SYNCED, 0);
	plain(LEAD_IN_DOWN, 0);
	(void)put_job(JOB);
	proc(1, 0, PROC_UP);
	is_u64(claims, 0, "nothing before all of it is told");
	claim(0, 0, 9);
	flow(0, 0, READY);
	flow(1, 0, READY);
	plain(LEAD_IN_SYNCED, 0);
	ok(claims == 0 && leader() == 0, "the claim that stands is kept");
}

/* An owner that went while the picture was lost leaves no tombstone. */
static void
job_that_nobody_tells_again_is_forgotten(void)
{
	all_ready("lowest");
	plain(LEAD_IN_DOWN, 0);
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	now += LEAD_FORGET;
	plain(LEAD_IN_DOWN, 0);
	ok(l.jobs[0].used, "told again: it stays");
	plain(LEAD_IN_SYNCED, 0);
	plain(LEAD_IN_DOWN, 0);
	ok(l.jobs[0].used, "its owner had no time to tell: it stays");
	plain(LEAD_IN_SYNCED, 0);
	now += LEAD_FORGET;
	plain(LEAD_IN_DOWN, 0);
	ok(l.jobs[0].gone, "it had time: forgotten");
	plain(LEAD_IN_SYNCED, 0);
	ok(!l.jobs[0].used && !out.claim, "and its claim taken back");
}

static void
epochs_rise_whatever_comes(void)
{
	uint32_t i, r;

	all_ready("lowest");
	for (i = 1; i < 3000; i++) {
		r = i * 7 % 3;
		switch (i * i % 11) {
		case 1:
			claim(r, i, epoch - (i % 2));
			break;
		case 3:
			job.epoch = epoch;
			(void)put_job(JOB);
			break;
		case 4:
			proc(r, i, PROC_UP);
			break;
		case 5:
			flow(r, i, 0);
			break;
		default:
			flow(r, i, READY);
			break;
		}
	}
	ok(rising && claims > 500, "%u claims", claims);
}

static void
jobs_come_and_go(void)
{
	uint64_t id;
	uint32_t i, bad = 0;

	policy("lowest");
	begin();
	plain(LEAD_IN_SYNCED, 0);
	ok(put_job(JOB) && put_job(JOB + 0x10000), "two jobs of three");
	ok(!put_job(JOB + 0x20000), "8 members are all there is");
	job.size = 2;
	ok(!put_job(JOB), "a job does not shrink");
	ok(put_job(JOB + 0x20000), "a small one fits");
	ok(!put_job(JOB + 0x30000), "no fourth job");
	memset(&out, 0, sizeof(out));
	out.claim = true;
	plain(LEAD_IN_JOB_GONE, JOB);
	ok(!out.claim && out.id == JOB, "its claim is taken back");
	job.size = 3;
	ok(put_job(JOB + 0x30000), "its place is free again");
	plain(LEAD_IN_JOB_GONE, 12345);
	flow(2, 0, READY);
	begin();
	plain(LEAD_IN_SYNCED, 0);
	for (i = 0; i < 10000; i++) {
		id = (uint64_t)(i + 1) << 16;
		job.size = 1 + i % 3;
		bad += !put_job(id);
		job.size = 5;
		bad += !put_job(id + (UINT64_C(1) << 60));
		plain(LEAD_IN_JOB_GONE, id);
		plain(LEAD_IN_JOB_GONE, id + (UINT64_C(1) << 60));
	}
	is_u64(bad, 0, "20000 jobs, one after the other");
}

static uint32_t
nonsense(const struct orcm_leader_view *v)
{
	return v->members_len;
}

static void
strategy_may_be_wrong(void)
{
	static const struct orcm_leader_ops wrong = { ORCM_DELIVER_LEADER,
		nonsense, NULL };

	ops = &wrong;
	begin();
	plain(LEAD_IN_SYNCED, 0);
	(void)put_job(JOB);
	flow(0, 0, READY);
	is_u64(claims, 0, "a rank that does not exist is nobody");
	flow(7, 0, READY);
	proc(7, 0, PROC_UP);
	is_u64(claims, 0, "nor is one that the job does not have");
}

int
main(void)
{
	lowest_leads_and_the_next_takes_over();
	either_reporter_of_a_death_counts();
	without_flows_the_processes_count();
	up_is_not_ready_where_flows_are_told();
	who_came_and_left_is_not_waited_for();
	policies_mean_what_they_say();
	new_daemon_takes_its_claim_over();
	owner_remembers_the_epoch();
	who_led_was_forgotten_by_all_but_the_owner();
	second_picture_is_heard_whole();
	job_that_nobody_tells_again_is_forgotten();
	epochs_rise_whatever_comes();
	jobs_come_and_go();
	strategy_may_be_wrong();
	free(memory);
	return done_testing();
}
