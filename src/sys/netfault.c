/* SPDX-License-Identifier: ISC */
/*
 * A network that fails as it is told, where the system has no means to make
 * one fail.  The same rules, seed and datagrams give the same faults.
 *
 * Without a rule each entry is one test of rules_len.  With rules, what is
 * delayed is kept in one table for both ways; those that leave go by a timer
 * of the caller (netfault_due), those that came are taken by the caller when
 * it reads (netfault_take), because it reads when it wants.
 */
#include "sys/netfault.h"

#include <string.h>

#include <orcm/types.h>

#include "base/num.h"
#include "base/require.h"
#include "base/text.h"

#define WORD_MAX 80u
#define OVERTAKE_MAX ORCM_SECOND /* nothing follows: it comes all the same */

/* What chance has for one datagram. */
struct fate {
	bool lost, twice, damaged, overtaken;
	uint64_t delay;
};

void
netfault_init(struct netfault *f, uint64_t seed)
{
	int way;

	rand_seed(&f->rand, seed);
	for (way = 0; way < NETFAULT_WAYS; way++)
		heap_init(&f->due[way], f->nodes[way], NETFAULT_HELD_MAX);
}

/* One text of rules, while it is read. */
struct reader {
	struct netfault_rule rules[NETFAULT_RULES_MAX];
	uint32_t len, number; /* number: of the rule as a user counts */
	bool seeded;
	uint64_t seed;
	char *why;
};

static bool
wrong(const struct reader *r, const char *word, const char *what)
{
	struct text t;

	text_init(&t, r->why, NETFAULT_WHY);
	text_add(&t, "rule ");
	text_num(&t, r->number);
	text_add(&t, ": ");
	if (word != NULL) {
		text_char(&t, '"');
		text_add(&t, word);
		text_add(&t, "\": ");
	}
	text_add(&t, what);
	return false;
}

static bool
read_peer(struct netfault_rule *rule, const char *value)
{
	struct addr a;

	rule->any = strcmp(value, "*") == 0;
	return rule->any ||
	       (addr_read(value, &a) && net_from(&rule->peer, &a));
}

static bool
read_dir(struct netfault_rule *rule, const char *value)
{
	bool both = strcmp(value, "both") == 0;

	rule->ways[NETFAULT_IN] = both || strcmp(value, "in") == 0;
	rule->ways[NETFAULT_OUT] = both || strcmp(value, "out") == 0;
	return rule->ways[NETFAULT_IN] || rule->ways[NETFAULT_OUT];
}

static bool
read_cut(struct netfault_rule *rule, const char *value)
{
	rule->cut = strcmp(value, "yes") == 0;
	return rule->cut;
}

static bool
read_delay(struct netfault_rule *rule, const char *value)
{
	const char *dash = strchr(value, '-');
	char min[WORD_MAX];

	if (dash == NULL)
		return false;
	memcpy(min, value, (size_t)(dash - value));
	min[dash - value] = '\0';
	return num_u32(min, 0, NETFAULT_DELAY_MAX, &rule->delay_min) &&
	       num_u32(dash + 1, rule->delay_min, NETFAULT_DELAY_MAX,
		   &rule->delay_max);
}

static bool
read_share(uint16_t *share, const char *value)
{
	uint32_t n;

	if (!num_u32(value, 0, 1000, &n))
		return false;
	*share = (uint16_t)n;
	return true;
}

static bool
read_drop(struct netfault_rule *rule, const char *value)
{
	return read_share(&rule->drop, value);
}

static bool
read_dup(struct netfault_rule *rule, const char *value)
{
	return read_share(&rule->dup, value);
}

static bool
read_corrupt(struct netfault_rule *rule, const char *value)
{
	return read_share(&rule->corrupt, value);
}

static bool
read_reorder(struct netfault_rule *rule, const char *value)
{
	return read_share(&rule->reorder, value);
}

#define SHARE "give a number from 0 to 1000, per mille"

/* peer= and dir= stand first: a rule of only these does nothing. */
enum { KEY_PEER, KEY_DIR, KEY_FAULTS };

static const struct {
	const char *name;
	bool (*read)(struct netfault_rule *rule, const char *value);
	const char *meant;
} keys[] = {
	[KEY_PEER] = { "peer", read_peer,
	    "give an address without a port, or *" },
	[KEY_DIR] = { "dir", read_dir, "give in, out or both" },
	{ "drop", read_drop, SHARE },
	{ "dup", read_dup, SHARE },
	{ "corrupt", read_corrupt, SHARE },
	{ "reorder", read_reorder, SHARE },
	{ "delay", read_delay, "give MIN-MAX in ms, at most 60000" },
	{ "cut", read_cut, "give yes" },
};
#define KEYS_LEN (sizeof(keys) / sizeof(keys[0]))

