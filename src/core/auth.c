/* SPDX-License-Identifier: ISC */
/*
 * Datagrams: is it from a node that has our key, meant for us, of its present
 * life, and new?  Checks go from cheap to dear, and from what anybody can
 * send to what only a member can: sizes, header, dvm, key, tag, epoch,
 * counter.  Before the tag is found good nothing but a count changes, and
 * nobody is ever answered whose tag is bad.
 *
 * Replays (after RFC 8967, Babel's MAC authentication).  Each life of a node
 * has an epoch, higher than those before, and one counter for all that it
 * seals.  Of a proven epoch each counter is taken once: above the highest so
 * far, or up to 255 below and not yet seen (a ring of bits as in RFC 6479),
 * for unicast and multicast apart, because they overtake each other.  An
 * epoch that is not known may be a recording, so it has no effect but a
 * challenge; who answers with its nonce lives now.  The proof's counter is
 * where both windows begin: what was sealed before is old.  The nonce stays
 * the same for 30 s, so that frames played back cannot spoil an answer on
 * its way.  Of two epochs that are not proven the higher one is asked: a
 * recording is never from a later life than the present.
 *
 * When all places for nodes are taken, one that was asked and did not answer
 * in time is given up for a new one.  A proven node never is, until
 * auth_forget(): so a frame of another is AUTH_FULL, and counted.
 *
 * An answer to a challenge is as large as the challenge and goes to a member,
 * so it amplifies nothing.  Whoever is proven cannot be played back, and is
 * always answered; the others within a limit.
 */
#include "core/auth.h"

#include <string.h>

#include "base/rd.h"
#include "base/require.h"
#include "base/wr.h"

#define NONE UINT32_MAX

/* Where these stand in a header: base/wire.h. */
#define AT_KEY 6
#define AT_DVM 16
#define AT_EPOCH 24
#define AT_COUNTER 32

_Static_assert(AUTH_WINDOW % 64 == 0, "a window is whole words");

static uint32_t
buckets_for(uint32_t nodes_max)
{
	uint32_t len = 1;

	while (len < nodes_max)
		len *= 2;
	return len;
}

size_t
auth_memory(const struct auth_conf *conf)
{
	return conf->nodes_max * sizeof(struct auth_sender) +
	    buckets_for(conf->nodes_max) * sizeof(uint32_t) + 2 * 16;
}

static void
forget_all(struct auth *a)
{
	uint32_t i;

	mac_wipe(a->senders, a->conf.nodes_max * sizeof(*a->senders));
	for (i = 0; i < a->buckets_len; i++)
		a->buckets[i] = NONE;
}

void
auth_init(struct auth *a, struct arena *arena, const struct auth_conf *conf)
{
	REQUIRE(conf->node != 0);
	REQUIRE(conf->nodes_max >= 1 && conf->nodes_max <= UINT16_MAX);
	memset(a, 0, sizeof(*a));
	a->conf = *conf;
	mac_wipe(a->conf.seed, sizeof(a->conf.seed));
	blake2s_keyed_init(&a->nonces, AUTH_NONCE, conf->seed,
	    sizeof(conf->seed));
	a->senders = arena_alloc(arena, conf->nodes_max, sizeof(*a->senders));
	a->buckets_len = buckets_for(conf->nodes_max);
	a->buckets = arena_alloc(arena, a->buckets_len, sizeof(*a->buckets));
	forget_all(a);
}

void
auth_wipe(struct auth *a)
{
	forget_all(a);
	mac_wipe(a->keys, sizeof(a->keys));
	mac_wipe(a->tags, sizeof(a->tags));
	mac_wipe(&a->nonces, sizeof(a->nonces));
	mac_wipe(a->outs, sizeof(a->outs));
	a->outs_len = 0;
}

enum auth_verdict
auth_count(struct auth *a, enum auth_verdict v, const struct auth_key *key)
{
	a->counts.verdicts[v]++;
	if (v == AUTH_OK && key != NULL)
		a->counts.opened[key - a->keys]++;
	return v;
}

void
auth_nonce(struct auth *a, uint8_t nonce[AUTH_NONCE])
{
	uint8_t number[8];
	struct blake2s b;
	struct wr w;

	wr_init(&w, number, sizeof(number));
	wr_u64(&w, a->nonces_len++);
	blake2s_keyed_start(&b, &a->nonces);
	blake2s_add(&b, number, sizeof(number));
	blake2s_final(&b, nonce);
}

