/* SPDX-License-Identifier: ISC */
/*
 * Scenarios of nodes and daemons that die, sleep and come back; each check
 * begins with the number that the scenario has in the list of them.  See
 * t_mesh_split.c for those of links.
 */
#include "mesh_side.h"

#define SEEDS 12u
#define ALL UINT64_MAX

/* The slowest DOWN of one node at all others, over many seeds. */
static uint64_t
slowest_down(const char *profile, uint64_t *records, bool *early)
{
	uint64_t seed, cut, worst = 0, t;
	uint32_t i;

	*records = 0;
	*early = false;
	plan = mesh_calm(8, profile);
	for (seed = 1; seed <= SEEDS; seed++) {
		side_begin(seed);
		cut = w->now;
		mesh_power(w, 3, false);
		side_run(side_t1() * 3);
		*records += side_fates();
		for (i = 0; i < plan.nodes; i++) {
			t = w->nodes[i].told[3].down_at;
			if (i != 3 && (t == 0 || t - cut > worst))
				worst = t == 0 ? ORCM_NEVER : t - cut;
		}
		side_run(cut + w->times.relocate_hold - w->now);
		*early |= side_deads() > 0;
		side_run(ORCM_SECOND);
		*early |= !side_all(ALL, 3, MEMB_DEAD);
		if (!side_good())
			return ORCM_NEVER;
	}
	return worst;
}

static void
node_dies(void)
{
	uint64_t worst, records;
	bool early;

	worst = slowest_down("carrier", &records, &early);
	ok(worst <= 45 * ORCM_MS, "5: carrier: DOWN everywhere after %u us",
	    (unsigned)(worst / 1000));
	is_u64(records, SEEDS, "5: one record each time");
	ok(!early, "5: DEAD only after relocate_hold, then everywhere");
	worst = slowest_down("default", &records, &early);
	ok(worst <= 300 * ORCM_MS, "5: default: DOWN everywhere after %u us",
	    (unsigned)(worst / 1000));
	is_u64(records, SEEDS, "5: one record each time");
	ok(!early, "5: DEAD only after relocate_hold, then everywhere");
}

static void
three_die_together(void)
{
	uint32_t i, views[8], changes = 0, messages = 0;
	uint64_t beats = 0;

	plan = mesh_calm(8, "default");
	side_begin(6);
	for (i = 0; i < 8; i++) {
		views[i] = w->nodes[i].agreed;
		beats += w->nodes[i].beats;
	}
	for (i = 5; i < 8; i++) {
		mesh_power(w, i, false);
		side_run(2 * ORCM_MS);
	}
	side_run(ORCM_SECOND);
	for (i = 0; i < 5; i++) {
		changes += w->nodes[i].agreed - views[i];
		messages += w->nodes[i].fates * 7 + w->nodes[i].connects;
	}
	is_u64(changes, 5, "6: one view change at each survivor");
	ok(messages < 80, "6: no storm: %u messages", messages);
	ok(side_good() && side_acting() == 0x1f, "6: five go on");
}

static void
all_boot_at_once(void)
{
	uint32_t i, most = 0;
	uint64_t mesh_at, agreed_at;
	bool whole;

	plan = mesh_calm(64, "default");
	if (w == NULL)
		w = mesh_new();
	mesh_begin(w, 7, &plan);
	for (i = 0; i < 64; i++)
		mesh_power(w, i, true);
	mesh_at = agreed_at = 0;
	while (agreed_at == 0 && w->now < 5 * ORCM_SECOND && side_good()) {
		side_run(5 * ORCM_MS);
		whole = true;
		for (i = 0; i < 64 * 64; i++)
			whole = whole && (i / 64 == i % 64 ||
			    mesh_is_open(w, i / 64, i % 64));
		if (whole && mesh_at == 0)
			mesh_at = w->now;
		if (mesh_agreed(w))
			agreed_at = w->now;
	}
	for (i = 0; i < 64; i++)
		if (w->nodes[i].views > most)
			most = w->nodes[i].views;
	ok(mesh_at != 0 && mesh_at <= 250 * ORCM_MS,
	    "7: 64 nodes: full mesh after %u ms",
	    (unsigned)(mesh_at / ORCM_MS));
	ok(agreed_at != 0 && agreed_at <= ORCM_SECOND,
	    "7: agreed view after %u ms", (unsigned)(agreed_at / ORCM_MS));
	ok(most <= 8, "7: %u view changes at most", most);
}

