/* SPDX-License-Identifier: ISC */
/*
 * May this side act for all?  It may when those whom we can work with
 * (reach) have more than half of the electors' votes, or half of them and the
 * elector that breaks ties.  Any two such sets have a node in common.
 *
 * The electors are the expected nodes at first, then the members of the last
 * view that all of its members made the electorate, so that nodes may go one
 * by one down to the last.  That is dynamic voting (Jajodia, Mutchler 1990)
 * with attempts (Yeger Lotem, Keidar, Dolev 1997): who has proposed an
 * electorate cannot know whether it was formed while a proposer is silent, so
 * until the next one is formed it has to pass all that it proposed, too.  A
 * proposal is one number in the beats, generation and digest; it is formed
 * for whoever sees all of its members tell it.  Who has heard of a generation
 * that is newer than its own does not know whose votes count: it takes the
 * word of those who know, if they have the same view.
 *
 * Nothing of this is kept on a disk: an elector that boots again starts from
 * the expected nodes.  Where a majority of these may boot cut off from the
 * survivors of a shrunken electorate, `fixed` must be set.
 *
 * Two expected nodes have no majority without each other; what the one that
 * is left does is configured (enum memb_two_node).
 */
#include "base/hash.h"
#include "core/memb_own.h"

#define GENERATION(elect) ((elect) >> 32)
#define NEVER_FORMED(m) (GENERATION((m)->elect) == 0)

static uint64_t
elect_of(const struct memb *m, const struct memb_set *s, uint64_t generation)
{
	struct hash h;
	uint8_t p[2];
	uint32_t i;

	hash_init(&h);
	for (i = 0; i < m->len; i++) {
		if (!memb_has(s, m->order[i]))
			continue;
		p[0] = (uint8_t)(m->nodes[m->order[i]].number >> 8);
		p[1] = (uint8_t)m->nodes[m->order[i]].number;
		hash_add(&h, p, sizeof(p));
	}
	return generation << 32 | (hash_value(&h) & UINT32_MAX);
}

/* The table or the expectations changed. */
void
memb_electors(struct memb *m)
{
	bool any = false;
	uint32_t i;

	for (i = 0; i < m->conf.nodes_max; i++)
		any |= m->nodes[i].used && m->nodes[i].expected;
	if (NEVER_FORMED(m)) {
		m->electors = (struct memb_set){ { 0 } };
		for (i = 0; i < m->conf.nodes_max; i++)
			if (m->nodes[i].used && (m->nodes[i].expected || !any))
				memb_add(&m->electors, i);
	}
	/* A formed one keeps its name, also when a node is taken out of it. */
	if (NEVER_FORMED(m))
		m->elect = elect_of(m, &m->electors, 0);
}

static uint64_t
votes(const struct memb *m, const struct memb_set *a,
    const struct memb_set *b)
{
	uint64_t sum = 0;
	uint32_t i;

	MEMB_EACH(i, a)
		if (memb_has(b, i))
			sum += m->nodes[i].votes;
	return sum;
}

/* Who of them breaks ties. */
static uint32_t
tie_break(const struct memb *m, const struct memb_set *electors)
{
	uint32_t i, place;

	for (i = 0; i < m->conf.quorum.ties_len; i++) {
		place = memb_place(m, m->conf.quorum.ties[i]);
		if (place < MEMB_NODES_MAX && memb_has(electors, place) &&
		    m->nodes[place].votes > 0)
			return place;
	}
	for (i = 0; i < m->len; i++)
		if (memb_has(electors, m->order[i]) &&
		    m->nodes[m->order[i]].votes > 0)
			return m->order[i];
	return MEMB_NODES_MAX;
}

static bool
passes(const struct memb *m, const struct memb_set *electors,
    const struct memb_set *there)
{
	uint64_t all = votes(m, electors, electors);
	uint64_t have = votes(m, electors, there);
	uint32_t tie;

	if (2 * have != all || all == 0)
		return 2 * have > all;
	tie = tie_break(m, electors);
	return tie < MEMB_NODES_MAX && memb_has(there, tie);
}

