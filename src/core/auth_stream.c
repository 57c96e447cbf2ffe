/* SPDX-License-Identifier: ISC */
/*
 * Streams: a handshake of three frames, and a tag behind each frame after it.
 *
 * Both sides give a nonce and prove that they hold the key by a tag over all
 * that was said so far, with a letter for the side, so that nothing that one
 * of them said can be played back to it, or to another.  The keys of the two
 * directions come from the whole transcript: they are those of this one
 * connection, and a record is good at one place of it only.  The key id that
 * the client begins with holds for both sides and for the whole stream.
 *
 * There is no second chance: what is not as it must be ends the stream, since
 * TCP itself neither loses nor changes anything.  A stream whose key has been
 * removed ends likewise, at its next frame, either way.  Who changes keys
 * makes streams new that are not auth_stream_current() before that.
 *
 * The caller bounds what is not authenticated yet: frames (AUTH_BEFORE_MAX),
 * the number of such connections, and their time.
 */
#include "core/auth.h"

#include <string.h>

#include "base/require.h"
#include "base/wr.h"

#define HASH BLAKE2S_OUT_MAX
#define CLIENT 'C'
#define SERVER 'S'

/* MEET with both its TLVs is the largest. */
_Static_assert(WIRE_HEADER + 4 + AUTH_NONCE + 4 + MAC_TAG <= AUTH_BEFORE_MAX,
    "the handshake keeps to its own limit");

static uint8_t
letter(bool client)
{
	return client ? CLIENT : SERVER;
}

/* The hash of all bytes so far; they go on. */
static void
transcript_hash(const struct auth_stream *s, uint8_t hash[HASH])
{
	struct blake2s b = s->transcript;

	blake2s_final(&b, hash);
}

static void
handshake_tag(const struct auth *a, const struct auth_stream *s,
    const struct auth_key *key, bool client, uint8_t tag[MAC_TAG])
{
	struct mac_who all = {
		.dvm = a->conf.dvm,
		.purpose = MAC_HANDSHAKE,
	};
	struct blake2s_keyed tags;
	struct blake2s b;
	uint8_t hash[HASH], side = letter(client);

	transcript_hash(s, hash);
	mac_derive_tags(&key->root, &all, NULL, 0, &tags);
	blake2s_keyed_start(&b, &tags);
	blake2s_add(&b, &side, 1);
	blake2s_add(&b, hash, sizeof(hash));
	blake2s_final(&b, tag);
	mac_wipe(&tags, sizeof(tags));
}

static void
begin(const struct auth *a, const struct auth_stream *s, struct wr *w,
    enum wire_type type, uint8_t *out)
{
	struct wire_header h = {
		.type = (uint8_t)type,
		.key = s->key,
		.dvm = a->conf.dvm,
		.sender = (uint32_t)a->conf.node << 16,
		.epoch = a->conf.epoch,
		.counter = a->counter,
	};

	wire_begin(w, out, AUTH_BEFORE_MAX, &h);
}

static void
add_nonce(struct auth *a, struct wr *w)
{
	uint8_t nonce[AUTH_NONCE];

	auth_nonce(a, nonce);
	wr_tlv(w, TLV_NONCE, nonce, sizeof(nonce));
}

/* Ends a frame with the tag over it and all before it; its size. */
static size_t
end_with_tag(const struct auth *a, struct auth_stream *s,
    const struct auth_key *key, struct wr *w, uint8_t *out)
{
	uint8_t tag[MAC_TAG] = { 0 };
	size_t size;

	wr_tlv(w, TLV_TAG, tag, sizeof(tag));
	size = wire_end(w, 0);
	REQUIRE(size != 0);
	blake2s_add(&s->transcript, out, size - MAC_TAG);
	handshake_tag(a, s, key, s->client, tag);
	memcpy(out + size - MAC_TAG, tag, MAC_TAG);
	blake2s_add(&s->transcript, tag, MAC_TAG);
	return size;
}

/* Is the tag at the end of the peer's frame right? */
static bool
check_tag(const struct auth *a, struct auth_stream *s,
    const struct auth_key *key, const uint8_t *p, size_t size)
{
	uint8_t tag[MAC_TAG];

	blake2s_add(&s->transcript, p, size - MAC_TAG);
	handshake_tag(a, s, key, !s->client, tag);
	if (!mac_same(tag, p + size - MAC_TAG, MAC_TAG))
		return false;
	blake2s_add(&s->transcript, tag, MAC_TAG);
	return true;
}

