/* SPDX-License-Identifier: ISC */
#include "auth_side.h"
#include "tap.h"

static struct side a, b;
static uint64_t now;

/* Node 1 and node 2; b believes a. */
static void
begin(void)
{
	now = 100 * ORCM_SECOND;
	side_begin(&a, 1, 10);
	side_begin(&b, 2, 20);
	REQUIRE(side_trust(&b, &a, now));
}

static void
end(void)
{
	side_end(&a);
	side_end(&b);
}

static uint64_t
count(const struct side *s, enum auth_verdict v)
{
	return s->a.counts.verdicts[v];
}

static void
what_is_sealed_is_opened(void)
{
	struct parcel d;
	struct auth_from from;
	struct wire_msg m;

	begin();
	side_send(&a, 2, &d);
	ok(side_open(&b, now, &d, &from) == AUTH_OK, "unicast");
	ok(from.node == 1 && from.client == 7 && from.key == 1 &&
	    from.epoch == 10 && from.counter == a.a.counter, "from whom");
	ok(wire_parse(&m, d.p, d.size - MAC_TAG, WIRE_BY_NODE) == WIRE_OK,
	    "what it says can be parsed");
	ok(m.h.dvm == SIDE_DVM && m.h.sender == (1u << 16 | 7) &&
	    m.h.epoch == 10 && m.h.key == 1 && m.h.counter == from.counter,
	    "its header was filled");
	side_send(&a, 0, &d);
	ok(side_get(&b, now, &d) == AUTH_OK, "multicast");
	is_u64(count(&b, AUTH_OK), 2, "both are counted");
	is_u64(b.a.counts.opened[0], 2, "for their key, too");
	end();
}

/* What another implementation made of the description in auth.h. */
static void
tags_are_as_described(void)
{
	struct parcel d;
	char text[2 * MAC_TAG + 1];
	uint16_t dst;
	size_t i;

	begin();
	side_end(&a);
	side_begin(&a, 1, 10);
	for (dst = 2; dst != 1; dst = dst == 2 ? 0 : 1) {
		side_send(&a, dst, &d);
		for (i = 0; i < MAC_TAG; i++)
			snprintf(text + 2 * i, 3, "%02x",
			    d.p[d.size - MAC_TAG + i]);
		is_str(text, dst == 2 ? "2f2f7155d388e2d47f55e9f5262d4a2a" :
		    "e65e1fb91872df2aa7ed1f678786b911", dst == 2 ? "to one" :
		    "to all");
	}
	end();
}

static void
nothing_is_sealed_without_room_or_key(void)
{
	uint8_t p[200];
	struct side none;
	size_t size;

	begin();
	size = side_frame(p, sizeof(p), WIRE_BYE, NULL);
	is_u64(auth_seal(&a.a, 2, p, size, size + 15), 0, "no room");
	is_u64(auth_seal(&a.a, 2, p, size, size - 1), 0, "less than none");
	is_u64(auth_seal(&a.a, 2, p, size - 1, sizeof(p)), 0, "half a frame");
	is_u64(auth_seal(&a.a, 2, p, size, size + 16), size + 16, "just so");
	side_begin_in(&none, SIDE_DVM, 3, 1);
	is_u64(auth_seal(&none.a, 2, p, size, sizeof(p)), 0, "no key");
	side_end(&none);
	end();
}

static void
each_bit_matters(void)
{
	struct parcel d, bad;
	struct side was;
	size_t bit, taken = 0, changed = 0;

	begin();
	side_send(&a, 2, &d);
	side_copy(&was, &b);
	for (bit = 0; bit < 8 * d.size; bit++) {
		bad = d;
		bad.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		taken += side_get(&b, now, &bad) == AUTH_OK;
		changed += !side_same(&was, &b);
	}
	is_u64(taken, 0, "none of %zu changed frames is taken", bit);
	is_u64(changed, 0, "none leaves a trace");
	is_u64(count(&b, AUTH_MAGIC) + count(&b, AUTH_DVM) +
	    count(&b, AUTH_KEY) + count(&b, AUTH_MAC), bit, "all are counted");
	ok(count(&b, AUTH_DVM) == 32 && count(&b, AUTH_KEY) == 16,
	    "those of another dvm or key apart");
	ok(side_get(&b, now, &d) == AUTH_OK, "the right one is");
	free(was.memory);
	end();
}