static bool
passes_all(const struct memb *m, const struct memb_set *there)
{
	uint32_t i;

	if (!passes(m, &m->electors, there))
		return false;
	for (i = 0; i < m->attempts_len; i++)
		if (!passes(m, &m->attempts[i], there))
			return false;
	return true;
}

uint64_t
memb_own_elect(const struct memb *m)
{
	return m->attempts_len > 0 ? m->attempts_elect[m->attempts_len - 1] :
				     m->elect;
}

/* The other one of two expected nodes, or NULL when they are not two. */
static const struct memb_node *
other_of_two(const struct memb *m)
{
	const struct memb_node *other = NULL;
	uint32_t i, n = 0;

	for (i = 0; i < m->conf.nodes_max; i++)
		if (m->nodes[i].used && m->nodes[i].expected) {
			n++;
			if (i != 0)
				other = &m->nodes[i];
		}
	return n == 2 && m->nodes[0].expected ? other : NULL;
}

static bool
may_act_alone(const struct memb *m, const struct memb_node *other,
    uint64_t now)
{
	uint16_t primary = m->conf.quorum.primary;

	/* It said so, or somebody made sure of it. */
	if (other->status == MEMB_LEFT ||
	    (other->status == MEMB_DEAD && other->hard))
		return true;
	if (m->conf.quorum.two_node == MEMB_WITNESS)
		return m->witness;
	if (primary == 0)
		primary = other->number < m->conf.node ? other->number :
							 m->conf.node;
	if (primary == m->conf.node)
		return true;
	if (m->conf.quorum.two_node == MEMB_STRICT)
		return false;
	/* The primary acts at DOWN; we give it the time for that. */
	return other->status == MEMB_DEAD || other->status == MEMB_UNKNOWN ||
	    (other->status == MEMB_DOWN &&
		now - other->since >= memb_own_t1(m));
}

static bool
two_nodes(struct memb *m, const struct memb_node *other, uint64_t now)
{
	uint32_t place = (uint32_t)(other - m->nodes);
	uint64_t waited = now - m->started;
	bool takeover;

	if (memb_has(&m->reach, place)) {
		m->booted = true;
		return true;
	}
	if (!m->booted && m->conf.quorum.two_node == MEMB_WITNESS)
		m->booted = m->witness;
	else if (!m->booted && m->conf.quorum.two_node == MEMB_TAKEOVER)
		m->booted = waited >= m->conf.times.lone_boot;
	if (!m->booted)
		return false;
	takeover = m->conf.quorum.two_node == MEMB_TAKEOVER;
	/* Whom we hear and who does not hear us may act without us. */
	if (memb_has(&m->hear, place) &&
	    (takeover || !memb_has(&m->out, place)))
		return false;
	/* Before there is a verdict it stays as it was. */
	if (takeover && memb_live(other->status))
		return m->view.quorate;
	return may_act_alone(m, other, now);
}

/*
 * The newest generation that we have heard of, from whomever.  When all
 * voters are here and nobody knows of it any more, it is forgotten.
 */
static void
note_newest(struct memb *m)
{
	uint64_t newest = GENERATION(memb_own_elect(m));
	bool all = true;
	uint32_t i;

	for (i = 1; i < m->conf.nodes_max; i++)
		if (m->nodes[i].used && m->nodes[i].votes > 0)
			all = all && memb_has(&m->reach, i) &&
			    memb_has(&m->hear, i);
	MEMB_EACH(i, &m->hear)
		if (GENERATION(m->nodes[i].elect) > newest)
			newest = GENERATION(m->nodes[i].elect);
	if (all || newest > m->newest)
		m->newest = newest;
}

/* Do those with the newest generation say that they may act? */
static bool
word_of_newest(const struct memb *m)
{
	const struct memb_node *n;
	uint32_t i;

	MEMB_EACH(i, &m->reach) {
		n = &m->nodes[i];
		/* It speaks for those who have its view. */
		if (i != 0 && memb_has(&m->hear, i) &&
		    GENERATION(n->elect) == m->newest &&
		    n->view == m->view.digest &&
		    !(n->flags & MEMB_BEAT_NOQUORUM))
			return true;
	}
	return false;
}