static void
derive(const struct auth *a, const struct auth_key *key, uint16_t node,
    uint64_t epoch, const uint8_t hash[HASH], struct blake2s_keyed *tags)
{
	struct mac_who who = {
		.dvm = a->conf.dvm,
		.node = node,
		.epoch = epoch,
		.purpose = MAC_STREAM,
	};

	mac_derive_tags(&key->root, &who, hash, HASH, tags);
}

static void
ready(const struct auth *a, struct auth_stream *s, const struct auth_key *key)
{
	uint8_t hash[HASH];

	transcript_hash(s, hash);
	derive(a, key, a->conf.node, a->conf.epoch, hash, &s->out);
	derive(a, key, s->peer, s->epoch, hash, &s->in);
	mac_wipe(&s->transcript, sizeof(s->transcript));
	s->step = AUTH_STEP_READY;
}

size_t
auth_stream_connect(struct auth *a, struct auth_stream *s, uint16_t peer,
    uint8_t *out)
{
	const struct auth_key *key = auth_key_sending(a);
	struct wr w;
	size_t size;

	memset(s, 0, sizeof(*s));
	if (key == NULL)
		return 0;
	s->client = true;
	s->peer = peer;
	s->key = key->id;
	s->serial = key->serial;
	blake2s_init(&s->transcript, HASH);
	begin(a, s, &w, WIRE_MEET, out);
	add_nonce(a, &w);
	size = wire_end(&w, 0);
	REQUIRE(size != 0);
	blake2s_add(&s->transcript, out, size);
	s->step = AUTH_STEP_MEET;
	return size;
}

void
auth_stream_accept(struct auth_stream *s)
{
	memset(s, 0, sizeof(*s));
	s->step = AUTH_STEP_CALLED;
}

/* Is it the frame that this step waits for, with its tag at its end? */
static bool
is_expected(const struct auth_stream *s, const uint8_t *p, size_t size)
{
	struct wire_msg m;
	enum wire_type type =
	    s->step == AUTH_STEP_PROVE ? WIRE_PROVE : WIRE_MEET;

	if (size > AUTH_BEFORE_MAX ||
	    wire_parse(&m, p, size, WIRE_BY_NODE) != WIRE_OK ||
	    m.h.type != type)
		return false;
	if (s->step == AUTH_STEP_CALLED)
		return !wire_has(&m, TLV_TAG);
	return wire_has(&m, TLV_TAG) &&
	    m.tlv[TLV_TAG].p + MAC_TAG == p + size;
}

static enum auth_verdict
called(struct auth *a, struct auth_stream *s, const uint8_t *p, size_t size,
    const struct auth_from *from, const struct auth_key *key, uint8_t *out,
    size_t *out_size)
{
	struct wr w;

	s->key = key->id;
	s->serial = key->serial;
	s->peer = from->node;
	s->epoch = from->epoch;
	blake2s_init(&s->transcript, HASH);
	blake2s_add(&s->transcript, p, size);
	begin(a, s, &w, WIRE_MEET, out);
	add_nonce(a, &w);
	*out_size = end_with_tag(a, s, key, &w, out);
	s->step = AUTH_STEP_PROVE;
	return AUTH_OK;
}

static enum auth_verdict
met(struct auth *a, struct auth_stream *s, const uint8_t *p, size_t size,
    const struct auth_from *from, const struct auth_key *key, uint8_t *out,
    size_t *out_size)
{
	struct wr w;

	if (s->peer != 0 && from->node != s->peer)
		return AUTH_MAGIC;
	if (!check_tag(a, s, key, p, size))
		return AUTH_MAC;
	s->peer = from->node;
	s->epoch = from->epoch;
	s->counter = from->counter;
	begin(a, s, &w, WIRE_PROVE, out);
	*out_size = end_with_tag(a, s, key, &w, out);
	ready(a, s, key);
	return AUTH_OK;
}

static enum auth_verdict
proved(struct auth *a, struct auth_stream *s, const uint8_t *p, size_t size,
    const struct auth_from *from, const struct auth_key *key)
{
	if (from->node != s->peer || from->epoch != s->epoch)
		return AUTH_MAGIC;
	if (!check_tag(a, s, key, p, size))
		return AUTH_MAC;
	s->counter = from->counter;
	ready(a, s, key);
	return AUTH_OK;
}

