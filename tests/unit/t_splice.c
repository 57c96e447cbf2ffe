/* SPDX-License-Identifier: ISC */
#include "aborts.h"
#include "splice_side.h"
#include "tap.h"

#define WINDOW 65536u

static struct side d;

static void
begin(uint32_t ranks, enum splice_mode mode)
{
	uint32_t i;

	side_open(&d, ranks, mode, WINDOW);
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

static void
leader_is_delivered_followers_are_held(void)
{
	begin(3, SPLICE_LEADER);
	side_str(&d, 0, "abc");
	side_str(&d, 1, "abcdef");
	is_str(side_read(&d), "", "nobody leads, nothing is delivered");
	splice_lead(&d.s, 0);
	is_str(side_read(&d), "abc", "the leader's bytes");
	is_str(side_read(&d), "", "but not what a follower has ahead");
	side_str(&d, 2, "a");
	side_str(&d, 0, "de");
	is_str(side_read(&d), "de", "the next of the leader");
	ok(splice_level(&d.s, 1) && !splice_level(&d.s, 2),
	    "level is who has written all that was delivered");
	splice_lead(&d.s, ORCM_RANK_NONE);
	side_str(&d, 0, "f");
	is_str(side_read(&d), "", "nobody leads any more");
	ok(no_difference(), "nothing differs");
	end();
}

static void
switch_to_a_follower_that_is_ahead(void)
{
	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abc");
	side_str(&d, 1, "abcdef");
	is_str(side_read(&d), "abc", "the leader's bytes first");
	splice_lost(&d.s, 0);
	is_str(side_read(&d), "", "a dead leader writes no more");
	splice_lead(&d.s, 1);
	is_str(side_read(&d), "def", "the new one goes on at the next byte");
	end();
}

static void
switch_to_a_follower_that_is_level_or_behind(void)
{
	begin(3, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abcdef");
	side_str(&d, 1, "abcdef");
	side_str(&d, 2, "ab");
	is_str(side_read(&d), "abcdef", "delivered");
	splice_lost(&d.s, 0);
	splice_lead(&d.s, 1);
	is_str(side_read(&d), "", "level: nothing is doubled");
	side_str(&d, 1, "g");
	is_str(side_read(&d), "g", "and nothing lost");
	splice_lost(&d.s, 1);
	splice_lead(&d.s, 2);
	side_str(&d, 2, "cdef");
	is_str(side_read(&d), "", "behind: known bytes are only compared");
	side_str(&d, 2, "gh");
	is_str(side_read(&d), "h", "then it goes on");
	ok(no_difference(), "nothing differs");
	end();
}

static void
undelivered_bytes_of_a_dead_leader_are_said_by_the_next(void)
{
	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abcdef");
	splice_lost(&d.s, 0);
	is_str(side_read(&d), "", "its end may be half of a thing");
	splice_lead(&d.s, 1);
	side_str(&d, 1, "abc");
	is_str(side_read(&d), "abc", "only what the new leader wrote");
	side_str(&d, 1, "dXf");
	is_str(side_read(&d), "dXf", "its own text, not the dead one's");
	ok(no_difference(), "who is dead is not reported");
	splice_start(&d.s, 0);
	side_str(&d, 0, "abcdX");
	ok(splice_agrees(&d.s, 0), "a new life is compared with what went out");
	end();
}

static void
leader_that_ended_is_delivered_to_its_end(void)
{
	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abc");
	side_str(&d, 1, "abc");
	splice_eof(&d.s, 0);
	ok(!splice_complete(&d.s), "not complete before it is delivered");
	is_str(side_read(&d), "abc", "what it held");
	ok(splice_complete(&d.s), "complete");
	ok(splice_level(&d.s, 0), "who has ended is level");
	splice_eof(&d.s, 1);
	ok(no_difference(), "both ended alike");
	splice_eof(&d.s, 1);
	ok(splice_level(&d.s, 1), "a second end says nothing new");
	end();
}

static void
follower_that_ended_can_lead(void)
{
	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "ab");
	side_str(&d, 1, "abcd");
	splice_eof(&d.s, 1);
	is_str(side_read(&d), "ab", "the leader's part");
	splice_lost(&d.s, 0);
	splice_lead(&d.s, 1);
	is_str(side_read(&d), "cd", "the rest was held");
	ok(splice_complete(&d.s), "and it is the end");
	end();
}

static void
difference_is_shown_where_it_begins(void)
{
	struct splice_out o;

	begin(3, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "hello world");
	side_str(&d, 1, "hello World");
	ok(splice_take(&d.s, &o), "reported before it is delivered");
	is_u64(o.rank, 1, "the follower");
	ok(o.how == SPLICE_BYTES && o.from == 6 && o.to == 6, "at byte 6");
	ok(o.theirs_len == 5 && memcmp(o.theirs, "World", 5) == 0 &&
	    o.ours_len == 5 && memcmp(o.ours, "world", 5) == 0,
	    "both texts from there");
	is_str(side_read(&d), "hello world", "the leader is believed");
	side_str(&d, 1, " and more");
	ok(no_difference(), "reported once");
	ok(!splice_agrees(&d.s, 1) && splice_agrees(&d.s, 2),
	    "who disagrees is known");
	splice_lost(&d.s, 1);
	splice_start(&d.s, 1);
	side_str(&d, 1, "hello World");
	ok(no_difference(), "once, also in its next life");
	end();
}

static void
difference_ahead_of_the_leader_waits_for_it(void)
{
	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 1);
	side_str(&d, 0, "abXd");
	side_str(&d, 1, "ab");
	ok(no_difference(), "the leader has not said it yet");
	side_str(&d, 1, "c");
	ok(one_difference(0, SPLICE_BYTES, 2, 2), "now it has");
	is_str(side_read(&d), "abc", "and what it says is delivered");
	end();
}

