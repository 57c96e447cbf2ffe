/* SPDX-License-Identifier: ISC */
#ifndef MEMB_SIDE_H
#define MEMB_SIDE_H

#include <stdlib.h>

#include "core/memb.h"
#include "tap.h"

/*
 * One membership core, node 20, and peers that are made up: each beats every
 * 50 ms, hears all that beat, and shows the core's own view, unless it is
 * told otherwise.
 */
#define SIDE_PEERS 8u
#define SIDE_PERIOD (50 * ORCM_MS)

struct side_peer {
	uint16_t number;
	bool beats;
	uint8_t flags, deaf; /* deaf: bit of a peer that it does not hear */
	uint64_t epoch, count, view, digest, elect;
	uint32_t late_us;
	uint8_t links; /* bits */
};

static struct memb m;
static struct memb_conf conf;
static void *side_memory;
static struct side_peer peer[SIDE_PEERS];
static uint32_t peers_len;
static uint64_t now, side_next;
/* What came out since the last side_clear(). */
static struct memb_out last[MEMB_OUT_ALARM + 1];
static uint32_t outs[MEMB_OUT_ALARM + 1], alarms[MEMB_ALARMS];
static struct memb_beat last_beat;

static inline void
side_clear(void)
{
	memset(outs, 0, sizeof(outs));
	memset(alarms, 0, sizeof(alarms));
	memset(last, 0, sizeof(last));
}

static inline void
side_take(void)
{
	struct memb_out out;

	while (memb_take(&m, &out)) {
		outs[out.kind]++;
		last[out.kind] = out;
		if (out.kind == MEMB_OUT_ALARM)
			alarms[out.alarm]++;
		if (out.kind == MEMB_OUT_BEAT)
			last_beat = *out.beat;
	}
}

static inline bool
side_feed(struct memb_in in)
{
	bool good = memb_feed(&m, now, &in);

	side_take();
	return good;
}

static inline bool
side_event(enum memb_event event, uint16_t node, uint64_t epoch)
{
	return side_feed((struct memb_in){ .event = event, .node = node,
	    .epoch = epoch });
}

static inline void
side_drained(void)
{
	(void)side_event(MEMB_IN_DRAINED, 0, 0);
}

static inline bool
side_beat(struct side_peer *p, uint8_t link)
{
	struct memb_beat b;
	uint32_t i;

	memset(&b, 0, sizeof(b));
	b.node = p->number;
	b.link = link;
	b.flags = p->flags;
	b.epoch = p->epoch;
	b.count = ++p->count;
	b.period_us = 50000;
	b.mult = 4;
	b.late_us = p->late_us;
	b.view = p->view == 0 ? m.view.digest : p->view;
	b.digest = p->digest;
	b.elect = p->elect == 0 ? m.elect : p->elect;
	b.heard[b.heard_len++] = conf.node;
	for (i = 0; i < peers_len; i++)
		if (peer[i].beats && !(p->deaf >> i & 1) && &peer[i] != p)
			b.heard[b.heard_len++] = peer[i].number;
	return side_feed((struct memb_in){ .event = MEMB_IN_BEAT,
	    .beat = &b });
}

/* Peers 10, 30, 40, ...: as many as these, all expected. */
static inline void
side_begin(uint32_t len)
{
	struct arena a;
	uint32_t i;

	conf.node = 20;
	conf.epoch = 5;
	conf.votes = 1;
	conf.expected = true;
	conf.nodes_max = SIDE_PEERS + 1;
	if (conf.links == 0)
		conf.links = 1;
	free(side_memory);
	side_memory = calloc(1, memb_memory(&conf));
	if (side_memory == NULL)
		abort();
	arena_init(&a, side_memory, memb_memory(&conf));
	now = ORCM_SECOND;
	side_next = now;
	peers_len = len;
	memb_init(&m, &a, &conf, now);
	memset(peer, 0, sizeof(peer));
	for (i = 0; i < len; i++) {
		peer[i].number = (uint16_t)(i == 0 ? 10 : 20 + 10 * i);
		peer[i].beats = true;
		peer[i].epoch = 1;
		peer[i].links = (uint8_t)((1u << conf.links) - 1);
		(void)side_feed((struct memb_in){ .event = MEMB_IN_PEER,
		    .node = peer[i].number, .votes = 1, .expected = true });
	}
}

static inline void
side_beats(void)
{
	uint32_t i, k;

	for (i = 0; i < peers_len; i++)
		for (k = 0; k < conf.links; k++)
			if (peer[i].beats && (peer[i].links >> k & 1))
				(void)side_beat(&peer[i], (uint8_t)k);
}

/* Time goes on; turns are in time, beats come before them. */
static inline void
side_run(uint64_t time)
{
	uint64_t end = now + time, due;

	for (;;) {
		due = memb_due(&m);
		if (side_next < due)
			due = side_next;
		if (due > end)
			break;
		if (due > now)
			now = due;
		if (now >= side_next) {
			side_beats();
			side_next += SIDE_PERIOD;
		}
		if (now >= memb_due(&m))
			side_drained();
	}
	now = end;
}

/* A world in which all have been there for a second. */
static inline void
side_settled(uint32_t len)
{
	side_begin(len);
	side_run(ORCM_SECOND);
	side_clear();
}

static inline enum memb_status
side_status(uint16_t number)
{
	return memb_find(&m, number)->status;
}

#endif
