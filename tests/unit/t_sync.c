/* SPDX-License-Identifier: ISC */
#include "aborts.h"
#include "sync_side.h"
#include "tap.h"

/* One rule each; t_sync_model.c has all of them at once. */

static const struct picture_owner *
row(uint32_t n, uint32_t owner)
{
	return picture_owner(&side.nodes[n].picture, side_number(owner));
}

static bool
alike(uint32_t a, uint32_t b)
{
	return picture_digest(&side.nodes[a].picture) ==
	    picture_digest(&side.nodes[b].picture);
}

static void
sent_nothing(void)
{
	memset(side.sent, 0, sizeof(side.sent));
}

static void
whole_frame(uint32_t to, uint32_t from, uint32_t owner, uint64_t epoch,
    uint64_t seq, uint8_t flags)
{
	side_feed(to, (struct sync_in){ .event = SYNC_IN_WHOLE,
	    .peer = side_slot(to, from), .owner = side_number(owner),
	    .epoch = epoch, .seq = seq, .flags = flags });
}

static void
beats(uint32_t a, uint32_t b, uint32_t n)
{
	for (; n > 0; n--) {
		side.now += 50 * ORCM_MS;
		side_beat(a, b);
		side_beat(b, a);
	}
}

static void
peers_that_meet_become_alike(void)
{
	uint32_t k;

	side_begin(2);
	for (k = 0; k < KEYS; k++)
		side_put(k % 2, k, 100 + k);
	side_del(0, 4);
	ok(sync_complete(&side.nodes[0].sync), "alone it has everything");
	side_link(0, 1);
	ok(!sync_complete(&side.nodes[0].sync), "with a peer not yet");
	side_quiet();
	ok(side_knows(0, 1) && side_knows(1, 0), "each knows the other's");
	ok(alike(0, 1), "digests say so");
	ok(sync_complete(&side.nodes[0].sync) &&
	    sync_complete(&side.nodes[1].sync), "both know that it is all");
	is_u64(side.sent[SYNC_SEND_PULL], 2, "one PULL each");
	is_u64(side.sent[SYNC_SEND_WHOLE], 4, "its answer's begin and end");
	is_u64(side.sent[SYNC_SEND_RECORD], KEYS, "each record once");
	is_u64(side.bad, 0, "and never more than the queue takes");
}

static void
changes_go_to_all_peers_at_once(void)
{
	side_begin(3);
	side_link(0, 1);
	side_link(0, 2);
	side_link(1, 2);
	side_quiet();
	sent_nothing();
	side_put(0, 5, 1);
	is_u64(side.queues[0][1].len + side.queues[0][2].len, 2,
	    "one frame for each");
	side_quiet();
	ok(side_knows(1, 0) && side_knows(2, 0), "both know");
	side_del(0, 5);
	side_quiet();
	ok(side_knows(1, 0) && side_knows(2, 0), "also of the deletion");
	is_u64(side.frames, side.sent[SYNC_SEND_RECORD] + 24,
	    "and nobody passes it on");
	is_u64(side.sent[SYNC_SEND_RECORD], 4, "four frames in all");
	is_u64(row(1, 0)->seq, 2, "complete without a word more");
}

static void
slow_peer_hears_the_last_state(void)
{
	uint32_t i;

	side_begin(2);
	side_link(0, 1);
	side_quiet();
	sent_nothing();
	for (i = 0; i < 1000; i++)
		side_put(0, i % 3, i);
	is_u64(side.queues[0][1].len, WINDOW, "the queue is full");
	side_quiet();
	ok(side_knows(1, 0) && alike(0, 1), "then all is known");
	ok(side.sent[SYNC_SEND_RECORD] <= WINDOW + 3,
	    "with %u of 1000 changes", side.sent[SYNC_SEND_RECORD]);
	is_u64(side.bad, 0, "and the queue was never too full");
}

