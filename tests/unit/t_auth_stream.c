/* SPDX-License-Identifier: ISC */
#include "auth_side.h"
#include "tap.h"

/* The three frames of a handshake, as they were sent. */
enum {
	HELLO,
	REPLY,
	CONFIRM,
	STEPS
};

struct talk {
	struct auth_stream c, s;
	uint8_t p[STEPS][AUTH_BEFORE_MAX];
	size_t size[STEPS];
	enum auth_verdict client, server; /* the last of each */
};

struct record {
	size_t size;
	uint8_t p[SIDE_ROOM];
};

static struct side a, b; /* node 1 connects, node 2 is connected to */
static struct talk t;
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

static enum auth_verdict
step(struct side *n, struct auth_stream *s, const uint8_t *p, size_t size,
    uint8_t *out, size_t *out_size)
{
	/* Of its exact size, for the address sanitizer. */
	uint8_t *copy = malloc(size > 0 ? size : 1);
	enum auth_verdict v;

	REQUIRE(copy != NULL);
	memcpy(copy, p, size);
	v = auth_stream_step(&n->a, s, copy, size, out, out_size);
	free(copy);
	return v;
}

/* Goes on from a step whose frame is in t; a frame lost ends it. */
static void
go_on(unsigned from)
{
	uint8_t out[AUTH_BEFORE_MAX];
	size_t n;

	if (from <= HELLO && t.size[HELLO] != 0)
		t.server = step(&b, &t.s, t.p[HELLO], t.size[HELLO],
		    t.p[REPLY], &t.size[REPLY]);
	if (from <= REPLY && t.size[REPLY] != 0)
		t.client = step(&a, &t.c, t.p[REPLY], t.size[REPLY],
		    t.p[CONFIRM], &t.size[CONFIRM]);
	if (t.size[CONFIRM] != 0) {
		t.server = step(&b, &t.s, t.p[CONFIRM], t.size[CONFIRM], out,
		    &n);
		REQUIRE(n == 0);
	}
}

static void
connect_to(uint16_t peer)
{
	memset(&t, 0, sizeof(t));
	t.size[HELLO] = auth_stream_connect(&a.a, &t.c, peer, t.p[HELLO]);
	auth_stream_accept(&t.s);
}

/* All that comes before that frame; it is made, but not given yet. */
static void
lead_up_to(unsigned which)
{
	connect_to(2);
	if (which > HELLO)
		t.server = step(&b, &t.s, t.p[HELLO], t.size[HELLO],
		    t.p[REPLY], &t.size[REPLY]);
	if (which > REPLY)
		t.client = step(&a, &t.c, t.p[REPLY], t.size[REPLY],
		    t.p[CONFIRM], &t.size[CONFIRM]);
}

static bool
both_ready(void)
{
	return t.c.step == AUTH_STEP_READY && t.s.step == AUTH_STEP_READY;
}

static bool
talk(void)
{
	connect_to(2);
	go_on(HELLO);
	return both_ready();
}

static void
put(struct side *n, struct auth_stream *s, struct record *r)
{
	r->size = auth_stream_seal(&n->a, s, r->p,
	    side_frame(r->p, sizeof(r->p), WIRE_BYE, NULL), sizeof(r->p));
}

static enum auth_verdict
get(struct side *n, struct auth_stream *s, const struct record *r)
{
	uint8_t *p = malloc(r->size > 0 ? r->size : 1);
	enum auth_verdict v;

	REQUIRE(p != NULL);
	memcpy(p, r->p, r->size);
	v = auth_stream_open(&n->a, s, p, r->size);
	free(p);
	return v;
}

