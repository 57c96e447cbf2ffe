/* SPDX-License-Identifier: ISC */
#ifndef CORE_MEMB_H
#define CORE_MEMB_H

#include <orcm/types.h>

#include "base/arena.h"
#include "base/rand.h"

/*
 * Membership: which nodes are there, who hears whom, may this side act.  Up
 * to 128 nodes in a full mesh; every node detects, none is the detector.
 * Beats carry the list of nodes that their sender hears, so a suspicion is
 * confirmed by others without a question.
 */
#define MEMB_NODES_MAX 128u /* with the node itself */
#define MEMB_LINKS_MAX 4u
#define MEMB_TIES_MAX 8u
#define MEMB_WORDS (MEMB_NODES_MAX / 64)
#define MEMB_ATTEMPTS_MAX 8u

enum memb_status {
	MEMB_UNKNOWN, /* announced or expected, never heard */
	MEMB_ALIVE,
	MEMB_STALLED,	  /* it beats, its main loop does not turn */
	MEMB_SUSPECT,	  /* silent on all links, for us */
	MEMB_DAEMON_LOST, /* its daemon died, its host did not */
	MEMB_DOWN,	  /* others agree, or it is excluded; may come back */
	MEMB_DEAD,	  /* for good: only a higher epoch comes back */
	MEMB_LEFT,	  /* it said so; likewise */
	MEMB_STATUSES
};
const char *memb_status_name(enum memb_status s);

/* Periods and the times that follow from them, in ns. */
struct memb_times {
	uint64_t period; /* between two beats */
	uint8_t mult;	 /* so many missing ones make a suspicion */
	uint64_t relocate_hold; /* DOWN so long, then DEAD; 0: at once */
	uint64_t daemon_grace;	/* a lost daemon is waited for so long */
	uint64_t indirect_grace; /* then the mesh is made whole by exclusion */
	uint64_t hold_up; /* who was down is not fit before */
	uint64_t window;  /* an agreed view that old shrinks the electorate */
	uint64_t boot_wait, lone_boot;
};

/*
 * The times of a profile: "carrier", "default", "relaxed" or "auto", which
 * bounds what all daemons of this machine together spend on beats to a tenth
 * of it.  False when there is no such profile.
 */
bool memb_profile(struct memb_times *t, const char *name, uint32_t nodes,
    uint32_t local_daemons, uint32_t cores);

enum memb_two_node {
	MEMB_TAKEOVER, /* who is left acts, the primary first */
	MEMB_STRICT,   /* only the primary acts alone */
	MEMB_WITNESS   /* only who holds the witness acts alone */
};

struct memb_quorum {
	enum memb_two_node two_node;
	uint16_t primary; /* of two nodes; 0: the lower number */
	uint16_t ties[MEMB_TIES_MAX]; /* first that is a voter breaks ties */
	uint8_t ties_len; /* 0: the voter with the lowest number does */
	bool fixed; /* the electorate never changes with the view */
};

struct memb_conf {
	uint16_t node;	/* own number, 1..65535 */
	uint64_t epoch; /* of this life, not 0 */
	uint32_t votes; /* own */
	bool expected;	/* we are one of the configured nodes */
	uint16_t nodes_max; /* 1..128, with us */
	uint8_t links;	    /* 1..4 */
	struct memb_times times;
	struct memb_quorum quorum;
	uint64_t seed; /* of jitter */
};

#define MEMB_BEAT_LEAVING 0x01u
#define MEMB_BEAT_STALLED 0x02u
#define MEMB_BEAT_NOQUORUM 0x04u
#define MEMB_BEAT_DEGRADED 0x08u /* it hears a node on not all links */

/* What a node says of itself, once a period on each link. */
struct memb_beat {
	uint16_t node;
	uint8_t link, flags;
	uint64_t epoch;
	uint64_t count; /* rises with each beat of this life */
	uint32_t period_us;
	uint8_t mult, health;
	uint32_t late_us; /* own worst lateness in the last second */
	uint64_t seq;	  /* of its own records */
	uint64_t view;	  /* digest of its members */
	uint64_t digest;  /* of its picture */
	uint64_t elect;	  /* electorate: generation << 32 | digest */
	uint16_t heard_len;
	uint16_t heard[MEMB_NODES_MAX]; /* whom it hears, on any link */
};

/* A record about another node, written by one observer. */
struct memb_fate {
	uint16_t observer, subject;
	uint64_t epoch; /* of the subject */
	enum memb_status status; /* DOWN, DEAD, LEFT; ALIVE: taken back */
};