static void
other_owners_come_by_repair(void)
{
	side_begin(3);
	side_link(0, 1);
	side_put(0, 1, 1);
	side_put(0, 2, 2);
	side_quiet();
	side_cut(0, 1);
	side_link(1, 2);
	side_quiet();
	ok(side_knows(2, 0), "what 0 had told 1, 2 has of 1");
	ok(sync_complete(&side.nodes[2].sync), "and it is all");
	side_put(0, 3, 3);
	side_link(0, 2);
	side_quiet();
	ok(side_knows(2, 0), "then of 0 itself");
	ok(!alike(1, 2), "1 is behind");
	beats(1, 2, 1);
	side_quiet();
	ok(!alike(1, 2), "which may be for a moment");
	beats(1, 2, 3);
	side_quiet();
	ok(alike(1, 2) && side_knows(1, 0), "but not for long");
}

static void
incremental_when_a_peer_comes_back(void)
{
	uint32_t k;

	side_begin(2);
	for (k = 0; k < KEYS; k++)
		side_put(0, k, k);
	side_link(0, 1);
	side_quiet();
	side_cut(0, 1);
	side_put(0, 3, 77);
	side_del(0, 7);
	sent_nothing();
	side_link(0, 1);
	side_quiet();
	ok(side_knows(1, 0), "all is known");
	is_u64(side.sent[SYNC_SEND_RECORD], 2, "by what has changed");
}

static void
sleeper_learns_of_forgotten_deletions(void)
{
	uint32_t k;

	side_begin(3);
	for (k = 0; k < KEYS; k++)
		side_put(0, k, k);
	side_link(0, 1);
	side_link(0, 2);
	side_link(1, 2);
	side_quiet();
	side_cut(0, 1);
	side_cut(1, 2);
	for (k = 0; k < KEYS; k += 2)
		side_del(0, k);
	side_quiet();
	is_u64(side.nodes[0].picture.dead, KEYS / 2, "tombstones are kept");
	beats(0, 2, 1);
	is_u64(side.nodes[0].picture.dead, 0,
	    "until all peers that are here have the same");
	sent_nothing();
	side_link(0, 1);
	side_quiet();
	ok(side_knows(1, 0), "who slept has not missed them");
	is_u64(side.sent[SYNC_SEND_RECORD], KEYS / 2,
	    "it was told what there is");
}

static void
restart_of_a_daemon_deletes_nothing(void)
{
	uint32_t k;

	side_begin(2);
	side.immortal = KEYS - 1;
	for (k = 0; k < KEYS; k++)
		side_put(0, k, k);
	side_settle(0);
	side_link(0, 1);
	side_quiet();
	side_event(1, 0, SYNC_IN_PEER_DOWN);
	side.queues[0][1].up = side.queues[1][0].up = false;
	side_start(0, 11);
	side_link(0, 1);
	side_quiet();
	is_u64(row(1, 0)->living.len, KEYS, "an empty daemon has not lost it");
	ok(alike(0, 1), "which is no difference");
	for (k = 0; k < KEYS / 2; k++)
		side_put(0, k, k);
	side_quiet();
	is_u64(row(1, 0)->living.len, KEYS, "nor one that begins to tell");
	side.nodes[0].keys[KEYS - 1].here = false;
	side_settle(0);
	side_quiet();
	ok(side_knows(1, 0), "what nobody told again goes in the end");
	is_u64(side.bad, 0, "and nothing else ever did");
}

static void
connection_lost_in_the_middle(void)
{
	uint32_t k;

	side_begin(3);
	for (k = 0; k < KEYS; k++)
		side_put(0, k, k);
	side_link(0, 1);
	side_quiet();
	side_link(0, 2);
	side_link(1, 2);
	for (k = 0; k < 3; k++) {
		(void)side_deliver(0, 2);
		(void)side_deliver(2, 0);
		(void)side_deliver(1, 2);
	}
	ok(!side_knows(2, 0) && !sync_complete(&side.nodes[2].sync),
	    "2 is being told by 0");
	side_cut(0, 2);
	ok(!sync_complete(&side.nodes[2].sync), "that has ended too early");
	side_quiet();
	ok(side_knows(2, 0) && sync_complete(&side.nodes[2].sync),
	    "1, which had offered the same, tells it");
}