static void
two_nodes_meet(void)
{
	struct record r;
	struct wire_msg m;
	unsigned i, bad = 0;

	begin();
	ok(talk(), "both are ready");
	ok(t.client == AUTH_OK && t.server == AUTH_OK, "all went well");
	ok(t.c.peer == 2 && t.c.epoch == 20 && t.s.peer == 1 &&
	    t.s.epoch == 10, "each knows the other");
	ok(t.size[HELLO] <= AUTH_BEFORE_MAX && t.size[REPLY] <=
	    AUTH_BEFORE_MAX && t.size[CONFIRM] <= AUTH_BEFORE_MAX,
	    "in %zu, %zu and %zu bytes", t.size[0], t.size[1], t.size[2]);
	for (i = 0; i < 100; i++) {
		put(&a, &t.c, &r);
		bad += get(&b, &t.s, &r) != AUTH_OK;
		put(&b, &t.s, &r);
		bad += get(&a, &t.c, &r) != AUTH_OK;
	}
	is_u64(bad, 0, "a hundred records each way");
	ok(wire_parse(&m, r.p, r.size - MAC_TAG, WIRE_BY_NODE) == WIRE_OK &&
	    m.h.sender == (2u << 16 | 7) && m.h.epoch == 20 && m.h.key == 1 &&
	    m.h.dvm == SIDE_DVM, "with a whole header");
	is_u64(b.a.counts.opened[0], 100, "counted for their key");
	ok(auth_stream_current(&a.a, &t.c), "it is the key that sends");
	connect_to(0);
	go_on(HELLO);
	ok(both_ready() && t.c.peer == 2, "whoever it is");
	auth_stream_end(&t.c);
	put(&a, &t.c, &r);
	ok(r.size == 0 && t.c.step == AUTH_STEP_FAILED, "what is ended is so");
	end();
}

/* Has the side given up that got it, or the one that got its answer? */
static bool
given_up(unsigned which)
{
	if (which == CONFIRM)
		return t.s.step == AUTH_STEP_FAILED;
	return t.c.step != AUTH_STEP_READY && t.s.step != AUTH_STEP_READY;
}

static void
each_bit_of_a_handshake_matters(void)
{
	struct side was_a, was_b;
	size_t bit, bad = 0, n = 0, changed = 0;
	unsigned which;

	begin();
	side_copy(&was_a, &a);
	side_copy(&was_b, &b);
	for (which = 0; which < STEPS; which++) {
		lead_up_to(which);
		for (bit = 0; bit < 8 * t.size[which]; bit++, n++) {
			lead_up_to(which);
			t.p[which][bit / 8] ^= (uint8_t)(1u << bit % 8);
			go_on(which);
			bad += !given_up(which);
			changed += !side_same(&was_a, &a) ||
			    !side_same(&was_b, &b);
		}
	}
	ok(bad == 0 && changed == 0, "%zu bits, none may differ", n);
	free(was_a.memory);
	free(was_b.memory);
	end();
}

static void
each_length_of_a_handshake_matters(void)
{
	size_t size, bad = 0, n = 0;
	unsigned which;

	begin();
	for (which = 0; which < STEPS; which++) {
		for (size = 1; size <= AUTH_BEFORE_MAX; size++) {
			lead_up_to(which);
			if (size == t.size[which])
				continue;
			t.size[which] = size;
			go_on(which);
			bad += !given_up(which);
			n++;
		}
	}
	is_u64(bad, 0, "none may be cut or longer: %zu", n);
	end();
}

/* What an eavesdropper has is of no use in another connection. */
static void
handshakes_cannot_be_played_back(void)
{
	struct talk old;
	uint8_t out[AUTH_BEFORE_MAX];
	size_t n;

	begin();
	ok(talk(), "a handshake");
	old = t;
	connect_to(2);
	go_on(HELLO);
	connect_to(2);
	memcpy(t.p[HELLO], old.p[HELLO], sizeof(t.p[HELLO]));
	t.server = step(&b, &t.s, t.p[HELLO], old.size[HELLO], out, &n);
	ok(t.server == AUTH_OK && n != 0 &&
	    memcmp(out, old.p[REPLY], n) != 0, "its start gets a new answer");
	ok(step(&b, &t.s, old.p[CONFIRM], old.size[CONFIRM], out, &n) ==
	    AUTH_MAC && n == 0, "so its end is wrong");
	ok(t.s.step == AUTH_STEP_FAILED, "for ever");
	ok(step(&b, &t.s, old.p[CONFIRM], old.size[CONFIRM], out, &n) !=
	    AUTH_OK, "there is no second try");
	connect_to(2);
	ok(step(&a, &t.c, old.p[REPLY], old.size[REPLY], out, &n) == AUTH_MAC,
	    "nor does its answer fit another start");
	end();
}