static void
daemon_stopped(void)
{
	plan = mesh_calm(8, "default");
	side_begin(13);
	mesh_stop(w, 4, w->now + side_t1() / 2);
	side_run(4 * side_t1());
	ok(side_good() && side_suspects() == 0,
	    "13: stopped for half of T1: nothing");
	mesh_stop(w, 4, w->now + 3 * side_t1());
	side_run(2 * side_t1());
	ok(side_all(ALL, 4, MEMB_DOWN), "13: stopped for 3 T1: DOWN");
	side_run(3 * side_t1());
	ok(side_all(ALL, 4, MEMB_ALIVE) && w->nodes[4].epoch == 1 &&
	    side_deads() == 0, "13: and ALIVE with the same epoch");
	is_u64(w->nodes[4].suspects, 0, "13: it accuses nobody");
	mesh_stop(w, 4, w->now + 2 * w->times.relocate_hold);
	side_run(2 * w->times.relocate_hold - ORCM_MS);
	ok(side_all(ALL, 4, MEMB_DEAD), "13: stopped for 2 holds: DEAD");
	side_run(21 * w->times.period);
	ok(side_all(ALL, 4, MEMB_ALIVE) && w->nodes[4].epoch == 2 &&
	    mesh_agreed(w), "13: it is back with a higher epoch");
	ok(side_good() && w->nodes[4].suspects == 0 &&
	    w->nodes[4].downs == 0, "13: it accuses nobody");
}

static void
machine_stopped(void)
{
	uint32_t i, accusing = 0;

	plan = mesh_calm(8, "default");
	side_begin(15);
	for (i = 0; i < 3; i++)
		mesh_stop(w, i, w->now + ORCM_SECOND);
	side_run(2 * ORCM_SECOND);
	for (i = 0; i < 3; i++)
		accusing += w->nodes[i].suspects + w->nodes[i].downs;
	is_u64(accusing, 0, "15: daemons of a machine that was stopped accuse "
	    "nobody");
	side_begin(15);
	for (i = 0; i < 8; i++)
		mesh_stop(w, i, w->now + 10 * ORCM_SECOND);
	side_run(12 * ORCM_SECOND);
	ok(side_suspects() == 0 && mesh_agreed(w) && side_good(),
	    "15: nor do all, when all were stopped");
}

static void
too_little_processor(void)
{
	uint32_t i;

	plan = mesh_calm(8, "default");
	side_begin(16);
	for (i = 0; i < 8; i++)
		mesh_starve(w, i, 100);
	side_run(60 * ORCM_SECOND);
	ok(side_downs() == 0 && side_deads() == 0 && side_good(),
	    "16: every turn up to 100 ms late for 60 s: no DOWN");
	plan = mesh_calm(8, "carrier");
	side_begin(16);
	/* With real-time priority turns are not late: 4 ms were measured. */
	plan.delay_max = w->plan.delay_max = 4 * ORCM_MS;
	side_run(60 * ORCM_SECOND);
	ok(side_downs() == 0 && side_deads() == 0 && side_good(),
	    "16: carrier, up to 4 ms late for 60 s: no DOWN");
}

static void
main_loop_stuck(void)
{
	struct memb_in in = { .event = MEMB_IN_STALL, .on = true };
	uint64_t from;

	plan = mesh_calm(5, "default");
	side_begin(17);
	from = w->now;
	mesh_feed(w, 2, &in);
	while (!side_all(ALL, 2, MEMB_STALLED) &&
	    w->now < from + 300 * ORCM_MS)
		side_run(ORCM_MS);
	ok(side_all(ALL, 2, MEMB_STALLED), "17: stuck: STALLED after %u ms",
	    (unsigned)((w->now - from) / ORCM_MS));
	side_run(10 * ORCM_SECOND);
	ok(side_downs() == 0 && side_all(ALL, 2, MEMB_STALLED),
	    "17: and never DOWN");
	is_u64(side_leases() & 4, 0, "17: it holds no lease");
	in.on = false;
	mesh_feed(w, 2, &in);
	side_run(ORCM_SECOND);
	ok(side_all(ALL, 2, MEMB_ALIVE) && side_good(),
	    "17: ALIVE when it turns again");
}

