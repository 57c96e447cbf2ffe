/* SPDX-License-Identifier: ISC */
/*
 * Scenarios of links that are cut and of networks in pieces; each check
 * begins with the number that the scenario has in the list of them.
 */
#include "mesh_side.h"

#define ALL UINT64_MAX

static void
one_way_cut(void)
{
	uint32_t seq;

	plan = mesh_calm(3, "default");
	side_begin(19);
	/* What node 0 sends does not reach node 1. */
	mesh_cut(w, 0, 1, 1, true);
	side_run(4 * ORCM_SECOND);
	is_u64(side_downs(), 0, "19: one-way cut: no DOWN");
	ok(w->nodes[0].alarms[MEMB_ALARM_INDIRECT] == 1 &&
	    w->nodes[1].alarms[MEMB_ALARM_INDIRECT] == 1,
	    "19: both ends raise the alarm");
	is_u64(side_acting(), 7, "19: all three still may act");
	side_run(2 * ORCM_SECOND);
	ok(side_all(5, 1, MEMB_DOWN) && side_status(1, 0) == MEMB_DOWN &&
	    side_status(1, 2) == MEMB_DOWN,
	    "19: after 5 s the higher number of the two is excluded");
	is_u64(side_acting(), 5, "19: and may not act");
	mesh_record(w, 0);
	seq = (uint32_t)w->nodes[0].known[0].seq;
	side_run(ORCM_SECOND);
	is_u64(w->nodes[1].known[0].seq, seq,
	    "19: what node 0 says gets to node 1 over node 2");
	side_run(10 * ORCM_SECOND);
	is_u64(side_deads(), 0, "19: it is never DEAD");
	mesh_cut(w, 0, 1, 1, false);
	side_run(w->times.hold_up + ORCM_SECOND);
	ok(mesh_agreed(w) && side_good(), "19: whole again: all are back");
}

static void
one_link_of_two(void)
{
	uint32_t i;

	plan = mesh_calm(4, "default");
	plan.links = 2;
	side_begin(20);
	for (i = 1; i < 4; i++) {
		mesh_cut(w, 0, i, 2, true);
		mesh_cut(w, i, 0, 2, true);
	}
	side_run(5 * ORCM_SECOND);
	is_u64(side_alarms(MEMB_ALARM_LINK), 6,
	    "20: one link of two is lost: alarms at both ends");
	is_u64(side_suspects(), 0, "20: no SUSPECT");
	for (i = 1; i < 4; i++) {
		mesh_cut(w, 0, i, 2, false);
		mesh_cut(w, i, 0, 2, false);
	}
	side_run(ORCM_SECOND);
	ok(side_alarms(MEMB_ALARM_LINK_BACK) == 6 && side_good(),
	    "20: and it is back");
}

static void
loss(void)
{
	uint64_t t1;

	plan = mesh_calm(8, "default");
	side_begin(21);
	w->node_loss[3] = 200;
	side_run(60 * ORCM_SECOND);
	ok(side_downs() == 0 && side_good(),
	    "21: 20 %% loss at one node for 60 s: no DOWN");
	w->node_loss[3] = 400;
	side_run(20 * ORCM_SECOND);
	t1 = memb_t1(&w->nodes[0].memb, memb_find(&w->nodes[0].memb, 40), 0);
	ok(t1 > 5 * side_t1() / 4, "21: 40 %%: T1 is stretched to %u ms",
	    (unsigned)(t1 / ORCM_MS));
	w->node_loss[3] = 0;
	side_run(60 * ORCM_SECOND);
	t1 = memb_t1(&w->nodes[0].memb, memb_find(&w->nodes[0].memb, 40), 0);
	is_u64(t1 / ORCM_MS, side_t1() / ORCM_MS, "21: and returns");
	side_begin(22);
	w->plan.loss = 50;
	side_run(60 * ORCM_SECOND);
	ok(side_downs() == 0 && side_deads() == 0 && side_good(),
	    "21: 5 %% loss everywhere for 60 s: no DOWN");
}