static void
handshakes_cannot_be_reflected(void)
{
	uint8_t out[AUTH_BEFORE_MAX];
	size_t n;
	struct side c;

	begin();
	connect_to(2);
	ok(step(&a, &t.c, t.p[HELLO], t.size[HELLO], out, &n) == AUTH_SELF,
	    "our own start");
	lead_up_to(REPLY);
	ok(step(&b, &t.s, t.p[REPLY], t.size[REPLY], out, &n) == AUTH_SELF,
	    "our own answer");
	connect_to(3);
	go_on(HELLO);
	ok(t.client == AUTH_MAGIC && t.c.step == AUTH_STEP_FAILED,
	    "another node than the one that was called");
	side_begin(&c, 1, 10);
	t.size[HELLO] = auth_stream_connect(&c.a, &t.c, 2, t.p[HELLO]);
	ok(auth_stream_step(&a.a, &t.c, t.p[HELLO], t.size[HELLO], out, &n) ==
	    AUTH_SELF, "a node with our number");
	side_end(&c);
	end();
}

static void
frames_come_in_order(void)
{
	struct talk good;
	struct auth_stream s;
	struct record r;
	uint8_t out[AUTH_BEFORE_MAX];
	size_t n;

	begin();
	ok(talk(), "a handshake");
	good = t;
	auth_stream_accept(&s);
	ok(step(&b, &s, good.p[CONFIRM], good.size[CONFIRM], out, &n) ==
	    AUTH_MAGIC, "not the end first");
	connect_to(2);
	ok(step(&a, &t.c, good.p[CONFIRM], good.size[CONFIRM], out, &n) !=
	    AUTH_OK, "not the end to its own side");
	ok(step(&a, &good.c, good.p[REPLY], good.size[REPLY], out, &n) !=
	    AUTH_OK && good.c.step == AUTH_STEP_FAILED,
	    "not once more when it is ready");
	connect_to(2);
	put(&a, &t.c, &r);
	ok(r.size == 0, "no record before it is ready");
	r.size = 60;
	ok(get(&a, &t.c, &r) == AUTH_UNPROVEN &&
	    t.c.step == AUTH_STEP_FAILED, "neither in");
	end();
}

static void
strangers_are_refused(void)
{
	uint8_t key[MAC_KEY] = { 0 }, out[AUTH_BEFORE_MAX];
	struct auth_stream s;
	struct talk third;

	begin();
	side_end(&a);
	side_begin_in(&a, SIDE_DVM + 1, 1, 10);
	ok(auth_stream_connect(&a.a, &s, 2, out) == 0, "no key, no start");
	side_add(&a, 1);
	connect_to(2);
	go_on(HELLO);
	ok(t.server == AUTH_DVM && t.size[REPLY] == 0, "another dvm");
	connect_to(2);
	t.p[HELLO][19]--;
	go_on(HELLO);
	ok(t.server == AUTH_OK && t.c.step == AUTH_STEP_FAILED,
	    "who says it is ours cannot go on");
	side_end(&a);
	side_begin_in(&a, SIDE_DVM, 1, 10);
	ok(auth_key_add(&a.a, 2, key), "another key");
	connect_to(2);
	go_on(HELLO);
	ok(t.server == AUTH_KEY && t.size[REPLY] == 0, "of another id");
	ok(auth_key_add(&a.a, 1, key) && auth_key_use(&a.a, 1), "of our id");
	connect_to(2);
	go_on(HELLO);
	ok(t.client == AUTH_MAC && t.size[CONFIRM] == 0, "the client sees it");
	side_end(&a);
	side_begin(&a, 3, 30);
	lead_up_to(CONFIRM);
	third = t;
	side_end(&a);
	side_begin(&a, 1, 10);
	lead_up_to(CONFIRM);
	memcpy(t.p[CONFIRM], third.p[CONFIRM], sizeof(t.p[CONFIRM]));
	go_on(CONFIRM);
	ok(t.server == AUTH_MAGIC, "another node's end is not ours");
	end();
}