void
auth_tags(const struct auth *a, const struct auth_key *key, uint16_t node,
    uint64_t epoch, enum auth_class class, struct blake2s_keyed *tags)
{
	struct mac_who who = {
		.dvm = a->conf.dvm,
		.node = node,
		.epoch = epoch,
		.purpose = class == AUTH_MULTICAST ? MAC_MULTICAST :
						     MAC_UNICAST,
	};

	mac_derive_tags(&key->root, &who, NULL, 0, tags);
}

/* The tag of a datagram: where it goes to, and the frame. */
static void
tag_of(const struct blake2s_keyed *tags, uint16_t dst, const uint8_t *frame,
    size_t size, uint8_t tag[MAC_TAG])
{
	uint8_t to[2] = { (uint8_t)(dst >> 8), (uint8_t)dst };
	struct blake2s b;

	blake2s_keyed_start(&b, tags);
	blake2s_add(&b, to, sizeof(to));
	blake2s_add(&b, frame, size);
	blake2s_final(&b, tag);
}

static bool
is_frame(const uint8_t *p, size_t size)
{
	uint32_t frame;

	return wire_frame_size(p, size, WIRE_FRAME_MAX, &frame) == WIRE_OK &&
	    frame == size;
}

bool
auth_stamp(const struct auth *a, uint16_t key, uint8_t *p, size_t size)
{
	struct wr w;

	if (!is_frame(p, size))
		return false;
	wr_init(&w, p + AT_KEY, 2);
	wr_u16(&w, key);
	wr_init(&w, p + AT_DVM, 4 + 2);
	wr_u32(&w, a->conf.dvm);
	wr_u16(&w, a->conf.node); /* the client behind it is the caller's */
	wr_init(&w, p + AT_EPOCH, 8);
	wr_u64(&w, a->conf.epoch);
	return true;
}

size_t
auth_seal(struct auth *a, uint16_t dst, uint8_t *buf, size_t size, size_t room)
{
	const struct auth_key *key = auth_key_sending(a);
	enum auth_class class = dst == 0 ? AUTH_MULTICAST : AUTH_UNICAST;
	struct wr w;

	if (key == NULL || size > room || room - size < MAC_TAG ||
	    !auth_stamp(a, key->id, buf, size))
		return 0;
	wr_init(&w, buf + AT_COUNTER, 8);
	wr_u64(&w, ++a->counter);
	tag_of(&a->tags[class], dst, buf, size, buf + size);
	return size + MAC_TAG;
}

enum auth_verdict
auth_look(const struct auth *a, const uint8_t *p, size_t size,
    struct auth_from *from, const struct auth_key **key)
{
	struct rd r;
	uint32_t dvm;

	*key = NULL;
	if (size < WIRE_HEADER)
		return AUTH_SHORT;
	if (!is_frame(p, size))
		return AUTH_MAGIC;
	rd_init(&r, p + AT_KEY, 2);
	from->key = rd_u16(&r);
	rd_init(&r, p + AT_DVM, WIRE_HEADER - AT_DVM);
	dvm = rd_u32(&r);
	from->node = rd_u16(&r);
	from->client = rd_u16(&r);
	from->epoch = rd_u64(&r);
	from->counter = rd_u64(&r);
	if (from->node == 0)
		return AUTH_MAGIC;
	if (dvm != a->conf.dvm)
		return AUTH_DVM;
	*key = auth_key_find(a, from->key);
	return *key == NULL ? AUTH_KEY : AUTH_OK;
}

static uint32_t
bucket_of(const struct auth *a, uint16_t node)
{
	return node & (a->buckets_len - 1);
}

static struct auth_sender *
sender_find(const struct auth *a, uint16_t node)
{
	uint32_t i = a->buckets[bucket_of(a, node)];

	while (i != NONE && a->senders[i].node != node)
		i = a->senders[i].next;
	return i == NONE ? NULL : &a->senders[i];
}

static void
sender_drop(struct auth *a, struct auth_sender *s)
{
	uint32_t at = (uint32_t)(s - a->senders);
	uint32_t *link = &a->buckets[bucket_of(a, s->node)];

	while (*link != at)
		link = &a->senders[*link].next;
	*link = s->next;
	mac_wipe(s, sizeof(*s));
}

