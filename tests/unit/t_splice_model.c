/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "splice_side.h"
#include "tap.h"

/*
 * Random lives of random replicas against the one thing that must hold:
 * what is delivered is the text, each byte once, and who writes another text
 * is reported once, with the place.
 */
#define RANKS_MAX 6u
#define LENGTH_MAX 3000000u

enum bad { BAD_NOBODY, BAD_ONE_BYTE, BAD_FROM_THERE };

static struct model {
	struct side d;
	struct rand rand;
	uint32_t ranks;
	enum splice_mode mode;
	uint64_t length; /* of the text */
	enum bad bad;
	uint32_t stranger;
	uint64_t wrong; /* where its text begins to differ */
	bool stranger_leads; /* it may: then its text may be delivered */
	bool alive[RANKS_MAX], done[RANKS_MAX];
	uint32_t leader;
	uint32_t reports;
	bool good;
	const char *what;
} m;

static void
fail(const char *what)
{
	if (m.good)
		m.what = what;
	m.good = false;
}

static uint8_t
text(uint32_t rank, uint64_t at)
{
	uint8_t b = side_byte(at);

	if (m.bad == BAD_NOBODY || rank != m.stranger || at < m.wrong)
		return b;
	return m.bad == BAD_ONE_BYTE && at > m.wrong ? b : (uint8_t)~b;
}

static void
reports(void)
{
	struct splice_out o;

	while (splice_take(&m.d.s, &o)) {
		m.reports++;
		if (m.stranger_leads)
			continue;
		if (m.bad == BAD_NOBODY || o.rank != m.stranger)
			fail("an honest replica is reported");
		else if (o.how != SPLICE_BYTES)
			fail("reported as something else");
		else if (o.from > m.wrong || m.wrong > o.to)
			fail("reported at another place");
		else if (o.from != o.to &&
		    m.d.s.lanes[m.d.s.trunk].lo <= m.wrong)
			fail("the exact place was known");
	}
}

static void
deliver(uint64_t most)
{
	const uint8_t *at;
	size_t n, i;

	while (most > 0 && (n = splice_deliver(&m.d.s, &at)) > 0) {
		if (n > most)
			n = (size_t)most;
		for (i = 0; i < n; i++)
			if (at[i] != side_byte(m.d.s.done + i) &&
			    !(m.stranger_leads &&
				at[i] == text(m.stranger, m.d.s.done + i)))
				fail("another byte is delivered");
		splice_delivered(&m.d.s, n);
		most -= n;
	}
}

static void
write_some(uint32_t rank, uint64_t most)
{
	uint64_t pos = m.d.s.ranks[rank].pos;
	size_t n, i, had;
	uint8_t *at;

	while (most > 0) {
		had = n = splice_room(&m.d.s, rank, &at);
		if (n > most)
			n = (size_t)most;
		if (n > m.length - pos)
			n = (size_t)(m.length - pos);
		for (i = 0; i < n; i++)
			at[i] = text(rank, pos + i);
		splice_took(&m.d.s, rank, n);
		pos += n;
		most -= n;
		if (had > 0 && pos == m.length) {
			splice_eof(&m.d.s, rank);
			m.alive[rank] = false;
			m.done[rank] = true;
			return;
		}
		if (n == 0)
			return;
	}
}

static bool
may_lead(uint32_t rank)
{
	return m.stranger_leads || m.bad == BAD_NOBODY || rank != m.stranger;
}

static void
choose(void)
{
	uint32_t i, rank = (uint32_t)rand_below(&m.rand, m.ranks);

	for (i = 0; i < m.ranks; i++, rank = (rank + 1) % m.ranks)
		if ((m.alive[rank] || m.done[rank]) && may_lead(rank)) {
			splice_lead(&m.d.s, rank);
			m.leader = rank;
			return;
		}
}

static void
kill_one(uint32_t rank)
{
	if (!m.alive[rank])
		return;
	splice_lost(&m.d.s, rank);
	m.alive[rank] = false;
	if (rank == m.leader && rand_below(&m.rand, 4) > 0)
		choose();
}

static void
start_one(uint32_t rank)
{
	/* One that has ended is started again only now and then. */
	if (m.alive[rank] || (m.done[rank] && rand_below(&m.rand, 20) > 0))
		return;
	splice_start(&m.d.s, rank);
	m.alive[rank] = true;
	m.done[rank] = false;
}

static uint64_t
some(void)
{
	static const uint64_t sizes[] = { 1, 10, 100, 5000, 70000, 400000 };

	return 1 + rand_below(&m.rand, sizes[rand_below(&m.rand, 6)]);
}

