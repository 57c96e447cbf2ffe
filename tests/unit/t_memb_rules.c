/* SPDX-License-Identifier: ISC */
/* Daemons, connections, pictures, leases, votes: what t_memb.c has not. */
#include "memb_side.h"

#define T1 (4 * SIDE_PERIOD)

static void
beats_have_their_time(void)
{
	uint64_t sent[40], gap, least = ORCM_NEVER, most = 0;
	uint32_t i, n = 0;

	side_settled(0);
	while (n < 40) {
		side_clear();
		now = memb_due(&m);
		side_drained();
		if (outs[MEMB_OUT_BEAT] > 0)
			sent[n++] = now;
	}
	for (i = 1; i < n; i++) {
		gap = sent[i] - sent[i - 1];
		least = gap < least ? gap : least;
		most = gap > most ? gap : most;
	}
	ok(most <= SIDE_PERIOD && least >= SIDE_PERIOD - SIDE_PERIOD / 10 &&
	    least < most, "beats every period less 0 to 10 %%");
	conf.links = 3;
	side_settled(1);
	side_run(SIDE_PERIOD);
	ok(outs[MEMB_OUT_BEAT] == 3 && last_beat.link == 2 &&
	    last_beat.count > 3, "on each link, counted");
	peer[0].links = 5;
	side_run(T1 + SIDE_PERIOD);
	ok(alarms[MEMB_ALARM_LINK] == 1 && last[MEMB_OUT_ALARM].link == 1 &&
	    side_status(10) == MEMB_ALIVE,
	    "one link silent: its alarm, no suspicion");
	ok(last_beat.flags & MEMB_BEAT_DEGRADED, "our beats tell it");
	peer[0].links = 7;
	side_run(SIDE_PERIOD);
	is_u64(alarms[MEMB_ALARM_LINK_BACK], 1, "and when it is back");
	conf.links = 1;
}

static void
bad_beats_are_dropped(void)
{
	struct memb_beat b = { .node = 10, .epoch = 1, .count = 1,
		.period_us = 50000, .mult = 4 };
	struct memb_in in = { .event = MEMB_IN_BEAT, .beat = &b };
	struct memb_beat bad[7];
	uint32_t i;

	side_begin(2);
	for (i = 0; i < 7; i++)
		bad[i] = b;
	bad[0].node = 0;
	bad[1].epoch = 0;
	bad[2].link = 1;
	bad[3].period_us = 0;
	bad[4].mult = 0;
	bad[5].heard_len = MEMB_NODES_MAX + 1;
	bad[6].period_us = UINT32_MAX;
	for (i = 0; i < 7; i++) {
		in.beat = &bad[i];
		(void)side_feed(in);
	}
	is_u64(m.stats.bad, 7, "what cannot be is dropped");
	in.beat = &b;
	ok(side_feed(in) && !side_feed(in) && m.stats.repeated == 1,
	    "a beat is taken once");
	b.node = 77;
	b.count = 2;
	ok(!side_feed(in) && m.stats.foreign == 1, "of known nodes only");
	is_u64(side_status(10), MEMB_ALIVE, "the good one counted");
}

static void
table_has_its_size(void)
{
	uint16_t i;
	bool room = true;

	side_begin(0);
	for (i = 0; i < SIDE_PEERS; i++)
		room = room && side_event(MEMB_IN_PEER, 1000 - i, 0);
	ok(room, "as many nodes as there is room for");
	ok(!side_event(MEMB_IN_PEER, 1, 0) && alarms[MEMB_ALARM_ROOM] == 1,
	    "one more: refused, alarm");
	ok(side_event(MEMB_IN_PEER_GONE, 997, 0) &&
	    !side_event(MEMB_IN_PEER_GONE, 997, 0) &&
	    side_event(MEMB_IN_PEER, 1, 0), "one that is gone makes room");
	ok(memb_find(&m, 1) != NULL && memb_find(&m, 997) == NULL &&
	    memb_find(&m, 996)->number == 996, "each is found");
}

