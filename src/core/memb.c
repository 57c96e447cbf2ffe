/* SPDX-License-Identifier: ISC */
/*
 * The table of nodes and what comes in.  Our own place in it is 0; places
 * never move, `order` lists them by number, so that all nodes hash their
 * views and write their lists alike.
 *
 * No event but DRAINED makes anybody suspect or down: the caller reads all
 * sockets first, so that who slept does not accuse those whose beats wait in
 * its buffers.  Beats, connections and records of others are only noted; a
 * beat may at once end a suspicion, and evidence that a life is over is taken
 * at its word.
 */
#include <string.h>

#include "base/require.h"
#include "core/memb_own.h"

#define CONNECT_MIN (5 * ORCM_MS)
#define CONNECT_HEARD 4u /* periods */
#define SLOT_MAX (50 * ORCM_MS)
#define PHASE UINT64_C(0x9e3779b97f4a7c15) /* spreads numbers evenly */

static size_t
pairs_len(const struct memb_conf *conf)
{
	return (size_t)conf->nodes_max * (conf->nodes_max - 1u) / 2;
}

size_t
memb_memory(const struct memb_conf *conf)
{
	return conf->nodes_max * (sizeof(struct memb_node) +
	    conf->links * sizeof(struct memb_link) + sizeof(uint16_t)) +
	    pairs_len(conf) * sizeof(struct memb_pair) + 4 * 16;
}

uint32_t
memb_next(const struct memb_set *s, uint32_t place)
{
	uint64_t w;
	uint32_t i;

	for (i = place / 64; i < MEMB_WORDS; i++, place = i * 64) {
		w = s->w[i] >> place % 64;
		if (w == 0)
			continue;
		for (; (w & 1) == 0; w >>= 1)
			place++;
		return place;
	}
	return MEMB_NODES_MAX;
}

uint32_t
memb_size(const struct memb_set *s)
{
	uint32_t i, n = 0;

	MEMB_EACH(i, s)
		n++;
	return n;
}

uint64_t
memb_own_t1(const struct memb *m)
{
	return m->conf.times.mult * m->conf.times.period;
}

