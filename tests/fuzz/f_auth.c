/* SPDX-License-Identifier: ISC */
#include "base/require.h"

#include "../unit/auth_side.h"
#include "fuzz.h"

/*
 * What a stranger sends to a node that knows one other.  He has no key, so
 * none of it may be taken, and nothing may change but counts.  The first byte
 * says where the rest arrives; its bits 4 and up make the header fit, so that
 * the tag is what has to be wrong.
 */
enum place {
	UNICAST,
	MULTICAST,
	CALLED, /* the three steps of a handshake */
	MEET,
	PROVE,
	RECORD,
	PLACES
};

#define FIT_SIZES 0x10u
#define FIT_SENDER 0x20u
#define INPUT_MAX 4096u

static struct side a, b; /* nodes 1 and 2 */
static const uint64_t now = 100 * ORCM_SECOND;

static void
begin(void)
{
	side_begin(&a, 1, 10);
	side_begin(&b, 2, 20);
	REQUIRE(side_trust(&b, &a, now));
}

static void
put(uint8_t *p, unsigned bytes, uint64_t v)
{
	while (bytes-- > 0) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}

/* Makes it look like the other node's, as far as no key is needed. */
static void
fit(uint8_t *p, size_t size, unsigned how, enum place place)
{
	size_t tag = MAC_TAG; /* behind the frame */

	if (place == CALLED || place == MEET || place == PROVE)
		tag = 0;
	if (size < WIRE_HEADER + tag)
		return;
	if ((how & FIT_SIZES) != 0) {
		put(p, 2, WIRE_MAGIC);
		p[2] = 1;
		put(p + 8, 4, size - tag);
		put(p + 12, 4, size - tag - WIRE_HEADER);
	}
	if ((how & FIT_SENDER) != 0) {
		put(p + 6, 2, 1);
		put(p + 16, 4, SIDE_DVM);
		put(p + 20, 2, place == MEET ? 2 : 1);
		put(p + 24, 8, place == MEET ? 20 : 10);
	}
}

/* A connection of node 1 with node 2, up to the frame that is now due. */
static void
lead_up_to(enum place place, struct auth_stream *c, struct auth_stream *s)
{
	uint8_t hello[AUTH_BEFORE_MAX], reply[AUTH_BEFORE_MAX];
	uint8_t end[AUTH_BEFORE_MAX];
	size_t hello_size, reply_size, end_size, none;

	hello_size = auth_stream_connect(&a.a, c, 0, hello);
	auth_stream_accept(s);
	if (place == CALLED || place == MEET)
		return;
	REQUIRE(auth_stream_step(&b.a, s, hello, hello_size, reply,
	    &reply_size) == AUTH_OK);
	if (place == PROVE)
		return;
	REQUIRE(auth_stream_step(&a.a, c, reply, reply_size, end, &end_size) ==
	    AUTH_OK);
	REQUIRE(auth_stream_step(&b.a, s, end, end_size, reply, &none) ==
	    AUTH_OK);
	REQUIRE(s->step == AUTH_STEP_READY && none == 0);
}

static void
stream(enum place place, const uint8_t *p, size_t size)
{
	struct auth_stream c, s, *to = place == MEET ? &c : &s;
	struct side *node = place == MEET ? &a : &b;
	uint8_t out[AUTH_BEFORE_MAX];
	enum auth_verdict v;
	size_t n = 0;

	lead_up_to(place, &c, &s);
	if (place == RECORD)
		v = auth_stream_open(&node->a, to, p, size);
	else
		v = auth_stream_step(&node->a, to, p, size, out, &n);
	if (place == CALLED && v == AUTH_OK) {
		/* Anybody may begin; that is not much. */
		REQUIRE(to->step == AUTH_STEP_PROVE);
		REQUIRE(n > 0 && n <= AUTH_BEFORE_MAX);
		return;
	}
	REQUIRE(v != AUTH_OK && n == 0);
	REQUIRE(to->step == AUTH_STEP_FAILED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *p;
	struct side was;
	struct auth_from from;
	struct auth_out out;
	enum auth_verdict v;
	enum place place;

	if (size == 0 || size > INPUT_MAX)
		return 0;
	if (a.memory == NULL)
		begin();
	place = (enum place)(data[0] % 16 % PLACES);
	size--;
	/* Of its exact size, for the address sanitizer. */
	p = malloc(size > 0 ? size : 1);
	REQUIRE(p != NULL);
	memcpy(p, data + 1, size);
	fit(p, size, data[0], place);
	side_copy(&was, place == MEET ? &a : &b);
	if (place == UNICAST || place == MULTICAST) {
		v = auth_open(&b.a, now, place == MULTICAST ? AUTH_MULTICAST :
		    AUTH_UNICAST, p, size, &from);
		REQUIRE(v > AUTH_OK && v <= AUTH_MAC);
		REQUIRE(!auth_take(&b.a, &out));
	} else {
		stream(place, p, size);
	}
	REQUIRE(side_same(&was, place == MEET ? &a : &b));
	free(was.memory);
	free(p);
	return 0;
}
