/* SPDX-License-Identifier: ISC */
#ifndef CORE_MEMB_OWN_H
#define CORE_MEMB_OWN_H

#include "core/memb.h"

/*
 * What the files of the membership core have in common.  A feed goes through
 * memb.c; DRAINED is the turn in which detect, mesh, view and quorum judge,
 * in this order.  All effects are states that memb_out.c compares with what
 * the caller was told.
 */
static inline bool
memb_has(const struct memb_set *s, uint32_t place)
{
	return (s->w[place / 64] >> place % 64 & 1) != 0;
}

static inline void
memb_add(struct memb_set *s, uint32_t place)
{
	s->w[place / 64] |= UINT64_C(1) << place % 64;
}

static inline void
memb_del(struct memb_set *s, uint32_t place)
{
	s->w[place / 64] &= ~(UINT64_C(1) << place % 64);
}

static inline bool
memb_same(const struct memb_set *a, const struct memb_set *b)
{
	uint32_t i;

	for (i = 0; i < MEMB_WORDS && a->w[i] == b->w[i]; i++)
		;
	return i == MEMB_WORDS;
}

/* Is a a part of b? */
static inline bool
memb_within(const struct memb_set *a, const struct memb_set *b)
{
	uint32_t i;

	for (i = 0; i < MEMB_WORDS && (a->w[i] & ~b->w[i]) == 0; i++)
		;
	return i == MEMB_WORDS;
}

/* The first place at or behind that one, or MEMB_NODES_MAX. */
uint32_t memb_next(const struct memb_set *s, uint32_t place);
uint32_t memb_size(const struct memb_set *s);

#define MEMB_EACH(i, set)                                                      \
	for ((i) = memb_next((set), 0); (i) < MEMB_NODES_MAX;                  \
	     (i) = memb_next((set), (i) + 1))

/* Mean time to a suspicion, of our own beats: mult periods. */
uint64_t memb_own_t1(const struct memb *m);
/* memb.c: its place, or MEMB_NODES_MAX. */
uint32_t memb_place(const struct memb *m, uint16_t number);
/* It can be reached now: connect soon, if it is not connected. */
void memb_call(struct memb_node *n, uint64_t now);

/* memb_detect.c */
bool memb_beat_came(struct memb *m, uint64_t now, const struct memb_beat *b);
/* Looks at links; false when this turn came too late to judge others. */
bool memb_detect(struct memb *m, uint64_t now);
/* How long it has been silent on all links. */
uint64_t memb_silence(const struct memb *m, const struct memb_node *n,
    uint64_t now);
void memb_lh_up(struct memb *m, uint64_t now);

/* memb_mesh.c: who is there and linked to whom; sets out and reach. */
void memb_mesh(struct memb *m, uint64_t now);
/* A place is given up. */
void memb_mesh_forget(struct memb *m, uint32_t place);
/* The time that we overslept does not count for broken pairs. */
void memb_mesh_forgive(struct memb *m, uint64_t now, uint64_t late);

/* memb_view.c */
bool memb_live(enum memb_status s);
/* The one funnel: false when that step is not allowed. */
bool memb_set_status(struct memb *m, uint32_t place, enum memb_status s,
    uint64_t now);
/* Whose word counts about another: we, and who is linked to us. */
void memb_observers(const struct memb *m, uint32_t about,
    uint32_t *observers, uint32_t *hearing);
bool memb_fate_came(struct memb *m, uint64_t now, const struct memb_fate *f);
/* Its life is over: epoch may be one that we have not seen. */
bool memb_over(struct memb *m, uint64_t now, uint32_t place, uint64_t epoch,
    enum memb_status s);
void memb_verdicts(struct memb *m, uint64_t now);
void memb_look(struct memb *m, uint64_t now);
void memb_deaths(struct memb *m, uint64_t now);

/* memb_quorum.c */
void memb_electors(struct memb *m);
bool memb_judge_quorum(struct memb *m, uint64_t now);
/* Goes on with a change of the electorate, if there is cause. */
void memb_elect(struct memb *m, uint64_t now);
/* What our beats say of the electorate. */
uint64_t memb_own_elect(const struct memb *m);

#endif