static void
lost_epoch_rises(void)
{
	side_begin(3);
	side_put(0, 1, 1);
	side_put(0, 2, 2);
	side_link(0, 1);
	side_quiet();
	side_cut(0, 1);
	side_start(0, 3);
	side.nodes[0].keys[2].here = false;
	side_put(0, 1, 5);
	side_link(0, 2);
	side_quiet();
	ok(side_knows(2, 0), "2 knows no other life");
	side_link(0, 1);
	side_quiet();
	ok(side.nodes[0].epoch > 10, "0 has heard of a later life");
	is_u64(side.nodes[0].epoch % SYNC_EPOCH_STEP, 3,
	    "its epoch is above and still its own");
	ok(side.nodes[1].view[0][2] != 0, "what it had might come again");
	side_settle(0);
	side_quiet();
	ok(side_knows(1, 0) && side_knows(2, 0), "all know what it has now");
	ok(alike(0, 1), "and that it is the same");
	side_feed(0, (struct sync_in){ .event = SYNC_IN_RISE,
	    .epoch = side.nodes[0].epoch + 9 });
	side_quiet();
	ok(side_knows(1, 0) && alike(0, 1), "when told so it rises again");
}

static void
dead_ones_are_forgotten(void)
{
	side_begin(3);
	side_put(0, 1, 1);
	side_link(0, 1);
	side_link(1, 2);
	side_quiet();
	side_cut(0, 1);
	side_event(1, 0, SYNC_IN_FORGET);
	is_u64(side.nodes[1].view[0][1], 0, "subscribers hear that it is gone");
	ok(row(1, 0) == NULL, "nothing is known of it");
	beats(1, 2, 5);
	side_quiet();
	ok(row(1, 0) == NULL, "and nothing comes back of one who knows it");
	side_event(2, 0, SYNC_IN_FORGET);
	ok(alike(1, 2), "until all have forgotten");
	side_link(0, 1);
	side_quiet();
	ok(side.nodes[0].epoch > 10, "who is not dead takes another epoch");
	ok(side_knows(1, 0), "and is known again");
}

static void
picture_without_room(void)
{
	uint32_t k;

	side_begin(2);
	for (k = 0; k < KEYS; k++)
		side_put(0, k, k);
	side.records_max = 10;
	side_start(1, 10);
	side_link(0, 1);
	side_quiet();
	is_u64(row(1, 0)->living.len, 10, "as many as there may be");
	ok(!sync_complete(&side.nodes[1].sync), "that is not all");
	is_u64(row(1, 0)->seq, 10, "nor claimed to be");
	ok(side.nodes[1].sync.full == KEYS - 10, "each is counted");
	for (k = 5; k < KEYS; k++)
		side_del(0, k);
	side_quiet();
	beats(0, 1, 5);
	side_quiet();
	ok(side_knows(1, 0) && sync_complete(&side.nodes[1].sync),
	    "when there is room again all is known");
}

/* While it does not help, vectors are exchanged ever more rarely. */
static void
asking_is_rare(void)
{
	uint32_t i;

	side_begin(2);
	side_link(0, 1);
	side_quiet();
	sent_nothing();
	for (i = 0; i < 20 * 120; i++) {
		side.now += 50 * ORCM_MS;
		side_feed(0, (struct sync_in){ .event = SYNC_IN_DIGEST,
		    .peer = side_slot(0, 1), .digest = i });
		side_quiet();
	}
	is_u64(side.sent[SYNC_SEND_HAVE], 2 * 9,
	    "nine times in two minutes, and answered");
}