static void
split_of_five(void)
{
	uint64_t from, lapsed = 0;
	uint32_t i;

	plan = mesh_calm(5, "default");
	side_begin(22);
	from = w->now;
	mesh_split(w, 0x07, 0x18, true);
	while (w->now < from + 3 * side_t1()) {
		side_run(ORCM_MS);
		if (side_leases() & 0x18)
			lapsed = w->now - from;
	}
	is_u64(side_acting(), 0x07, "22: split 3/2: the three act");
	ok(side_all(0x07, 3, MEMB_DOWN) && side_all(0x07, 4, MEMB_DOWN),
	    "22: they have said DOWN of the two");
	ok(lapsed <= 2 * side_t1(), "22: the two's leases are over after "
	    "%u ms", (unsigned)(lapsed / ORCM_MS));
	side_run(w->times.relocate_hold);
	ok(side_all(0x07, 3, MEMB_DEAD) && side_all(0x07, 4, MEMB_DEAD),
	    "22: and DEAD after relocate_hold");
	side_run(10 * ORCM_SECOND);
	ok(w->nodes[3].deads == 0 && w->nodes[3].fates == 0 &&
	    w->nodes[4].fates == 0 && side_status(3, 4) == MEMB_ALIVE,
	    "22: the two write nothing, and are with each other");
	mesh_split(w, 0x07, 0x18, false);
	side_run(20 * w->times.period);
	ok(mesh_agreed(w) && side_good(),
	    "27: healed: all agree within 20 periods, digests too");
	for (i = 0; i < 5; i++)
		if ((i < 3) != (w->nodes[i].epoch == 1))
			break;
	is_u64(i, 5, "27: only the two that were dead have a new epoch");
}

static void
split_of_four(void)
{
	plan = mesh_calm(4, "default");
	side_begin(23);
	mesh_split(w, 0x0a, 0x05, true);
	side_run(10 * ORCM_SECOND);
	is_u64(side_acting(), 0x05, "23: split 2/2: the lowest one's half");
	plan.quorum.ties[0] = 20;
	plan.quorum.ties_len = 1;
	side_begin(23);
	mesh_split(w, 0x0a, 0x05, true);
	side_run(10 * ORCM_SECOND);
	ok(side_acting() == 0x0a && side_good(),
	    "23: or that of the node that breaks ties");
}

/* Who acts, first and then, when two nodes are cut from each other. */
static void
split_of_two(enum memb_two_node mode, uint64_t witness, uint64_t at_down,
    uint64_t later, const char *what)
{
	struct memb_in in = { .event = MEMB_IN_WITNESS, .on = true };
	uint64_t first;
	uint32_t i;

	plan = mesh_calm(2, "default");
	plan.quorum.two_node = mode;
	side_begin(24);
	for (i = 0; i < 2; i++)
		if (witness >> i & 1)
			mesh_feed(w, i, &in);
	mesh_split(w, 1, 2, true);
	while (side_downs() < 2 && side_good())
		side_run(ORCM_MS);
	first = side_acting();
	side_run(side_t1() + w->times.period);
	ok(first == at_down && side_acting() == later,
	    "24: split 1/1, %s", what);
	mesh_split(w, 1, 2, false);
	side_run(2 * ORCM_SECOND);
	if (mode == MEMB_TAKEOVER)
		ok(side_alarms(MEMB_ALARM_DUAL) > 0,
		    "24: both acted: that is told");
	ok(mesh_agreed(w) && side_good(), "24: together again");
}

static void
one_of_two_dies(void)
{
	struct memb_in in = { .event = MEMB_IN_HARD, .node = 10,
		.epoch = 1 };

	plan = mesh_calm(2, "default");
	side_begin(24);
	mesh_power(w, 0, false);
	side_run(3 * side_t1());
	is_u64(side_acting(), 2, "24: the first dies: the second takes over");
	plan.quorum.two_node = MEMB_STRICT;
	side_begin(24);
	mesh_power(w, 0, false);
	side_run(20 * ORCM_SECOND);
	is_u64(side_acting(), 0, "24: strict: it does not");
	mesh_feed(w, 1, &in);
	ok(side_acting() == 2 && side_good(),
	    "24: strict: unless it is known for certain");
}

