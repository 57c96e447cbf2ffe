/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "aborts.h"
#include "base/rand.h"
#include "core/feed.h"
#include "tap.h"

#define W 1000u
#define ALL UINT64_MAX

static struct feed f;
static uint8_t memory[4096];

static void
begin(uint32_t ranks, uint64_t keep, bool leader_only)
{
	struct feed_conf conf = {
		.ranks_len = ranks,
		.window = W,
		.keep = keep,
		.leader_only = leader_only,
	};
	struct arena a;
	uint32_t i;

	if (feed_memory(&conf) > sizeof(memory))
		abort();
	memset(memory, 0, sizeof(memory));
	arena_init(&a, memory, sizeof(memory));
	feed_init(&f, &a, &conf);
	for (i = 0; i < ranks; i++)
		(void)feed_start(&f, i);
}

static uint64_t
waits(uint32_t rank)
{
	uint64_t at, n;

	feed_next(&f, rank, &at, &n);
	return n;
}

/* Reads as much as may be read, up to n. */
static uint64_t
input(uint64_t n)
{
	uint64_t room = feed_room(&f);

	n = n < room ? n : room;
	feed_input(&f, n);
	return n;
}

static void
fastest_is_one_window_ahead_of_the_slowest(void)
{
	begin(3, ALL, false);
	is_u64(input(9999), W, "a first window may be read");
	is_u64(feed_room(&f), 0, "no more");
	feed_fed(&f, 0, W);
	feed_fed(&f, 1, W);
	is_u64(feed_room(&f), 0, "the slowest counts");
	feed_fed(&f, 2, 300);
	is_u64(input(9999), 300, "as far as it has come");
	is_u64(waits(0), 300, "the fast ones get it");
	is_u64(waits(2), W, "and so does the slow one");
	feed_stop(&f, 2);
	is_u64(feed_room(&f), W - 300, "who takes no more holds nobody back");
	is_u64(waits(2), 0, "and gets no more");
}

static void
nobody_takes_nothing_is_read(void)
{
	begin(2, ALL, false);
	input(100);
	feed_stop(&f, 0);
	feed_stop(&f, 1);
	is_u64(feed_room(&f), 0, "nobody takes input");
	ok(feed_level(&f, 0), "who takes none is level");
	ok(feed_start(&f, 0), "a new life");
	is_u64(waits(0), 100, "gets all from the start");
}

static void
end_is_told_to_each(void)
{
	begin(2, ALL, false);
	input(10);
	feed_fed(&f, 0, 10);
	ok(!feed_finished(&f, 0), "more may come");
	feed_eof(&f);
	ok(feed_finished(&f, 0) && !feed_finished(&f, 1), "who has it all");
	is_u64(feed_room(&f), 0, "nothing comes after the end");
	feed_fed(&f, 1, 10);
	ok(feed_finished(&f, 1), "then the other");
	ok(feed_start(&f, 0) && !feed_finished(&f, 0),
	    "a new life has to get it again");
}

static void
new_life_catches_up(void)
{
	uint64_t i, k, read = 0, taken = 0;

	begin(2, ALL, false);
	for (i = 0; i < 100; i++) {
		k = input(W);
		feed_fed(&f, 0, k);
		feed_fed(&f, 1, k);
	}
	is_u64(f.head, 100 * W, "much was read");
	ok(feed_start(&f, 1), "one begins again");
	ok(!feed_level(&f, 1) && feed_level(&f, 0), "it is not level");
	is_u64(waits(1), 100 * W, "it gets all of it");
	is_u64(feed_room(&f), 0, "nothing new before it has moved");
	while (!feed_level(&f, 1) && taken < 1000 * W) {
		feed_fed(&f, 1, 500);
		taken += 500;
		k = input(W);
		feed_fed(&f, 0, k);
		read += k;
	}
	ok(feed_level(&f, 1), "it catches up");
	ok(read > 90 * W && read <= taken / 2 + W,
	    "the producer ran at half its speed: %" PRIu64 " of %" PRIu64,
	    read, taken);
	feed_fed(&f, 1, waits(1));
	is_u64(feed_room(&f), W, "and at full speed afterwards");
}

static void
all_begin_again_at_once(void)
{
	uint32_t i;

	begin(2, ALL, false);
	for (i = 0; i < 10; i++) {
		uint64_t k = input(W);

		feed_fed(&f, 0, k);
		feed_fed(&f, 1, k);
	}
	ok(feed_start(&f, 0) && feed_start(&f, 1), "both begin again");
	is_u64(feed_room(&f), 0, "nothing new: they have enough to read");
	feed_fed(&f, 0, 10 * W);
	is_u64(feed_room(&f), 0, "the slower one counts");
	feed_fed(&f, 1, 9 * W + 700);
	is_u64(feed_room(&f), 700, "as ever");
	ok(feed_level(&f, 0) && feed_level(&f, 1), "and both are level");
}