static void
step(void)
{
	uint32_t rank = (uint32_t)rand_below(&m.rand, m.ranks);

	switch (rand_below(&m.rand, 40)) {
	case 0:
		kill_one(rank);
		break;
	case 1:
		if (m.mode == SPLICE_LEADER)
			choose();
		break;
	case 2:
	case 3:
	case 4:
		start_one(rank);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
	case 10:
		deliver(some());
		break;
	default:
		if (m.alive[rank])
			write_some(rank, some());
		break;
	}
	reports();
}

/* No more deaths: everybody comes to the end. */
static void
finish(void)
{
	uint32_t i, rounds;

	for (rounds = 0; rounds < 4000 && !splice_complete(&m.d.s);
	     rounds++) {
		for (i = 0; i < m.ranks; i++) {
			if (!m.alive[i] && !m.done[i])
				start_one(i);
			if (m.alive[i])
				write_some(i, some());
		}
		if (m.mode == SPLICE_LEADER && !m.alive[m.leader] &&
		    !m.done[m.leader])
			choose();
		deliver(UINT64_MAX);
		reports();
	}
	for (i = 0; i < m.ranks; i++) {
		if (!m.alive[i] && !m.done[i])
			start_one(i);
		while (m.alive[i])
			write_some(i, UINT64_MAX);
	}
	reports();
}

static void
draw(uint64_t seed, enum splice_mode mode, enum bad bad, bool leads)
{
	static const uint64_t windows[] = { 4096, 5000, 65536, 300000 };
	static const uint64_t lengths[] = { 0, 1, 5000, 200000, LENGTH_MAX };
	uint32_t i;

	memset(&m, 0, sizeof(m));
	rand_seed(&m.rand, seed);
	m.good = true;
	m.mode = mode;
	m.bad = bad;
	m.stranger_leads = leads;
	m.ranks = (uint32_t)(bad == BAD_NOBODY ? 1 : 3) +
	    (uint32_t)rand_below(&m.rand, 4);
	m.length = lengths[rand_below(&m.rand, 5)];
	if (m.length > 1)
		m.length = 1 + rand_below(&m.rand, m.length);
	if (bad != BAD_NOBODY && m.length == 0)
		m.length = 1;
	m.stranger = (uint32_t)rand_below(&m.rand, m.ranks);
	m.wrong = bad != BAD_NOBODY ? rand_below(&m.rand, m.length) : 0;
	side_open(&m.d, m.ranks, mode, windows[rand_below(&m.rand, 4)]);
	for (i = 0; i < m.ranks; i++)
		start_one(i);
	if (mode == SPLICE_LEADER)
		choose();
}

static void
run(uint64_t seed, enum splice_mode mode, enum bad bad, bool leads)
{
	uint32_t i, steps;

	draw(seed, mode, bad, leads);
	steps = (uint32_t)rand_below(&m.rand, 400);
	for (i = 0; i < steps && m.good; i++)
		step();
	if (m.good)
		finish();
	if (m.good && !splice_complete(&m.d.s))
		fail("it never comes to its end");
	if (m.good && m.d.s.done != m.length)
		fail("not all is delivered");
	if (m.good && !leads && m.reports != (bad != BAD_NOBODY))
		fail("not reported, or more than once");
	side_close(&m.d);
}

static void
many(const char *name, enum splice_mode mode, enum bad bad, bool leads,
    uint64_t seeds)
{
	uint64_t seed;

	for (seed = 1; seed <= seeds; seed++) {
		run(seed, mode, bad, leads);
		if (!m.good)
			break;
	}
	ok(m.good, "%s: %" PRIu64 " seeds", name, seeds);
	if (!m.good)
		printf("# seed %" PRIu64 ": %s; length %" PRIu64 " done %"
		       PRIu64 " stranger %u wrong %" PRIu64 "\n", seed,
		    m.what, m.length, m.d.s.done, m.stranger, m.wrong);
}

int
main(void)
{
	many("leader", SPLICE_LEADER, BAD_NOBODY, false, 150);
	many("majority", SPLICE_MAJORITY, BAD_NOBODY, false, 100);
	many("leader, one byte differs", SPLICE_LEADER, BAD_ONE_BYTE, false,
	    150);
	many("leader, all differs from there", SPLICE_LEADER, BAD_FROM_THERE,
	    false, 100);
	many("majority, one byte differs", SPLICE_MAJORITY, BAD_ONE_BYTE,
	    false, 100);
	many("majority, all differs from there", SPLICE_MAJORITY,
	    BAD_FROM_THERE, false, 100);
	many("the stranger leads", SPLICE_LEADER, BAD_FROM_THERE, true, 100);
	return done_testing();
}