static bool
read_word(struct reader *r, struct netfault_rule *rule, const char *word,
    uint32_t *given)
{
	const char *equal = strchr(word, '=');
	size_t i, len = equal == NULL ? 0 : (size_t)(equal - word);

	for (i = 0; i < KEYS_LEN; i++)
		if (len > 0 && strlen(keys[i].name) == len &&
		    memcmp(keys[i].name, word, len) == 0)
			break;
	if (i == KEYS_LEN)
		return wrong(r, word, "give peer=, dir=, drop=, dup=, "
		    "corrupt=, reorder=, delay= or cut=");
	if (*given & 1u << i)
		return wrong(r, word, "give it once");
	*given |= 1u << i;
	if (!keys[i].read(rule, equal + 1))
		return wrong(r, word, keys[i].meant);
	return true;
}

/* The next word of *at, which ends at end.  False: a word that is none. */
static bool
next_word(struct reader *r, const char **at, const char *end,
    char word[WORD_MAX])
{
	size_t size = 0;

	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n'))
		++*at;
	while (*at < end && **at != ' ' && **at != '\t' && **at != '\n') {
		if (size == WORD_MAX - 1) {
			word[size] = '\0';
			return wrong(r, word, "too long");
		}
		word[size++] = *(*at)++;
	}
	word[size] = '\0';
	return true;
}

static bool
read_seed(struct reader *r, const char *at, const char *end, char *word)
{
	char more[WORD_MAX];

	if (!num_u64(word + strlen("seed="), 0, UINT64_MAX, &r->seed))
		return wrong(r, word, "give a number");
	r->seeded = true;
	if (!next_word(r, &at, end, more))
		return false;
	return more[0] == '\0' || wrong(r, more, "give seed= alone");
}

static bool
read_rule(struct reader *r, const char *at, const char *end)
{
	struct netfault_rule rule = { .ways = { true, true } };
	uint32_t given = 0;
	char word[WORD_MAX];

	r->number++;
	if (!next_word(r, &at, end, word))
		return false;
	if (word[0] == '\0')
		return true;
	if (strncmp(word, "seed=", strlen("seed=")) == 0)
		return read_seed(r, at, end, word);
	if (r->len == NETFAULT_RULES_MAX)
		return wrong(r, NULL, "there is room for 32: give fewer");
	do
		if (!read_word(r, &rule, word, &given) ||
		    !next_word(r, &at, end, word))
			return false;
	while (word[0] != '\0');
	if (!(given & 1u << KEY_PEER))
		return wrong(r, NULL, "give peer=ADDRESS or peer=*");
	if (given >> KEY_FAULTS == 0)
		return wrong(r, NULL, "it does nothing: give drop=, dup=, "
		    "corrupt=, reorder=, delay= or cut=");
	r->rules[r->len++] = rule;
	return true;
}

bool
netfault_set(struct netfault *f, const char *text, char why[NETFAULT_WHY])
{
	struct reader r = { .why = why };
	const char *end;

	for (;; text = end + 1) {
		end = text + strcspn(text, ";");
		if (!read_rule(&r, text, end))
			return false;
		if (*end == '\0')
			break;
	}
	netfault_clear(f);
	if (r.seeded)
		rand_seed(&f->rand, r.seed);
	memcpy(f->rules, r.rules, sizeof(f->rules));
	f->rules_len = r.len;
	return true;
}

static void
release(struct netfault *f, struct netfault_held *h)
{
	f->waiting -= h->waits;
	h->waits = false;
	heap_remove(&f->due[h->way], &h->node);
	f->free[f->free_len++] = (uint16_t)(h - f->held);
}

void
netfault_clear(struct netfault *f)
{
	struct heap_node *n;
	int way;

	for (way = 0; way < NETFAULT_WAYS; way++)
		while ((n = heap_first(&f->due[way])) != NULL)
			release(f, (struct netfault_held *)n);
	f->rules_len = 0;
}

static struct netfault_held *
held_new(struct netfault *f)
{
	struct netfault_held *h;

	if (f->free_len > 0)
		return &f->held[f->free[--f->free_len]];
	if (f->high == NETFAULT_HELD_MAX)
		return NULL;
	h = &f->held[f->high++];
	heap_node_init(&h->node);
	return h;
}

/* Of one datagram: who has it, from or to whom, and what is in it. */
struct packet {
	enum netfault_way way;
	int fd;
	const struct net_addr *peer;
	const uint8_t *data;
	size_t size;
};

static void
hold(struct netfault *f, const struct packet *p, uint64_t due, bool waits)
{
	struct netfault_held *h = held_new(f);

	if (h == NULL) {
		f->counts.full++;
		return;
	}
	h->way = p->way;
	h->fd = p->fd;
	h->peer = *p->peer;
	h->size = p->size;
	memcpy(h->data, p->data, p->size);
	h->waits = waits;
	f->waiting += waits;
	REQUIRE(heap_set(&f->due[p->way], &h->node, due));
}

/* One that comes at that time has overtaken those that wait for it. */
static void
overtake(struct netfault *f, const struct packet *p, uint64_t due)
{
	struct netfault_held *h;
	uint32_t i;

	for (i = 0; f->waiting > 0 && i < f->high; i++) {
		h = &f->held[i];
		if (!h->waits || h->way != p->way ||
		    !net_same_host(&h->peer, p->peer))
			continue;
		h->waits = false;
		f->waiting--;
		REQUIRE(heap_set(&f->due[h->way], &h->node, due));
	}
}

