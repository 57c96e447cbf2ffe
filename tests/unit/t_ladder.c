/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "core/ladder.h"
#include "plan_side.h"
#include "tap.h"

#define A UINT64_C(0x10000)
#define B UINT64_C(0x20000)
#define MS ORCM_MS
#define SEGV 0x10bu

static struct ladder l;
static struct ladder_conf conf = { 16, 32, 7 };
static struct ladder_policy policy;
static struct ladder_answer a;
static void *memory;
static uint64_t now;
static uint32_t lives[64]; /* of each rank; no life ends twice */

static void
begin(const char *name)
{
	const struct orcm_plugin *p = side_plugin("errmgr", name);
	struct arena arena;

	free(memory);
	memory = calloc(1, ladder_memory(&conf));
	if (memory == NULL)
		abort();
	arena_init(&arena, memory, ladder_memory(&conf));
	ladder_init(&l, &arena, &conf);
	memset(lives, 0, sizeof(lives));
	policy = (struct ladder_policy){ .ops = p->ops,
		.decay = LADDER_DECAY, .window = LADDER_WINDOW,
		.alike = LADDER_ALIKE };
	if (param_parse(name, p, policy.args) != PARAM_GOOD)
		abort();
	now = 100 * ORCM_SECOND;
}

/* The next life of that rank of A ends like that, after so long. */
static enum orcm_answer
fault(uint64_t later, uint32_t rank, uint16_t node, enum orcm_cause cause,
    uint32_t status)
{
	struct ladder_fault f = { A, (uint16_t)rank, node, lives[rank]++,
		cause, status };

	now += later;
	ladder_fault(&l, now, &policy, &f, &a);
	return a.verb;
}

static enum orcm_answer
crash(uint32_t rank, uint16_t node)
{
	return fault(MS, rank, node, ORCM_CAUSE_CRASH, SEGV + lives[rank]);
}

static bool
near(uint64_t ms)
{
	uint64_t delay = a.at - now;

	return delay >= ms * MS * 8 / 10 && delay <= ms * MS * 12 / 10;
}

static void
restarts_with_backoff_then_relocation(void)
{
	begin("default");
	policy.args[0] = 6;
	ok(crash(0, 1) == ORCM_ANSWER_RESTART && a.at == now, "at once");
	ok(crash(0, 1) == ORCM_ANSWER_RESTART && near(50), "50 ms");
	ok(crash(0, 1) == ORCM_ANSWER_RESTART && near(250), "250 ms");
	ok(crash(0, 1) == ORCM_ANSWER_RESTART && near(1000), "1 s");
	ok(crash(0, 1) == ORCM_ANSWER_RESTART && near(4000), "4 s");
	ok(crash(0, 1) == ORCM_ANSWER_RESTART && near(4000), "4 s again");
	ok(crash(0, 1) == ORCM_ANSWER_RELOCATE, "then elsewhere");
	ok(crash(0, 2) == ORCM_ANSWER_RESTART && a.at == now,
	    "there it begins anew");
	is_u64(a.seen.here, 1, "with a count of its own");
	is_u64(a.seen.faults, 8, "but all are known");
	is_u64(a.seen.moves, 1, "and the move");
}

static void
jitter_is_seeded(void)
{
	uint64_t first[32];
	uint32_t i, differ = 0, wide = 0;

	begin("local");
	for (i = 0; i < 32; i++) {
		(void)crash(i % 8, 1);
		(void)crash(i % 8, 1);
		first[i] = a.at - now;
		l.entries[i % 8].used = false;
		wide += a.at - now != first[0];
	}
	begin("local");
	for (i = 0; i < 32; i++) {
		(void)crash(i % 8, 1);
		(void)crash(i % 8, 1);
		differ += a.at - now != first[i];
		l.entries[i % 8].used = false;
	}
	is_u64(differ, 0, "the same seed, the same delays");
	ok(wide > 20, "which are not all alike");
}

static void
relocations_up_to_a_limit_then_held(void)
{
	uint16_t node;
	uint32_t i;

	begin("default");
	policy.args[0] = 0;
	for (node = 1; node <= 5; node++)
		ok(crash(0, node) == ORCM_ANSWER_RELOCATE, "away from %u",
		    node);
	ok(crash(0, 6) == ORCM_ANSWER_HOLD && ladder_held(&l, A, 0),
	    "six are too many: held");
	ok(crash(0, 7) == ORCM_ANSWER_HOLD, "and held it stays");
	for (i = 0; i < 3; i++)
		now += LADDER_DECAY;
	ok(ladder_held(&l, A, 0), "for as long as nobody clears it");
	is_u64(ladder_clear(&l, A, 1), 0, "another rank");
	is_u64(ladder_clear(&l, A, PLAN_RANK_ALL), 1, "all of them");
	ok(!ladder_held(&l, A, 0) && crash(0, 1) == ORCM_ANSWER_RELOCATE,
	    "it begins anew");
	begin("default");
	policy.args[0] = 0;
	for (i = 0; i < 20; i++)
		if (fault(LADDER_WINDOW / 5 + 1, 0, (uint16_t)i,
		    ORCM_CAUSE_CRASH, i) != ORCM_ANSWER_RELOCATE)
			break;
	is_u64(i, 20, "five in each window go on for ever");
}