static void
each_length_matters(void)
{
	struct parcel d, bad;
	struct side was;
	size_t size, taken = 0, changed = 0;

	begin();
	side_send(&a, 2, &d);
	side_copy(&was, &b);
	for (size = 0; size <= d.size + 20; size++) {
		if (size == d.size)
			continue;
		bad = d;
		memset(bad.p + d.size, 0, 20);
		bad.size = size;
		taken += side_get(&b, now, &bad) == AUTH_OK;
		changed += !side_same(&was, &b);
	}
	ok(taken == 0 && changed == 0, "cut or longer: refused, no trace");
	is_u64(count(&b, AUTH_SHORT), WIRE_HEADER + MAC_TAG,
	    "what cannot be a frame is short");
	ok(side_get(&b, now, &d) == AUTH_OK, "the right size is taken");
	free(was.memory);
	end();
}

static void
garbage_leaves_no_trace(void)
{
	struct parcel d;
	struct side was;
	uint64_t x = 1;
	size_t i, n, taken = 0;

	begin();
	side_copy(&was, &b);
	for (n = 0; n < 3000; n++) {
		side_send(&a, n % 3 == 0 ? 0 : 2, &d);
		for (i = n % 5 * 8; i < d.size; i++) {
			x = x * UINT64_C(6364136223846793005) + 1;
			d.p[i] = (uint8_t)(x >> 56);
		}
		d.size -= n % 7 == 0 ? n % 11 : 0;
		taken += side_get(&b, now, &d) == AUTH_OK;
	}
	ok(taken == 0 && side_same(&was, &b), "%zu of it", n);
	free(was.memory);
	end();
}

static void
nothing_is_taken_twice(void)
{
	static struct parcel d[AUTH_WINDOW + 3];
	struct side was;
	size_t i, bad = 0, len = sizeof(d) / sizeof(d[0]);

	begin();
	for (i = 0; i < len; i++)
		side_send(&a, 2, &d[i]);
	ok(side_get(&b, now, &d[len - 1]) == AUTH_OK, "the newest first");
	for (i = len - 2; i >= len - AUTH_WINDOW; i--)
		bad += side_get(&b, now, &d[i]) != AUTH_OK;
	is_u64(bad, 0, "255 behind it, backwards");
	side_copy(&was, &b);
	for (i = 0; i < len; i++)
		bad += side_get(&b, now, &d[i]) != AUTH_REPLAY;
	is_u64(bad, 0, "each of them again, and those too old to know");
	ok(side_same(&was, &b), "no trace");
	is_u64(count(&b, AUTH_REPLAY), len, "counted");
	side_send(&a, 2, &d[0]);
	ok(side_get(&b, now, &d[0]) == AUTH_OK, "the next is taken");
	free(was.memory);
	end();
}

/* The window against a list of all that was taken. */
static void
window_remembers_all_it_should(void)
{
	static bool seen[6000];
	struct parcel *d = calloc(6000, sizeof(*d));
	uint64_t x = 7, high = 0;
	size_t i, n, bad = 0, taken = 0, step;
	bool want;

	REQUIRE(d != NULL);
	begin();
	for (i = 0; i < 6000; i++)
		side_send(&a, 2, &d[i]);
	for (n = 0, i = 0; n < 40000; n++) {
		x = x * UINT64_C(6364136223846793005) + 1442695;
		step = (x >> 33) % (n % 50 == 0 ? 700 : 60);
		i = high + step < 300 ? step : high + step - 30 - step / 2;
		if (i >= 6000)
			break;
		want = !seen[i] && i + AUTH_WINDOW > high;
		bad += (side_get(&b, now, &d[i]) == AUTH_OK) != want;
		seen[i] = seen[i] || want;
		taken += want;
		high = i > high ? i : high;
	}
	is_u64(bad, 0, "%zu of %zu in any order, gaps among them", taken, n);
	free(d);
	end();
}

static void
classes_are_apart(void)
{
	struct parcel u, m, d;

	begin();
	side_send(&a, 2, &u);
	side_send(&a, 0, &m);
	ok(side_get(&b, now, &m) == AUTH_OK && side_get(&b, now, &u) == AUTH_OK,
	    "multicast overtakes unicast");
	side_send(&a, 2, &u);
	side_send(&a, 0, &m);
	d = u;
	d.dst = 0;
	ok(side_get(&b, now, &d) == AUTH_MAC, "unicast sent to a group");
	d = m;
	d.dst = 2;
	ok(side_get(&b, now, &d) == AUTH_MAC, "multicast sent to one");
	ok(side_get(&b, now, &m) == AUTH_OK && side_get(&b, now, &u) == AUTH_OK,
	    "both were good");
	end();
}