static void
frames_that_make_no_sense(void)
{
	struct sync_row r = { .owner = side_number(2) };
	struct picture_record x = { .owner = side_number(2), .kind = 3,
		.id = 1, .epoch = 1, .seq = 1,
		.value = (const uint8_t *)"" };
	struct sync *s;
	uint32_t i;

	side_begin(2);
	side_link(0, 1);
	side_quiet();
	s = &side.nodes[0].sync;
	side_feed(0, (struct sync_in){ .event = SYNC_IN_HAVE,
	    .peer = side_slot(0, 1), .rows = &r, .rows_len = 1 });
	is_u64(s->bad, 1, "an epoch that cannot be");
	side_feed(0, (struct sync_in){ .event = SYNC_IN_RECORD,
	    .peer = side_slot(0, 1), .record = &x });
	is_u64(s->bad, 2, "a record that was not asked for");
	whole_frame(0, 1, 1, 10, 5, SYNC_WHOLE_ANSWER);
	is_u64(s->bad, 3, "an answer to nothing");
	whole_frame(0, 1, 1, 10, 5, SYNC_WHOLE_FLAGS + 1);
	is_u64(s->bad, 4, "an unknown flag");
	x.owner = side_number(1);
	x.kind = 0;
	side_feed(0, (struct sync_in){ .event = SYNC_IN_RECORD,
	    .peer = side_slot(0, 1), .record = &x });
	is_u64(s->bad, 5, "a record that cannot be");
	for (i = 0; i < SYNC_RANGES + 8; i++)
		side_feed(0, (struct sync_in){ .event = SYNC_IN_PULL,
		    .peer = side_slot(0, 1),
		    .owner = (uint16_t)(1000 + i) });
	ok(s->bad >= 5 && side.bad == 0, "many PULLs overflow nothing");
	r.owner = side_number(0);
	r.epoch = PICTURE_EPOCH_MAX;
	side_feed(0, (struct sync_in){ .event = SYNC_IN_HAVE,
	    .peer = side_slot(0, 1), .rows = &r, .rows_len = 1 });
	is_u64(side.nodes[0].epoch, 10, "an epoch that has none above");
	side_cut(0, 1);
	side_event(0, 1, SYNC_IN_SENT);
	side_beat(1, 0);
	side_event(0, 1, SYNC_IN_PEER_DOWN);
	ok(sync_complete(s), "words of who is not there count nothing");
}

static void
second_connection_replaces_the_first(void)
{
	side_begin(2);
	side_put(1, 1, 1);
	side_link(0, 1);
	side_quiet();
	side_feed(0, (struct sync_in){ .event = SYNC_IN_PEER_UP,
	    .peer = side_slot(0, 1), .owner = side_number(1) });
	ok(!sync_complete(&side.nodes[0].sync), "in the same slot");
	side_quiet();
	side.queues[0][1].up = false;
	side.queues[0][5].up = true;
	side_feed(0, (struct sync_in){ .event = SYNC_IN_PEER_UP,
	    .peer = side_slot(0, 5), .owner = side_number(1) });
	ok(!side.nodes[0].sync.peers[side_slot(0, 1)].up,
	    "or in another");
	is_u64(side.queues[0][5].len, 1, "it gets our vector");
}

static void
peer_that_is_ourselves(void)
{
	side_begin(1);
	side_feed(0, (struct sync_in){ .event = SYNC_IN_PEER_UP,
	    .peer = 3, .owner = side_number(0) });
}

static void
feed_before_all_is_taken(void)
{
	struct picture_record x = { .owner = side_number(1), .kind = 3,
		.id = 1, .epoch = 10, .seq = 1,
		.value = (const uint8_t *)"" };
	struct sync_in in = { .event = SYNC_IN_RECORD,
		.peer = side_slot(0, 1), .record = &x };

	side_begin(2);
	side_link(0, 1);
	side_quiet();
	sync_feed(&side.nodes[0].sync, 0, &in);
	sync_feed(&side.nodes[0].sync, 0, &in);
}

static void
slot_that_is_not_there(void)
{
	side_begin(1);
	side_feed(0, (struct sync_in){ .event = SYNC_IN_TICK,
	    .peer = NODES });
}

int
main(void)
{
	peers_that_meet_become_alike();
	changes_go_to_all_peers_at_once();
	slow_peer_hears_the_last_state();
	other_owners_come_by_repair();
	incremental_when_a_peer_comes_back();
	sleeper_learns_of_forgotten_deletions();
	restart_of_a_daemon_deletes_nothing();
	connection_lost_in_the_middle();
	lost_epoch_rises();
	dead_ones_are_forgotten();
	picture_without_room();
	asking_is_rare();
	frames_that_make_no_sense();
	second_connection_replaces_the_first();
	ok(aborts(peer_that_is_ourselves), "nobody is its own peer");
	ok(aborts(feed_before_all_is_taken), "effects are taken before");
	ok(aborts(slot_that_is_not_there), "slots are below peers_max");
	side_end();
	return done_testing();
}
