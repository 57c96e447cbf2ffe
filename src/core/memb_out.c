/* SPDX-License-Identifier: ISC */
/*
 * Effects.  None waits in a queue: each is the difference between how
 * something is and what the caller was last told of it, or a mark that
 * something is due.  So they are bounded by the table, and one that was not
 * taken in time is replaced by a newer one.
 */
#include <string.h>

#include "base/require.h"
#include "core/memb_own.h"

#define ALARM_EVERY ORCM_SECOND /* the same one, if its cause goes on */

const char *
memb_alarm_name(enum memb_alarm a)
{
	static const char names[MEMB_ALARMS][12] = {
		[MEMB_ALARM_LINK] = "link",
		[MEMB_ALARM_LINK_BACK] = "link-back",
		[MEMB_ALARM_INDIRECT] = "indirect",
		[MEMB_ALARM_EXCLUDED] = "excluded",
		[MEMB_ALARM_ISOLATED] = "isolated",
		[MEMB_ALARM_STALE] = "stale",
		[MEMB_ALARM_DUPLICATE] = "duplicate",
		[MEMB_ALARM_DUAL] = "dual",
		[MEMB_ALARM_ROOM] = "room",
	};

	REQUIRE(a < MEMB_ALARMS);
	return names[a];
}

static uint8_t
own_flags(const struct memb *m)
{
	uint8_t flags = 0;
	uint32_t i, k;

	if (m->leaving)
		flags |= MEMB_BEAT_LEAVING;
	if (m->stalled)
		flags |= MEMB_BEAT_STALLED;
	if (!m->view.quorate)
		flags |= MEMB_BEAT_NOQUORUM;
	MEMB_EACH(i, &m->hear)
		for (k = 0; i != 0 && k < m->conf.links; k++)
			if (!m->nodes[i].links[k].up)
				flags |= MEMB_BEAT_DEGRADED;
	return flags;
}

static void
fill_beat(struct memb *m, uint8_t link)
{
	struct memb_beat *b = &m->beat;
	uint64_t late;
	uint32_t i;

	late = m->late_now > m->late_before ? m->late_now : m->late_before;
	late /= 1000;
	memset(b, 0, sizeof(*b));
	b->node = m->conf.node;
	b->link = link;
	b->flags = own_flags(m);
	b->epoch = m->nodes[0].epoch;
	b->count = ++m->count;
	b->period_us = (uint32_t)(m->conf.times.period / 1000);
	b->mult = m->conf.times.mult;
	b->health = m->health;
	b->late_us = late < UINT32_MAX ? (uint32_t)late : UINT32_MAX;
	b->seq = m->seq;
	b->view = m->view.digest;
	b->digest = m->digest;
	b->elect = memb_own_elect(m);
	for (i = 0; i < m->len; i++)
		if (m->order[i] != 0 && memb_has(&m->hear, m->order[i]))
			b->heard[b->heard_len++] =
			    m->nodes[m->order[i]].number;
}

static uint32_t
lowest_bit(uint32_t bits)
{
	uint32_t i;

	for (i = 0; (bits >> i & 1) == 0; i++)
		;
	return i;
}

/* May that cause be told again? */
static bool
alarm_again(struct memb *m, uint32_t bit)
{
	if (m->alarm_at[bit] != 0 && m->tick - m->alarm_at[bit] < ALARM_EVERY)
		return false;
	m->alarm_at[bit] = m->tick;
	return true;
}

static bool
take_alarm(struct memb *m, struct memb_node *n, struct memb_out *out)
{
	uint32_t bit;

	out->kind = MEMB_OUT_ALARM;
	if (n->link_lost != 0) {
		bit = lowest_bit(n->link_lost);
		n->link_lost &= (uint8_t)~(1u << bit);
		out->alarm = MEMB_ALARM_LINK;
		out->link = (uint8_t)bit;
		return true;
	}
	if (n->link_back != 0) {
		bit = lowest_bit(n->link_back);
		n->link_back &= (uint8_t)~(1u << bit);
		out->alarm = MEMB_ALARM_LINK_BACK;
		out->link = (uint8_t)bit;
		return true;
	}
	if (n->alarms == 0)
		return false;
	bit = lowest_bit(n->alarms);
	n->alarms &= ~(1u << bit);
	out->alarm = (enum memb_alarm)bit;
	/* Whoever sends old beats may send many. */
	return bit != MEMB_ALARM_STALE || alarm_again(m, bit);
}