static void
ends_that_differ_are_reported(void)
{
	begin(4, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abcdef");
	side_str(&d, 1, "abcd");
	side_str(&d, 2, "abcdefgh");
	side_str(&d, 3, "abcdef");
	ok(no_difference(), "who is open may still write or not");
	splice_eof(&d.s, 1);
	ok(one_difference(1, SPLICE_SHORTER, 4, 4), "one ended early");
	splice_eof(&d.s, 0);
	ok(one_difference(2, SPLICE_LONGER, 6, 6), "one has said more");
	splice_eof(&d.s, 3);
	ok(no_difference(), "and one is right");
	end();
}

static void
end_of_one_that_was_stopped_is_no_measure(void)
{
	begin(3, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abcd");
	side_str(&d, 1, "abcdef");
	side_str(&d, 2, "abX");
	splice_stopped(&d.s, 0);
	is_str(side_read(&d), "abcd", "what it said is delivered");
	ok(splice_complete(&d.s), "and that is all");
	ok(one_difference(2, SPLICE_BYTES, 2, 2), "a difference is one");
	ok(no_difference(), "but others may have said more");
	end();
}

/* Lanes part behind the end of one of them. */
static void
ends_are_compared_over_lanes(void)
{
	begin(4, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 1, "abcdef");
	side_str(&d, 0, "abcX");
	side_str(&d, 2, "ab");
	splice_eof(&d.s, 2);
	side_str(&d, 3, "abcdef");
	ok(d.s.ranks[0].lane != d.s.ranks[2].lane, "they are on two lanes");
	side_read(&d);
	struct splice_out o;
	uint32_t seen = 0;
	while (splice_take(&d.s, &o)) {
		if (o.rank == 2)
			ok(o.how == SPLICE_SHORTER && o.from == 2,
			    "rank 2 ended early");
		else
			ok(o.how == SPLICE_BYTES && o.from == 3,
			    "rank %u differs", o.rank);
		seen |= 1u << o.rank;
	}
	is_u64(seen, 0xe, "each once");
	end();

	begin(3, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 1, "abcdef");
	side_str(&d, 2, "abcdXX");
	side_str(&d, 0, "ab");
	splice_eof(&d.s, 0);
	ok(splice_take(&d.s, &o) && o.rank == 1 && o.how == SPLICE_LONGER &&
	    o.from == 2, "longer on the leader's lane");
	ok(splice_take(&d.s, &o) && o.rank == 2 && o.how == SPLICE_LONGER &&
	    o.from == 2, "longer on another one");
	end();
}

/* The only life that is left is compared with what was delivered. */
static void
leader_with_nothing_new_is_compared_too(void)
{
	begin(1, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	(void)side_str(&d, 0, "abcdef");
	is_str(side_read(&d), "abcdef", "one life");
	splice_lost(&d.s, 0);
	splice_start(&d.s, 0);
	(void)side_str(&d, 0, "abX");
	ok(one_difference(0, SPLICE_BYTES, 2, 2),
	    "the next one differs below what was delivered");
	end();
	begin(1, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	(void)side_str(&d, 0, "abcdef");
	(void)side_read(&d);
	splice_lost(&d.s, 0);
	splice_start(&d.s, 0);
	(void)side_str(&d, 0, "abc");
	ok(no_difference(), "one that is behind says the same so far");
	splice_eof(&d.s, 0);
	ok(one_difference(0, SPLICE_SHORTER, 3, 3), "unless it ends there");
	end();
}

static void
equal_strangers_share_a_lane(void)
{
	begin(5, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	side_str(&d, 0, "abcdef");
	side_str(&d, 1, "abXdef");
	side_str(&d, 2, "abX");
	side_str(&d, 3, "abYdef");
	is_u64(side_lanes(&d), 3, "three texts, three lanes");
	side_str(&d, 2, "def!");
	side_str(&d, 4, "abXdef!");
	is_u64(side_lanes(&d), 3, "whoever says the same joins");
	ok(d.s.ranks[1].lane == d.s.ranks[2].lane &&
	    d.s.ranks[2].lane == d.s.ranks[4].lane, "these three");
	splice_lost(&d.s, 0);
	splice_lead(&d.s, 2);
	is_str(side_read(&d), "abXdef!", "any lane can be led from");
	side_str(&d, 1, "!?");
	is_str(side_read(&d), "", "the leader's bytes only");
	splice_lead(&d.s, 1);
	is_str(side_read(&d), "?", "then another's on the same lane");
	end();
}

static void
a_lane_for_everybody_in_every_life(void)
{
	char text[24];
	uint32_t i, life, k;

	begin(8, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	for (life = 0; life < 40; life++) {
		for (i = 0; i < 8; i++) {
			memset(text, 'a', sizeof(text));
			for (k = 1 + (i * 5 + life) % 20; k < 24; k++)
				text[k] = (char)('a' + i);
			side_put(&d, i, text, sizeof(text));
		}
		if (life % 3 == 0)
			side_read(&d);
		for (i = 0; i < 8; i++) {
			splice_lost(&d.s, (i + life) % 8);
			splice_start(&d.s, (i + life) % 8);
		}
		splice_lead(&d.s, life % 8);
	}
	ok(side_lanes(&d) <= 8, "no lane is kept that nobody needs");
	end();
}

static void
nobody_is_a_window_ahead(void)
{
	uint64_t n;
	uint8_t *at;

	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	is_u64(side_text(&d, 1, 3 * WINDOW), WINDOW, "a follower stops");
	is_u64(splice_room(&d.s, 1, &at), 0, "no room");
	splice_took(&d.s, 1, 0);
	side_text(&d, 0, 1000);
	ok(side_drain(&d, &n) && n == 1000, "1000 bytes go out");
	is_u64(side_text(&d, 1, WINDOW), 1000, "so many may follow");
	is_u64(side_text(&d, 0, 4 * WINDOW), WINDOW, "the leader stops too");
	ok(side_drain(&d, &n) && n == WINDOW, "until its bytes go out");
	end();
}

static void
stream_wraps_around_its_ring(void)
{
	uint64_t n, all = 0;
	bool good = true;

	begin(2, SPLICE_LEADER);
	splice_lead(&d.s, 0);
	while (all < 3 * d.s.cap) {
		side_text(&d, 0, 4093);
		side_text(&d, 1, 4093);
		good = side_drain(&d, &n) && good;
		all += n;
	}
	ok(good, "the same bytes");
	ok(no_difference() && d.s.ranks[1].lane == d.s.ranks[0].lane,
	    "compared over the end of the ring");
	end();
}

static void
majority_outvotes_one(void)
{
	begin(3, SPLICE_MAJORITY);
	side_str(&d, 0, "abcdef");
	is_str(side_read(&d), "", "one voice is no majority");
	side_str(&d, 1, "abc");
	is_str(side_read(&d), "abc", "two are");
	side_str(&d, 2, "abX");
	ok(one_difference(2, SPLICE_BYTES, 2, 2), "the third is outvoted");
	side_str(&d, 1, "def");
	is_str(side_read(&d), "def", "and the two go on");
	splice_eof(&d.s, 0);
	ok(!splice_complete(&d.s), "one end is no majority");
	splice_eof(&d.s, 1);
	ok(splice_complete(&d.s) && !splice_split(&d.s), "two are");
	end();
}

static void
half_is_no_majority(void)
{
	begin(4, SPLICE_MAJORITY);
	side_str(&d, 0, "abcX");
	side_str(&d, 1, "abcX");
	is_str(side_read(&d), "", "two of four");
	side_str(&d, 2, "abcY");
	is_str(side_read(&d), "abc", "three of four");
	side_str(&d, 3, "abcY");
	is_str(side_read(&d), "", "two against two");
	ok(splice_split(&d.s), "which nobody can mend");
	end();
}

static void
majority_may_be_the_slower_ones(void)
{
	begin(5, SPLICE_MAJORITY);
	side_str(&d, 0, "aXcdefgh");
	side_str(&d, 1, "aYcdefgh");
	is_str(side_read(&d), "", "two texts");
	side_str(&d, 2, "abc");
	is_str(side_read(&d), "a", "the common beginning");
	side_str(&d, 3, "abcd");
	side_str(&d, 4, "ab");
	is_str(side_read(&d), "b", "three agree on one byte more");
	side_str(&d, 4, "cd");
	is_str(side_read(&d), "c", "and on the next");
	ok(!splice_split(&d.s), "no split");
	struct splice_out o;
	uint32_t seen = 0;
	while (splice_take(&d.s, &o))
		seen |= 1u << o.rank;
	is_u64(seen, 3, "the fast ones were wrong");
	end();
}

static void
three_answers_are_a_split(void)
{
	begin(3, SPLICE_MAJORITY);
	side_str(&d, 0, "abc1");
	side_str(&d, 1, "abc2");
	ok(!splice_split(&d.s), "the third may agree with one");
	side_str(&d, 2, "abc3");
	is_str(side_read(&d), "abc", "what they agree on");
	ok(splice_split(&d.s), "no majority can come any more");
	splice_lost(&d.s, 1);
	ok(!splice_split(&d.s), "a new life may agree");
	splice_gone(&d.s, 1);
	ok(splice_split(&d.s), "none will come");
	end();
}

static void
ends_vote_too(void)
{
	begin(3, SPLICE_MAJORITY);
	side_str(&d, 0, "abc");
	side_str(&d, 1, "abc");
	side_str(&d, 2, "abcd");
	is_str(side_read(&d), "abc", "agreed");
	splice_eof(&d.s, 0);
	ok(!splice_split(&d.s) && !splice_complete(&d.s), "still open");
	side_str(&d, 1, "e");
	ok(splice_split(&d.s), "one end, one d, one e");
	splice_lost(&d.s, 1);
	splice_start(&d.s, 1);
	side_str(&d, 1, "abc");
	splice_eof(&d.s, 1);
	ok(splice_complete(&d.s), "its next life ends with the first");
	ok(one_difference(2, SPLICE_LONGER, 3, 3), "the third goes on");
	end();
}

static void
majority_needs_the_dead_to_come_back(void)
{
	uint64_t n;

	begin(3, SPLICE_MAJORITY);
	side_text(&d, 0, 50000);
	splice_lost(&d.s, 1);
	splice_lost(&d.s, 2);
	ok(side_drain(&d, &n) && n == 0, "one is left: nothing is sure");
	ok(!splice_split(&d.s), "but others may come");
	splice_start(&d.s, 1);
	side_text(&d, 1, 20000);
	ok(side_drain(&d, &n) && n == 20000, "up to where two have written");
	splice_gone(&d.s, 2);
	ok(!splice_split(&d.s), "two of three are enough");
	splice_lost(&d.s, 1);
	splice_gone(&d.s, 1);
	ok(splice_split(&d.s), "one of three is not");
	end();
}

static void
one_rank_is_its_own_majority(void)
{
	begin(1, SPLICE_MAJORITY);
	side_str(&d, 0, "abc");
	is_str(side_read(&d), "abc", "delivered");
	splice_eof(&d.s, 0);
	ok(splice_complete(&d.s), "complete");
	end();
}

static void
too_small_a_window(void)
{
	side_open(&d, 1, SPLICE_LEADER, 4095);
}

static void
no_ranks(void)
{
	side_open(&d, 0, SPLICE_LEADER, 4096);
}

static void
delivers_what_it_has_not(void)
{
	begin(1, SPLICE_LEADER);
	splice_delivered(&d.s, 1);
}

int
main(void)
{
	leader_is_delivered_followers_are_held();
	switch_to_a_follower_that_is_ahead();
	switch_to_a_follower_that_is_level_or_behind();
	undelivered_bytes_of_a_dead_leader_are_said_by_the_next();
	leader_that_ended_is_delivered_to_its_end();
	follower_that_ended_can_lead();
	difference_is_shown_where_it_begins();
	difference_ahead_of_the_leader_waits_for_it();
	ends_that_differ_are_reported();
	end_of_one_that_was_stopped_is_no_measure();
	ends_are_compared_over_lanes();
	leader_with_nothing_new_is_compared_too();
	equal_strangers_share_a_lane();
	a_lane_for_everybody_in_every_life();
	nobody_is_a_window_ahead();
	stream_wraps_around_its_ring();
	majority_outvotes_one();
	half_is_no_majority();
	majority_may_be_the_slower_ones();
	three_answers_are_a_split();
	ends_vote_too();
	majority_needs_the_dead_to_come_back();
	one_rank_is_its_own_majority();
	ok(aborts(too_small_a_window), "a window below 4096 is our mistake");
	ok(aborts(no_ranks), "so is a job of nobody");
	ok(aborts(delivers_what_it_has_not), "so is to deliver nothing");
	return done_testing();
}
