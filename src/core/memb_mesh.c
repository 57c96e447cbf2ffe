/* SPDX-License-Identifier: ISC */
/*
 * Who hears whom: our own ears are one row of a matrix, the lists in others'
 * beats are the rest.  A link counts when both of its ends hear each other.
 *
 * Two nodes that are there but not linked make the mesh ambiguous: both have
 * a majority for them and neither can work with the other.  That is borne for
 * a while (control goes over a third node); then the nodes are put into
 * groups whose members are all linked, by a rule that gives the same answer
 * wherever the same matrix is known: whoever has the fewest links is taken
 * out (of equals the highest number) until the rest is whole, that is the
 * first group, and so on with those who were taken out.  After a pair has
 * been whole for hold_up it is forgotten.  The lists tell what is heard, not
 * what is made of it, so exclusion does not feed itself.
 */
#include "core/memb_own.h"

static struct memb_pair *
pair_of(struct memb *m, uint32_t a, uint32_t b)
{
	uint32_t high = a > b ? a : b, low = a > b ? b : a;

	return &m->pairs[high * (high - 1) / 2 + low];
}

static const struct memb_set *
row(const struct memb *m, uint32_t i)
{
	return i == 0 ? &m->hear : &m->nodes[i].hears;
}

/* Linked, as far as we know: whom we do not hear does not tell us. */
static bool
linked(const struct memb *m, uint32_t a, uint32_t b)
{
	if (memb_has(&m->hear, a) && !memb_has(row(m, a), b))
		return false;
	return !memb_has(&m->hear, b) || memb_has(row(m, b), a);
}

/* Those who are heard by us, or by somebody whom we hear. */
static struct memb_set
present(const struct memb *m)
{
	struct memb_set s = m->hear;
	uint32_t i, k;

	MEMB_EACH(i, &m->hear)
		for (k = 0; k < MEMB_WORDS; k++)
			s.w[k] |= row(m, i)->w[k];
	MEMB_EACH(i, &s)
		if (!memb_live(m->nodes[i].status) &&
		    m->nodes[i].status != MEMB_DOWN)
			memb_del(&s, i);
	return s;
}

/* The usual case, cheaply: everybody whom we hear hears everybody. */
static bool
is_whole(const struct memb *m, const struct memb_set *s)
{
	struct memb_set r;
	uint32_t i;

	if (!memb_within(s, &m->hear))
		return false;
	MEMB_EACH(i, s) {
		r = *row(m, i);
		memb_add(&r, i);
		if (!memb_within(s, &r))
			return false;
	}
	return true;
}

/* One pair's clock goes on.  True when it is not whole. */
static bool
pair_turn(struct memb *m, struct memb_pair *p, bool whole, uint64_t now)
{
	if (p->since == 0) {
		if (!whole)
			p->since = now;
		return !whole;
	}
	if (!p->old) {
		if (whole)
			p->since = 0;
		else if (now - p->since >= m->conf.times.indirect_grace)
			p->old = true;
		return !whole;
	}
	if (whole && !p->mending)
		p->since = now;
	p->mending = whole;
	if (whole && now - p->since >= m->conf.times.hold_up) {
		p->since = 0;
		p->old = p->mending = false;
		return false;
	}
	return true;
}

void
memb_mesh_forget(struct memb *m, uint32_t place)
{
	uint32_t i;

	for (i = 0; i < m->conf.nodes_max; i++)
		if (i != place)
			*pair_of(m, i, place) = (struct memb_pair){ 0 };
}

void
memb_mesh_forgive(struct memb *m, uint64_t now, uint64_t late)
{
	struct memb_pair *p;
	uint32_t a, b;

	for (a = 1; a < m->conf.nodes_max; a++)
		for (b = 0; b < a; b++) {
			p = pair_of(m, a, b);
			if (p->since != 0)
				p->since = p->since + late < now ?
				    p->since + late : now;
		}
}