static void
daemon_lost(void)
{
	side_settled(4);
	(void)side_event(MEMB_IN_UP, 40, 1);
	(void)side_event(MEMB_IN_EOF, 40, 1);
	is_u64(side_status(40), MEMB_DAEMON_LOST,
	    "its connection ends: DAEMON_LOST at once");
	(void)side_beat(&peer[2], 0);
	is_u64(side_status(40), MEMB_DAEMON_LOST,
	    "a beat that was on its way changes nothing");
	peer[2].beats = false;
	side_run(conf.times.daemon_grace - ORCM_MS);
	is_u64(side_status(40), MEMB_DAEMON_LOST, "for daemon_grace");
	side_run(SIDE_PERIOD);
	is_u64(side_status(40), MEMB_DOWN, "then it is DOWN");
	side_settled(4);
	(void)side_event(MEMB_IN_UP, 40, 1);
	(void)side_event(MEMB_IN_EOF, 40, 1);
	side_run(3 * SIDE_PERIOD);
	is_u64(side_status(40), MEMB_ALIVE,
	    "it beats on: only the connection was lost");
	(void)side_event(MEMB_IN_UP, 40, 1);
	(void)side_event(MEMB_IN_EOF, 40, 1);
	peer[2].epoch = 2;
	side_run(SIDE_PERIOD);
	ok(side_status(40) == MEMB_ALIVE && memb_fit(&m, 40) &&
	    last[MEMB_OUT_STATUS].epoch == 2,
	    "its next life is ALIVE, and was not away");
	(void)side_event(MEMB_IN_UP, 40, 2);
	(void)side_event(MEMB_IN_EOF, 40, 1);
	is_u64(side_status(40), MEMB_ALIVE,
	    "the end of a former life's connection is nothing");
	side_settled(4);
	peer[2].beats = false;
	peer[0].deaf = peer[1].deaf = 0;
	while (side_status(40) == MEMB_ALIVE) {
		peer[2].beats = true; /* the others say they hear it */
		peer[2].links = 0;
		side_run(ORCM_MS);
	}
	(void)side_event(MEMB_IN_REFUSED, 40, 0);
	is_u64(side_status(40), MEMB_DAEMON_LOST,
	    "SUSPECT, and a call is refused: its host is there");
}

static void
leaving_and_stalling(void)
{
	struct memb_fate f = { .observer = 10, .subject = 20, .epoch = 5,
		.status = MEMB_LEFT };

	side_settled(3);
	peer[0].flags = MEMB_BEAT_STALLED;
	side_run(SIDE_PERIOD);
	is_u64(side_status(10), MEMB_STALLED, "a beat says stalled");
	peer[0].flags = 0;
	side_run(SIDE_PERIOD);
	is_u64(side_status(10), MEMB_ALIVE, "and not any more");
	peer[0].flags = MEMB_BEAT_LEAVING;
	side_run(SIDE_PERIOD);
	is_u64(side_status(10), MEMB_LEFT, "a beat says leaving: LEFT");
	(void)side_event(MEMB_IN_BYE, 30, 1);
	is_u64(side_status(30), MEMB_LEFT, "so does a goodbye");
	side_run(SIDE_PERIOD);
	ok(outs[MEMB_OUT_FATE] == 2 && outs[MEMB_OUT_CONNECT] <= 1,
	    "it is recorded, and nobody calls it");
	peer[0].flags = 0;
	peer[0].epoch = 2;
	side_run(SIDE_PERIOD);
	ok(side_status(10) == MEMB_ALIVE && memb_fit(&m, 10),
	    "its next life may lead at once");
	(void)side_event(MEMB_IN_LEAVE, 0, 0);
	ok((last_beat.flags & MEMB_BEAT_LEAVING) && !last[MEMB_OUT_LEASE].on,
	    "we leave: a beat says so at once, no lease");
	(void)side_feed((struct memb_in){ .event = MEMB_IN_FATE,
	    .fate = &f });
	is_u64(outs[MEMB_OUT_RENEW], 0, "that it is recorded is no news");
}

static void
calls(void)
{
	uint64_t at[12];
	uint32_t n = 0;

	side_begin(2);
	peer[0].beats = peer[1].beats = false;
	side_clear();
	while (n < 12) {
		side_run(ORCM_MS);
		if (outs[MEMB_OUT_CONNECT] > 0) {
			at[n++] = now;
			if (last[MEMB_OUT_CONNECT].node != 10)
				break;
		}
		side_clear();
	}
	is_u64(n, 12, "the higher number calls the lower one");
	ok(at[0] - ORCM_SECOND <= 2 * ORCM_MS && at[1] - at[0] <= 6 * ORCM_MS,
	    "soon, and 5 ms later");
	ok(at[11] - at[10] <= ORCM_SECOND + ORCM_MS &&
	    at[11] - at[10] >= 3 * ORCM_SECOND / 4 - ORCM_MS,
	    "in the end once a second");
	(void)side_event(MEMB_IN_UP, 10, 1);
	side_clear();
	side_run(5 * ORCM_SECOND);
	is_u64(outs[MEMB_OUT_CONNECT], 0, "not when it is connected");
	(void)side_event(MEMB_IN_EOF, 10, 1);
	side_run(2 * ORCM_MS);
	is_u64(outs[MEMB_OUT_CONNECT], 1, "at once when that ends");
}