/* A place for one more node, perhaps still another's; NONE when it is full. */
static uint32_t
place_for(const struct auth *a, uint64_t now)
{
	uint32_t i, lost = NONE;

	for (i = 0; i < a->conf.nodes_max; i++) {
		if (!a->senders[i].used)
			return i;
		if (!a->senders[i].proven && a->senders[i].until <= now)
			lost = i;
	}
	return lost;
}

static struct auth_sender *
sender_put(struct auth *a, uint32_t place, uint16_t node)
{
	struct auth_sender *s = &a->senders[place];
	uint32_t *first = &a->buckets[bucket_of(a, node)];

	if (s->used)
		sender_drop(a, s);
	s->used = true;
	s->node = node;
	s->next = *first;
	*first = place;
	return s;
}

/*
 * One more now, when no second ever has more than max?  A fifth of them may
 * come at once (GCRA: *at is when the next would be on time).
 */
static bool
allowed(uint64_t *at, uint64_t now, uint64_t max)
{
	uint64_t burst = max / 5, gap = ORCM_SECOND / (max - burst);
	uint64_t on_time = *at > now ? *at : now;

	if (on_time - now > (burst - 1) * gap)
		return false;
	*at = on_time + gap;
	return true;
}

static void
ask(struct auth *a, uint64_t now, struct auth_sender *s, uint64_t epoch)
{
	struct auth_out *o;

	if (!s->asked || s->until <= now || s->asked_epoch != epoch) {
		auth_nonce(a, s->nonce);
		s->asked = true;
		s->asked_epoch = epoch;
		s->until = now + AUTH_CHALLENGE_LIFE;
	}
	s->again = now + AUTH_CHALLENGE_EVERY;
	o = &a->outs[(a->outs_first + a->outs_len++) % AUTH_OUTS_MAX];
	o->node = s->node;
	o->epoch = epoch;
	memcpy(o->nonce, s->nonce, AUTH_NONCE);
}

/* A genuine frame of an epoch that nobody has proven. */
static enum auth_verdict
unproven(struct auth *a, uint64_t now, struct auth_sender *s,
    const struct auth_from *from)
{
	uint32_t place = NONE;

	if (s == NULL) {
		place = place_for(a, now);
		if (place == NONE)
			return AUTH_FULL;
	} else if (s->asked && s->until > now && from->epoch < s->asked_epoch) {
		return AUTH_UNPROVEN;
	}
	if ((s != NULL && now < s->again) || a->outs_len == AUTH_OUTS_MAX ||
	    !allowed(&a->challenges_at, now, AUTH_CHALLENGES_MAX)) {
		a->counts.quiet++;
		return AUTH_UNPROVEN;
	}
	if (s == NULL)
		s = sender_put(a, place, from->node);
	ask(a, now, s, from->epoch);
	return AUTH_UNPROVEN;
}

/* Everything up to this counter is old. */
static void
window_start(struct auth_window *w, uint64_t counter)
{
	memset(w, 0, sizeof(*w));
	memset(w->seen, 0xff, sizeof(w->seen));
	w->high = counter;
}

static bool
window_take(struct auth_window *w, uint64_t counter)
{
	uint64_t bit = UINT64_C(1) << counter % 64, ahead, i;
	uint64_t *word = &w->seen[counter % AUTH_WINDOW / 64];

	if (counter <= w->high) {
		if (w->high - counter >= AUTH_WINDOW || (*word & bit) != 0)
			return false;
		*word |= bit;
		return true;
	}
	ahead = counter - w->high;
	if (ahead >= AUTH_WINDOW)
		memset(w->seen, 0, sizeof(w->seen));
	else
		for (i = w->high + 1; i != counter; i++)
			w->seen[i % AUTH_WINDOW / 64] &=
			    ~(UINT64_C(1) << i % 64);
	*word |= bit;
	w->high = counter;
	return true;
}

static enum auth_verdict
judge(struct auth *a, uint64_t now, enum auth_class class,
    struct auth_sender *s, const struct auth_from *from)
{
	if (from->node == a->conf.node)
		return AUTH_SELF;
	if (s != NULL && s->proven && from->epoch < s->epoch)
		return AUTH_STALE;
	if (s == NULL || !s->proven || from->epoch != s->epoch)
		return unproven(a, now, s, from);
	return window_take(&s->windows[class], from->counter) ? AUTH_OK :
								AUTH_REPLAY;
}

