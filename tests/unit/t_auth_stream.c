/* SPDX-License-Identifier: ISC */
#include "auth_talk.h"

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

/* A frame of node 2 with these TLVs, in that order. */
static size_t
build(uint8_t *p, enum wire_type type, const uint16_t *tlvs, size_t len)
{
	static const uint8_t value[80];
	struct wire_header h = {
		.type = (uint8_t)type,
		.key = 1,
		.dvm = SIDE_DVM,
		.sender = 2 << 16,
		.epoch = 20,
	};
	struct wr w;
	size_t i;

	wire_begin(&w, p, WIRE_CONTROL_MAX, &h);
	for (i = 0; i < len; i++)
		wr_tlv(&w, tlvs[i], value,
		    tlvs[i] == TLV_NONCE || tlvs[i] == TLV_TAG ? 16 : 80);
	return wire_end(&w, 0);
}

static void
handshakes_have_one_form(void)
{
	static const struct {
		enum wire_type type;
		uint16_t tlvs[3];
		size_t len;
		bool client;
		enum auth_verdict want;
		const char *what;
	} rows[] = {
		{ WIRE_MEET, { TLV_NONCE }, 1, false, AUTH_OK, "a start" },
		{ WIRE_MEET, { TLV_NONCE, TLV_TAG }, 2, false, AUTH_MAGIC,
		    "a start with a tag" },
		{ WIRE_MEET, { TLV_NONCE, 0x3000 }, 2, false, AUTH_MAGIC,
		    "a long start" },
		{ WIRE_BYE, { 0 }, 0, false, AUTH_MAGIC, "another frame" },
		{ WIRE_PROVE, { TLV_TAG }, 1, false, AUTH_MAGIC, "an end" },
		{ WIRE_MEET, { TLV_NONCE, TLV_TAG }, 2, true, AUTH_MAC,
		    "an answer" },
		{ WIRE_MEET, { TLV_NONCE }, 1, true, AUTH_MAGIC,
		    "an answer without its tag" },
		{ WIRE_MEET, { TLV_TAG, TLV_NONCE }, 2, true, AUTH_MAGIC,
		    "an answer that goes on behind its tag" },
		{ WIRE_MEET, { TLV_TAG }, 1, true, AUTH_MAGIC,
		    "an answer without a nonce" },
		{ WIRE_PROVE, { TLV_TAG }, 1, true, AUTH_MAGIC,
		    "an end for an answer" },
	};
	uint8_t p[WIRE_CONTROL_MAX], out[AUTH_BEFORE_MAX];
	struct side c;
	size_t i, n, size;

	begin();
	side_begin(&c, 3, 30);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size = build(p, rows[i].type, rows[i].tlvs, rows[i].len);
		connect_to(2);
		is_u64(rows[i].client ? step(&a, &t.c, p, size, out, &n) :
		    step(&c, &t.s, p, size, out, &n), rows[i].want, "%s",
		    rows[i].what);
	}
	side_end(&c);
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

int
main(void)
{
	two_nodes_meet();
	each_bit_of_a_handshake_matters();
	each_length_of_a_handshake_matters();
	handshakes_cannot_be_played_back();
	handshakes_cannot_be_reflected();
	frames_come_in_order();
	handshakes_have_one_form();
	strangers_are_refused();
	return done_testing();
}
