/* SPDX-License-Identifier: ISC */
/*
 * The detector of one (peer, link): how long is too long a silence?  At least
 * the multiplier times the period that the sender states, as in BFD (RFC 5880
 * 6.8.4), or what its beats' spread so far lets expect, plus what the sender
 * says that it was late itself.  All of it is stretched when we have reason
 * to doubt ourselves (local health, after Lifeguard: Dadgar, Phillips, Currey
 * 2018), and on a link that flaps.
 *
 * A turn that comes late accuses nobody and gives all silences the time that
 * we overslept.
 */
#include "core/memb_own.h"

#define SPREAD 64u /* beats over which mean and deviation are taken */
#define LATE_SPAN ORCM_SECOND
#define LH_MAX 7u
#define LH_CALM ORCM_SECOND
#define FLAPS 3u
#define FLAP_SPAN (15 * ORCM_SECOND)
#define DAMP_MAX 3u /* 8 times */
#define DAMP_SPAN (30 * ORCM_SECOND)
#define DIFFERS 2u /* beats */
#define PERIOD_MAX_US 60000000u
#define MULT_MAX 100u

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t
memb_t1(const struct memb *m, const struct memb_node *n, uint32_t link)
{
	const struct memb_link *l = &n->links[link];
	uint64_t base = n->mult * n->period, t;

	t = l->mean + 6 * larger(l->dev, n->period / 4);
	t = larger(base, smaller(t, 4 * base));
	t += smaller(n->late, 2 * n->period);
	return t * (1 + m->lh) << l->damp;
}

void
memb_lh_up(struct memb *m, uint64_t now)
{
	if (m->lh < LH_MAX)
		m->lh++;
	m->lh_since = now;
}

/* One more step of exponential mean and mean deviation. */
static void
sample(struct memb_link *l, uint64_t dt)
{
	uint64_t off = dt > l->mean ? dt - l->mean : l->mean - dt;

	l->mean = l->mean - l->mean / SPREAD + dt / SPREAD;
	l->dev = l->dev - l->dev / SPREAD + off / SPREAD;
}

/* It is heard on that link again, having been silent there. */
static void
link_back(struct memb_node *n, uint32_t link, uint64_t now)
{
	struct memb_link *l = &n->links[link];

	l->up = true;
	n->link_back |= n->link_out & (uint8_t)(1u << link);
	n->link_out &= (uint8_t)~(1u << link);
	if (now - l->flap_since > FLAP_SPAN) {
		l->flap_since = now;
		l->flaps = 0;
	}
	if (++l->flaps < FLAPS)
		return;
	l->flaps = 0;
	l->flap_since = l->damp_since = now;
	if (l->damp < DAMP_MAX)
		l->damp++;
}

static void
link_heard(struct memb_node *n, uint32_t link, uint64_t now)
{
	struct memb_link *l = &n->links[link];

	if (!l->used) {
		l->used = l->up = true;
		l->mean = n->period;
		l->dev = n->period / 4;
	} else if (l->up)
		sample(l, now - l->heard);
	else
		link_back(n, link, now);
	l->heard = now;
}

/* Another life: nothing of the former one's links is of use. */
static void
new_life(struct memb *m, struct memb_node *n, uint64_t now, uint64_t epoch)
{
	uint32_t k;

	for (k = 0; k < m->conf.links; k++) {
		n->links[k].used = n->links[k].up = false;
		n->links[k].mean = n->links[k].dev = n->links[k].count = 0;
	}
	n->epoch = epoch;
	n->status = MEMB_UNKNOWN;
	n->since = n->steady = n->heard = now;
	n->fate = MEMB_UNKNOWN;
	n->fate_ours = n->hard = n->indirect = false;
	n->count = 0;
	n->link_out = 0;
	n->differs = 0;
	if (n->up_epoch < epoch) {
		n->connected = false;
		memb_call(n, now);
	}
}

static void
note_picture(const struct memb *m, struct memb_node *n, uint64_t now)
{
	if (n->digest == m->digest) {
		n->differs = 0;
		return;
	}
	if (n->differs == 0)
		n->differs_since = now;
	if (n->differs <= DIFFERS)
		n->differs++;
	if (n->differs > DIFFERS && now - n->differs_since > n->period) {
		n->pull = true;
		n->differs = 0;
	}
}

