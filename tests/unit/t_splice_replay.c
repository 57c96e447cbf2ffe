/* SPDX-License-Identifier: ISC */
#include "splice_side.h"
#include "tap.h"

/* Replicas that write again what was delivered long ago. */
#define WINDOW 65536u

static struct side d;

static void
begin(uint32_t ranks)
{
	uint32_t i;

	side_open(&d, ranks, SPLICE_LEADER, WINDOW);
	for (i = 0; i < ranks; i++)
		splice_start(&d.s, i);
}

static void
end(void)
{
	side_close(&d);
}

/* Exactly one difference, of that rank, at that place. */
static bool
one_difference(uint32_t rank, enum splice_difference how, uint64_t from,
    uint64_t to)
{
	struct splice_out o, more;

	return splice_take(&d.s, &o) && !splice_take(&d.s, &more) &&
	    o.rank == rank && o.how == how && o.from == from && o.to == to;
}

static bool
no_difference(void)
{
	struct splice_out o;

	return !splice_take(&d.s, &o);
}

/* Writes and delivers so much, so that old bytes are forgotten. */
static void
run_far(uint64_t to)
{
	uint64_t n;

	while (d.s.done < to) {
		side_text(&d, 0, SPLICE_CHUNK);
		(void)side_drain(&d, &n);
	}
}

static void
replay_within_the_kept_bytes(void)
{
	uint64_t n;

	begin(2);
	splice_lead(&d.s, 0);
	side_text(&d, 0, 5000);
	ok(side_drain(&d, &n), "some text");
	splice_lost(&d.s, 1);
	splice_start(&d.s, 1);
	side_text(&d, 1, 4999);
	ok(!splice_level(&d.s, 1), "one byte is missing");
	side_text(&d, 1, 1);
	ok(splice_level(&d.s, 1) && splice_agrees(&d.s, 1), "level");
	side_text(&d, 1, 10);
	splice_lost(&d.s, 0);
	splice_lead(&d.s, 1);
	ok(side_drain(&d, &n) && n == 10, "it can lead");
	end();
}

static void
replay_is_checked_by_hashes(void)
{
	begin(2);
	splice_lead(&d.s, 0);
	splice_lost(&d.s, 1);
	run_far(4 << 20);
	ok(d.s.lanes[d.s.trunk].lo > 3 << 20, "the beginning is forgotten");
	splice_start(&d.s, 1);
	ok(d.s.ranks[1].hashing, "only hashes are left");
	while (!splice_level(&d.s, 1))
		if (side_text(&d, 1, 7777) == 0)
			break;
	ok(splice_level(&d.s, 1) && splice_agrees(&d.s, 1), "all agree");
	run_far(5 << 20);
	side_text(&d, 1, 1 << 20);
	ok(no_difference() && splice_level(&d.s, 1), "and it goes on");
	end();
}

/* One wrong byte in a replay. */
static void
replay_wrong_at(uint64_t wrong, uint64_t far)
{
	struct splice_out o;
	uint64_t step, n;
	uint8_t b;

	begin(2);
	splice_lead(&d.s, 0);
	splice_lost(&d.s, 1);
	run_far(far);
	step = d.s.lanes[d.s.trunk].step;
	splice_start(&d.s, 1);
	side_text(&d, 1, (size_t)wrong);
	b = (uint8_t)~side_byte(wrong);
	side_put(&d, 1, &b, 1);
	while (!splice_level(&d.s, 1))
		if (side_text(&d, 1, 50000) == 0)
			break;
	ok(splice_take(&d.s, &o), "a wrong byte at %" PRIu64 " is found",
	    wrong);
	ok(o.rank == 1 && o.how == SPLICE_BYTES && o.from <= wrong &&
	    wrong <= o.to && o.to - o.from <= step,
	    "and placed within %" PRIu64 " bytes", step);
	ok(o.from == o.to || o.theirs_len == 0, "the bytes are gone");
	ok(!splice_agrees(&d.s, 1), "it stays a stranger");
	splice_lost(&d.s, 0);
	splice_lead(&d.s, 1);
	side_text(&d, 1, 100);
	step = d.s.ranks[1].pos - d.s.done;
	ok(side_drain(&d, &n) && n == step, "and can lead all the same");
	end();
}

