/* SPDX-License-Identifier: ISC */
#include "memb_side.h"

#define T1 (4 * SIDE_PERIOD)

static void
profiles_have_their_figures(void)
{
	struct memb_times t;

	ok(memb_profile(&t, "carrier", 8, 1, 4) &&
	    t.period == 10 * ORCM_MS && t.mult == 3 &&
	    t.relocate_hold == 500 * ORCM_MS && t.hold_up == 500 * ORCM_MS &&
	    t.window == 2 * ORCM_SECOND, "profile carrier: 10 ms x 3");
	ok(memb_profile(&t, "relaxed", 8, 1, 4) &&
	    t.period == 200 * ORCM_MS && t.mult == 5 &&
	    t.relocate_hold == 10 * ORCM_SECOND, "relaxed: 200 ms x 5");
	ok(memb_profile(&t, "auto", 64, 1, 64) && t.period == 50 * ORCM_MS &&
	    t.mult == 4, "auto: a daemon a machine: 50 ms x 4");
	ok(memb_profile(&t, "auto", 64, 64, 2) && t.period == 201600 * 1000,
	    "auto: 64 daemons on 2 cores: 201.6 ms");
	ok(!memb_profile(&t, "fast", 8, 1, 4), "no other");
	ok(memb_profile(&t, "default", 8, 1, 4) &&
	    t.period == 50 * ORCM_MS && t.mult == 4 &&
	    t.relocate_hold == 2 * ORCM_SECOND &&
	    t.daemon_grace == 200 * ORCM_MS &&
	    t.indirect_grace == 5 * ORCM_SECOND &&
	    t.hold_up == 2 * ORCM_SECOND && t.boot_wait == 2 * ORCM_SECOND &&
	    t.lone_boot == 10 * ORCM_SECOND, "default: 50 ms x 4");
	conf.times = t;
}

static uint64_t
t1_of(uint32_t i)
{
	return memb_t1(&m, memb_find(&m, peer[i].number), 0);
}

static void
t1_follows_its_formula(void)
{
	struct memb_node *n;

	side_settled(3);
	is_u64(t1_of(0), T1, "T1: mult periods of the sender");
	peer[0].late_us = 30000;
	side_run(SIDE_PERIOD);
	is_u64(t1_of(0), T1 + 30 * ORCM_MS, "T1: plus its own lateness");
	peer[0].late_us = 900000;
	side_run(SIDE_PERIOD);
	is_u64(t1_of(0), T1 + 2 * SIDE_PERIOD, "T1: of two periods at most");
	n = &m.nodes[memb_find(&m, 30) - m.nodes];
	n->links[0].mean = 100 * ORCM_MS;
	n->links[0].dev = 50 * ORCM_MS;
	is_u64(t1_of(1), 400 * ORCM_MS, "T1: mean and six deviations");
	n->links[0].dev = ORCM_SECOND;
	is_u64(t1_of(1), 4 * T1, "T1: four times the base at most");
	n->links[0].mean = 50 * ORCM_MS;
	n->links[0].dev = 0;
	is_u64(t1_of(1), T1, "T1: never below mult periods");
	m.lh = 2;
	is_u64(t1_of(1), 3 * T1, "T1: times one plus local health");
	m.lh = 0;
	n->links[0].damp = 3;
	is_u64(t1_of(1), 8 * T1, "T1: doubled for a link that flaps");
}

static void
suspicion_after_t1(void)
{
	uint64_t from;

	side_settled(4);
	from = side_next - SIDE_PERIOD;
	peer[3].beats = false;
	peer[0].deaf = peer[1].deaf = peer[2].deaf = 0;
	/* The others still say that they hear it. */
	peer[3].beats = false;
	side_run(from + T1 - now);
	is_u64(side_status(50), MEMB_ALIVE, "silent for T1: still alive");
	side_clear();
	side_run(SIDE_PERIOD / 2);
	ok(outs[MEMB_OUT_STATUS] >= 1 && outs[MEMB_OUT_BEAT] >= 1,
	    "half a period later: a suspicion, and a beat about it at once");
	ok(last_beat.heard_len == 3 && last_beat.heard[0] == 10 &&
	    last_beat.heard[1] == 30 && last_beat.heard[2] == 40,
	    "the beat lists whom we hear, by number");
}

static void
late_turn_accuses_nobody(void)
{
	side_settled(3);
	now += 10 * ORCM_SECOND;
	side_next = now;
	side_drained();
	ok(m.lh > 0 && outs[MEMB_OUT_STATUS] == 0,
	    "a turn 10 s late: nobody is suspected, we doubt ourselves");
	is_u64(last_beat.late_us / 1000000, 9, "our beats tell how late");
	side_run(ORCM_SECOND);
	is_u64(outs[MEMB_OUT_STATUS], 0, "nor after it");
	side_run(3 * ORCM_SECOND);
	ok(m.lh == 0 && last_beat.late_us == 0,
	    "a quiet second each: all is forgotten");
}