static void
readdressed_and_reflected(void)
{
	struct parcel d;
	struct side c;

	begin();
	side_begin(&c, 3, 30);
	ok(side_trust(&c, &a, now), "a third node");
	side_send(&a, 2, &d);
	ok(side_get(&c, now, &d) == AUTH_MAC, "meant for another node");
	ok(side_get(&a, now, &d) == AUTH_MAC, "our own unicast comes back");
	side_send(&a, 0, &d);
	ok(side_get(&a, now, &d) == AUTH_SELF, "our own multicast");
	side_end(&c);
	side_begin(&c, 1, 11);
	side_send(&c, 0, &d);
	ok(side_get(&a, now, &d) == AUTH_SELF, "a node with our number");
	ok(!auth_epoch(&a.a, 1, &(uint64_t){ 0 }), "is nobody to us");
	side_end(&c);
	end();
}

static void
another_dvm_is_not_heard(void)
{
	struct parcel d, bad;
	struct side c, was;

	begin();
	side_begin_in(&c, SIDE_DVM + 1, 1, 10);
	side_add(&c, 1);
	side_copy(&was, &b);
	side_send(&c, 2, &d);
	ok(side_get(&b, now, &d) == AUTH_DVM, "with the same key");
	bad = d;
	bad.p[19]--;
	ok(side_get(&b, now, &bad) == AUTH_MAC, "nor when it says it is ours");
	ok(side_same(&was, &b), "no trace");
	free(was.memory);
	side_end(&c);
	end();
}

static void
another_key_is_not_believed(void)
{
	struct parcel d;
	struct side c, was;
	uint8_t key[MAC_KEY] = { 0 };

	begin();
	side_copy(&was, &b);
	side_begin_in(&c, SIDE_DVM, 1, 10);
	side_add(&c, 9);
	side_send(&c, 2, &d);
	ok(side_get(&b, now, &d) == AUTH_KEY, "an id that we do not have");
	ok(auth_key_add(&c.a, 1, key) && auth_key_use(&c.a, 1),
	    "another key with our id");
	side_send(&c, 2, &d);
	ok(side_get(&b, now, &d) == AUTH_MAC, "of a node that we know");
	side_end(&c);
	side_begin_in(&c, SIDE_DVM, 5, 10);
	ok(auth_key_add(&c.a, 1, key), "the same");
	side_send(&c, 0, &d);
	ok(side_get(&b, now, &d) == AUTH_MAC, "of one that we do not");
	ok(side_same(&was, &b), "no trace");
	free(was.memory);
	side_end(&c);
	end();
}

static void
sender_without_a_number(void)
{
	struct parcel d;

	begin();
	side_send(&a, 2, &d);
	d.p[20] = d.p[21] = 0;
	ok(side_get(&b, now, &d) == AUTH_MAGIC, "node 0 is none");
	end();
}

static void
all_is_wiped(void)
{
	uint8_t zeros[sizeof(struct auth_sender)] = { 0 };
	struct parcel d;
	size_t i, left = 0;

	begin();
	side_send(&a, 2, &d);
	auth_wipe(&b.a);
	ok(side_get(&b, now, &d) == AUTH_KEY, "nothing is opened afterwards");
	for (i = 0; i < SIDE_NODES; i++)
		left += memcmp(&b.a.senders[i], zeros, sizeof(zeros)) != 0;
	is_u64(left, 0, "no sender is left");
	ok(memcmp(&b.a.keys, zeros, sizeof(b.a.keys)) == 0 &&
	    memcmp(&b.a.tags, zeros, sizeof(b.a.tags)) == 0 &&
	    memcmp(&b.a.nonces, zeros, sizeof(b.a.nonces)) == 0,
	    "nor a key");
	ok(memcmp(b.a.conf.seed, zeros, sizeof(b.a.conf.seed)) == 0,
	    "nor the seed, which was wiped at once");
	_Static_assert(sizeof(zeros) >= sizeof(b.a.keys), "zeros enough");
	end();
}

int
main(void)
{
	what_is_sealed_is_opened();
	tags_are_as_described();
	nothing_is_sealed_without_room_or_key();
	each_bit_matters();
	each_length_matters();
	garbage_leaves_no_trace();
	nothing_is_taken_twice();
	window_remembers_all_it_should();
	classes_are_apart();
	readdressed_and_reflected();
	another_dvm_is_not_heard();
	another_key_is_not_believed();
	sender_without_a_number();
	all_is_wiped();
	return done_testing();
}