static void
records_have_their_place(void)
{
	struct record r[3], bad;
	struct talk other, saved;
	size_t bit, wrong = 0, size;
	unsigned i;

	begin();
	ok(talk(), "a stream");
	other = t;
	ok(talk(), "another");
	for (i = 0; i < 3; i++)
		put(&a, &t.c, &r[i]);
	saved = t;
	for (bit = 0; bit < 8 * r[0].size; bit++) {
		bad = r[0];
		bad.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		t = saved;
		wrong += get(&b, &t.s, &bad) == AUTH_OK ||
		    t.s.step != AUTH_STEP_FAILED;
	}
	is_u64(wrong, 0, "each of %zu bits matters", bit);
	for (size = 0; size < r[0].size; size++) {
		bad = r[0];
		bad.size = size;
		t = saved;
		wrong += get(&b, &t.s, &bad) == AUTH_OK ||
		    t.s.step != AUTH_STEP_FAILED;
	}
	is_u64(wrong, 0, "and each byte has to be there");
	t = saved;
	ok(get(&b, &t.s, &r[1]) == AUTH_MAC, "one is missing");
	ok(get(&b, &t.s, &r[0]) != AUTH_OK, "that was the end");
	t = saved;
	ok(get(&b, &t.s, &r[0]) == AUTH_OK && get(&b, &t.s, &r[0]) == AUTH_MAC,
	    "one is there twice");
	t = saved;
	ok(get(&a, &t.c, &r[0]) == AUTH_MAGIC, "it comes back");
	ok(get(&b, &other.s, &r[0]) == AUTH_MAC, "it is another stream's");
	t = saved;
	for (i = 0; i < 3; i++)
		wrong += get(&b, &t.s, &r[i]) != AUTH_OK;
	is_u64(wrong, 0, "in order they are good");
	end();
}

static void
sealing_needs_room(void)
{
	uint8_t p[200];
	size_t size;

	begin();
	ok(talk(), "a stream");
	size = side_frame(p, sizeof(p), WIRE_BYE, NULL);
	is_u64(auth_stream_seal(&a.a, &t.c, p, size, size + 15), 0, "no room");
	is_u64(auth_stream_seal(&a.a, &t.c, p, size - 1, sizeof(p)), 0,
	    "half a frame");
	ok(t.c.step == AUTH_STEP_READY && t.c.out_len == 0, "no harm done");
	size = auth_stream_seal(&a.a, &t.c, p, size, size + 16);
	ok(auth_stream_open(&b.a, &t.s, p, size) == AUTH_OK, "just so");
	end();
}

static void
streams_prove_epochs(void)
{
	struct parcel before, after;
	struct auth_out out;
	uint64_t epoch = 0;

	begin();
	side_send(&a, 0, &before);
	connect_to(2);
	ok(auth_stream_prove(&b.a, now, &t.s) == AUTH_UNPROVEN,
	    "not before they are ready");
	go_on(HELLO);
	ok(auth_stream_prove(&a.a, now, &t.c) == AUTH_OK &&
	    auth_stream_prove(&b.a, now, &t.s) == AUTH_OK, "both sides'");
	ok(auth_epoch(&b.a, 1, &epoch) && epoch == 10, "the client's");
	ok(auth_epoch(&a.a, 2, &epoch) && epoch == 20, "the server's");
	side_send(&a, 0, &after);
	ok(side_get(&b, now, &before) == AUTH_REPLAY, "what was before is old");
	ok(side_get(&b, now, &after) == AUTH_OK && !auth_take(&b.a, &out),
	    "what comes after needs no challenge");
	ok(talk() && auth_stream_prove(&b.a, now, &t.s) == AUTH_OK &&
	    side_get(&b, now, &after) == AUTH_REPLAY,
	    "a second stream forgets nothing");
	end();
}