static void
verdict_only_when_drained(void)
{
	side_settled(3);
	now += 20 * T1;
	(void)side_beat(&peer[0], 0);
	(void)side_event(MEMB_IN_REFUSED, 30, 0);
	(void)side_event(MEMB_IN_PICTURE, 0, 0);
	is_u64(outs[MEMB_OUT_STATUS], 0, "no verdict but in DRAINED");
}

static void
majority_confirms(void)
{
	side_settled(4);
	peer[3].beats = false;
	side_run(T1 + SIDE_PERIOD);
	is_u64(side_status(50), MEMB_DOWN, "nobody hears it: DOWN");
	peer[3].beats = true;
	side_run(SIDE_PERIOD);
	is_u64(side_status(50), MEMB_ALIVE, "a beat takes it back");
	is_u64(memb_find(&m, 50)->epoch, 1, "it is the same life");
	ok(!memb_fit(&m, 50), "it may not lead yet");
	side_run(conf.times.hold_up);
	ok(memb_fit(&m, 50) && last[MEMB_OUT_FIT].on,
	    "after hold_up without a gap it may");
}

/* We do not hear 50; of the three others so many do. */
static void
hearing(uint32_t others, enum memb_status want, const char *what)
{
	uint32_t i;

	side_settled(4);
	for (i = 0; i < 3; i++)
		if (i >= others)
			peer[i].deaf = 1u << 3;
	peer[3].links = 0; /* its beats do not come to us */
	side_run(4 * ORCM_SECOND);
	is_u64(side_status(50), want, "%s", what);
}

static void
minority_does_not(void)
{
	hearing(2, MEMB_SUSPECT, "two of four hear it: SUSPECT for long");
	hearing(1, MEMB_DOWN, "one of four hears it: DOWN");
	is_u64(m.lh, 0, "nobody refuted that");
}

static void
alone_after_three_t1(void)
{
	uint64_t from;

	side_settled(2);
	from = side_next - SIDE_PERIOD;
	peer[0].beats = peer[1].beats = false;
	side_run(from + 3 * T1 - now);
	ok(side_status(10) == MEMB_SUSPECT && side_status(30) == MEMB_SUSPECT,
	    "both of three silent: no verdict of our own before");
	is_u64(alarms[MEMB_ALARM_ISOLATED], 1, "it may be us");
	is_u64(m.view.quorate, false, "we may not act at once");
	side_run(6 * T1);
	ok(side_status(10) == MEMB_DOWN && side_status(30) == MEMB_DOWN,
	    "three times T1, that was doubled: DOWN");
	is_u64(outs[MEMB_OUT_FATE], 0, "no record of it without a quorum");
}

static void
one_observer_of_two(void)
{
	uint64_t from;

	side_settled(1);
	from = side_next - SIDE_PERIOD;
	peer[0].beats = false;
	side_run(from + T1 + SIDE_PERIOD / 2 + ORCM_MS - now);
	is_u64(side_status(10), MEMB_DOWN, "two nodes: our word is enough");
}

static void
mass_silence_is_judged_as_one(void)
{
	side_settled(6);
	peer[3].beats = peer[4].beats = false;
	side_run(40 * ORCM_MS);
	peer[5].beats = false;
	/* One of them is heard by somebody. */
	peer[5].links = 0;
	peer[5].beats = true;
	peer[1].deaf = peer[2].deaf = 1u << 5;
	side_run(T1 + 2 * SIDE_PERIOD);
	ok(m.mass && side_status(50) == MEMB_SUSPECT &&
	    side_status(60) == MEMB_SUSPECT &&
	    side_status(70) == MEMB_SUSPECT,
	    "three of six silent, one heard by another: no verdict");
	peer[0].deaf = 1u << 5;
	side_run(SIDE_PERIOD);
	ok(side_status(50) == MEMB_DOWN && side_status(60) == MEMB_DOWN &&
	    side_status(70) == MEMB_DOWN, "heard by nobody: all at once");
	ok(memb_find(&m, 50)->down_at == memb_find(&m, 70)->down_at,
	    "they are one view change");
}