static void
note_said(struct memb *m, struct memb_node *n, const struct memb_beat *b)
{
	uint32_t i, place;

	n->count = b->count;
	n->flags = b->flags;
	n->health = b->health;
	n->mult = b->mult;
	n->period = (uint64_t)b->period_us * 1000;
	n->late = (uint64_t)b->late_us * 1000;
	n->seq = b->seq;
	n->view = b->view;
	n->digest = b->digest;
	n->elect = b->elect;
	for (i = 0; i < MEMB_WORDS; i++)
		n->hears.w[i] = 0;
	for (i = 0; i < b->heard_len; i++) {
		place = memb_place(m, b->heard[i]);
		if (place < MEMB_NODES_MAX)
			memb_add(&n->hears, place);
	}
}

/* What one beat makes of its sender's status. */
static void
status_by_beat(struct memb *m, uint32_t i, uint64_t now)
{
	struct memb_node *n = &m->nodes[i];
	enum memb_status s = MEMB_ALIVE;
	uint32_t observers, hearing;

	if (n->flags & MEMB_BEAT_LEAVING) {
		(void)memb_set_status(m, i, MEMB_LEFT, now);
		return;
	}
	if (n->flags & MEMB_BEAT_STALLED)
		s = MEMB_STALLED;
	/* It was on its way when its daemon died. */
	if (n->status == MEMB_DAEMON_LOST && now - n->lost_at <= n->period)
		return;
	if (n->status == MEMB_DOWN && memb_has(&m->out, i))
		return;
	/* Both of two nodes were alone, and both acted. */
	if (n->status == MEMB_DOWN && m->view.members == 1 &&
	    m->view.quorate && !(n->flags & MEMB_BEAT_NOQUORUM))
		n->alarms |= 1u << MEMB_ALARM_DUAL;
	if (n->status == MEMB_SUSPECT) {
		memb_observers(m, i, &observers, &hearing);
		if (observers > 1 && 2 * hearing > observers)
			memb_lh_up(m, now);
	}
	(void)memb_set_status(m, i, s, now);
	memb_add(&m->hear, i);
}

static bool
possible(const struct memb *m, const struct memb_beat *b)
{
	return b->node != 0 && b->link < m->conf.links && b->epoch != 0 &&
	    b->count != 0 && b->period_us > 0 &&
	    b->period_us <= PERIOD_MAX_US && b->mult > 0 &&
	    b->mult <= MULT_MAX && b->heard_len <= MEMB_NODES_MAX;
}

/* With our own number: an echo of ours, or another node that has it too. */
static bool
own_number(struct memb *m, const struct memb_beat *b)
{
	m->stats.foreign++;
	if (b->epoch > m->nodes[0].epoch ||
	    (b->epoch == m->nodes[0].epoch && b->count > m->count))
		m->alarms |= 1u << MEMB_ALARM_DUPLICATE;
	return false;
}

static bool
life_over(struct memb *m, struct memb_node *n, uint64_t now, uint64_t epoch)
{
	if (epoch > n->epoch || (epoch == n->epoch &&
		n->status != MEMB_DEAD && n->status != MEMB_LEFT))
		return false;
	m->stats.stale++;
	if (epoch < n->epoch)
		n->alarms |= 1u << MEMB_ALARM_STALE;
	else if (n->status == MEMB_DEAD)
		/* It lives and has to be told. */
		memb_call(n, now);
	return true;
}

bool
memb_beat_came(struct memb *m, uint64_t now, const struct memb_beat *b)
{
	struct memb_node *n;
	uint32_t i;

	if (!possible(m, b)) {
		m->stats.bad++;
		return false;
	}
	if (b->node == m->conf.node)
		return own_number(m, b);
	i = memb_place(m, b->node);
	if (i == MEMB_NODES_MAX) {
		m->stats.foreign++;
		return false;
	}
	n = &m->nodes[i];
	if (life_over(m, n, now, b->epoch))
		return false;
	if (b->epoch > n->epoch)
		new_life(m, n, now, b->epoch);
	if (b->count <= n->links[b->link].count) {
		m->stats.repeated++;
		return false;
	}
	m->stats.beats++;
	n->links[b->link].count = b->count;
	if (now - n->heard > 2 * n->period)
		n->steady = now;
	n->heard = now;
	n->doubtful = false;
	/* The other link may have been faster. */
	if (b->count > n->count) {
		note_said(m, n, b);
		note_picture(m, n, now);
	}
	link_heard(n, b->link, now);
	status_by_beat(m, i, now);
	return true;
}

uint64_t
memb_silence(const struct memb *m, const struct memb_node *n, uint64_t now)
{
	uint64_t last = 0;
	uint32_t k;

	for (k = 0; k < m->conf.links; k++)
		if (n->links[k].used)
			last = larger(last, n->links[k].heard);
	return now - last;
}

