/* SPDX-License-Identifier: ISC */
#ifndef JOB_SIDE_H
#define JOB_SIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/job.h"

/*
 * A job with its streams, as an owner holds them.  After each event all
 * effects are taken and noted here.
 */
#define SIDE_RANKS 4u
#define SIDE_WINDOW 65536u
#define TERM 15u
#define KILL 9u
#define DIED(sig) (STATUS_SIGNAL | (sig))

static struct job_side {
	struct job_conf conf;
	struct feed_conf feed_conf;
	struct job j;
	struct feed feed;
	struct splice splices[SIDE_RANKS];
	void *memory;
	uint64_t now, epoch;
	uint32_t flow[SIDE_RANKS]; /* flags as published */
	uint32_t flows;		   /* how often */
	char did[256];		   /* other effects of the last event */
	uint32_t code;		   /* exit status, JOB_UNDECIDED: none yet */
	enum job_want want;
	uint32_t signal;
	enum job_restart restart; /* as it was last told with want */
	char text[512]; /* delivered */
	size_t text_len;
} x;

static inline void
side_note(const struct job_out *o)
{
	static const char *const names[] = {
		[JOB_OUT_LEADER] = "leader", [JOB_OUT_READY] = "ready",
		[JOB_OUT_STALLED] = "stalled", [JOB_OUT_KICK] = "kick",
		[JOB_OUT_CUT] = "cut",
	};
	size_t len = strlen(x.did);

	switch (o->verb) {
	case JOB_OUT_WANT:
		x.want = o->want;
		x.signal = o->signal;
		x.restart = o->restart;
		break;
	case JOB_OUT_FLOW:
		x.flow[o->rank] = o->value;
		x.flows++;
		break;
	case JOB_OUT_EXIT:
		x.code = o->value;
		break;
	default:
		(void)snprintf(x.did + len, sizeof(x.did) - len, "%s%s %u",
		    len > 0 ? ", " : "", names[o->verb], o->rank);
		break;
	}
}

static inline void
side_tell(const struct job_in *in)
{
	struct job_out o;

	x.did[0] = '\0';
	job_feed(&x.j, x.now, in);
	while (job_take(&x.j, &o))
		side_note(&o);
}

static inline void
side_event(enum job_event event, uint32_t rank, uint32_t incarnation,
    uint32_t value)
{
	struct job_in in = { .event = event, .rank = rank,
		.incarnation = incarnation, .value = value };

	side_tell(&in);
}

/* Time passes; what is due in between is looked at. */
static inline void
side_wait(uint64_t ms)
{
	uint64_t until = x.now + ms * ORCM_MS;
	char did[sizeof(x.did)] = "";

	while (x.now < until) {
		x.now = job_due(&x.j) < until && job_due(&x.j) > x.now ?
		    job_due(&x.j) : until;
		side_event(JOB_IN_LOOK, 0, 0, 0);
		if (x.did[0] != '\0')
			memcpy(did, x.did, sizeof(did));
	}
	memcpy(x.did, did, sizeof(did));
}

static inline void
side_conf(uint32_t ranks, enum orcm_delivery delivery)
{
	free(x.memory);
	memset(&x, 0, sizeof(x));
	x.conf.ranks_len = ranks;
	x.conf.delivery = delivery;
	x.conf.limit = ORCM_NEVER;
	x.conf.stall = 500 * ORCM_MS;
	x.conf.grace = 2 * ORCM_SECOND;
	x.conf.settle = 100 * ORCM_MS;
	x.conf.window = SIDE_WINDOW;
	x.feed_conf.ranks_len = ranks;
	x.feed_conf.window = SIDE_WINDOW;
	x.feed_conf.keep = UINT64_MAX;
	x.now = 1000 * ORCM_SECOND;
	x.code = JOB_UNDECIDED;
}

static inline void
side_begin(void)
{
	bool all = x.conf.delivery == ORCM_DELIVER_ALL;
	struct splice_conf sc = {
		.ranks_len = all ? 1 : x.conf.ranks_len,
		.mode = x.conf.delivery == ORCM_DELIVER_MAJORITY ?
		    SPLICE_MAJORITY :
		    SPLICE_LEADER,
		.window = SIDE_WINDOW,
	};
	uint32_t i, n = all ? x.conf.ranks_len : 1;
	size_t size = n * splice_memory(&sc) + feed_memory(&x.feed_conf) +
	    job_memory(&x.conf);
	struct arena a;

	x.memory = calloc(1, size);
	if (x.memory == NULL)
		abort();
	arena_init(&a, x.memory, size);
	for (i = 0; i < n; i++) {
		splice_init(&x.splices[i], &a, &sc);
		if (all)
			splice_lead(&x.splices[i], 0);
	}
	feed_init(&x.feed, &a, &x.feed_conf);
	job_init(&x.j, &a, &x.conf, &x.feed, x.splices, x.now);
}

static inline void
side_life(uint32_t rank, uint32_t incarnation)
{
	if (!x.j.ranks[rank].attached)
		side_event(JOB_IN_ATTACHED, rank, incarnation, 0);
	side_event(JOB_IN_STARTED, rank, incarnation, 100 + rank);
}

static inline void
side_lead(uint32_t rank)
{
	struct job_in in = { .event = JOB_IN_LEAD, .rank = rank,
		.incarnation = x.j.ranks[rank].incarnation,
		.epoch = ++x.epoch };

	side_tell(&in);
}

static inline void
side_proc(uint32_t rank, enum proc_state state, uint32_t incarnation,
    uint32_t error)
{
	struct record_proc p = { .state = state, .incarnation = incarnation,
		.status = STATUS_NONE, .error = error };
	struct job_in in = { .event = JOB_IN_PROC, .rank = rank, .proc = &p };

	side_tell(&in);
}

/* Writes text, n times. */
static inline void
side_write(uint32_t rank, const char *text, uint32_t times)
{
	size_t n = strlen(text), at, k;
	uint32_t member;
	struct splice *s = job_splice(&x.j, rank, &member);
	uint8_t *p;

	for (; times > 0; times--)
		for (at = 0; at < n; at += k) {
			k = splice_room(s, member, &p);
			k = k > n - at ? n - at : k;
			if (k > 0)
				memcpy(p, text + at, k);
			splice_took(s, member, k);
			if (k == 0)
				return;
		}
}

static inline void
side_deliver(void)
{
	uint32_t i, n = x.conf.delivery == ORCM_DELIVER_ALL ?
	    x.conf.ranks_len : 1;
	const uint8_t *p;
	size_t k, room;

	for (i = 0; i < n; i++)
		while ((k = splice_deliver(&x.splices[i], &p)) > 0) {
			room = sizeof(x.text) - 1 - x.text_len;
			room = k < room ? k : room;
			memcpy(x.text + x.text_len, p, room);
			x.text_len += room;
			splice_delivered(&x.splices[i], k);
		}
	side_event(JOB_IN_LOOK, 0, 0, 0);
}

/* It ends, and its stdout is closed. */
static inline void
side_end(uint32_t rank, uint32_t status)
{
	side_event(JOB_IN_ENDED, rank, x.j.ranks[rank].incarnation, status);
	side_event(JOB_IN_OUT_EOF, rank, x.j.ranks[rank].incarnation, 0);
	side_deliver();
}

/* All are attached and run; rank 0 leads. */
static inline void
side_up(void)
{
	uint32_t i;

	side_begin();
	for (i = 0; i < x.conf.ranks_len; i++)
		side_life(i, 0);
	if (x.conf.delivery == ORCM_DELIVER_LEADER)
		side_lead(0);
}

#endif
