/* SPDX-License-Identifier: ISC */
/*
 * What is made of silence: statuses, and the view of who is a member.
 *
 * A suspicion becomes DOWN when more than half of those whom we hear, and at
 * least two, do not hear the node either; when there are but two members, our
 * word alone; and when nobody hears it, after three times the time that made
 * it suspect.  When half of the peers fell silent together it may be us, or
 * the network is in pieces: then all the silent ones go together or none, and
 * only if nobody whom we hear hears any of them.
 *
 * DOWN is taken back by a beat.  DEAD is not: it needs a view that all of its
 * members have agreed on and a quorum, or evidence from outside.  One observer
 * writes the record of it, the lowest number that lives; each next one in turn
 * two periods later, if none was seen by then.  DEAD is the writer's word.
 *
 * DOWNs within two periods begin one view change: they count from its start,
 * and no agreement is told before it is over.
 */
#include "base/hash.h"
#include "base/require.h"
#include "core/memb_own.h"

#define ALONE 3u /* times T1 of silence, and our own word is enough */
#define CUT 2u	 /* periods in which DOWNs are one view change */
#define WRITER 2u /* periods that the next writer waits for this one */

#define BIT(s) (1u << MEMB_##s)
#define BACK (BIT(ALIVE) | BIT(STALLED))
#define GONE (BIT(DOWN) | BIT(DEAD) | BIT(LEFT))

/* Where each status may lead to, within one life. */
static const uint32_t edges[MEMB_STATUSES] = {
	[MEMB_UNKNOWN] = BACK | BIT(DEAD) | BIT(LEFT),
	[MEMB_ALIVE] = BIT(STALLED) | BIT(SUSPECT) | BIT(DAEMON_LOST) | GONE,
	[MEMB_STALLED] = BIT(ALIVE) | BIT(SUSPECT) | BIT(DAEMON_LOST) | GONE,
	[MEMB_SUSPECT] = BACK | BIT(DAEMON_LOST) | GONE,
	[MEMB_DAEMON_LOST] = BACK | GONE,
	[MEMB_DOWN] = BACK | BIT(DEAD) | BIT(LEFT),
	[MEMB_DEAD] = BIT(LEFT),
	[MEMB_LEFT] = 0,
};

const char *
memb_status_name(enum memb_status s)
{
	static const char names[MEMB_STATUSES][12] = {
		[MEMB_UNKNOWN] = "unknown",
		[MEMB_ALIVE] = "alive",
		[MEMB_STALLED] = "stalled",
		[MEMB_SUSPECT] = "suspect",
		[MEMB_DAEMON_LOST] = "daemon-lost",
		[MEMB_DOWN] = "down",
		[MEMB_DEAD] = "dead",
		[MEMB_LEFT] = "left",
	};

	REQUIRE(s < MEMB_STATUSES);
	return names[s];
}

/* Is it a member of the view? */
bool
memb_live(enum memb_status s)
{
	return (BIT(ALIVE) | BIT(STALLED) | BIT(SUSPECT) | BIT(DAEMON_LOST)) >>
	    s & 1;
}

static void
went_down(struct memb *m, struct memb_node *n, uint64_t now)
{
	if (m->cut == 0 || now - m->cut > CUT * m->conf.times.period)
		m->cut = now;
	n->down_at = m->cut;
	n->fit = false;
}

static void
came_back(struct memb_node *n, uint64_t now)
{
	n->steady = now;
	n->fate = n->fate_ours ? MEMB_ALIVE : MEMB_UNKNOWN;
	n->fate_due = n->fate_ours;
	n->fate_ours = false;
	memb_call(n, now);
}

bool
memb_set_status(struct memb *m, uint32_t place, enum memb_status s,
    uint64_t now)
{
	struct memb_node *n = &m->nodes[place];
	enum memb_status was = n->status;
	uint32_t k;

	if (!(edges[was] >> s & 1))
		return false;
	n->status = s;
	n->since = now;
	if (s == MEMB_DOWN)
		went_down(m, n, now);
	else if (s == MEMB_DAEMON_LOST)
		n->lost_at = now;
	else if (was == MEMB_DOWN && memb_live(s))
		came_back(n, now);
	if (s == MEMB_DEAD || s == MEMB_LEFT) {
		if (s == MEMB_DEAD)
			n->fit = false;
		memb_del(&m->hear, place);
		for (k = 0; k < m->conf.links; k++)
			n->links[k].used = n->links[k].up = false;
	}
	return true;
}

bool
memb_over(struct memb *m, uint64_t now, uint32_t place, uint64_t epoch,
    enum memb_status s)
{
	struct memb_node *n = &m->nodes[place];