static void
stalled_holds_nobody_back(void)
{
	begin(2, ALL, false);
	input(W);
	feed_fed(&f, 0, W);
	feed_stalled(&f, 1, true);
	is_u64(feed_room(&f), W, "its part is kept for it");
	feed_fed(&f, 0, input(W));
	feed_stalled(&f, 1, false);
	ok(!feed_level(&f, 1), "back, but behind");
	is_u64(waits(1), 2 * W, "all of it waits there");
	feed_fed(&f, 1, 2 * W - 400);
	ok(feed_level(&f, 1), "level");
	feed_stalled(&f, 1, true);
	feed_stalled(&f, 1, false);
	ok(feed_level(&f, 1), "one that is not far behind is level at once");
}

static void
what_is_not_kept_runs_away_from_nobody(void)
{
	begin(2, 1500, false);
	feed_fed(&f, 0, input(9999));
	is_u64(feed_low(&f), 0, "all is kept");
	feed_stalled(&f, 1, true);
	is_u64(input(9999), 500, "up to the limit");
	feed_fed(&f, 0, 500);
	is_u64(feed_room(&f), 0, "not further than one window from the last");
	is_u64(feed_low(&f), 0, "so much is kept");
	ok(feed_start(&f, 0), "so a life can still begin");
	feed_fed(&f, 0, 1500);
	feed_fed(&f, 1, 900);
	is_u64(input(9999), 400, "now the slowest is further");
	is_u64(feed_low(&f), 900, "what all have is dropped");
	ok(!feed_start(&f, 0), "no life can begin any more");
	is_u64(waits(1), 1000, "who lives is fed on");
	feed_fed(&f, 1, 1000);
	is_u64(feed_low(&f), 1500, "and so on");
	feed_stop(&f, 0);
	feed_stop(&f, 1);
	is_u64(feed_low(&f), 1500, "nobody is left: it stays");
}

static void
nothing_is_kept_at_all(void)
{
	begin(2, 0, false);
	is_u64(input(9999), W, "a window all the same");
	feed_fed(&f, 0, 700);
	feed_fed(&f, 1, 300);
	is_u64(feed_low(&f), 300, "dropped as soon as all have it");
	feed_stalled(&f, 0, true);
	is_u64(feed_room(&f), 300, "also a stalled one is waited for");
	ok(!feed_start(&f, 1), "no second life");
}

static void
disk_that_is_full_ends_the_keeping(void)
{
	begin(2, ALL, false);
	feed_fed(&f, 0, input(W));
	feed_fed(&f, 1, 600);
	feed_keep(&f, 0);
	is_u64(feed_low(&f), 600, "what all have goes first");
	is_u64(input(9999), 600, "the window counts from the slowest");
}

static void
who_has_not_begun_finds_all_of_it(void)
{
	struct feed_conf conf = { 2, W, 0, false };
	struct arena a;

	memset(memory, 0, sizeof(memory));
	arena_init(&a, memory, sizeof(memory));
	feed_init(&f, &a, &conf);
	(void)feed_start(&f, 0);
	feed_fed(&f, 0, input(9999));
	is_u64(feed_low(&f), 0, "the other one has not begun");
	is_u64(feed_room(&f), 0, "so it is not left behind");
	ok(feed_start(&f, 1), "it begins");
	feed_fed(&f, 1, W);
	is_u64(feed_low(&f), W, "then it is dropped");
}

static void
only_the_leader_is_fed(void)
{
	begin(3, ALL, true);
	is_u64(input(100), 100, "something is read ahead");
	is_u64(waits(0) + waits(1) + waits(2), 0, "nobody leads");
	ok(feed_level(&f, 1), "who waits to lead is level");
	feed_lead(&f, 1);
	is_u64(waits(1), 100, "the leader gets it");
	is_u64(waits(0), 0, "the others do not");
	feed_fed(&f, 1, 100);
	is_u64(feed_room(&f), W, "and hold nobody back");
	feed_fed(&f, 1, input(W));
	feed_stop(&f, 1);
	feed_lead(&f, 2);
	is_u64(waits(2), 100 + W, "the next one gets it from the start");
	is_u64(feed_room(&f), 0, "and nothing new before it has caught up");
	feed_eof(&f);
	feed_fed(&f, 2, 100 + W);
	ok(feed_finished(&f, 2) && !feed_finished(&f, 0), "the end");
}