static void
hashes_find_one_wrong_byte(void)
{
	replay_wrong_at(0, 2 << 20);
	replay_wrong_at(65535, 2 << 20);
	replay_wrong_at(65536, 2 << 20);
	replay_wrong_at(1000000, 2 << 20);
	replay_wrong_at((2 << 20) - SPLICE_HISTORY - WINDOW - 1, 2 << 20);
}

/* A follower that is slower than the history is long goes on by hashing. */
static void
slow_follower_falls_behind_the_history(void)
{
	uint64_t n, held;

	begin(3);
	splice_lead(&d.s, 0);
	run_far(100000);
	side_text(&d, 1, 33333);
	side_text(&d, 2, 33333);
	run_far(3 << 20);
	ok(d.s.ranks[1].hashing && d.s.ranks[2].hashing, "both fell behind");
	while (side_text(&d, 1, 60000) > 0 && !splice_level(&d.s, 1))
		;
	ok(splice_level(&d.s, 1) && splice_agrees(&d.s, 1), "one comes back");
	side_put(&d, 2, "?", 1);
	while (!splice_level(&d.s, 2) && side_text(&d, 2, 60000) > 0)
		;
	struct splice_out o;
	ok(splice_take(&d.s, &o) && o.rank == 2 && o.from <= 33333 &&
	    33333 <= o.to, "the other one is found out");
	splice_lost(&d.s, 0);
	splice_lead(&d.s, 1);
	side_text(&d, 1, 5);
	held = d.s.ranks[1].pos - d.s.done;
	ok(side_drain(&d, &n) && n == held, "the good one leads on");
	end();
}

static void
marks_grow_apart(void)
{
	const uint64_t far = UINT64_C(160) << 20;
	struct splice_lane *l;

	begin(2);
	splice_lead(&d.s, 0);
	splice_lost(&d.s, 1);
	run_far(far);
	l = &d.s.lanes[d.s.trunk];
	ok(l->step > SPLICE_MARK_FIRST && l->marks_len <= SPLICE_MARKS,
	    "%u marks, %" PRIu64 " bytes apart", l->marks_len, l->step);
	is_u64(l->marks_len, l->lo / l->step, "none is missing");
	splice_start(&d.s, 1);
	side_text(&d, 1, (size_t)far);
	ok(splice_level(&d.s, 1) && splice_agrees(&d.s, 1),
	    "a replay of all of it agrees");
	end();
	replay_wrong_at(far / 2 + 12345, far);
}

/* A replay that began before the leader's text became another one. */
static void
replay_follows_the_delivered_text(void)
{
	uint64_t i, n;

	begin(3);
	splice_lead(&d.s, 0);
	run_far(1 << 20);
	side_text(&d, 1, 1 << 20);
	splice_lost(&d.s, 2);
	splice_start(&d.s, 2);
	side_text(&d, 2, 1000);
	ok(d.s.ranks[2].hashing, "a replay has begun");
	/* From here the leader writes zeros. */
	for (i = 0; i < 3 << 20; i += 4096) {
		static const uint8_t zeros[4096];

		side_text(&d, 1, 4096);
		side_put(&d, 0, zeros, sizeof(zeros));
		(void)side_drain(&d, &n);
	}
	side_text(&d, 2, (1 << 20) - 1000);
	for (i = 0; i < 3 << 20; i += 4096) {
		static const uint8_t zeros[4096];

		side_put(&d, 2, zeros, sizeof(zeros));
	}
	ok(splice_level(&d.s, 2) && splice_agrees(&d.s, 2),
	    "it agrees with what was delivered");
	ok(one_difference(1, SPLICE_BYTES, 1 << 20, 1 << 20),
	    "the other follower does not");
	end();
}

int
main(void)
{
	replay_within_the_kept_bytes();
	replay_is_checked_by_hashes();
	hashes_find_one_wrong_byte();
	slow_follower_falls_behind_the_history();
	marks_grow_apart();
	replay_follows_the_delivered_text();
	return done_testing();
}