static void
one_after_another(void)
{
	uint32_t i;
	bool kept = true;

	plan = mesh_calm(5, "default");
	side_begin(28);
	for (i = 4; i > 0; i--) {
		mesh_power(w, i, false);
		side_run(w->times.window + 3 * side_t1());
		kept = kept && side_acting() == (UINT64_C(1) << i) - 1;
	}
	ok(kept && side_good(), "28: 5, 4, 3, 2, 1: those left may act");
	is_u64(w->nodes[0].memb.view.members, 1, "28: one is left");
	for (i = 4; i > 0; i--)
		mesh_power(w, i, true);
	side_run(2 * ORCM_SECOND);
	ok(mesh_agreed(w) && side_good(), "28: and all are back");
	side_begin(28);
	for (i = 2; i < 5; i++)
		mesh_power(w, i, false);
	side_run(10 * ORCM_SECOND);
	ok(side_acting() == 0 && side_good() && side_deads() == 0,
	    "28: not when three of five go at once");
}

static uint64_t
hash_with_clock(uint64_t offset)
{
	w->offset = offset;
	w->virtual = 5 * ORCM_SECOND;
	w->want_nodes = 5;
	(void)mesh_run(w, 30);
	w->offset = w->virtual = w->want_nodes = 0;
	return mesh_hash(w);
}

static void
clocks_differ(void)
{
	uint64_t h = hash_with_clock(0);

	ok(h == hash_with_clock(3600 * ORCM_SECOND) &&
	    h == hash_with_clock(1),
	    "30: clocks hours apart: the run is the same");
}

static void
reboot_faster_than_detection(void)
{
	uint32_t i, told = 0;

	plan = mesh_calm(4, "default");
	side_begin(31);
	mesh_power(w, 1, false);
	side_run(20 * ORCM_MS);
	mesh_power(w, 1, true);
	side_run(2 * w->times.period);
	for (i = 0; i < 4; i++)
		told += i != 1 && w->nodes[i].told[1].epoch == 2;
	is_u64(told, 3, "31: the new epoch is seen");
	side_run(ORCM_SECOND);
	ok(side_downs() == 0 && mesh_agreed(w) && side_good(),
	    "31: nobody says DOWN, all agree");
}

/* A beat of node 1 as it was, with something wrong. */
static void
false_beats(void)
{
	struct memb_beat old;
	struct memb_in in = { .event = MEMB_IN_BEAT, .beat = &old };
	uint32_t changes;

	plan = mesh_calm(3, "default");
	side_begin(32);
	memset(&old, 0, sizeof(old));
	old.node = w->nodes[1].number;
	old.epoch = 1;
	old.count = 1;
	old.period_us = 50000;
	old.mult = 4;
	old.flags = MEMB_BEAT_LEAVING;
	mesh_power(w, 1, false);
	side_run(20 * ORCM_MS);
	mesh_power(w, 1, true);
	side_run(ORCM_SECOND);
	changes = w->nodes[0].told[1].changes;
	mesh_feed(w, 0, &in);
	ok(w->nodes[0].told[1].changes == changes &&
	    w->nodes[0].alarms[MEMB_ALARM_STALE] == 1,
	    "32: a beat of a former life: ignored, alarm");
	old.epoch = 2;
	mesh_feed(w, 0, &in);
	is_u64(w->nodes[0].memb.stats.repeated, 1,
	    "32: a beat a second time: ignored");
	old.node = w->nodes[0].number;
	old.epoch = 9;
	mesh_feed(w, 0, &in);
	is_u64(w->nodes[0].alarms[MEMB_ALARM_DUPLICATE], 1,
	    "32: another node with our number: ignored, alarm");
	old.node = 7;
	mesh_feed(w, 0, &in);
	side_run(ORCM_SECOND);
	ok(w->nodes[0].memb.stats.foreign == 2 && mesh_agreed(w) &&
	    side_good(), "32: a node of another system: ignored");
}

int
main(void)
{
	node_dies();
	three_die_together();
	all_boot_at_once();
	daemon_stopped();
	machine_stopped();
	too_little_processor();
	main_loop_stuck();
	one_after_another();
	clocks_differ();
	reboot_faster_than_detection();
	false_beats();
	mesh_free(w);
	return done_testing();
}