static void
leader_only_and_nothing_kept(void)
{
	begin(2, 0, true);
	feed_lead(&f, 0);
	feed_fed(&f, 0, input(500));
	is_u64(feed_low(&f), 500, "dropped behind the leader");
	ok(!feed_level(&f, 1), "nobody else can take over then");
}

static void
who_does_not_read_is_level_with_others_who_do_not(void)
{
	begin(2, ALL, false);
	feed_stop(&f, 1);
	feed_fed(&f, 0, input(W));
	input(W);
	(void)feed_start(&f, 1);
	ok(!feed_level(&f, 1), "a pipe has to be filled first");
	feed_fed(&f, 1, W / 2);
	ok(feed_level(&f, 1), "then it is as far as the other");
	is_u64(feed_room(&f), 0, "and holds the producer back as that does");
}

static void
only_one_is_level_with_itself(void)
{
	uint32_t i;

	begin(2, ALL, false);
	for (i = 0; i < 10; i++) {
		uint64_t k = input(W);

		feed_fed(&f, 0, k);
		feed_fed(&f, 1, k);
	}
	(void)feed_start(&f, 1);
	feed_fed(&f, 1, 50);
	ok(!feed_level(&f, 1), "it reads nothing more, and is behind");
	feed_stop(&f, 0);
	ok(feed_level(&f, 1), "but nobody is further any more");
}

static void
byte_at_a_time_makes_progress(void)
{
	uint32_t i;

	begin(2, ALL, false);
	for (i = 0; i < 20; i++) {
		uint64_t k = input(W);

		feed_fed(&f, 0, k);
		feed_fed(&f, 1, k);
	}
	(void)feed_start(&f, 1);
	for (i = 0; !feed_level(&f, 1) && i < 100 * W; i++) {
		feed_fed(&f, 1, 1);
		feed_fed(&f, 0, input(W));
	}
	ok(feed_level(&f, 1), "level after %u bytes", i);
}

/* Whatever happens, the promises of the header hold. */
static void
random_lives_keep_the_promises(void)
{
	struct rand rand;
	uint64_t seed, n, at, max, min;
	uint32_t i, k, rank;
	bool good = true;

	for (seed = 1; seed <= 200 && good; seed++) {
		rand_seed(&rand, seed);
		begin(3, rand_below(&rand, 2) ? ALL : rand_below(&rand, 9000),
		    false);
		for (i = 0; i < 2000 && good; i++) {
			rank = (uint32_t)rand_below(&rand, 3);
			switch (rand_below(&rand, 30)) {
			case 0:
				feed_stop(&f, rank);
				break;
			case 1:
				good = good && feed_start(&f, rank) ==
				    (f.base == 0);
				break;
			case 2:
				feed_stalled(&f, rank,
				    rand_below(&rand, 2) == 0);
				break;
			case 3:
			case 4:
			case 5:
				input(rand_below(&rand, 2 * W));
				break;
			default:
				feed_next(&f, rank, &at, &n);
				good = good && (n == 0 || at >= f.base);
				if (n > 0)
					feed_fed(&f, rank,
					    1 + rand_below(&rand, n));
				break;
			}
			(void)feed_low(&f);
			for (k = 0, max = 0, min = ALL; k < 3; k++)
				if (f.ranks[k].open && f.ranks[k].level &&
				    !f.ranks[k].stalled) {
					max = f.ranks[k].fed > max ?
					    f.ranks[k].fed : max;
					min = f.ranks[k].fed < min ?
					    f.ranks[k].fed : min;
				}
			good = good && (min == ALL || f.head <= min + W ||
			    feed_room(&f) == 0);
		}
	}
	ok(good, "200 seeds of 2000 steps (%" PRIu64 ")", seed);
}

static void
more_than_there_is(void)
{
	begin(1, ALL, false);
	feed_fed(&f, 0, 1);
}

int
main(void)
{
	fastest_is_one_window_ahead_of_the_slowest();
	nobody_takes_nothing_is_read();
	end_is_told_to_each();
	new_life_catches_up();
	all_begin_again_at_once();
	stalled_holds_nobody_back();
	what_is_not_kept_runs_away_from_nobody();
	nothing_is_kept_at_all();
	disk_that_is_full_ends_the_keeping();
	who_has_not_begun_finds_all_of_it();
	only_the_leader_is_fed();
	leader_only_and_nothing_kept();
	who_does_not_read_is_level_with_others_who_do_not();
	only_one_is_level_with_itself();
	byte_at_a_time_makes_progress();
	random_lives_keep_the_promises();
	ok(aborts(more_than_there_is), "feeding what was never read");
	return done_testing();
}