static enum auth_verdict
step(struct auth *a, struct auth_stream *s, const uint8_t *p, size_t size,
    uint8_t *out, size_t *out_size)
{
	const struct auth_key *key;
	struct auth_from from;
	enum auth_verdict v;

	v = auth_look(a, p, size, &from, &key);
	if (v != AUTH_OK)
		return v;
	if (from.node == a->conf.node)
		return AUTH_SELF;
	if (!is_expected(s, p, size))
		return AUTH_MAGIC;
	if (s->step != AUTH_STEP_CALLED && key->serial != s->serial)
		return AUTH_KEY;
	switch (s->step) {
	case AUTH_STEP_CALLED:
		return called(a, s, p, size, &from, key, out, out_size);
	case AUTH_STEP_MEET:
		return met(a, s, p, size, &from, key, out, out_size);
	case AUTH_STEP_PROVE:
		return proved(a, s, p, size, &from, key);
	case AUTH_STEP_READY:
	case AUTH_STEP_FAILED:
		break;
	}
	return AUTH_MAGIC;
}

enum auth_verdict
auth_stream_step(struct auth *a, struct auth_stream *s, const uint8_t *p,
    size_t size, uint8_t *out, size_t *out_size)
{
	enum auth_verdict v;

	*out_size = 0;
	v = step(a, s, p, size, out, out_size);
	if (v != AUTH_OK)
		auth_stream_end(s);
	return auth_count(a, v, NULL);
}

enum auth_verdict
auth_stream_prove(struct auth *a, uint64_t now, const struct auth_stream *s)
{
	if (s->step != AUTH_STEP_READY)
		return AUTH_UNPROVEN;
	return auth_install(a, now, s->peer, s->epoch, s->counter);
}

/* Its key, if that is still in the ring. */
static const struct auth_key *
key_of(const struct auth *a, const struct auth_stream *s)
{
	const struct auth_key *key = auth_key_find(a, s->key);

	return key != NULL && key->serial == s->serial ? key : NULL;
}

static void
record_tag(const struct blake2s_keyed *tags, bool client, uint64_t number,
    const uint8_t *frame, size_t size, uint8_t tag[MAC_TAG])
{
	uint8_t place[1 + 8];
	struct blake2s b;
	struct wr w;

	wr_init(&w, place, sizeof(place));
	wr_u8(&w, letter(client));
	wr_u64(&w, number);
	blake2s_keyed_start(&b, tags);
	blake2s_add(&b, place, sizeof(place));
	blake2s_add(&b, frame, size);
	blake2s_final(&b, tag);
}

size_t
auth_stream_seal(struct auth *a, struct auth_stream *s, uint8_t *buf,
    size_t size, size_t room)
{
	if (s->step != AUTH_STEP_READY)
		return 0;
	if (key_of(a, s) == NULL) {
		auth_stream_end(s);
		return 0;
	}
	if (size > room || room - size < MAC_TAG ||
	    !auth_stamp(a, s->key, buf, size))
		return 0;
	record_tag(&s->out, s->client, s->out_len++, buf, size, buf + size);
	return size + MAC_TAG;
}

static enum auth_verdict
open_record(const struct auth *a, const struct auth_stream *s,
    const uint8_t *p, size_t size, const struct auth_key **key)
{
	struct auth_from from;
	uint8_t tag[MAC_TAG];
	enum auth_verdict v;

	if (s->step != AUTH_STEP_READY)
		return AUTH_UNPROVEN;
	if (size < MAC_TAG)
		return AUTH_SHORT;
	size -= MAC_TAG;
	v = auth_look(a, p, size, &from, key);
	if (v != AUTH_OK)
		return v;
	if (from.key != s->key || (*key)->serial != s->serial)
		return AUTH_KEY;
	if (from.node != s->peer || from.epoch != s->epoch)
		return AUTH_MAGIC;
	record_tag(&s->in, !s->client, s->in_len, p, size, tag);
	return mac_same(tag, p + size, MAC_TAG) ? AUTH_OK : AUTH_MAC;
}

enum auth_verdict
auth_stream_open(struct auth *a, struct auth_stream *s, const uint8_t *p,
    size_t size)
{
	const struct auth_key *key = NULL;
	enum auth_verdict v;

	v = open_record(a, s, p, size, &key);
	if (v == AUTH_OK)
		s->in_len++;
	else
		auth_stream_end(s);
	return auth_count(a, v, key);
}

bool
auth_stream_current(const struct auth *a, const struct auth_stream *s)
{
	const struct auth_key *key = key_of(a, s);

	return key != NULL && key->state == AUTH_KEY_SEND;
}

void
auth_stream_end(struct auth_stream *s)
{
	_Static_assert(AUTH_STEP_FAILED == 0, "what is wiped has failed");

	mac_wipe(s, sizeof(*s));
}
