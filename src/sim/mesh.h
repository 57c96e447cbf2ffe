/* SPDX-License-Identifier: ISC */
#ifndef SIM_MESH_H
#define SIM_MESH_H

#include <orcm/types.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/rand.h"
#include "core/memb.h"

/*
 * A world of nodes: on each a membership core, between them a network, all in
 * virtual time and out of one seed.  The parts, one file each: mesh (time,
 * events, a run), mesh_net (beats and connections), mesh_node (a daemon:
 * turns, effects, what it knows), mesh_fault (what a seed draws, and what
 * goes wrong), mesh_check (what must always hold, and soon again).
 *
 * Tests build scenarios out of the same: mesh_begin() with a plan of theirs,
 * then faults and mesh_run_to() in turns.
 */
#define MESH_NODES 64u
#define MESH_EVENTS 131072u
#define MESH_BEATS 32768u /* sent and not yet read by all */
#define MESH_INBOX 2048u
#define MESH_TRACE 50u
#define MESH_NOBODY UINT32_MAX

enum mesh_event_type {
	MESH_EV_TURN, /* a: node: its timer */
	MESH_EV_BEAT, /* a: to, c: place of the beat */
	MESH_EV_CALL, /* a: from, b: to: a connection is asked for */
	MESH_EV_UP,   /* a: at, b: peer, c: connection, d: peer's epoch */
	MESH_EV_EOF,  /* a: at, b: peer, c: connection */
	MESH_EV_REFUSED, /* a: at, b: peer */
	MESH_EV_SYNC, /* a: to, b: from, c: connection: all it knows */
	MESH_EV_WANT, /* a: to, b: from, c: connection: asks for a SYNC */
	MESH_EV_RECORD, /* a: to, b: from, c: connection: its own record */
	MESH_EV_FATE, /* a: to, b: from, c: connection, fate */
	MESH_EV_FAULT, /* a: kind */
	MESH_EV_MEND  /* a: kind, b, c, d: what ends */
};

struct mesh_event {
	struct heap_node node; /* first: a node is its event */
	enum mesh_event_type type;
	uint32_t a, b;
	uint64_t c, d;
	struct memb_fate fate;
	uint32_t next; /* in the free list */
};

struct mesh_beat {
	struct memb_beat beat;
	uint32_t users, next;
};

/* What a node's picture holds of another. */
struct mesh_known {
	uint64_t epoch, seq; /* its own record */
	uint64_t fate_epoch; /* of the obituary DEAD or LEFT */
	enum memb_status fate;
};

/* What one observer told of a subject. */
struct mesh_told {
	enum memb_status status;
	uint64_t epoch, at;
	uint64_t down_at, suspect_at; /* when last; 0: never */
	uint32_t changes;
};

struct mesh_node {
	struct memb memb;
	void *memory;
	uint16_t number;
	bool power, running;
	uint64_t asleep;	/* stopped until then */
	uint32_t starved;	/* percent of turns that come late */
	uint64_t epoch;		/* of this life; kept on a disk */
	uint64_t offset;	/* of its clock */
	struct mesh_event *turn;
	uint32_t inbox[MESH_INBOX], inbox_first, inbox_len;
	struct mesh_known known[MESH_NODES];
	struct mesh_told told[MESH_NODES];
	/* Not as it should be since, and until; not at all: 0. */
	uint64_t ill_since, ill_until;
	bool ill;
	uint64_t woke; /* when it last came back from a stop */
	uint64_t reach, members; /* bits of nodes, after its last turn */
	struct memb_view view;
	bool lease;
	uint64_t lease_until;
	/* Counted. */
	uint32_t fates, downs, deads, views, agreed, connects, pulls, renews;
	uint32_t suspects, alarms[MEMB_ALARMS];
	uint64_t beats;
};

struct mesh_conn {
	uint64_t serial;
	bool open[2]; /* at the lower, at the higher index */
};

enum mesh_fault {
	MESH_POWER,	/* a node is without for a while */
	MESH_KILL,	/* a daemon dies and is back */
	MESH_STOP,	/* a daemon is stopped for a while */
	MESH_STARVE,	/* a daemon's turns are late for a while */
	MESH_LINK,	/* a node's link is down */
	MESH_CUT,	/* what a sends does not reach b */
	MESH_SPLIT,	/* the network is in two */
	MESH_BRIDGE,	/* in two that overlap in one node */
	MESH_FLIP,	/* in two, again and again */
	MESH_LEAVE,	/* a daemon says goodbye, and is back later */
	MESH_FAULTS
};

struct mesh_plan {
	uint32_t nodes;
	uint8_t links;
	const char *profile;
	struct memb_quorum quorum;
	uint64_t delay_min, delay_max; /* ns, of a packet */
	uint32_t loss, dup, late;      /* per mille: lost, twice, overtaken */
	uint64_t record_every;	       /* mean ns between records; 0: none */
	uint64_t every[MESH_FAULTS];   /* mean ns between two; 0: never */
	uint64_t faults_end;
};

struct mesh_trace {
	uint64_t t, a, b, c;
	const char *what;
};