static bool
someone_acts(const struct memb *m)
{
	uint32_t i;

	MEMB_EACH(i, &m->reach)
		if (i != 0 && memb_has(&m->hear, i) &&
		    !(m->nodes[i].flags & MEMB_BEAT_NOQUORUM))
			return true;
	return false;
}

bool
memb_judge_quorum(struct memb *m, uint64_t now)
{
	const struct memb_node *other = other_of_two(m);
	bool good;

	if (m->renew != 0)
		return false; /* we are dead for the others */
	if (other != NULL)
		return two_nodes(m, other, now);
	note_newest(m);
	if (GENERATION(memb_own_elect(m)) < m->newest)
		good = word_of_newest(m);
	else
		good = passes_all(m, &m->reach);
	if (!m->booted)
		m->booted = good &&
		    (memb_within(&m->electors, &m->reach) ||
			now - m->started >= m->conf.times.boot_wait ||
			someone_acts(m));
	return m->booted && good;
}

/* What members tell: the newest generation, and the newest with that name. */
static uint64_t
newest_told(const struct memb *m, uint64_t digest, uint64_t *same)
{
	uint64_t newest = GENERATION(memb_own_elect(m)), elect;
	uint32_t i;

	*same = 0;
	MEMB_EACH(i, &m->members) {
		elect = i == 0 ? memb_own_elect(m) : m->nodes[i].elect;
		if (GENERATION(elect) > newest)
			newest = GENERATION(elect);
		if ((elect & UINT32_MAX) == digest && elect > *same)
			*same = elect;
	}
	return newest;
}

/*
 * Proposes the members, or goes on with a proposal of them.  When there is no
 * room, nothing is proposed any more: what was proposed has to be passed.
 */
static void
propose(struct memb *m, uint64_t now)
{
	uint64_t name = elect_of(m, &m->members, 0), newest, same;
	uint32_t last;

	newest = newest_told(m, name, &same);
	/*
	 * Who joins is welcome; who is missing is missed for a while, by the
	 * first one who proposes this.
	 */
	if (!memb_within(&m->electors, &m->members) &&
	    GENERATION(same) <= GENERATION(memb_own_elect(m)) &&
	    now - m->same_since < m->conf.times.window)
		return;
	if (GENERATION(same) < newest ||
	    GENERATION(same) <= GENERATION(m->elect))
		same = (newest + 1) << 32 | name;
	last = m->attempts_len;
	if (last > 0 && memb_same(&m->attempts[last - 1], &m->members)) {
		m->attempts_elect[last - 1] = same;
		return;
	}
	if (last == MEMB_ATTEMPTS_MAX)
		return;
	m->attempts[last] = m->members;
	m->attempts_elect[last] = same;
	m->attempts_len++;
}

/* Do all members tell what we propose? */
static bool
is_formed(const struct memb *m)
{
	uint64_t elect = memb_own_elect(m);
	uint32_t i;

	MEMB_EACH(i, &m->members)
		if (i != 0 && (!memb_has(&m->hear, i) ||
			m->nodes[i].elect != elect))
			return false;
	return m->attempts_len > 0 &&
	    memb_same(&m->attempts[m->attempts_len - 1], &m->members);
}

void
memb_elect(struct memb *m, uint64_t now)
{
	uint64_t same;

	if (m->conf.quorum.fixed || other_of_two(m) != NULL ||
	    !m->view.quorate_agreed)
		return;
	if (m->attempts_len > 0 || !memb_same(&m->electors, &m->members) ||
	    newest_told(m, 0, &same) > GENERATION(m->elect))
		propose(m, now);
	if (!is_formed(m))
		return;
	m->elect = memb_own_elect(m);
	m->electors = m->members;
	m->attempts_len = 0;
}
