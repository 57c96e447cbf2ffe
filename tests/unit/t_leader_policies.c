/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include <orcm/leader.h>

#include "sys/plug.h"
#include "tap.h"

/*
 * A view in letters, one for each rank: G can go on, D diverged, S stalled,
 * B both, U up but not ready, W starting (first life), X dead.
 */
#define NONE ORCM_RANK_NONE
#define RANKS_MAX 8

struct row {
	const char *ranks;
	uint32_t leader, want;
	const char *says;
};

static const struct orcm_leader_ops *
ops_of(const char *name)
{
	const struct orcm_plugin *p = plug_builtin("leader", name);

	return p != NULL ? p->ops : NULL;
}

static struct orcm_leader_member
member(char c)
{
	struct orcm_leader_member m = { .incarnation = 1 };

	m.alive = c != 'X' && c != 'W';
	m.starting = c == 'W';
	m.ready = c == 'G' || c == 'D' || c == 'S' || c == 'B';
	m.diverged = c == 'D' || c == 'B';
	m.stalled = c == 'S' || c == 'B';
	return m;
}

/* since: a digit for each rank, when it became ready; NULL: all alike. */
static uint32_t
ask(const char *policy, const char *ranks, const char *since, uint32_t leader,
    uint32_t argument)
{
	struct orcm_leader_member m[RANKS_MAX];
	struct orcm_leader_view v = { sizeof(v), 0, m, leader, argument };

	for (; ranks[v.members_len] != '\0'; v.members_len++) {
		m[v.members_len] = member(ranks[v.members_len]);
		if (m[v.members_len].ready)
			m[v.members_len].ready_since = since == NULL ? 1 :
			    (uint64_t)(since[v.members_len] - '0');
	}
	return ops_of(policy)->choose(&v);
}

static void
check_rows(const char *policy, const struct row *rows, size_t len,
    uint32_t argument)
{
	size_t i;

	for (i = 0; i < len; i++)
		is_u64(ask(policy, rows[i].ranks, NULL, rows[i].leader,
		    argument), rows[i].want, "%s %s: %s", policy,
		    rows[i].ranks, rows[i].says);
}

static void
lowest_keeps_its_leader_while_it_can(void)
{
	static const struct row rows[] = {
		{ "GGG", NONE, 0, "the lowest at the start" },
		{ "GGG", 2, 2, "no switch back" },
		{ "XGG", 0, 1, "the next when it dies" },
		{ "UGG", 0, 1, "a new life has to catch up first" },
		{ "WGG", 2, 2, "a leader does not wait for anybody" },
		{ "SGG", 0, 1, "a stalled one is left" },
		{ "DGG", 0, 1, "a diverged one is left" },
		{ "SUX", 0, 0, "stalled, but nobody else can go on" },
		{ "DXX", 0, 0, "diverged, but nobody else can go on" },
		{ "SDD", 0, 0, "not for a diverged one" },
		{ "DDG", 1, 2, "the lowest that can go on" },
		{ "XDD", 0, 1, "only diverged ones remain: the lowest" },
		{ "XSD", 0, 2, "rather diverged than stalled" },
		{ "SSS", 1, 1, "only stalled ones: the present" },
		{ "XSS", 0, 1, "even a stalled one before a dead one" },
		{ "XUU", 0, NONE, "nobody is ready" },
		{ "XXX", 0, NONE, "nobody is left" },
		{ "GG", 7, 0, "a leader that is no rank is none" },
	};

	check_rows("lowest", rows, sizeof(rows) / sizeof(rows[0]), NONE);
}

static void
lowest_waits_for_lower_ranks_at_the_start(void)
{
	static const struct row rows[] = {
		{ "WGG", NONE, NONE, "rank 0 is on its way" },
		{ "GWW", NONE, 0, "higher ones do not matter" },
		{ "XGW", NONE, 1, "the dead are not waited for" },
		{ "UGG", NONE, 1, "nor those that run and are not ready" },
		{ "WDD", NONE, NONE, "diverged ones wait as well" },
		{ "WWW", NONE, NONE, "all are on their way" },
	};

	check_rows("lowest", rows, sizeof(rows) / sizeof(rows[0]), NONE);
}