static bool
matches(const struct netfault_rule *r, const struct net_addr *peer)
{
	return r->any || net_same_host(&r->peer, peer);
}

static bool
chance(struct netfault *f, uint16_t share)
{
	return share > 0 && rand_below(&f->rand, 1000) < share;
}

static struct fate
draw(struct netfault *f, enum netfault_way way, const struct net_addr *peer)
{
	const struct netfault_rule *r;
	struct fate t = { 0 };
	uint32_t i;

	for (i = 0; i < f->rules_len; i++) {
		r = &f->rules[i];
		if (!r->ways[way] || !matches(r, peer))
			continue;
		t.lost |= r->cut;
		t.lost |= chance(f, r->drop);
		t.twice |= chance(f, r->dup);
		t.damaged |= chance(f, r->corrupt);
		t.overtaken |= chance(f, r->reorder);
		if (r->delay_max > 0)
			t.delay += ORCM_MS * (r->delay_min +
			    rand_below(&f->rand,
				r->delay_max - r->delay_min + 1));
	}
	f->counts.seen++;
	f->counts.dropped += t.lost;
	if (t.lost)
		return t;
	f->counts.doubled += t.twice;
	f->counts.corrupted += t.damaged;
	f->counts.reordered += t.overtaken;
	f->counts.delayed += t.delay > 0;
	return t;
}

static void
damage(struct netfault *f, uint8_t *data, size_t size)
{
	uint64_t bit;

	if (size == 0)
		return;
	bit = rand_below(&f->rand, size * 8);
	data[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Keeps it as fate wants; true: it, or one of its copies, comes at once. */
static bool
pass(struct netfault *f, const struct packet *p, const struct fate *t,
    uint64_t now)
{
	uint64_t due = now + t->delay;
	bool kept = t->delay > 0 || t->overtaken;

	if (t->overtaken)
		due += OVERTAKE_MAX;
	if (kept)
		hold(f, p, due, t->overtaken);
	if (t->twice)
		hold(f, p, due, t->overtaken);
	if (!t->overtaken)
		overtake(f, p, due);
	return !kept;
}

ssize_t
netfault_send(struct netfault *f, int fd, const struct net_addr *to,
    const void *data, size_t size, uint64_t now)
{
	uint8_t copy[NET_DATAGRAM];
	struct packet p = { NETFAULT_OUT, fd, to, copy, size };
	struct fate t;

	if (f->rules_len == 0)
		return net_send(fd, to, data, size);
	REQUIRE(size <= sizeof(copy));
	t = draw(f, NETFAULT_OUT, to);
	if (t.lost)
		return (ssize_t)size;
	memcpy(copy, data, size);
	if (t.damaged)
		damage(f, copy, size);
	if (!pass(f, &p, &t, now))
		return (ssize_t)size;
	return net_send(fd, to, copy, size);
}

bool
netfault_in(struct netfault *f, const struct net_addr *from, void *data,
    size_t size, uint64_t now)
{
	struct packet p = { NETFAULT_IN, -1, from, data, size };
	struct fate t;

	/* An empty one could not be told from none, when it is taken. */
	if (f->rules_len == 0 || size == 0)
		return true;
	REQUIRE(size <= NET_DATAGRAM);
	t = draw(f, NETFAULT_IN, from);
	if (t.lost)
		return false;
	if (t.damaged)
		damage(f, data, size);
	return pass(f, &p, &t, now);
}

/* The first that is due by now, given back already, or NULL. */
static struct netfault_held *
held_next(struct netfault *f, enum netfault_way way, uint64_t now)
{
	struct heap_node *n;

	if (f->rules_len == 0)
		return NULL;
	n = heap_first(&f->due[way]);
	if (n == NULL || n->due > now)
		return NULL;
	release(f, (struct netfault_held *)n);
	return (struct netfault_held *)n;
}

size_t
netfault_take(struct netfault *f, struct net_addr *from,
    uint8_t data[NET_DATAGRAM], uint64_t now)
{
	const struct netfault_held *h = held_next(f, NETFAULT_IN, now);

	if (h == NULL)
		return 0;
	*from = h->peer;
	memcpy(data, h->data, h->size);
	return h->size;
}

uint64_t
netfault_due(const struct netfault *f)
{
	const struct heap_node *n;

	if (f->rules_len == 0)
		return ORCM_NEVER;
	n = heap_first(&f->due[NETFAULT_OUT]);
	return n == NULL ? ORCM_NEVER : n->due;
}

void
netfault_turn(struct netfault *f, uint64_t now)
{
	const struct netfault_held *h;

	/* What cannot be sent now is as good as lost on the way. */
	while ((h = held_next(f, NETFAULT_OUT, now)) != NULL)
		(void)net_send(h->fd, &h->peer, h->data, h->size);
}

bool
netfault_cut(const struct netfault *f, const struct net_addr *peer)
{
	uint32_t i;

	for (i = 0; i < f->rules_len; i++)
		if (f->rules[i].cut && matches(&f->rules[i], peer))
			return true;
	return false;
}