struct mesh {
	/* As the caller wants it. */
	uint64_t seed, virtual;
	uint32_t want_nodes; /* 0: drawn */
	bool verbose, broken;
	uint64_t offset; /* of all clocks, to see that it does not matter */
	/* Time. */
	struct rand rand;
	uint64_t now, steps;
	struct heap heap;
	struct heap_node **heap_nodes;
	struct mesh_event *events;
	uint32_t events_free;
	struct mesh_beat *beats;
	uint32_t beats_free;
	struct hash hash;
	struct mesh_trace trace[MESH_TRACE];
	uint32_t trace_len;
	const char *failed;
	/* The world. */
	struct mesh_plan plan;
	struct memb_times times;
	struct mesh_node *nodes; /* MESH_NODES */
	struct mesh_conn *conns; /* MESH_NODES squared: low, high */
	uint8_t cut[MESH_NODES][MESH_NODES]; /* from, to: bit of link */
	uint8_t cuts[MESH_NODES][MESH_NODES][MEMB_LINKS_MAX]; /* how often */
	uint32_t node_loss[MESH_NODES]; /* per mille, both ways */
	uint64_t serial;
	bool faults;	/* they still happen */
	bool excluded;	/* links were bad for so long */
	uint64_t packets, lost;
};

/* mesh.c */
struct mesh *mesh_new(void);
void mesh_free(struct mesh *w);
/* One run of one seed.  False when an invariant does not hold. */
bool mesh_run(struct mesh *w, uint64_t seed);
uint64_t mesh_hash(const struct mesh *w);
void mesh_print_failure(const struct mesh *w);
/* A plan without any fault: nodes, links, profile; then it can be changed. */
struct mesh_plan mesh_calm(uint32_t nodes, const char *profile);
/* A new world; nodes are booted by mesh_power(). */
void mesh_begin(struct mesh *w, uint64_t seed, const struct mesh_plan *p);
/* Goes on to that time, or to the first invariant that does not hold. */
bool mesh_run_to(struct mesh *w, uint64_t until);

void mesh_note(struct mesh *w, const char *what, uint64_t a, uint64_t b,
    uint64_t c);
void mesh_fail(struct mesh *w, const char *invariant);
struct mesh_event *mesh_event(struct mesh *w, enum mesh_event_type type,
    uint64_t due);
void mesh_event_free(struct mesh *w, struct mesh_event *e);
uint64_t mesh_upto(struct mesh *w, uint64_t most);
bool mesh_chance(struct mesh *w, uint32_t per_mille);

/* mesh_net.c */
bool mesh_path(const struct mesh *w, uint32_t from, uint32_t to);
void mesh_send_beat(struct mesh *w, uint32_t from,
    const struct memb_beat *b);
void mesh_beat_arrived(struct mesh *w, uint32_t to, uint32_t beat);
void mesh_beat_done(struct mesh *w, uint32_t beat);
struct mesh_conn *mesh_conn(struct mesh *w, uint32_t a, uint32_t b);
bool mesh_is_open(struct mesh *w, uint32_t at, uint32_t peer);
/* To the peer, in its own time; lost with the connection only. */
void mesh_tell(struct mesh *w, enum mesh_event_type type, uint32_t from,
    uint32_t to, const struct memb_fate *fate);
void mesh_call(struct mesh *w, uint32_t from, uint32_t to);
void mesh_called(struct mesh *w, const struct mesh_event *e);
/* This end is closed; the other learns it if it can. */
void mesh_hang_up(struct mesh *w, uint32_t at, uint32_t peer);
/* Something of a connection arrives: may it be handled now? */
bool mesh_arrives(struct mesh *w, struct mesh_event *e);

/* mesh_node.c */
uint32_t mesh_index(const struct mesh *w, uint16_t number);
void mesh_boot(struct mesh *w, uint32_t i);
void mesh_end(struct mesh *w, uint32_t i);
void mesh_turn(struct mesh *w, uint32_t i);
void mesh_feed(struct mesh *w, uint32_t i, const struct memb_in *in);
void mesh_message(struct mesh *w, const struct mesh_event *e);
/* Its own record changes. */
void mesh_record(struct mesh *w, uint32_t i);
void mesh_schedule(struct mesh *w, uint32_t i);

/* mesh_fault.c: what a seed draws, and faults; mend: their ends */
void mesh_draw(struct mesh *w, struct mesh_plan *p);
void mesh_faults_begin(struct mesh *w);
void mesh_fault_hit(struct mesh *w, uint32_t kind);
void mesh_mend(struct mesh *w, const struct mesh_event *e);
void mesh_heal(struct mesh *w);
void mesh_power(struct mesh *w, uint32_t i, bool on);
void mesh_kill(struct mesh *w, uint32_t i);
void mesh_start(struct mesh *w, uint32_t i); /* its daemon */
void mesh_stop(struct mesh *w, uint32_t i, uint64_t until);
void mesh_starve(struct mesh *w, uint32_t i, uint32_t percent);
void mesh_leave(struct mesh *w, uint32_t i);
/* links: bits; on: no packet goes that way.  Cuts are counted. */
void mesh_cut(struct mesh *w, uint32_t from, uint32_t to, uint8_t links,
    bool on);
/* Between the nodes of a mask and those of another, both ways. */
void mesh_split(struct mesh *w, uint64_t a, uint64_t b, bool on);

/* mesh_check.c */
void mesh_check_status(struct mesh *w, uint32_t i,
    const struct memb_out *o);
void mesh_check_turn(struct mesh *w, uint32_t i);
/* Something was done to it, or is over: is it as it should be? */
void mesh_ill(struct mesh *w, uint32_t i);
/* Do all that run agree on the view and on the picture? */
bool mesh_agreed(const struct mesh *w);

#endif