static void
counts_decay_by_half(void)
{
	const struct ladder_entry *e;
	uint32_t place = 0, i;

	begin("local");
	for (i = 0; i < 4; i++)
		(void)crash(0, 1);
	is_u64(a.seen.here, 4, "four faults");
	(void)fault(LADDER_DECAY, 0, 1, ORCM_CAUSE_CRASH, 1);
	is_u64(a.seen.here, 3, "half of them and one more");
	(void)fault(2 * LADDER_DECAY, 0, 1, ORCM_CAUSE_CRASH, 1);
	is_u64(a.seen.here, 2, "a quarter and one more");
	(void)fault(100 * LADDER_DECAY, 0, 1, ORCM_CAUSE_CRASH, 1);
	is_u64(a.seen.here, 1, "all forgotten but the new one");
	e = ladder_next(&l, &place);
	ok(e != NULL && e->rank == 0 && ladder_next(&l, &place) == NULL,
	    "one history");
	begin("local");
	for (i = 0; i < 1000; i++)
		if (fault(2 * LADDER_DECAY, 0, 1, ORCM_CAUSE_CRASH, 1) !=
		    ORCM_ANSWER_RESTART)
			break;
	is_u64(i, 1000, "who dies once in a while never meets its limit");
	/* A sibling's faults must not wear the others' counts away. */
	begin("local");
	for (i = 0; i < 4; i++)
		(void)crash(0, 1);
	policy.args[0] = 100000;
	for (i = 0; i < 600; i++)
		(void)fault(ORCM_SECOND, 1, 1, ORCM_CAUSE_CRASH, 1);
	(void)crash(0, 1);
	is_u64(a.seen.here, 3, "exactly by half, whatever happens meanwhile");
}

static void
causes_are_told_apart(void)
{
	uint16_t node;

	begin("default");
	policy.args[0] = 0;
	for (node = 1; node <= 40; node++)
		if (fault(MS, 0, node, ORCM_CAUSE_NODE, 0x200) !=
		    ORCM_ANSWER_RELOCATE || a.seen.here != 0 ||
		    a.seen.faults != 0 || a.seen.moves != 0)
			break;
	is_u64(node, 41, "the death of 40 nodes is not its fault");
	ok(fault(MS, 0, 1, ORCM_CAUSE_PREEMPTED, 0) == ORCM_ANSWER_RELOCATE &&
	    a.seen.faults == 0, "nor that it had to make room");
	ok(fault(MS, 0, 1, ORCM_CAUSE_PLANNED, 0) == ORCM_ANSWER_IGNORE,
	    "a planned stop is no fault");
	ok(fault(MS, 0, 1, ORCM_CAUSE_DONE, 0) == ORCM_ANSWER_IGNORE,
	    "nor is a good end");
	ok(fault(MS, 0, 1, ORCM_CAUSE_PREDICTED, 0) == ORCM_ANSWER_RELOCATE &&
	    a.seen.faults == 0, "a bad omen: away in time");
	lives[0]--;
	ok(fault(MS, 0, 1, ORCM_CAUSE_EXIT, 3) == ORCM_ANSWER_RELOCATE &&
	    a.seen.faults == 1, "which does not hide its end");
	policy.args[0] = 3;
	ok(fault(MS, 1, 1, ORCM_CAUSE_START, 0) == ORCM_ANSWER_RELOCATE,
	    "what cannot start here is not tried here again");
	ok(fault(MS, 2, 1, ORCM_CAUSE_VALUE, 0) == ORCM_ANSWER_RESTART &&
	    fault(MS, 2, 1, ORCM_CAUSE_LIMIT, 0) == ORCM_ANSWER_RESTART,
	    "a wrong value, a limit: a new life");
}

