/* SPDX-License-Identifier: ISC */
#include "auth_side.h"
#include "tap.h"

static struct side a, b; /* nodes 1 and 2 */
static uint64_t now;

static void
begin(void)
{
	now = 100 * ORCM_SECOND;
	side_begin(&a, 1, 10);
	side_begin(&b, 2, 20);
}

static void
end(void)
{
	side_end(&a);
	side_end(&b);
}

/* Another life of node 1. */
static void
reborn(uint64_t epoch)
{
	side_end(&a);
	side_begin(&a, 1, epoch);
}

static enum auth_verdict
arrive(struct side *from, uint16_t dst)
{
	struct parcel d;

	side_send(from, dst, &d);
	return side_get(&b, now, &d);
}

static bool
asked(struct auth_out *out)
{
	memset(out, 0, sizeof(*out));
	return auth_take(&b.a, out);
}

static void
who_is_new_has_to_prove(void)
{
	struct auth_out out, other;
	uint64_t epoch = 0;

	begin();
	ok(arrive(&a, 0) == AUTH_UNPROVEN, "a valid frame of a new node");
	ok(asked(&out) && out.node == 1 && out.epoch == 10, "is asked");
	ok(!asked(&other), "once");
	ok(!auth_epoch(&b.a, 1, &epoch), "and not believed");
	ok(arrive(&a, 2) == AUTH_UNPROVEN && !asked(&other),
	    "nor is the next one");
	other = out;
	other.nonce[15] ^= 1;
	ok(!side_prove(&b, &a, now, other.nonce), "a wrong nonce is none");
	is_u64(b.a.counts.unasked, 1, "and is counted");
	ok(side_prove(&b, &a, now, out.nonce), "the right one does");
	ok(auth_epoch(&b.a, 1, &epoch) && epoch == 10, "its epoch is proven");
	ok(arrive(&a, 0) == AUTH_OK && arrive(&a, 2) == AUTH_OK,
	    "from then on it is heard");
	ok(!side_prove(&b, &a, now, out.nonce), "the nonce is good once");
	end();
}

static void
what_was_sent_before_the_proof_is_old(void)
{
	struct parcel u, m, later;
	struct auth_out out;

	begin();
	side_send(&a, 2, &u);
	side_send(&a, 0, &m);
	(void)arrive(&a, 0);
	ok(asked(&out) && side_prove(&b, &a, now, out.nonce), "proven");
	side_send(&a, 0, &later);
	ok(side_get(&b, now, &u) == AUTH_REPLAY, "unicast from before");
	ok(side_get(&b, now, &m) == AUTH_REPLAY, "multicast from before");
	ok(side_get(&b, now, &later) == AUTH_OK, "and from after");
	end();
}

static void
former_lives_are_over(void)
{
	struct parcel old, older;
	struct auth_out out;
	struct side was;
	uint64_t epoch = 0;

	begin();
	side_send(&a, 0, &older);
	reborn(11);
	ok(side_trust(&b, &a, now), "life 11");
	side_send(&a, 0, &old);
	ok(side_get(&b, now, &older) == AUTH_STALE, "life 10 is stale");
	reborn(12);
	ok(arrive(&a, 0) == AUTH_UNPROVEN && asked(&out) && out.epoch == 12,
	    "life 12 has to prove itself");
	ok(side_get(&b, now, &old) == AUTH_OK, "until then life 11 is heard");
	ok(side_prove(&b, &a, now, out.nonce), "it does");
	side_copy(&was, &b);
	ok(side_get(&b, now, &old) == AUTH_STALE, "life 11 is stale");
	ok(side_same(&was, &b), "no trace");
	now += 1000 * ORCM_SECOND;
	ok(side_get(&b, now, &older) == AUTH_STALE && !asked(&out),
	    "for ever, and never asked");
	ok(auth_epoch(&b.a, 1, &epoch) && epoch == 12, "it is life 12");
	free(was.memory);
	end();
}

static void
recordings_do_not_disturb_a_proof(void)
{
	struct parcel d[3];
	struct auth_out first, out;
	int i;

	begin();
	for (i = 0; i < 3; i++) {
		reborn(11 + (uint64_t)i);
		side_send(&a, 0, &d[i]);
	}
	ok(side_get(&b, now, &d[1]) == AUTH_UNPROVEN && asked(&out) &&
	    out.epoch == 12, "a recording of life 12 came first");
	now += AUTH_CHALLENGE_EVERY;
	ok(side_get(&b, now, &d[2]) == AUTH_UNPROVEN && asked(&first) &&
	    first.epoch == 13, "a later life is asked all the same");
	for (i = 0; i < 90; i++) {
		now += AUTH_CHALLENGE_EVERY;
		(void)side_get(&b, now, &d[i % 2]);
		if (asked(&out))
			break;
	}
	is_u64((uint64_t)i, 90, "former ones are not asked while it is");
	ok(side_get(&b, now, &d[2]) == AUTH_UNPROVEN && asked(&out) &&
	    memcmp(out.nonce, first.nonce, AUTH_NONCE) == 0,
	    "27 s later its nonce is the same");
	ok(side_prove(&b, &a, now, first.nonce), "and good");
	end();
}