static void
fixed_goes_back_to_its_rank(void)
{
	static const struct row rows[] = {
		{ "GGG", NONE, 1, "the named one leads" },
		{ "GGG", 0, 1, "and is gone back to" },
		{ "GDG", 0, 1, "even when it differs" },
		{ "GXG", 1, 0, "the lowest stands in" },
		{ "GXG", 2, 2, "a stand-in is kept" },
		{ "GSG", 1, 0, "a stalled one cannot" },
		{ "GUG", 0, 0, "one that is not ready cannot" },
		{ "GWG", NONE, NONE, "it is waited for at the start" },
		{ "GWG", 0, 0, "only then" },
		{ "DXG", NONE, 2, "a good stand-in before a diverged one" },
		{ "XSX", 1, 1, "stalled, but nobody else can go on" },
		{ "XXX", 1, NONE, "nobody is left" },
	};

	check_rows("fixed", rows, sizeof(rows) / sizeof(rows[0]), 1);
	is_u64(ask("fixed", "XG", NULL, NONE, 9), 1,
	    "fixed: an argument that is no rank is harmless");
}

static void
fixed_checks_its_argument(void)
{
	const struct orcm_leader_ops *o = ops_of("fixed");

	ok(o->check(0, 1) && o->check(2, 3), "a rank is good");
	ok(!o->check(3, 3), "one behind the last is not");
	ok(!o->check(NONE, 3), "none is not");
	ok(ops_of("lowest")->check == NULL && ops_of("first")->check == NULL,
	    "the others take none");
}

static void
first_takes_who_was_ready_first(void)
{
	is_u64(ask("first", "GGG", "312", NONE, NONE), 1, "the earliest");
	is_u64(ask("first", "GGG", "322", NONE, NONE), 1, "a tie: lower rank");
	is_u64(ask("first", "GGG", "312", 0, NONE), 0, "a leader is kept");
	is_u64(ask("first", "XGG", "032", 0, NONE), 2, "next: the earliest");
	is_u64(ask("first", "WGG", "032", NONE, NONE), 2, "it does not wait");
	is_u64(ask("first", "GDG", "312", NONE, NONE), 2,
	    "a diverged one was never first");
	is_u64(ask("first", "SGG", "132", 0, NONE), 2, "a stalled one is left");
	is_u64(ask("first", "SXX", "132", 0, NONE), 0,
	    "but not when nobody else can go on");
	is_u64(ask("first", "UXW", "000", NONE, NONE), NONE, "nobody yet");
	is_u64(ask("first", "G", "1", NONE, NONE), 0, "one alone");
}

static void
none_and_vote_claim_nobody(void)
{
	ok(ops_of("none")->delivery == ORCM_DELIVER_ALL &&
	    ops_of("none")->choose == NULL, "none: everybody's output");
	ok(ops_of("vote")->delivery == ORCM_DELIVER_MAJORITY &&
	    ops_of("vote")->choose == NULL, "vote: the majority's output");
	ok(ops_of("lowest")->delivery == ORCM_DELIVER_LEADER &&
	    ops_of("fixed")->delivery == ORCM_DELIVER_LEADER &&
	    ops_of("first")->delivery == ORCM_DELIVER_LEADER,
	    "the others: the leader's");
}

/* Whatever the view: the answer is NONE or a rank that is alive and ready. */
static void
every_view_has_a_sound_answer(void)
{
	static const char *const policies[] = { "lowest", "fixed", "first" };
	static const char letters[] = "GDSBUWX";
	char ranks[4] = "";
	unsigned n, i, bad = 0;
	uint32_t leader, got;

	for (n = 0; n < 7 * 7 * 7 * 4 * 3; n++) {
		ranks[0] = letters[n % 7];
		ranks[1] = letters[n / 7 % 7];
		ranks[2] = letters[n / 49 % 7];
		leader = n / 343 % 4;
		i = n / 343 / 4;
		if (leader == 3)
			leader = NONE;
		got = ask(policies[i], ranks, "211", leader, 2);
		if (got != NONE && (got > 2 || !member(ranks[got]).ready))
			bad++;
		/* A live leader is never left for one that is worse. */
		if (leader != NONE && got != leader && member(ranks[leader])
		    .ready && strchr("SB", ranks[got == NONE ? 0 : got]))
			bad++;
		/* The same view, the same answer. */
		if (got != ask(policies[i], ranks, "211", leader, 2))
			bad++;
	}
	is_u64(bad, 0, "all views of three ranks");
}

int
main(void)
{
	if (!ok(ops_of("lowest") != NULL && ops_of("fixed") != NULL &&
	    ops_of("first") != NULL && ops_of("none") != NULL &&
	    ops_of("vote") != NULL, "all are linked in"))
		return done_testing();
	lowest_keeps_its_leader_while_it_can();
	lowest_waits_for_lower_ranks_at_the_start();
	fixed_goes_back_to_its_rank();
	fixed_checks_its_argument();
	first_takes_who_was_ready_first();
	none_and_vote_claim_nobody();
	every_view_has_a_sound_answer();
	return done_testing();
}