static void
identical_crash_on_three_nodes_is_poison(void)
{
	begin("default");
	ok(fault(MS, 0, 1, ORCM_CAUSE_CRASH, SEGV) == ORCM_ANSWER_RESTART &&
	    fault(MS, 0, 1, ORCM_CAUSE_CRASH, SEGV) == ORCM_ANSWER_RESTART,
	    "twice on one node");
	is_u64(a.seen.same, 1, "that is one node");
	ok(fault(MS, 1, 2, ORCM_CAUSE_CRASH, SEGV) == ORCM_ANSWER_RESTART,
	    "a sibling on a second one");
	ok(fault(MS, 2, 3, ORCM_CAUSE_EXIT, 4) == ORCM_ANSWER_RESTART,
	    "another end on a third one");
	ok(fault(MS, 2, 3, ORCM_CAUSE_CRASH, SEGV) == ORCM_ANSWER_HOLD &&
	    a.seen.same == 3, "the same on the third: held");
	ok(crash(1, 2) == ORCM_ANSWER_RESTART, "a sibling ends otherwise");
	ok(fault(MS, 1, 2, ORCM_CAUSE_CRASH, SEGV) == ORCM_ANSWER_HOLD,
	    "and alike: held, too");
	(void)ladder_clear(&l, A, PLAN_RANK_ALL);
	ok(fault(MS, 0, 1, ORCM_CAUSE_CRASH, SEGV) == ORCM_ANSWER_RESTART,
	    "cleared: tried again");
	begin("default");
	(void)fault(MS, 0, 1, ORCM_CAUSE_CRASH, SEGV);
	(void)fault(MS, 1, 2, ORCM_CAUSE_CRASH, SEGV);
	ok(fault(LADDER_ALIKE, 2, 3, ORCM_CAUSE_CRASH, SEGV) ==
	    ORCM_ANSWER_RESTART, "a minute later it is chance");
}

static void
late_and_double_reports_change_nothing(void)
{
	begin("default");
	(void)crash(0, 1);
	(void)crash(0, 1);
	lives[0] = 1;
	ok(crash(0, 1) == ORCM_ANSWER_IGNORE && a.late, "told twice");
	lives[0] = 0;
	ok(crash(0, 9) == ORCM_ANSWER_IGNORE && a.late, "an older life");
	lives[0] = 2;
	(void)crash(0, 1);
	is_u64(a.seen.here, 3, "they did not count");
	ok(fault(MS, 0, 1, ORCM_CAUSES, 0) == ORCM_ANSWER_IGNORE,
	    "nor does a cause that there is not");
}

static void
plan_learns_where_it_failed(void)
{
	struct plan_fault f[8];
	uint32_t n;

	begin("default");
	(void)crash(0, 4);
	(void)crash(0, 4);
	(void)fault(MS, 0, 6, ORCM_CAUSE_NODE, 0);
	(void)fault(MS, 1, 7, ORCM_CAUSE_PREEMPTED, 0);
	n = ladder_faults(&l, now, f, 8);
	ok(n == 2 && f[0].app == A && f[0].rank == 0, "one replica, two nodes");
	is_u64(f[0].count + f[1].count, 3, "three faults, its node's too");
	is_u64(ladder_faults(&l, now, f, 1), 1, "no more than there is room");
	is_u64(ladder_faults(&l, now + 5 * LADDER_DECAY, f, 8), 0,
	    "with time they are forgotten");
	ladder_forget(&l, A);
	is_u64(ladder_faults(&l, now, f, 8), 0, "and with the app");
}

static void
oldest_history_makes_room(void)
{
	uint32_t i;

	begin("default");
	policy.args[0] = policy.args[1] = 0;
	(void)crash(0, 1);
	policy.args[0] = 3;
	for (i = 1; i < 40; i++)
		(void)crash(i, 1);
	ok(ladder_held(&l, A, 0), "but not one that is held");
	is_u64(l.forgotten, 24, "the others are counted");
	policy.args[0] = policy.args[1] = 0;
	for (i = 40; i < 55; i++)
		(void)crash(i, 1);
	ok(ladder_held(&l, A, 54), "now all are held");
	policy.args[0] = 3;
	(void)crash(55, 1);
	ok(crash(55, 1) == ORCM_ANSWER_RESTART && a.seen.here == 1 &&
	    near(4000), "each fault is a first one, and waits the longest");
}

static void
local_and_abort_mean_what_they_say(void)
{
	uint32_t i;

	begin("local");
	for (i = 0; i < 10; i++)
		if (crash(0, 1) != ORCM_ANSWER_RESTART)
			break;
	is_u64(i, 10, "local: ten restarts here");
	ok(crash(0, 1) == ORCM_ANSWER_HOLD, "local: then held");
	ok(fault(MS, 1, 1, ORCM_CAUSE_NODE, 0) == ORCM_ANSWER_RESTART,
	    "local: waits for its node");
	ok(fault(MS, 2, 1, ORCM_CAUSE_PREDICTED, 0) == ORCM_ANSWER_IGNORE,
	    "local: an omen is nothing, it cannot leave");
	begin("abort");
	ok(fault(MS, 0, 1, ORCM_CAUSE_PLANNED, 0) == ORCM_ANSWER_IGNORE &&
	    fault(MS, 1, 1, ORCM_CAUSE_DONE, 0) == ORCM_ANSWER_IGNORE,
	    "abort: ends that are no faults");
	ok(crash(0, 1) == ORCM_ANSWER_ABORT, "abort: any fault ends the job");
	ok(fault(MS, 1, 1, ORCM_CAUSE_NODE, 0) == ORCM_ANSWER_ABORT,
	    "abort: so does a node");
	begin("abort");
	policy.args[0] = 2;
	ok(crash(0, 1) == ORCM_ANSWER_RESTART &&
	    crash(1, 2) == ORCM_ANSWER_RESTART &&
	    crash(2, 3) == ORCM_ANSWER_ABORT,
	    "abort,faults=2: of all together");
}