enum memb_event {
	MEMB_IN_PEER,	   /* node, votes, expected: it exists; or changed */
	MEMB_IN_PEER_GONE, /* node: it is not part of the system any more */
	MEMB_IN_BEAT,	   /* beat: authenticated, its epoch proven */
	MEMB_IN_DRAINED,   /* all beats there are have been fed: judge */
	MEMB_IN_UP,	   /* node, epoch: a connection to it stands; once
			    * more when it has taken another epoch on it */
	MEMB_IN_EOF,	   /* node, epoch as in UP: it ended without goodbye */
	MEMB_IN_REFUSED,   /* node: host up, daemon down */
	MEMB_IN_BYE,	   /* node, epoch: it leaves, or has left */
	MEMB_IN_FATE,	   /* fate: another observer's record */
	MEMB_IN_HARD,	   /* node, epoch: that life is over, for certain */
	MEMB_IN_STALL,	   /* on: our main loop is stuck; off: it turns */
	MEMB_IN_HEALTH,	   /* value 0..255, for our beats */
	MEMB_IN_PICTURE,   /* seq of our own records, digest of all */
	MEMB_IN_WITNESS,   /* on: we hold the witness */
	MEMB_IN_QUORUM,	   /* quorum: changed rules */
	MEMB_IN_RENEWED,   /* epoch: our life goes on under this one */
	MEMB_IN_LEAVE	   /* we leave politely */
};

struct memb_in {
	enum memb_event event;
	uint16_t node;
	bool expected, on;
	uint8_t value;
	uint32_t votes;
	uint64_t epoch, seq, digest;
	const struct memb_beat *beat;
	const struct memb_fate *fate;
	const struct memb_quorum *quorum;
};

enum memb_alarm {
	MEMB_ALARM_LINK,      /* node is silent on that link, not on all */
	MEMB_ALARM_LINK_BACK, /* and is heard there again */
	MEMB_ALARM_INDIRECT,  /* others hear it, we do not, or not it us */
	MEMB_ALARM_EXCLUDED,  /* for that it is out, or we are (own number) */
	MEMB_ALARM_ISOLATED,  /* half of the peers fell silent together */
	MEMB_ALARM_STALE,     /* a beat of a former life */
	MEMB_ALARM_DUPLICATE, /* another node has our number */
	MEMB_ALARM_DUAL,      /* it acted for all while we did too */
	MEMB_ALARM_ROOM,      /* more nodes than the table has places */
	MEMB_ALARMS
};
const char *memb_alarm_name(enum memb_alarm a);

enum memb_out_kind {
	MEMB_OUT_STATUS,  /* node, epoch, status, was; close the connection
			   * of who is DOWN and feed EOF, so that it is called
			   * when it is back */
	MEMB_OUT_FIT,	  /* node, on: it may lead and receive processes */
	MEMB_OUT_FATE,	  /* fate: publish this record of ours */
	MEMB_OUT_VIEW,	  /* view: it, its agreement or the quorum changed */
	MEMB_OUT_LEASE,	  /* on: write it, good until `until`; off: do not */
	MEMB_OUT_RENEW,	  /* epoch: we are dead for others; take this one, or
			   * a higher one, and feed RENEWED */
	MEMB_OUT_BEAT,	  /* beat: send it to all peers on its link */
	MEMB_OUT_CONNECT, /* node: connect to it now */
	MEMB_OUT_PULL,	  /* node: ask it for what differs */
	MEMB_OUT_ALARM	  /* alarm, node, link */
};

struct memb_view {
	uint64_t digest;  /* of (node, epoch) of its members */
	uint16_t members; /* we too */
	bool agreed;	  /* all members have had it for a period */
	bool quorate;	  /* this side may act for all */
	/* Both: what cannot be undone is done now, or never. */
	bool quorate_agreed;
};

struct memb_out {
	enum memb_out_kind kind;
	uint16_t node;
	uint8_t link;
	bool on;
	enum memb_status status, was;
	enum memb_alarm alarm;
	uint64_t epoch, until;
	struct memb_fate fate;
	struct memb_view view;
	const struct memb_beat *beat; /* until the next call */
};

/* A set of places in the table of nodes; our own place is 0. */
struct memb_set {
	uint64_t w[MEMB_WORDS];
};

/* One peer on one link, as we hear it. */
struct memb_link {
	bool used; /* heard there in this life */
	bool up;
	uint64_t heard; /* when last; later by the time that we overslept */
	uint64_t mean, dev; /* of the time between two beats */
	uint64_t count;	    /* of the last beat */
	uint8_t flaps, damp; /* T1 is doubled damp times */
	uint64_t flap_since, damp_since;
};