static void
nonce_has_its_time(void)
{
	struct auth_out first, out;

	begin();
	(void)arrive(&a, 0);
	ok(asked(&first), "asked");
	now += AUTH_CHALLENGE_LIFE;
	ok(!side_prove(&b, &a, now, first.nonce), "after 30 s it is too late");
	ok(asked(&out) && memcmp(out.nonce, first.nonce, AUTH_NONCE) != 0,
	    "that frame was asked with another nonce");
	ok(!side_prove(&b, &a, now, first.nonce), "the first is good no more");
	now += AUTH_CHALLENGE_LIFE - 1;
	ok(side_prove(&b, &a, now, out.nonce), "the second at its end");
	end();
}

/* A challenge that came too late for its life, answered by the next one. */
static void
nonce_is_for_one_life(void)
{
	struct auth_out out;
	struct side was;

	begin();
	(void)arrive(&a, 0);
	ok(asked(&out), "life 10 is asked");
	reborn(11);
	side_copy(&was, &b);
	now++;
	ok(!side_prove(&b, &a, now, out.nonce), "life 11 answers");
	ok(side_same(&was, &b), "no trace");
	now += AUTH_CHALLENGE_EVERY;
	ok(arrive(&a, 0) == AUTH_UNPROVEN && asked(&out) && out.epoch == 11 &&
	    side_prove(&b, &a, now, out.nonce), "it has one of its own");
	free(was.memory);
	end();
}

static void
nonces_are_of_this_life(void)
{
	struct auth_out first, out;

	begin();
	(void)arrive(&a, 0);
	ok(asked(&first), "asked");
	side_end(&b);
	side_begin(&b, 2, 21);
	(void)arrive(&a, 0);
	ok(asked(&out) && memcmp(out.nonce, first.nonce, AUTH_NONCE) != 0,
	    "another life asks with another nonce");
	ok(!side_prove(&b, &a, now, first.nonce), "the former one is none");
	ok(side_prove(&b, &a, now, out.nonce), "its own is");
	end();
}

static void
one_node_is_asked_at_times(void)
{
	uint64_t until;
	struct auth_out out;
	unsigned n = 0;

	begin();
	until = now + 3 * ORCM_SECOND;
	for (; now < until; now += ORCM_MS) {
		(void)arrive(&a, 0);
		n += asked(&out);
	}
	is_u64(n, 10, "every 300 ms");
	is_u64(b.a.counts.quiet, 3000 - 10, "the rest is counted");
	end();
}

/* A receiver with room for many nodes, and frames of many. */
static void
all_are_asked_within_a_limit(void)
{
	enum { NODES = 2000 };
	static uint64_t at[NODES];
	struct auth_conf conf = { SIDE_DVM, 2, 20, NODES, { 1 } };
	struct side many = { .memory_size = auth_memory(&conf) };
	struct arena arena;
	struct parcel d;
	struct auth_out out;
	size_t n = 0, i, most = 0, first = 0;
	uint16_t node = 3;

	begin();
	many.memory = calloc(1, many.memory_size);
	REQUIRE(many.memory != NULL);
	arena_init(&arena, many.memory, many.memory_size);
	auth_init(&many.a, &arena, &conf);
	side_add(&many, 1);
	for (; node < 3 + NODES; node++) {
		side_end(&a);
		side_begin(&a, node, 1);
		side_send(&a, 0, &d);
		now += 2 * ORCM_MS;
		(void)side_get(&many, now, &d);
		while (auth_take(&many.a, &out))
			at[n++] = now;
	}
	for (i = 0; i < n; i++) {
		while (at[i] - at[first] >= ORCM_SECOND)
			first++;
		if (i - first + 1 > most)
			most = i - first + 1;
	}
	ok(most <= AUTH_CHALLENGES_MAX && most > AUTH_CHALLENGES_MAX * 9 / 10,
	    "at most %zu in any second", most);
	is_u64(many.a.counts.quiet + n, NODES, "the rest is counted");
	side_end(&many);
	end();
}

