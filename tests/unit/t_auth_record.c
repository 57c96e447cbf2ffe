/* SPDX-License-Identifier: ISC */
#include "auth_talk.h"

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

static bool
tag_is(const uint8_t *p, size_t size, const char *want)
{
	char text[2 * MAC_TAG + 1];
	size_t i;

	for (i = 0; i < MAC_TAG; i++)
		snprintf(text + 2 * i, 3, "%02x", p[size - MAC_TAG + i]);
	return tap_str(text, want);
}

/* What another implementation made of the description in auth.h. */
static void
tags_are_as_described(void)
{
	struct parcel d;
	struct record r;

	begin();
	side_send(&a, 2, &d);
	side_send(&a, 2, &d);
	ok(talk(), "after two datagrams of the client");
	ok(tag_is(t.p[REPLY], t.size[REPLY],
	    "fc6a1a275e3df4c68014d40e5a359edb"), "the server's");
	ok(tag_is(t.p[CONFIRM], t.size[CONFIRM],
	    "2eb17a4b7341a6ccdb36d9f9af6a4807"), "the client's");
	put(&a, &t.c, &r);
	put(&a, &t.c, &r);
	ok(tag_is(r.p, r.size, "989f50e9b6ac2c86b8c13121fe4c6d5e"),
	    "the client's second record");
	put(&b, &t.s, &r);
	ok(tag_is(r.p, r.size, "483bcf3504cc2c2f23050d8e3be4153f"),
	    "the server's first");
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
	struct parcel before, after, in_flight;
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
	side_send(&a, 0, &in_flight);
	ok(talk() && auth_stream_prove(&b.a, now, &t.s) == AUTH_OK &&
	    side_get(&b, now, &after) == AUTH_REPLAY,
	    "a second stream forgets nothing");
	ok(side_get(&b, now, &in_flight) == AUTH_OK, "and makes nothing old");
	end();
}

static void
former_lives_prove_nothing(void)
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
	ok(talk() && auth_stream_prove(&b.a, now, &t.s) == AUTH_STALE,
	    "nor does a new one");
	ok(auth_epoch(&b.a, 1, &epoch) && epoch == 11, "it is life 11");
	side_end(&b);
	side_begin(&b, 2, 19);
	ok(talk() && auth_stream_prove(&a.a, now, &t.c) == AUTH_OK, "life 19");
	side_end(&b);
	side_begin(&b, 2, 18);
	ok(talk() && auth_stream_prove(&a.a, now, &t.c) == AUTH_STALE,
	    "for the client, too");
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
	lead_up_to(CONFIRM);
	ok(auth_key_use(&b.a, 1) && auth_key_remove(&b.a, 2), "the server's");
	side_add(&b, 2);
	go_on(CONFIRM);
	ok(t.server == AUTH_KEY, "even when the same one comes again");
	end();
}

int
main(void)
{
	records_have_their_place();
	tags_are_as_described();
	sealing_needs_room();
	streams_prove_epochs();
	former_lives_prove_nothing();
	full_table_is_told();
	streams_end_with_their_key();
	key_is_removed_during_a_handshake();
	return done_testing();
}
