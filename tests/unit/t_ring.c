/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "base/ring.h"

#include "aborts.h"
#include "tap.h"

static void
an_empty_ring_gives_nothing(void)
{
	uint8_t buf[5], out[5], *in;
	const uint8_t *p;
	struct ring r;

	ring_init(&r, buf, sizeof(buf));
	is_u64(ring_used(&r), 0, "nothing in it");
	is_u64(ring_free(&r), 5, "all of it free");
	is_u64(ring_data(&r, &p), 0, "no data");
	is_u64(ring_read(&r, out, sizeof(out)), 0, "nothing to read");
	ok(ring_space(&r, &in) == 5 && in == buf, "one piece of space");
	ok(ring_write(&r, NULL, 0), "nothing fits always");
}

static void
a_full_ring_takes_nothing(void)
{
	uint8_t buf[5], *in;
	struct ring r;

	ring_init(&r, buf, sizeof(buf));
	ok(!ring_write(&r, "abcdef", 6), "6 bytes do not fit into 5");
	is_u64(ring_used(&r), 0, "and leave nothing behind");
	ok(ring_write(&r, "abcde", 5), "5 do");
	is_u64(ring_free(&r), 0, "full");
	is_u64(ring_space(&r, &in), 0, "no space");
	ok(!ring_write(&r, "x", 1), "not one byte more");
	ok(ring_write(&r, "x", 0), "but none");
}

static void
data_goes_around_the_end(void)
{
	uint8_t buf[5], out[8], *in;
	const uint8_t *p;
	struct ring r;

	ring_init(&r, buf, sizeof(buf));
	ring_write(&r, "abcd", 4);
	ring_drop(&r, 3);
	ok(ring_space(&r, &in) == 1 && in == buf + 4, "one byte to the end");
	ok(ring_write(&r, "efgh", 4), "four fit around it");
	ok(ring_data(&r, &p) == 2 && memcmp(p, "de", 2) == 0, "first piece");
	is_u64(ring_read(&r, out, sizeof(out)), 5, "read as one");
	ok(memcmp(out, "defgh", 5) == 0, "in their order");
	ring_write(&r, "12345", 5);
	is_u64(ring_read(&r, out, 2), 2, "reads no more than asked for");
	ok(ring_data(&r, &p) > 0 && *p == '3', "the next is still there");
}

/* Any order of calls gives the bytes 0, 1, 2, ... back in that order. */
static void
what_goes_in_comes_out_in_order(void)
{
	uint8_t buf[13], piece[16], next_in = 0, next_out = 0, *in;
	const uint8_t *p;
	struct ring r;
	struct rand rand;
	size_t i, n, turn;
	uint64_t used = 0;
	bool same = true, counted = true;

	rand_seed(&rand, 1);
	ring_init(&r, buf, sizeof(buf));
	for (turn = 0; turn < 100000; turn++) {
		n = rand_below(&rand, sizeof(piece) + 1);
		switch (rand_below(&rand, 4)) {
		case 0:
			for (i = 0; i < n; i++)
				piece[i] = (uint8_t)(next_in + i);
			counted = counted &&
			    ring_write(&r, piece, n) == (n <= 13 - used);
			if (n <= 13 - used) {
				next_in = (uint8_t)(next_in + n);
				used += n;
			}
			break;
		case 1:
			n = rand_below(&rand, ring_space(&r, &in) + 1);
			for (i = 0; i < n; i++)
				in[i] = next_in++;
			ring_put(&r, n);
			used += n;
			break;
		case 2:
			n = ring_read(&r, piece, n);
			for (i = 0; i < n; i++)
				same = same && piece[i] == next_out++;
			used -= n;
			break;
		default:
			n = rand_below(&rand, ring_data(&r, &p) + 1);
			for (i = 0; i < n; i++)
				same = same && p[i] == next_out++;
			ring_drop(&r, n);
			used -= n;
			break;
		}
		counted = counted && ring_used(&r) == used &&
		    ring_free(&r) == 13 - used;
	}
	ok(same, "100000 random steps keep the order");
	ok(counted, "and the count");
	ok(r.tail > 10000, "over many turns of the ring");
}

static void
drop_what_is_not_there(void)
{
	uint8_t buf[5];
	struct ring r;

	ring_init(&r, buf, sizeof(buf));
	ring_drop(&r, 1);
}

static void
put_where_no_space_is(void)
{
	uint8_t buf[5];
	struct ring r;

	ring_init(&r, buf, sizeof(buf));
	ring_put(&r, 6);
}

int
main(void)
{
	an_empty_ring_gives_nothing();
	a_full_ring_takes_nothing();
	data_goes_around_the_end();
	what_goes_in_comes_out_in_order();
	ok(aborts(drop_what_is_not_there), "dropping too much aborts");
	ok(aborts(put_where_no_space_is), "so does putting too much");
	return done_testing();
}