/* p[size] is a frame with its tag behind it. */
static enum auth_verdict
check(struct auth *a, uint64_t now, enum auth_class class, const uint8_t *p,
    size_t size, const struct auth_from *from, const struct auth_key *key)
{
	struct auth_sender *s = sender_find(a, from->node);
	struct auth_window *w = NULL;
	struct blake2s_keyed tags;
	uint8_t tag[MAC_TAG];
	uint16_t dst = class == AUTH_MULTICAST ? 0 : a->conf.node;
	enum auth_verdict v = AUTH_MAC;

	if (s != NULL && s->proven && s->epoch == from->epoch)
		w = &s->windows[class];
	if (w != NULL && w->serial == key->serial)
		tags = w->tags;
	else
		auth_tags(a, key, from->node, from->epoch, class, &tags);
	tag_of(&tags, dst, p, size, tag);
	if (mac_same(tag, p + size, MAC_TAG))
		v = judge(a, now, class, s, from);
	if (v == AUTH_OK && w->serial != key->serial) {
		w->tags = tags;
		w->serial = key->serial;
	}
	mac_wipe(&tags, sizeof(tags));
	return v;
}

enum auth_verdict
auth_open(struct auth *a, uint64_t now, enum auth_class class,
    const uint8_t *p, size_t size, struct auth_from *from)
{
	const struct auth_key *key = NULL;
	enum auth_verdict v = AUTH_SHORT;

	memset(from, 0, sizeof(*from));
	if (size >= MAC_TAG)
		v = auth_look(a, p, size - MAC_TAG, from, &key);
	if (v == AUTH_OK)
		v = check(a, now, class, p, size - MAC_TAG, from, key);
	return auth_count(a, v, key);
}

bool
auth_take(struct auth *a, struct auth_out *out)
{
	if (a->outs_len == 0)
		return false;
	*out = a->outs[a->outs_first];
	a->outs_first = (a->outs_first + 1) % AUTH_OUTS_MAX;
	a->outs_len--;
	return true;
}

bool
auth_challenged(struct auth *a, uint64_t now, const struct auth_from *from)
{
	const struct auth_sender *s = sender_find(a, from->node);

	if ((s != NULL && s->proven && s->epoch == from->epoch) ||
	    allowed(&a->answers_at, now, AUTH_ANSWERS_MAX))
		return true;
	a->counts.quiet++;
	return false;
}

static void
install(struct auth_sender *s, uint64_t epoch, uint64_t counter)
{
	s->proven = true;
	s->epoch = epoch;
	if (s->asked_epoch <= epoch)
		s->asked = false;
	s->again = 0;
	mac_wipe(s->windows, sizeof(s->windows));
	window_start(&s->windows[AUTH_UNICAST], counter);
	window_start(&s->windows[AUTH_MULTICAST], counter);
}

bool
auth_proved(struct auth *a, uint64_t now, const struct auth_from *from,
    const uint8_t nonce[AUTH_NONCE])
{
	struct auth_sender *s = sender_find(a, from->node);

	if (s == NULL || !s->asked || s->until <= now ||
	    s->asked_epoch != from->epoch ||
	    !mac_same(nonce, s->nonce, AUTH_NONCE)) {
		a->counts.unasked++;
		return false;
	}
	install(s, from->epoch, from->counter);
	return true;
}

enum auth_verdict
auth_install(struct auth *a, uint64_t now, uint16_t node, uint64_t epoch,
    uint64_t counter)
{
	struct auth_sender *s = sender_find(a, node);
	uint32_t place;

	if (s == NULL) {
		place = place_for(a, now);
		if (place == NONE)
			return AUTH_FULL;
		s = sender_put(a, place, node);
	}
	if (s->proven && epoch < s->epoch)
		return AUTH_STALE;
	/* A window that is in use knows more than the handshake. */
	if (!s->proven || epoch != s->epoch)
		install(s, epoch, counter);
	return AUTH_OK;
}

bool
auth_epoch(const struct auth *a, uint16_t node, uint64_t *epoch)
{
	const struct auth_sender *s = sender_find(a, node);

	if (s == NULL || !s->proven)
		return false;
	*epoch = s->epoch;
	return true;
}

void
auth_forget(struct auth *a, uint16_t node)
{
	struct auth_sender *s = sender_find(a, node);

	if (s != NULL)
		sender_drop(a, s);
}