static void
former_lives_get_no_stream(void)
{
	struct side old;
	struct talk late;
	uint64_t epoch = 0;

	begin();
	ok(talk(), "a stream of life 10");
	late = t;
	old = a;
	side_begin(&a, 1, 11);
	ok(talk() && auth_stream_prove(&b.a, now, &t.s) == AUTH_OK, "life 11");
	ok(auth_stream_prove(&b.a, now, &late.s) == AUTH_STALE,
	    "the other proves nothing now");
	side_end(&a);
	a = old;
	ok(!talk() && t.server == AUTH_STALE, "and gets no new one");
	ok(auth_epoch(&b.a, 1, &epoch) && epoch == 11, "it is life 11");
	side_end(&b);
	side_begin(&b, 2, 19);
	ok(talk() && auth_stream_prove(&a.a, now, &t.c) == AUTH_OK, "life 19");
	side_end(&b);
	side_begin(&b, 2, 18);
	ok(!talk() && t.client == AUTH_STALE, "the client looks, too");
	end();
}

static void
full_table_is_told(void)
{
	struct side c;
	uint16_t node;
	unsigned bad = 0;

	begin();
	for (node = 3; node < 3 + SIDE_NODES; node++) {
		side_begin(&c, node, 1);
		bad += !side_trust(&b, &c, now);
		side_end(&c);
	}
	is_u64(bad, 0, "all places are taken");
	ok(talk() && auth_stream_prove(&b.a, now, &t.s) == AUTH_FULL,
	    "the stream is good, for datagrams there is no room");
	end();
}

static void
streams_end_with_their_key(void)
{
	struct record r, in_flight;
	struct talk second;

	begin();
	side_add(&a, 2);
	side_add(&b, 2);
	ok(talk() && t.c.key == 1 && t.s.key == 1, "made with key 1");
	ok(auth_key_use(&b.a, 2), "the server sends with another");
	put(&b, &t.s, &r);
	ok(get(&a, &t.c, &r) == AUTH_OK, "the stream goes on");
	ok(!auth_stream_current(&b.a, &t.s) && auth_stream_current(&a.a, &t.c),
	    "but is not current there");
	second = t;
	ok(talk() && t.s.key == 1, "the client's choice counts");
	ok(auth_key_use(&a.a, 2) && talk() && t.s.key == 2, "now it is key 2");
	put(&a, &second.c, &in_flight);
	ok(auth_key_remove(&b.a, 1), "key 1 is removed");
	ok(get(&b, &second.s, &in_flight) == AUTH_KEY &&
	    second.s.step == AUTH_STEP_FAILED, "the old one ends coming in");
	put(&a, &second.c, &r);
	ok(r.size != 0 && auth_key_remove(&a.a, 1), "and where it is sent");
	put(&a, &second.c, &r);
	ok(r.size == 0 && second.c.step == AUTH_STEP_FAILED, "ends going out");
	put(&a, &t.c, &r);
	ok(get(&b, &t.s, &r) == AUTH_OK, "the new one lives");
	second = t;
	side_add(&b, 1);
	ok(auth_key_use(&b.a, 1) && auth_key_remove(&b.a, 2), "key 2 goes");
	side_add(&b, 2);
	put(&a, &t.c, &r);
	ok(get(&b, &t.s, &r) == AUTH_KEY, "its id may not come back");
	end();
}

static void
key_is_removed_during_a_handshake(void)
{
	begin();
	side_add(&a, 2);
	side_add(&b, 2);
	lead_up_to(REPLY);
	ok(auth_key_use(&a.a, 2) && auth_key_remove(&a.a, 1), "the client's");
	go_on(REPLY);
	ok(t.client == AUTH_KEY && t.size[CONFIRM] == 0, "it ends");
	end();
}

int
main(void)
{
	two_nodes_meet();
	each_bit_of_a_handshake_matters();
	each_length_of_a_handshake_matters();
	handshakes_cannot_be_played_back();
	handshakes_cannot_be_reflected();
	frames_come_in_order();
	strangers_are_refused();
	records_have_their_place();
	sealing_needs_room();
	streams_prove_epochs();
	former_lives_get_no_stream();
	full_table_is_told();
	streams_end_with_their_key();
	key_is_removed_during_a_handshake();
	return done_testing();
}