static enum orcm_answer
nonsense(const struct orcm_errmgr_fault *f)
{
	(void)f;
	return (enum orcm_answer)99;
}

static enum orcm_answer
always(const struct orcm_errmgr_fault *f)
{
	(void)f;
	return ORCM_ANSWER_RESTART;
}

static void
strategy_may_be_wrong(void)
{
	static const struct orcm_errmgr_ops wrong = { nonsense, NULL };
	static const struct orcm_errmgr_ops stubborn = { always, NULL };

	begin("default");
	policy.ops = &wrong;
	ok(crash(0, 1) == ORCM_ANSWER_HOLD && l.wrong == 1,
	    "an answer that there is not: held");
	policy.ops = &stubborn;
	ok(crash(0, 1) == ORCM_ANSWER_HOLD, "what is held it cannot restart");
	ok(fault(MS, 1, 1, ORCM_CAUSE_PLANNED, 0) == ORCM_ANSWER_IGNORE,
	    "nor what was stopped on purpose");
}

static void
conforms(const struct orcm_plugin *p)
{
	const struct orcm_errmgr_ops *ops = p->ops;
	struct orcm_errmgr_fault f;
	enum orcm_answer first;
	uint32_t k, differ = 0, wild = 0, args[PARAMS_MAX];
	struct rand r;

	ok(p->ops_size >= sizeof(*ops) && ops->answer != NULL &&
	    param_parse(p->name, p, args) == PARAM_GOOD &&
	    (ops->check == NULL || ops->check(args)), "%s: is whole", p->name);
	rand_seed(&r, 1);
	for (k = 0; k < 2000; k++) {
		memset(&f, 0, sizeof(f));
		f.size = sizeof(f);
		f.cause = (enum orcm_cause)rand_below(&r, ORCM_CAUSES);
		f.here = (uint32_t)rand_below(&r, 12);
		f.faults = f.here + (uint32_t)rand_below(&r, 12);
		f.app_faults = f.faults + (uint32_t)rand_below(&r, 12);
		f.moves = (uint32_t)rand_below(&r, 8);
		f.same = (uint32_t)rand_below(&r, 5);
		f.args = args;
		first = ops->answer(&f);
		differ += ops->answer(&f) != first;
		wild += (unsigned)first >= ORCM_ANSWERS;
	}
	ok(differ == 0 && wild == 0, "%s: one question, one answer", p->name);
}

static void
every_errmgr_plugin_conforms(void)
{
	uint32_t i, n = 0;

	for (i = 0; orcm_builtin[i] != NULL; i++)
		if (strcmp(orcm_builtin[i]->kind, "errmgr") == 0) {
			conforms(orcm_builtin[i]);
			n++;
		}
	is_u64(n, 3, "three of them");
}

/* A crash-looping app runs into its limit; the others never notice. */
static void
others_are_not_affected(void)
{
	struct ladder_fault f = { B, 0, 5, 0, ORCM_CAUSE_CRASH, SEGV };
	uint32_t i;

	begin("default");
	for (i = 0; i < 100; i++)
		(void)fault(10 * MS, i % 3, (uint16_t)(1 + i % 5),
		    ORCM_CAUSE_CRASH, SEGV);
	ok(ladder_held(&l, A, 0) && ladder_held(&l, A, 1) &&
	    ladder_held(&l, A, 2), "all replicas of the bad one are held");
	ladder_fault(&l, now, &policy, &f, &a);
	ok(a.verb == ORCM_ANSWER_RESTART && a.at == now && a.seen.here == 1 &&
	    a.seen.same == 1, "another app's first crash is its first");
}

int
main(void)
{
	restarts_with_backoff_then_relocation();
	jitter_is_seeded();
	relocations_up_to_a_limit_then_held();
	counts_decay_by_half();
	causes_are_told_apart();
	identical_crash_on_three_nodes_is_poison();
	late_and_double_reports_change_nothing();
	plan_learns_where_it_failed();
	oldest_history_makes_room();
	local_and_abort_mean_what_they_say();
	strategy_may_be_wrong();
	every_errmgr_plugin_conforms();
	others_are_not_affected();
	free(memory);
	return done_testing();
}