static void
down_then_dead(void)
{
	uint64_t down_at;

	side_settled(4);
	peer[3].beats = false;
	while (side_status(50) != MEMB_DOWN)
		side_run(ORCM_MS);
	down_at = now;
	is_u64(outs[MEMB_OUT_FATE], 0, "10 lives: it writes the record");
	side_run(2 * SIDE_PERIOD + SIDE_PERIOD / 2);
	ok(outs[MEMB_OUT_FATE] == 1 &&
	    last[MEMB_OUT_FATE].fate.status == MEMB_DOWN &&
	    last[MEMB_OUT_FATE].fate.observer == 20,
	    "none after two periods: we do");
	side_run(down_at + conf.times.relocate_hold - ORCM_MS - now);
	is_u64(side_status(50), MEMB_DOWN, "not DEAD before relocate_hold");
	side_run(SIDE_PERIOD);
	is_u64(side_status(50), MEMB_DOWN, "then 10 would say so");
	side_run(2 * SIDE_PERIOD);
	ok(side_status(50) == MEMB_DEAD && outs[MEMB_OUT_FATE] == 2 &&
	    last[MEMB_OUT_FATE].fate.status == MEMB_DEAD,
	    "two periods later we do");
	side_clear();
	peer[3].beats = true;
	side_run(SIDE_PERIOD);
	ok(side_status(50) == MEMB_DEAD && !side_beat(&peer[3], 0),
	    "DEAD is for good in that life");
	peer[3].epoch = 2;
	side_run(SIDE_PERIOD);
	ok(side_status(50) == MEMB_ALIVE &&
	    last[MEMB_OUT_STATUS].epoch == 2 &&
	    last[MEMB_OUT_STATUS].was == MEMB_DEAD, "a higher one lives");
	ok(!memb_fit(&m, 50), "and is held back");
}

static void
no_death_without_agreement(void)
{
	side_settled(4);
	peer[3].beats = false;
	peer[1].view = 99;
	side_run(10 * ORCM_SECOND);
	is_u64(side_status(50), MEMB_DOWN, "one has another view: not DEAD");
	ok(m.view.quorate && !m.view.agreed, "there is no agreement");
	peer[1].view = 0;
	side_run(3 * SIDE_PERIOD);
	is_u64(side_status(50), MEMB_DEAD, "it has ours: DEAD");
}

static void
hard_evidence(void)
{
	side_settled(3);
	ok(side_event(MEMB_IN_HARD, 40, 1), "hard evidence is taken");
	ok(side_status(40) == MEMB_DEAD && outs[MEMB_OUT_STATUS] == 1,
	    "DEAD at once");
	side_run(SIDE_PERIOD);
	ok(outs[MEMB_OUT_FATE] == 1, "and who has it writes the record");
	ok(!side_event(MEMB_IN_HARD, 40, 0) &&
	    !side_event(MEMB_IN_HARD, 41, 1), "of an unknown life: dropped");
}

static void
fate(uint16_t subject, uint64_t epoch, enum memb_status s)
{
	struct memb_fate f = { .observer = 10, .subject = subject,
		.epoch = epoch, .status = s };

	(void)side_feed((struct memb_in){ .event = MEMB_IN_FATE,
	    .fate = &f });
}

static void
records_of_others(void)
{
	side_settled(4);
	fate(50, 1, MEMB_DOWN);
	is_u64(side_status(50), MEMB_ALIVE, "another's DOWN is not ours");
	peer[3].beats = false;
	side_run(T1 + 4 * SIDE_PERIOD);
	ok(side_status(50) == MEMB_DOWN && outs[MEMB_OUT_FATE] == 0,
	    "but its record is enough");
	peer[3].beats = true;
	side_run(SIDE_PERIOD);
	fate(50, 1, MEMB_DEAD);
	is_u64(side_status(50), MEMB_DEAD, "another's DEAD is ours too");
	fate(40, 9, MEMB_LEFT);
	ok(side_status(40) == MEMB_LEFT && memb_find(&m, 40)->epoch == 9,
	    "also of a life that we have not seen");
	fate(20, 4, MEMB_DEAD);
	is_u64(outs[MEMB_OUT_RENEW], 0, "a former life of ours: so what");
	fate(20, 5, MEMB_DEAD);
	ok(outs[MEMB_OUT_RENEW] == 1 && last[MEMB_OUT_RENEW].epoch == 6,
	    "ours: we take a higher epoch");
	is_u64(m.view.quorate, false, "and may not act meanwhile");
	ok(!side_event(MEMB_IN_RENEWED, 0, 5), "not the same one");
	ok(side_event(MEMB_IN_RENEWED, 0, 7) && last_beat.epoch == 7 &&
	    m.view.quorate, "then we go on under it");
}

static void
record_is_taken_back(void)
{
	side_settled(4);
	peer[0].beats = false;
	side_run(T1 + 2 * SIDE_PERIOD);
	ok(last[MEMB_OUT_FATE].fate.status == MEMB_DOWN &&
	    last[MEMB_OUT_FATE].fate.subject == 10,
	    "the lowest that lives writes at once");
	peer[0].beats = true;
	side_run(SIDE_PERIOD);
	is_u64(last[MEMB_OUT_FATE].fate.status, MEMB_ALIVE,
	    "and takes it back");
}

int
main(void)
{
	profiles_have_their_figures();
	t1_follows_its_formula();
	suspicion_after_t1();
	late_turn_accuses_nobody();
	verdict_only_when_drained();
	majority_confirms();
	minority_does_not();
	alone_after_three_t1();
	one_observer_of_two();
	mass_silence_is_judged_as_one();
	down_then_dead();
	no_death_without_agreement();
	hard_evidence();
	records_of_others();
	record_is_taken_back();
	free(side_memory);
	return done_testing();
}