static void
bridge(void)
{
	uint32_t i;

	plan = mesh_calm(3, "default");
	side_begin(25);
	mesh_split(w, 1, 4, true);
	side_run(4 * ORCM_SECOND);
	is_u64(side_downs(), 0, "25: chain of three: no DOWN at first");
	side_run(4 * ORCM_SECOND);
	is_u64(side_acting(), 3, "25: then the lower one and the bridge act");
	ok(w->nodes[0].members == 3 && w->nodes[1].members == 3 &&
	    w->nodes[2].members == 4, "25: views do not overlap");
	ok(side_good() && side_deads() == 0, "25: nobody is DEAD");
	plan = mesh_calm(5, "default");
	side_begin(25);
	mesh_split(w, 0x03, 0x18, true);
	side_run(8 * ORCM_SECOND);
	for (i = 0; i < 5; i++)
		if (w->nodes[i].members != (i < 3 ? 0x07u : 0x18u))
			break;
	is_u64(i, 5, "25: two and two over a bridge: two clean groups");
	is_u64(side_acting(), 0x07, "25: the one with three acts");
	mesh_split(w, 0x03, 0x18, false);
	side_run(w->times.hold_up + ORCM_SECOND);
	ok(mesh_agreed(w) && side_good(), "25: healed");
}

/* Cut and healed in turns for 60 s; changes of one status in 15 s. */
static uint32_t
flip_flop(uint64_t half)
{
	uint32_t changes[8], i, most = 0, start;
	uint64_t end, next;

	plan = mesh_calm(4, "default");
	side_begin(26);
	end = w->now + 60 * ORCM_SECOND;
	next = w->now;
	start = 0;
	while (w->now < end && side_good()) {
		if (w->now >= next) {
			/* After the first seconds, in which it is learnt. */
			for (i = 1; start > 0 && i < 4; i++)
				if (w->nodes[0].told[i].changes -
					changes[i] > most)
					most = w->nodes[0].told[i].changes -
					    changes[i];
			for (i = 1; i < 4; i++)
				changes[i] = w->nodes[0].told[i].changes;
			start++;
			next = w->now + 15 * ORCM_SECOND;
		}
		mesh_split(w, 3, 12, true);
		side_run(half);
		mesh_split(w, 3, 12, false);
		side_run(half);
	}
	return most;
}

static void
flapping(void)
{
	uint32_t most = flip_flop(100 * ORCM_MS);

	ok(most <= 3 && side_deads() == 0,
	    "26: cut every T1 / 2 for 60 s: %u changes in 15 s", most);
	most = flip_flop(320 * ORCM_MS);
	ok(side_deads() == 0, "26: cut for 1.6 T1 each time: %u changes in "
	    "15 s, no DEAD", most);
	side_run(20 * w->times.period);
	ok(mesh_agreed(w) && side_good(), "26: healed");
}

static void
most_silent_for_one(void)
{
	uint32_t j;

	plan = mesh_calm(8, "default");
	side_begin(29);
	for (j = 1; j < 6; j++)
		mesh_cut(w, j, 0, 1, true);
	side_run(4 * ORCM_SECOND);
	is_u64(w->nodes[0].alarms[MEMB_ALARM_ISOLATED], 1,
	    "29: most are silent for one node: it thinks of itself");
	is_u64(w->nodes[0].fates, 0, "29: it writes no obituary");
	is_u64(side_downs(), 0, "29: nobody is DOWN");
	side_run(4 * ORCM_SECOND);
	ok(w->nodes[0].fates == 0 && side_deads() == 0 && side_good(),
	    "29: nor later");
	is_u64(side_acting() & 1, 0, "29: after 5 s it is the one excluded");
}

int
main(void)
{
	one_way_cut();
	one_link_of_two();
	loss();
	split_of_five();
	split_of_four();
	split_of_two(MEMB_TAKEOVER, 0, 1, 3,
	    "takeover: the primary, one T1 later the other");
	split_of_two(MEMB_STRICT, 0, 1, 1, "strict: only the primary");
	split_of_two(MEMB_WITNESS, 2, 2, 2,
	    "witness: only who has it");
	one_of_two_dies();
	bridge();
	flapping();
	most_silent_for_one();
	mesh_free(w);
	return done_testing();
}