static bool
take_of_node(struct memb *m, struct memb_node *n, struct memb_out *out)
{
	out->node = n->number;
	if (n->status != n->told || n->epoch != n->told_epoch) {
		out->kind = MEMB_OUT_STATUS;
		out->epoch = n->epoch;
		out->status = n->status;
		out->was = n->told;
		n->told = n->status;
		n->told_epoch = n->epoch;
		return true;
	}
	if (n->fit != n->told_fit) {
		out->kind = MEMB_OUT_FIT;
		out->on = n->told_fit = n->fit;
		return true;
	}
	if (n->connect || n->pull) {
		out->kind = n->connect ? MEMB_OUT_CONNECT : MEMB_OUT_PULL;
		if (n->connect)
			n->connect = false;
		else
			n->pull = false;
		return true;
	}
	return take_alarm(m, n, out);
}

static bool
take_fate(struct memb *m, struct memb_node *n, struct memb_out *out)
{
	if (!n->fate_due)
		return false;
	n->fate_due = false;
	out->kind = MEMB_OUT_FATE;
	out->node = n->number;
	out->fate.observer = m->conf.node;
	out->fate.subject = n->number;
	out->fate.epoch = n->fate_epoch;
	out->fate.status = n->fate;
	return true;
}

/* Agreement and quorum are told at once, members when they have agreed. */
static bool
take_view(struct memb *m, struct memb_out *out)
{
	const struct memb_view *v = &m->view, *told = &m->told_view;

	if (v->agreed == told->agreed && v->quorate == told->quorate &&
	    (!v->agreed || v->digest == told->digest))
		return false;
	m->told_view = *v;
	out->kind = MEMB_OUT_VIEW;
	out->view = *v;
	return true;
}

static bool
take_lease(struct memb *m, struct memb_out *out)
{
	bool may = m->view.quorate && !m->stalled && !m->leaving;

	out->kind = MEMB_OUT_LEASE;
	if (!may) {
		m->lease_due = false;
		if (!m->told_lease)
			return false;
		m->told_lease = false;
		return true;
	}
	if (!m->lease_due)
		return false;
	m->lease_due = false;
	m->told_lease = out->on = true;
	out->until = m->lease_until;
	return true;
}

static bool
take_beat(struct memb *m, struct memb_out *out)
{
	uint32_t link;

	if (m->send_links == 0)
		return false;
	link = lowest_bit(m->send_links);
	m->send_links &= (uint8_t)~(1u << link);
	fill_beat(m, (uint8_t)link);
	out->kind = MEMB_OUT_BEAT;
	out->link = (uint8_t)link;
	out->beat = &m->beat;
	return true;
}

static bool
take_own_alarm(struct memb *m, struct memb_out *out)
{
	uint32_t bit;

	while (m->alarms != 0) {
		bit = lowest_bit(m->alarms);
		m->alarms &= ~(1u << bit);
		if (!alarm_again(m, bit))
			continue;
		out->kind = MEMB_OUT_ALARM;
		out->node = m->conf.node;
		out->alarm = (enum memb_alarm)bit;
		return true;
	}
	return false;
}

bool
memb_take(struct memb *m, struct memb_out *out)
{
	struct memb_node *n;

	memset(out, 0, sizeof(*out));
	for (; m->cursor < m->conf.nodes_max; m->cursor++) {
		n = &m->nodes[m->cursor];
		if (n->used &&
		    (take_of_node(m, n, out) || take_fate(m, n, out)))
			return true;
	}
	if (take_view(m, out) || take_lease(m, out) || take_beat(m, out) ||
	    take_own_alarm(m, out))
		return true;
	if (m->renew == m->told_renew)
		return false;
	m->told_renew = m->renew;
	if (m->renew == 0)
		return false;
	out->kind = MEMB_OUT_RENEW;
	out->epoch = m->renew;
	return true;
}