static void
challenges_that_nobody_takes_are_bounded(void)
{
	struct auth_out out;
	unsigned i, n = 0;

	begin();
	for (i = 0; i < 2 * AUTH_OUTS_MAX; i++) {
		now += AUTH_CHALLENGE_EVERY;
		(void)arrive(&a, 0);
	}
	while (asked(&out))
		n++;
	is_u64(n, AUTH_OUTS_MAX, "as many as there is room for");
	now += AUTH_CHALLENGE_EVERY;
	(void)arrive(&a, 0);
	ok(asked(&out), "then there is room again");
	end();
}

static void
answers_are_limited_to_the_unproven(void)
{
	struct auth_from from = { .node = 1, .epoch = 10 };
	unsigned i, n = 0;

	begin();
	for (i = 0; i < 5000; i++)
		n += auth_challenged(&b.a, now + i * ORCM_MS / 5, &from);
	ok(n <= AUTH_ANSWERS_MAX && n > AUTH_ANSWERS_MAX * 9 / 10,
	    "%u answers in a second", n);
	ok(side_trust(&b, &a, now), "proven");
	for (i = n = 0; i < 5000; i++)
		n += auth_challenged(&b.a, now, &from);
	is_u64(n, 5000, "it cannot be played back, and is always answered");
	from.epoch = 9;
	for (i = n = 0; i < 5000; i++)
		n += auth_challenged(&b.a, now, &from);
	ok(n < 500, "not so its former life");
	end();
}

/* Two nodes that know nothing of each other, with frames on the wire only. */
static void
both_sides_prove_themselves(void)
{
	struct side *s[2] = { &a, &b };
	struct parcel d;
	struct auth_from from;
	struct auth_out out;
	unsigned turn, me, frames = 0;
	uint64_t epoch;

	begin();
	for (turn = 0; turn < 4; turn++) {
		me = turn % 2;
		side_send(s[me], 0, &d);
		(void)side_open(s[!me], now, &d, &from);
		while (auth_take(&s[!me]->a, &out)) {
			d.dst = out.node;
			d.size = auth_seal(&s[!me]->a, out.node, d.p,
			    side_frame(d.p, sizeof(d.p), WIRE_CHALLENGE,
				out.nonce), sizeof(d.p));
			frames++;
			(void)side_open(s[me], now, &d, &from);
			if (auth_challenged(&s[me]->a, now, &from))
				(void)side_prove(s[!me], s[me], now, out.nonce);
		}
	}
	ok(auth_epoch(&a.a, 2, &epoch) && epoch == 20, "one knows the other");
	ok(auth_epoch(&b.a, 1, &epoch) && epoch == 10, "and the other one");
	is_u64(frames, 2, "with one challenge each");
	end();
}

static void
table_may_be_full(void)
{
	struct side c;
	struct side was;
	uint16_t node;
	struct auth_out out;
	struct parcel d;
	unsigned bad = 0;

	begin();
	for (node = 3; node < 3 + SIDE_NODES - 1; node++) {
		side_begin(&c, node, 1);
		bad += !side_trust(&b, &c, now);
		side_end(&c);
	}
	is_u64(bad, 0, "all places but one are proven");
	side_begin(&c, 60, 1);
	side_send(&c, 0, &d);
	ok(side_get(&b, now, &d) == AUTH_UNPROVEN && asked(&out),
	    "the last one is asked");
	side_copy(&was, &b);
	ok(arrive(&a, 0) == AUTH_FULL && !asked(&out), "then it is full");
	ok(side_same(&was, &b), "no trace");
	is_u64(b.a.counts.verdicts[AUTH_FULL], 1, "counted");
	now += AUTH_CHALLENGE_LIFE;
	ok(side_trust(&b, &a, now), "who did not answer gives its place up");
	ok(side_get(&b, now, &d) == AUTH_FULL, "full of proven ones");
	now += 1000 * ORCM_SECOND;
	ok(side_get(&b, now, &d) == AUTH_FULL, "who stay");
	auth_forget(&b.a, 4);
	auth_forget(&b.a, 4);
	ok(!auth_epoch(&b.a, 4, &(uint64_t){ 0 }), "until one is forgotten");
	ok(side_trust(&b, &c, now), "that is room");
	ok(arrive(&a, 0) == AUTH_OK, "the others are still known");
	free(was.memory);
	side_end(&c);
	end();
}

int
main(void)
{
	who_is_new_has_to_prove();
	what_was_sent_before_the_proof_is_old();
	former_lives_are_over();
	recordings_do_not_disturb_a_proof();
	nonce_has_its_time();
	nonce_is_for_one_life();
	nonces_are_of_this_life();
	one_node_is_asked_at_times();
	all_are_asked_within_a_limit();
	challenges_that_nobody_takes_are_bounded();
	answers_are_limited_to_the_unproven();
	both_sides_prove_themselves();
	table_may_be_full();
	return done_testing();
}