static void
pulls(void)
{
	side_settled(2);
	peer[1].digest = 9;
	side_run(2 * SIDE_PERIOD);
	is_u64(outs[MEMB_OUT_PULL], 0, "another digest in two beats: wait");
	side_run(SIDE_PERIOD);
	ok(outs[MEMB_OUT_PULL] == 1 && last[MEMB_OUT_PULL].node == 30,
	    "in a third one: pull from it");
	(void)side_feed((struct memb_in){ .event = MEMB_IN_PICTURE,
	    .seq = 4, .digest = 9 });
	peer[0].digest = 9;
	side_clear();
	side_run(ORCM_SECOND);
	ok(outs[MEMB_OUT_PULL] == 0 && last_beat.seq == 4 &&
	    last_beat.digest == 9, "the same again: no more");
}

static void
leases(void)
{
	side_settled(4);
	side_run(SIDE_PERIOD);
	ok(last[MEMB_OUT_LEASE].on && last[MEMB_OUT_LEASE].until <=
	    now + T1 - SIDE_PERIOD && last[MEMB_OUT_LEASE].until >=
	    now + T1 - 2 * SIDE_PERIOD, "a lease of T1 less a period");
	side_clear();
	now += 2 * T1;
	side_next = now;
	side_drained();
	is_u64(outs[MEMB_OUT_LEASE], 1, "we were late: none");
	ok(!last[MEMB_OUT_LEASE].on, "until they hear us");
	side_run(2 * SIDE_PERIOD);
	ok(last[MEMB_OUT_LEASE].on, "then again");
	(void)side_feed((struct memb_in){ .event = MEMB_IN_STALL,
	    .on = true });
	ok(!last[MEMB_OUT_LEASE].on &&
	    (last_beat.flags & MEMB_BEAT_STALLED),
	    "our main loop is stuck: none, and a beat says so at once");
}

static void
votes_count(void)
{
	side_settled(4);
	peer[2].beats = peer[3].beats = false;
	side_run(T1 + SIDE_PERIOD);
	ok(m.view.quorate, "three of five");
	peer[1].beats = false;
	side_run(2 * T1 + SIDE_PERIOD);
	ok(!m.view.quorate && (last_beat.flags & MEMB_BEAT_NOQUORUM),
	    "two of five do not");
	(void)side_feed((struct memb_in){ .event = MEMB_IN_PEER,
	    .node = 10, .votes = 3, .expected = true });
	side_run(SIDE_PERIOD);
	ok(m.view.quorate, "with four of seven votes they do");
	(void)side_event(MEMB_IN_PEER_GONE, 50, 0);
	side_run(SIDE_PERIOD);
	ok(m.view.quorate, "and of six");
}

static void
ties_are_broken(void)
{
	struct memb_quorum q = { .ties = { 99, 40 }, .ties_len = 2 };

	side_settled(3);
	peer[1].beats = peer[2].beats = false;
	side_run(T1 + 2 * SIDE_PERIOD);
	ok(m.view.quorate, "two of four with the lowest number");
	(void)side_feed((struct memb_in){ .event = MEMB_IN_QUORUM,
	    .quorum = &q });
	ok(!m.view.quorate, "not when another one breaks ties");
	q.ties_len = MEMB_TIES_MAX + 1;
	ok(!side_feed((struct memb_in){ .event = MEMB_IN_QUORUM,
	    .quorum = &q }), "a list that is too long is refused");
}

static void
boot(void)
{
	side_begin(0);
	side_run(2 * SIDE_PERIOD);
	ok(m.view.quorate && m.view.agreed, "one node: at once");
	side_begin(4);
	peer[2].beats = peer[3].beats = false;
	peer[0].flags = peer[1].flags = MEMB_BEAT_NOQUORUM;
	side_run(conf.times.boot_wait - ORCM_MS);
	ok(!m.view.quorate, "three of five: they wait for the others");
	side_run(SIDE_PERIOD);
	ok(m.view.quorate, "for boot_wait");
	side_begin(4);
	peer[2].beats = peer[3].beats = false;
	side_run(3 * SIDE_PERIOD);
	ok(m.view.quorate, "not when others act already");
	side_begin(4);
	peer[0].flags = peer[1].flags = MEMB_BEAT_NOQUORUM;
	peer[2].flags = peer[3].flags = MEMB_BEAT_NOQUORUM;
	side_run(3 * SIDE_PERIOD);
	ok(m.view.quorate, "nor when all are there");
}