/* Of one node: silent links, and whether one is not.  True when heard. */
static bool
look_at_links(struct memb *m, struct memb_node *n, uint64_t now)
{
	struct memb_link *l;
	uint8_t up = 0, lost = 0;
	uint32_t k;

	for (k = 0; k < m->conf.links; k++) {
		l = &n->links[k];
		if (l->damp > 0 && now - l->damp_since >= DAMP_SPAN) {
			l->damp--;
			l->damp_since = now;
		}
		if (!l->used)
			continue;
		if (l->up && now - l->heard > memb_t1(m, n, k))
			l->up = false;
		if (l->up)
			up |= (uint8_t)(1u << k);
		else
			lost |= (uint8_t)(1u << k);
	}
	/* All links silent is a suspicion, some are a matter of links. */
	if (up != 0) {
		n->link_lost |= lost & (uint8_t)~n->link_out;
		n->link_out |= lost;
	}
	return up != 0;
}

/* What we overslept is no silence of others. */
static void
forgive(struct memb *m, uint64_t now, uint64_t late)
{
	struct memb_node *n;
	uint32_t i, k;

	for (i = 1; i < m->conf.nodes_max; i++) {
		n = &m->nodes[i];
		for (k = 0; k < m->conf.links; k++)
			n->links[k].heard = smaller(now,
			    n->links[k].heard + late);
		n->lost_at = smaller(now, n->lost_at + late);
		n->down_at = smaller(now, n->down_at + late);
	}
	memb_mesh_forgive(m, now, late);
	m->same_since = 0;
	if (late <= memb_own_t1(m))
		return;
	/*
	 * What we have read just now may be old, and they may have judged us
	 * meanwhile: nobody is vouched for before it is heard again.
	 */
	for (i = 1; i < m->conf.nodes_max; i++) {
		m->nodes[i].doubtful = true;
		memb_del(&m->nodes[i].hears, 0);
		memb_del(&m->hear, i);
	}
}

/* Our own lateness; false when it was so much that we judge nobody. */
static bool
on_time(struct memb *m, uint64_t now)
{
	uint64_t period = m->conf.times.period;
	uint64_t late = now > m->tick ? now - m->tick : 0;

	if (now - m->late_turn >= LATE_SPAN) {
		m->late_before = m->late_now;
		m->late_now = 0;
		m->late_turn = now;
	}
	m->late_now = larger(m->late_now, late);
	if (now >= m->tick)
		m->tick += period / 2;
	if (now >= m->tick)
		m->tick = now + period / 2;
	if (m->lh > 0 && now - m->lh_since >= LH_CALM) {
		m->lh--;
		m->lh_since = now;
	}
	m->timely = late <= period;
	if (m->timely)
		return true;
	memb_lh_up(m, now);
	forgive(m, now, late);
	return false;
}

/*
 * Have half of the peers fallen silent within one T1?  Then it may be us, or
 * the network is in pieces: that is judged as a whole (memb_verdicts).
 */
static void
look_for_mass(struct memb *m, uint64_t now)
{
	uint64_t span = memb_own_t1(m) * (1 + m->lh);
	uint32_t i, peers = 0, silent = 0, suspects = 0;
	const struct memb_node *n;
	bool recent;

	for (i = 1; i < m->conf.nodes_max; i++) {
		n = &m->nodes[i];
		if (!n->used)
			continue;
		recent = now - n->since <= span;
		suspects += n->status == MEMB_SUSPECT;
		if ((n->status == MEMB_SUSPECT || n->status == MEMB_DOWN) &&
		    recent)
			silent++;
		else if (!memb_live(n->status))
			continue;
		peers++;
	}
	if (suspects == 0)
		m->mass = false;
	else if (!m->mass && silent >= 2 && 2 * silent >= peers) {
		m->mass = true;
		m->alarms |= 1u << MEMB_ALARM_ISOLATED;
		memb_lh_up(m, now);
	}
}

bool
memb_detect(struct memb *m, uint64_t now)
{
	struct memb_node *n;
	uint32_t i;

	if (!on_time(m, now))
		return false;
	for (i = 1; i < m->conf.nodes_max; i++) {
		n = &m->nodes[i];
		if (!n->used)
			continue;
		if (look_at_links(m, n, now)) {
			if (!n->doubtful)
				memb_add(&m->hear, i);
			continue;
		}
		memb_del(&m->hear, i);
		if ((n->status == MEMB_ALIVE || n->status == MEMB_STALLED) &&
		    memb_set_status(m, i, MEMB_SUSPECT, now))
			/* A beat more, so that others know at once. */
			m->send_links = (uint8_t)((1u << m->conf.links) - 1);
	}
	look_for_mass(m, now);
	return true;
}