	if (epoch < n->epoch || epoch == 0)
		return false;
	if (epoch > n->epoch) {
		n->epoch = epoch;
		n->status = MEMB_UNKNOWN;
		n->fate = MEMB_UNKNOWN;
		n->fate_ours = false;
	}
	(void)memb_set_status(m, place, s, now);
	memb_look(m, now);
	return true;
}

void
memb_observers(const struct memb *m, uint32_t about, uint32_t *observers,
    uint32_t *hearing)
{
	uint32_t i;

	*observers = 1;
	*hearing = memb_has(&m->hear, about);
	MEMB_EACH(i, &m->hear) {
		if (i == 0 || i == about || memb_has(&m->out, i) ||
		    !memb_has(&m->nodes[i].hears, 0) ||
		    (m->nodes[i].status != MEMB_ALIVE &&
			m->nodes[i].status != MEMB_STALLED))
			continue;
		++*observers;
		*hearing += memb_has(&m->nodes[i].hears, about);
	}
}

static bool
is_silent(const struct memb *m, uint32_t i, uint64_t now)
{
	const struct memb_node *n = &m->nodes[i];

	if (n->status == MEMB_DAEMON_LOST)
		return now - n->lost_at >= m->conf.times.daemon_grace &&
		    !memb_has(&m->hear, i);
	return n->status == MEMB_SUSPECT;
}

/* Silent for so long that our own word is enough, if nobody hears it. */
static bool
long_silent(const struct memb *m, uint32_t i, uint64_t now)
{
	const struct memb_node *n = &m->nodes[i];
	uint64_t t1 = 0, t;
	uint32_t k;

	for (k = 0; k < m->conf.links; k++)
		if (n->links[k].used && (t = memb_t1(m, n, k)) > t1)
			t1 = t;
	return memb_silence(m, n, now) > ALONE * t1;
}

static bool
is_down(const struct memb *m, uint32_t i, uint64_t now)
{
	uint32_t observers, hearing;

	memb_observers(m, i, &observers, &hearing);
	if (hearing == 0 && long_silent(m, i, now))
		return true;
	if (m->mass)
		return false; /* all_down() has the word */
	if (observers == 1)
		return m->view.members == 2;
	return 2 * (observers - hearing) > observers;
}

/* Half of the peers are silent: does nobody whom we hear hear any of them? */
static bool
all_down(const struct memb *m, uint64_t now)
{
	uint32_t i, observers, hearing;

	for (i = 1; i < m->conf.nodes_max; i++) {
		if (!m->nodes[i].used || !is_silent(m, i, now))
			continue;
		memb_observers(m, i, &observers, &hearing);
		if (observers < 2 || hearing > 0)
			return false;
	}
	return true;
}

void
memb_verdicts(struct memb *m, uint64_t now)
{
	bool all = m->mass && all_down(m, now);
	struct memb_set down = { { 0 } };
	uint32_t i;

	for (i = 1; i < m->conf.nodes_max; i++) {
		if (!m->nodes[i].used)
			continue;
		if (memb_has(&m->out, i) ||
		    (is_silent(m, i, now) && (all || is_down(m, i, now))))
			memb_add(&down, i);
	}
	MEMB_EACH(i, &down)
		(void)memb_set_status(m, i, MEMB_DOWN, now);
}