static void
boot_of_two(void)
{
	side_begin(1);
	peer[0].beats = false;
	side_run(conf.times.lone_boot - ORCM_MS);
	ok(!m.view.quorate, "one of two waits");
	side_run(SIDE_PERIOD);
	ok(m.view.quorate, "for lone_boot");
	conf.quorum.two_node = MEMB_STRICT;
	side_begin(1);
	peer[0].beats = false;
	side_run(2 * conf.times.lone_boot);
	ok(!m.view.quorate, "strict: for ever");
	conf.quorum.two_node = MEMB_WITNESS;
	side_begin(1);
	peer[0].beats = false;
	side_run(2 * conf.times.lone_boot);
	ok(!m.view.quorate, "witness: without it, too");
	(void)side_feed((struct memb_in){ .event = MEMB_IN_WITNESS,
	    .on = true });
	ok(m.view.quorate, "with it not");
	conf.quorum.two_node = MEMB_TAKEOVER;
}

static void
second_waits_for_the_first(void)
{
	uint64_t down;

	side_settled(1);
	peer[0].beats = false;
	while (side_status(10) != MEMB_DOWN)
		side_run(ORCM_MS);
	down = now;
	ok(!m.view.quorate, "two nodes: 20 leaves it to 10 at DOWN");
	while (!m.view.quorate)
		side_run(ORCM_MS);
	ok(now - down >= T1 && now - down <= T1 + SIDE_PERIOD,
	    "and takes over one T1 later");
	conf.quorum.primary = 20;
	side_settled(1);
	peer[0].beats = false;
	while (side_status(10) != MEMB_DOWN)
		side_run(ORCM_MS);
	ok(m.view.quorate, "as the primary it does at once");
	conf.quorum.primary = 0;
	peer[0].beats = true;
	side_run(SIDE_PERIOD);
	is_u64(alarms[MEMB_ALARM_DUAL], 1, "it acted as well: alarm");
}

static void
electorate_shrinks(void)
{
	uint64_t gen;
	uint32_t i;

	side_settled(4);
	peer[3].beats = false;
	for (i = 0; i < 3; i++)
		peer[i].elect = m.elect;
	side_run(T1 + conf.times.window + 4 * SIDE_PERIOD);
	gen = last_beat.elect >> 32;
	ok(gen == 1 && m.attempts_len == 1, "four of five are proposed");
	ok(m.elect >> 32 == 0, "the others have not: nothing is formed");
	peer[1].beats = peer[2].beats = false;
	side_run(T1 + 2 * SIDE_PERIOD);
	ok(!m.view.quorate, "two of five do not pass");
	side_settled(4);
	peer[3].beats = false;
	for (i = 0; i < 3; i++)
		peer[i].elect = m.elect;
	side_run(T1 + conf.times.window + 4 * SIDE_PERIOD);
	for (i = 0; i < 3; i++)
		peer[i].elect = last_beat.elect;
	side_run(2 * SIDE_PERIOD);
	ok(m.elect >> 32 == 1 && m.attempts_len == 0,
	    "all of them tell it: it is formed");
	peer[1].beats = peer[2].beats = false;
	side_run(T1 + 2 * SIDE_PERIOD);
	ok(m.view.quorate, "two of four, with the lowest: they pass");
	conf.quorum.fixed = true;
	side_settled(4);
	peer[3].beats = false;
	side_run(5 * ORCM_SECOND);
	ok(m.elect >> 32 == 0 && m.attempts_len == 0, "fixed: never");
	conf.quorum.fixed = false;
}

static void
newer_generation_has_the_word(void)
{
	side_settled(4);
	peer[0].elect = UINT64_C(7) << 32;
	peer[0].flags = MEMB_BEAT_NOQUORUM;
	side_run(SIDE_PERIOD);
	ok(!m.view.quorate, "who knows a newer electorate says no");
	peer[0].flags = 0;
	peer[0].view = 3;
	side_run(SIDE_PERIOD);
	ok(!m.view.quorate, "its yes is for those who have its view");
	peer[0].view = 0;
	side_run(SIDE_PERIOD);
	ok(m.view.quorate, "as we have");
}

static void
flaps_are_damped(void)
{
	const struct memb_node *n;
	uint32_t i;

	side_settled(3);
	n = memb_find(&m, 10);
	for (i = 0; i < 3; i++) {
		peer[0].beats = false;
		side_run(3 * T1);
		peer[0].beats = true;
		side_run(2 * SIDE_PERIOD);
	}
	is_u64(n->links[0].damp, 1, "three times in 15 s: T1 is doubled");
	side_run(30 * ORCM_SECOND);
	is_u64(n->links[0].damp, 0, "halved after 30 s");
}

int
main(void)
{
	if (!memb_profile(&conf.times, "default", 5, 1, 4))
		abort();
	beats_have_their_time();
	bad_beats_are_dropped();
	table_has_its_size();
	daemon_lost();
	leaving_and_stalling();
	calls();
	pulls();
	leases();
	votes_count();
	ties_are_broken();
	boot();
	boot_of_two();
	second_waits_for_the_first();
	electorate_shrinks();
	newer_generation_has_the_word();
	flaps_are_damped();
	free(side_memory);
	return done_testing();
}