/* A node that hears us not, or we not it, though it is there. */
static void
alarm_indirect(struct memb *m, uint32_t i, uint64_t now)
{
	const struct memb_pair *p = pair_of(m, 0, i);
	struct memb_node *n = &m->nodes[i];

	if (p->since == 0)
		n->indirect = false;
	else if (!n->indirect && now - p->since > 2 * memb_own_t1(m)) {
		n->indirect = true;
		n->alarms |= 1u << MEMB_ALARM_INDIRECT;
	}
}

/* The pairs' clocks.  True when some pair has been broken for long. */
static bool
pairs_turn(struct memb *m, const struct memb_set *s, uint64_t now)
{
	struct memb_pair *p;
	bool old = false;
	uint32_t a, b;

	m->broken = false;
	for (a = 1; a < m->conf.nodes_max; a++)
		for (b = 0; b < a; b++) {
			p = pair_of(m, a, b);
			if (!memb_has(s, a) || !memb_has(s, b)) {
				p->since = 0;
				p->old = p->mending = false;
				continue;
			}
			m->broken |= pair_turn(m, p, linked(m, a, b), now);
			old |= p->old;
		}
	for (a = 1; a < m->conf.nodes_max; a++)
		alarm_indirect(m, a, now);
	return old;
}

/* Of s, who has the fewest links in it?  False when none lacks any. */
static bool
weakest(struct memb *m, const struct memb_set *s, uint32_t *at)
{
	uint32_t a, b, lacks, most = 0;

	MEMB_EACH(a, s) {
		lacks = 0;
		MEMB_EACH(b, s)
			if (a != b)
				lacks += pair_of(m, a, b)->old;
		if (lacks > most || (lacks == most && lacks > 0 &&
			m->nodes[a].number > m->nodes[*at].number)) {
			most = lacks;
			*at = a;
		}
	}
	return most > 0;
}

/* Our group: the first whole one that we are in. */
static struct memb_set
own_group(struct memb *m, const struct memb_set *all)
{
	struct memb_set group = *all, rest = { { 0 } };
	uint32_t at = 0;

	while (weakest(m, &group, &at) || !memb_has(&group, 0)) {
		if (weakest(m, &group, &at)) {
			memb_del(&group, at);
			memb_add(&rest, at);
			continue;
		}
		group = rest;
		rest = (struct memb_set){ { 0 } };
	}
	return group;
}

static void
exclude(struct memb *m, const struct memb_set *all,
    const struct memb_set *group)
{
	bool was = memb_next(&m->out, 0) < MEMB_NODES_MAX;
	uint32_t i;

	MEMB_EACH(i, all) {
		if (memb_has(group, i)) {
			memb_del(&m->out, i);
			continue;
		}
		if (!memb_has(&m->out, i))
			m->nodes[i].alarms |= 1u << MEMB_ALARM_EXCLUDED;
		memb_add(&m->out, i);
	}
	for (i = 1; i < m->conf.nodes_max; i++)
		if (!memb_has(all, i))
			memb_del(&m->out, i);
	/* The smaller part is told that it is the one. */
	if (!was && 2 * memb_size(group) < memb_size(all))
		m->alarms |= 1u << MEMB_ALARM_EXCLUDED;
}

/* Whom we can work with: linked to us, or to one who is. */
static void
find_reach(struct memb *m, const struct memb_set *all)
{
	struct memb_set direct = { { 0 } };
	uint32_t i, k;

	MEMB_EACH(i, all)
		if (!memb_has(&m->out, i) && memb_has(&m->hear, i) &&
		    linked(m, 0, i))
			memb_add(&direct, i);
	memb_add(&direct, 0);
	m->reach = direct;
	MEMB_EACH(i, all) {
		if (memb_has(&m->out, i) || memb_has(&direct, i))
			continue;
		MEMB_EACH(k, &direct)
			if (k != 0 && memb_has(row(m, k), i) &&
			    linked(m, k, i)) {
				memb_add(&m->reach, i);
				break;
			}
	}
}

void
memb_mesh(struct memb *m, uint64_t now)
{
	struct memb_set all = present(m), group = all;
	struct memb_set none = { { 0 } };

	if (m->broken || !is_whole(m, &all)) {
		if (pairs_turn(m, &all, now))
			group = own_group(m, &all);
		exclude(m, &all, &group);
	} else
		m->out = none;
	find_reach(m, &all);
}