static void
put16(struct hash *h, uint16_t v)
{
	uint8_t p[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	hash_add(h, p, sizeof(p));
}

static void
put64(struct hash *h, uint64_t v)
{
	uint8_t p[8];
	uint32_t i;

	for (i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
	hash_add(h, p, sizeof(p));
}

/* Members by number, with their lives: the same on every machine. */
static void
find_members(struct memb *m)
{
	const struct memb_node *n;
	struct hash h;
	uint32_t i;

	hash_init(&h);
	m->members = (struct memb_set){ { 0 } };
	m->view.members = 0;
	for (i = 0; i < m->len; i++) {
		n = &m->nodes[m->order[i]];
		if (!memb_live(n->status))
			continue;
		memb_add(&m->members, m->order[i]);
		m->view.members++;
		put16(&h, n->number);
		put64(&h, n->epoch);
	}
	m->view.digest = hash_value(&h);
}

/* Do all members show the view that we have? */
static bool
all_same(const struct memb *m)
{
	uint32_t i;

	MEMB_EACH(i, &m->members)
		if (i != 0 && (!memb_has(&m->hear, i) ||
			m->nodes[i].view != m->view.digest))
			return false;
	return true;
}

void
memb_look(struct memb *m, uint64_t now)
{
	uint64_t was = m->view.digest, period = m->conf.times.period;
	uint32_t i;

	find_members(m);
	/* That another hears one who is down for us may be long ago. */
	for (i = 0; i < MEMB_WORDS; i++)
		m->reach.w[i] &= m->members.w[i];
	if (m->view.digest != was || !all_same(m))
		m->same_since = 0;
	else if (m->same_since == 0)
		m->same_since = now;
	m->view.agreed = m->same_since != 0 && now - m->same_since >= period &&
	    (m->cut == 0 || now - m->cut >= CUT * period);
	m->view.quorate = memb_judge_quorum(m, now);
	m->view.quorate_agreed = m->view.agreed && m->view.quorate;
}

/* So many of those whom we hear, and who would write, come before us. */
static uint32_t
writers_before_us(const struct memb *m)
{
	uint32_t i, n = 0;

	MEMB_EACH(i, &m->hear)
		if (i != 0 && !memb_has(&m->out, i) &&
		    m->nodes[i].number < m->conf.node &&
		    m->nodes[i].status == MEMB_ALIVE)
			n++;
	return n;
}

/* How long we leave it to them. */
static uint64_t
writer_wait(const struct memb *m)
{
	return WRITER * m->conf.times.period * writers_before_us(m);
}

static void
write_fate(struct memb_node *n)
{
	n->fate = n->status;
	n->fate_epoch = n->epoch;
	n->fate_ours = n->fate_due = true;
}

/* A record of what has no record yet. */
static void
look_for_fate(struct memb *m, struct memb_node *n, uint64_t now)
{
	if (n->status != MEMB_DOWN && n->status != MEMB_DEAD &&
	    n->status != MEMB_LEFT)
		return;
	if (n->fate_epoch == n->epoch && n->fate >= n->status)
		return;
	/* Who may not act for all writes no obituaries, but knows some. */
	if (n->status != MEMB_LEFT && !n->hard && !m->view.quorate)
		return;
	if (n->hard || now - n->since >= writer_wait(m))
		write_fate(n);
}

/* Is it silent for all whom we hear, and for us? */
static bool
unheard(const struct memb *m, uint32_t i)
{
	uint32_t observers, hearing;

	memb_observers(m, i, &observers, &hearing);
	return hearing == 0;
}

/*
 * DOWN for too long.  It is the writer who makes it DEAD, and the others by
 * its record: so nobody is dead for some and back for others.
 */
static void
look_for_death(struct memb *m, uint32_t i, uint64_t now)
{
	struct memb_node *n = &m->nodes[i];

	/* Who is only excluded lives: its time does not run. */
	if (!unheard(m, i))
		n->down_at = now;
	if (!m->view.quorate_agreed || now - n->down_at <
	    m->conf.times.relocate_hold + writer_wait(m))
		return;
	if (memb_set_status(m, i, MEMB_DEAD, now))
		write_fate(n);
}

void
memb_deaths(struct memb *m, uint64_t now)
{
	struct memb_node *n;
	uint32_t i;

	for (i = 1; i < m->conf.nodes_max; i++) {
		n = &m->nodes[i];
		if (!n->used)
			continue;
		if (n->status == MEMB_DOWN)
			look_for_death(m, i, now);
		look_for_fate(m, n, now);
		if (!n->fit && n->status == MEMB_ALIVE &&
		    now - n->steady >= m->conf.times.hold_up)
			n->fit = true;
	}
}

/* Somebody has written that our own life is over. */
static bool
own_fate(struct memb *m, uint64_t now, const struct memb_fate *f)
{
	if (f->epoch < m->nodes[0].epoch || f->status == MEMB_DOWN)
		return false;
	if (m->leaving)
		return true; /* as we wished */
	if (m->renew <= f->epoch)
		m->renew = f->epoch + 1;
	memb_look(m, now);
	return true;
}

bool
memb_fate_came(struct memb *m, uint64_t now, const struct memb_fate *f)
{
	uint32_t i = memb_place(m, f->subject);
	struct memb_node *n;

	if (i == MEMB_NODES_MAX || f->epoch == 0 || f->epoch == UINT64_MAX ||
	    (f->status != MEMB_DOWN && f->status != MEMB_DEAD &&
		f->status != MEMB_LEFT))
		return false;
	if (i == 0)
		return own_fate(m, now, f);
	n = &m->nodes[i];
	if (f->epoch < n->epoch)
		return false;
	if (f->status == MEMB_DOWN) {
		/* Their word is in their beats already; this one is written. */
		if (f->epoch == n->epoch && n->fate < MEMB_DOWN) {
			n->fate = MEMB_DOWN;
			n->fate_epoch = f->epoch;
		}
		return true;
	}
	(void)memb_over(m, now, i, f->epoch, f->status);
	if (n->fate_epoch != f->epoch || n->fate < f->status) {
		n->fate = f->status;
		n->fate_epoch = f->epoch;
	}
	return true;
}