/* Where it is in the order, or where it would have to be. */
static uint32_t
order_of(const struct memb *m, uint16_t number)
{
	uint32_t low = 0, high = m->len, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (m->nodes[m->order[mid]].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t
memb_place(const struct memb *m, uint16_t number)
{
	uint32_t i = order_of(m, number);

	if (i < m->len && m->nodes[m->order[i]].number == number)
		return m->order[i];
	return MEMB_NODES_MAX;
}

static struct memb_node *
node_new(struct memb *m, uint32_t place, uint16_t number)
{
	struct memb_node *n = &m->nodes[place];
	struct memb_link *links = n->links;
	uint32_t at = order_of(m, number);

	memmove(&m->order[at + 1], &m->order[at],
	    (m->len - at) * sizeof(*m->order));
	m->order[at] = (uint16_t)place;
	m->len++;
	memset(n, 0, sizeof(*n));
	memset(links, 0, m->conf.links * sizeof(*links));
	n->links = links;
	n->used = n->fit = n->told_fit = true;
	n->number = number;
	n->connect_wait = CONNECT_MIN;
	return n;
}

void
memb_call(struct memb_node *n, uint64_t now)
{
	n->connect_wait = CONNECT_MIN;
	if (n->connect_at > now + CONNECT_MIN)
		n->connect_at = now + CONNECT_MIN;
}

void
memb_init(struct memb *m, struct arena *a, const struct memb_conf *conf,
    uint64_t now)
{
	struct memb_node *self;
	struct memb_link *links;
	uint32_t i;

	REQUIRE(now > 0 && conf->node > 0 && conf->epoch > 0);
	REQUIRE(conf->nodes_max > 0 && conf->nodes_max <= MEMB_NODES_MAX);
	REQUIRE(conf->links > 0 && conf->links <= MEMB_LINKS_MAX);
	REQUIRE(conf->times.period > 0 && conf->times.mult > 0);
	REQUIRE(conf->quorum.ties_len <= MEMB_TIES_MAX);
	memset(m, 0, sizeof(*m));
	m->conf = *conf;
	m->nodes = arena_alloc(a, conf->nodes_max, sizeof(*m->nodes));
	links = arena_alloc(a, (size_t)conf->nodes_max * conf->links,
	    sizeof(*links));
	for (i = 0; i < conf->nodes_max; i++)
		m->nodes[i].links = &links[i * conf->links];
	m->order = arena_alloc(a, conf->nodes_max, sizeof(*m->order));
	if (conf->nodes_max > 1)
		m->pairs = arena_alloc(a, pairs_len(conf), sizeof(*m->pairs));
	rand_seed(&m->rand, conf->seed ^ conf->node * PHASE);
	self = node_new(m, 0, conf->node);
	self->epoch = conf->epoch;
	self->votes = conf->votes;
	self->expected = conf->expected;
	self->status = self->told = MEMB_ALIVE;
	self->told_epoch = conf->epoch;
	memb_add(&m->hear, 0);
	m->started = m->late_turn = now;
	m->tick = now + conf->times.period / 2;
	/* Beats of different nodes shall not all come at once. */
	m->send_at = now + conf->node * PHASE % conf->times.period;
	m->timely = true;
	memb_electors(m);
}

static bool
peer_came(struct memb *m, uint64_t now, const struct memb_in *in)
{
	uint32_t i = memb_place(m, in->node);
	uint64_t slots;

	if (in->node == 0)
		return false;
	if (i == MEMB_NODES_MAX) {
		for (i = 1; i < m->conf.nodes_max && m->nodes[i].used; i++)
			;
		if (i == m->conf.nodes_max) {
			m->alarms |= 1u << MEMB_ALARM_ROOM;
			return false;
		}
		(void)node_new(m, i, in->node);
		/* Not all nodes that boot together call the same one. */
		slots = m->conf.nodes_max * (ORCM_MS / 5);
		if (slots > SLOT_MAX)
			slots = SLOT_MAX;
		m->nodes[i].connect_at = now + rand_below(&m->rand, slots);
	}
	m->nodes[i].votes = in->votes;
	m->nodes[i].expected = in->expected;
	memb_electors(m);
	return true;
}

static bool
peer_gone(struct memb *m, uint16_t number)
{
	uint32_t i = memb_place(m, number), at, k;
	struct memb_set *in_sets[] = { &m->hear, &m->members, &m->out,
		&m->reach, &m->electors };

	if (i == MEMB_NODES_MAX || i == 0)
		return false;
	at = order_of(m, number);
	m->len--;
	memmove(&m->order[at], &m->order[at + 1],
	    (m->len - at) * sizeof(*m->order));
	for (k = 0; k < sizeof(in_sets) / sizeof(in_sets[0]); k++)
		memb_del(in_sets[k], i);
	for (k = 0; k < m->attempts_len; k++)
		memb_del(&m->attempts[k], i);
	for (k = 0; k < m->conf.nodes_max; k++)
		memb_del(&m->nodes[k].hears, i);
	memb_mesh_forget(m, i);
	m->nodes[i].used = false;
	m->same_since = 0;
	memb_electors(m);
	return true;
}

/* A connection ended: its daemon is gone, or only the connection is. */
static void
eof_came(struct memb *m, uint64_t now, uint32_t i, uint64_t epoch)
{
	struct memb_node *n = &m->nodes[i];

	if (!n->connected || (epoch != 0 && epoch != n->up_epoch))
		return;
	n->connected = false;
	memb_call(n, now);
	if (n->up_epoch == n->epoch)
		(void)memb_set_status(m, i, MEMB_DAEMON_LOST, now);
}

static bool
about_peer(struct memb *m, uint64_t now, const struct memb_in *in)
{
	uint32_t i = memb_place(m, in->node);
	struct memb_node *n;

	if (i == MEMB_NODES_MAX || i == 0)
		return false;
	n = &m->nodes[i];
	switch (in->event) {
	case MEMB_IN_UP:
		if (in->epoch < n->epoch)
			return false;
		n->connected = true;
		n->up_epoch = in->epoch;
		n->connect_wait = CONNECT_MIN;
		if (n->status == MEMB_DAEMON_LOST && in->epoch == n->epoch)
			(void)memb_set_status(m, i, MEMB_ALIVE, now);
		return true;
	case MEMB_IN_EOF:
		eof_came(m, now, i, in->epoch);
		return true;
	case MEMB_IN_REFUSED:
		/* Who beats cannot be what was refused. */
		if (n->status == MEMB_SUSPECT)
			(void)memb_set_status(m, i, MEMB_DAEMON_LOST, now);
		return true;
	case MEMB_IN_BYE:
		return memb_over(m, now, i, in->epoch, MEMB_LEFT);
	default:
		n->hard = true;
		return memb_over(m, now, i, in->epoch, MEMB_DEAD);
	}
}

static bool
about_us(struct memb *m, uint64_t now, const struct memb_in *in)
{
	uint8_t all = (uint8_t)((1u << m->conf.links) - 1);

	switch (in->event) {
	case MEMB_IN_STALL:
		m->stalled = in->on;
		m->send_links = all;
		break;
	case MEMB_IN_HEALTH:
		m->health = in->value;
		break;
	case MEMB_IN_PICTURE:
		m->seq = in->seq;
		m->digest = in->digest;
		break;
	case MEMB_IN_WITNESS:
		m->witness = in->on;
		break;
	case MEMB_IN_QUORUM:
		if (in->quorum->ties_len > MEMB_TIES_MAX)
			return false;
		m->conf.quorum = *in->quorum;
		break;
	case MEMB_IN_RENEWED:
		if (in->epoch <= m->nodes[0].epoch)
			return false;
		m->nodes[0].epoch = m->nodes[0].told_epoch = in->epoch;
		if (in->epoch >= m->renew)
			m->renew = 0;
		m->send_links = all;
		break;
	default: /* MEMB_IN_LEAVE */
		m->leaving = true;
		m->send_links = all;
		break;
	}
	memb_look(m, now);
	return true;
}

/*
 * Connections: the higher number calls, ever more seldom; but one whose beats
 * come is there, and perhaps has something to tell us.
 */
static void
connects(struct memb *m, uint64_t now)
{
	struct memb_node *n;
	uint64_t most;
	uint32_t i;

	for (i = 1; i < m->conf.nodes_max; i++) {
		n = &m->nodes[i];
		if (!n->used || n->connected || n->status == MEMB_LEFT ||
		    n->number > m->conf.node || now < n->connect_at)
			continue;
		n->connect = true;
		n->connect_at = now + n->connect_wait -
		    rand_below(&m->rand, n->connect_wait / 4);
		most = ORCM_SECOND;
		if (memb_has(&m->hear, i) && CONNECT_HEARD * n->period < most)
			most = CONNECT_HEARD * n->period;
		n->connect_wait *= 2;
		if (n->connect_wait > most)
			n->connect_wait = most;
	}
}

static void
send_beats(struct memb *m, uint64_t now)
{
	uint64_t period = m->conf.times.period;

	if (now < m->send_at)
		return;
	m->send_links = (uint8_t)((1u << m->conf.links) - 1);
	m->send_at += period - rand_below(&m->rand, period / 10 + 1);
	if (m->send_at <= now)
		m->send_at = now + period;
	if (m->view.quorate && m->timely && !m->stalled && !m->leaving) {
		m->lease_due = true;
		m->lease_until = now + memb_own_t1(m) - period;
	}
}

/* One turn: all that could be heard has been. */
static void
turn(struct memb *m, uint64_t now)
{
	if (memb_detect(m, now)) {
		memb_mesh(m, now);
		memb_verdicts(m, now);
	} else
		memb_mesh(m, now);
	memb_look(m, now);
	memb_elect(m, now);
	memb_deaths(m, now);
	connects(m, now);
	send_beats(m, now);
}

bool
memb_feed(struct memb *m, uint64_t now, const struct memb_in *in)
{
	m->cursor = 0;
	switch (in->event) {
	case MEMB_IN_PEER:
		return peer_came(m, now, in);
	case MEMB_IN_PEER_GONE:
		return peer_gone(m, in->node);
	case MEMB_IN_BEAT:
		return memb_beat_came(m, now, in->beat);
	case MEMB_IN_DRAINED:
		turn(m, now);
		return true;
	case MEMB_IN_UP:
	case MEMB_IN_EOF:
	case MEMB_IN_REFUSED:
	case MEMB_IN_BYE:
	case MEMB_IN_HARD:
		return about_peer(m, now, in);
	case MEMB_IN_FATE:
		return memb_fate_came(m, now, in->fate);
	case MEMB_IN_STALL:
	case MEMB_IN_HEALTH:
	case MEMB_IN_PICTURE:
	case MEMB_IN_WITNESS:
	case MEMB_IN_QUORUM:
	case MEMB_IN_RENEWED:
	case MEMB_IN_LEAVE:
		return about_us(m, now, in);
	}
	return false;
}

uint64_t
memb_due(const struct memb *m)
{
	uint64_t due = m->tick < m->send_at ? m->tick : m->send_at;
	const struct memb_node *n;
	uint32_t i;

	for (i = 1; i < m->conf.nodes_max; i++) {
		n = &m->nodes[i];
		if (n->used && !n->connected && n->status != MEMB_LEFT &&
		    n->number < m->conf.node && n->connect_at < due)
			due = n->connect_at;
	}
	return due;
}

const struct memb_node *
memb_find(const struct memb *m, uint16_t node)
{
	uint32_t i = memb_place(m, node);

	return i < MEMB_NODES_MAX ? &m->nodes[i] : NULL;
}

bool
memb_fit(const struct memb *m, uint16_t node)
{
	const struct memb_node *n = memb_find(m, node);

	return n != NULL && n->status == MEMB_ALIVE && n->fit;
}