struct memb_node {
	bool used, expected, connected;
	uint16_t number;
	uint32_t votes;
	uint64_t epoch; /* the highest life that we know of */
	enum memb_status status;
	uint64_t since;	  /* of that status */
	uint64_t down_at; /* when the view change of its DOWN began */
	uint64_t lost_at; /* DAEMON_LOST since */
	/* From its last beat. */
	uint8_t flags, mult, health;
	uint64_t count, period, late, seq, view, digest, elect;
	struct memb_set hears;
	struct memb_link *links;
	/* Its beats have had no gap since then; fit when that is long. */
	uint64_t steady, heard;
	bool fit;
	bool doubtful; /* we overslept: its last beats may be old */
	/* The last obituary that was seen or written. */
	enum memb_status fate;
	uint64_t fate_epoch;
	bool fate_ours, fate_due, hard;
	/* Its picture has differed from ours in so many beats, since when. */
	uint8_t differs;
	uint64_t differs_since;
	/* Of the connection: the peer's life, and the next attempt. */
	uint64_t up_epoch, connect_at, connect_wait;
	bool indirect;
	/* For the caller: what it was told, and what is due. */
	enum memb_status told;
	uint64_t told_epoch;
	bool told_fit, connect, pull;
	uint32_t alarms; /* bit of cause */
	uint8_t link_lost, link_back; /* bit of link, to be alarmed */
	uint8_t link_out;	      /* alarmed as lost */
};

/* Two nodes that are both there, but not linked in both directions. */
struct memb_pair {
	uint64_t since; /* broken, or (mending) whole again; 0: whole */
	bool old;	/* for longer than is borne: it makes groups */
	bool mending;
};

struct memb_stats {
	uint64_t beats;	   /* taken */
	uint64_t stale;	   /* of a life that is over */
	uint64_t repeated; /* or overtaken */
	uint64_t bad;	   /* not possible */
	uint64_t foreign;  /* of a node not in the table, or with our number */
};

struct memb {
	struct memb_conf conf;
	struct rand rand;
	struct memb_node *nodes; /* conf.nodes_max; [0]: us */
	uint16_t *order;	 /* places by number */
	uint16_t len;		 /* of order */
	struct memb_pair *pairs;
	struct memb_beat beat; /* scratch, for effects */
	struct memb_stats stats;
	uint64_t started;
	/* Our turns. */
	uint64_t tick, send_at;
	uint64_t late_now, late_before, late_turn; /* of two seconds */
	uint8_t lh; /* local health, 0..7, 0 is good */
	uint64_t lh_since;
	bool timely; /* the last turn was not late */
	bool stalled, leaving, witness;
	uint8_t health;
	uint64_t count, seq, digest;
	/* The view. */
	struct memb_set hear;	 /* whom we hear, and us */
	struct memb_set members; /* not down, dead, left or unknown */
	struct memb_set out;	 /* there, but not of our group */
	struct memb_set reach;	 /* linked to us, at most over one other */
	struct memb_view view;
	uint64_t same_since; /* all members show our digest; 0: not all */
	uint64_t cut;	     /* when the last view change began */
	bool mass;	     /* so many fell silent that it may be us */
	bool broken;	     /* some pair is not whole */
	/* Votes. */
	struct memb_set electors, attempts[MEMB_ATTEMPTS_MAX];
	uint64_t elect, attempts_elect[MEMB_ATTEMPTS_MAX];
	uint8_t attempts_len;
	uint64_t newest; /* generation that we have heard of */
	bool booted;
	uint64_t renew; /* the least epoch that is wanted; 0: none */
	/* For the caller: what it was told, and what is due. */
	struct memb_view told_view;
	uint64_t told_renew, lease_until;
	bool lease_due, told_lease;
	uint8_t send_links; /* bit of link */
	uint32_t alarms;    /* about us, bit of cause */
	uint64_t alarm_at[MEMB_ALARMS];
	uint32_t cursor;
};

size_t memb_memory(const struct memb_conf *conf);
/* now must not be 0. */
void memb_init(struct memb *m, struct arena *a, const struct memb_conf *conf,
    uint64_t now);
/* False when the input was not possible and has been dropped. */
bool memb_feed(struct memb *m, uint64_t now, const struct memb_in *in);
/*
 * Effects; false when there is none left.  What was not taken before the next
 * feed is not lost, but a later state takes the place of an earlier one.
 */
bool memb_take(struct memb *m, struct memb_out *out);
/*
 * When to drain the sockets and feed DRAINED at the latest.  Earlier does no
 * harm; later counts as our own lateness.
 */
uint64_t memb_due(const struct memb *m);

/* What is known of a node; NULL when it is not in the table. */
const struct memb_node *memb_find(const struct memb *m, uint16_t node);
/* May it lead and be given processes? */
bool memb_fit(const struct memb *m, uint16_t node);
/* The time of silence on one link after which the node is suspected. */
uint64_t memb_t1(const struct memb *m, const struct memb_node *n,
    uint32_t link);

#endif
