/* SPDX-License-Identifier: ISC */
#ifndef CORE_SYNC_H
#define CORE_SYNC_H

#include <orcm/types.h>

#include "base/arena.h"
#include "core/picture.h"

/*
 * Keeps the pictures of connected nodes alike, over one stream a peer.  Each
 * side tells what it has (HAVE), pulls what it lacks (PULL), and is told
 * records in the order of their versions, ended by a mark (WHOLE).  A node's
 * own changes go to all peers at once; other owners' only when pulled.
 *
 * Own records are changed with picture_put() and picture_del(), and told to
 * local subscribers, by the caller; sync_take() then sends them.
 */
/*
 * Epochs rise in steps of this.  A daemon that may lose its epoch chooses
 * what is below at random: so no two lives have the same, even when parts of
 * a divided system know different ones.
 */
#define SYNC_EPOCH_STEP UINT64_C(0x10000)

struct sync_conf {
	uint32_t peers_max; /* at most SYNC_PEERS_MAX */
	/*
	 * Frames that a peer's queue takes at SYNC_IN_PEER_UP and after each
	 * SYNC_IN_SENT; never more are sent in between.
	 */
	uint32_t window;
	uint64_t patience; /* so long digests may differ: two beats */
};
#define SYNC_PEERS_MAX 128u

/* How often one peer is asked for its vector while digests differ. */
#define SYNC_ASK_MIN (500 * ORCM_MS)
#define SYNC_ASK_MAX (30 * ORCM_SECOND)

/* What a node has of one owner. */
struct sync_row {
	uint64_t epoch, seq, hash;
	uint16_t owner;
};
#define SYNC_ROWS_MAX 64u /* in one HAVE */

/* Of a WHOLE: */
#define SYNC_WHOLE_ALL 1u    /* told from the first change of this epoch */
#define SYNC_WHOLE_LAST 2u   /* nothing of lower epochs lives */
#define SYNC_WHOLE_ANSWER 4u /* ends what was pulled */
#define SYNC_WHOLE_AGAIN 8u  /* no: a deletion was forgotten; pull again */
#define SYNC_WHOLE_BEGIN 16u /* not yet: all is told from here on */
#define SYNC_WHOLE_FLAGS 31u

enum sync_event {
	SYNC_IN_PEER_UP,   /* peer, owner: connected to that (other) node */
	SYNC_IN_PEER_DOWN, /* peer */
	SYNC_IN_SENT,	   /* peer: all of its queue has left */
	SYNC_IN_HAVE,	   /* peer, rows, rows_len, last, ask */
	SYNC_IN_PULL,	   /* peer, owner, epoch, seq */
	SYNC_IN_RECORD,	   /* peer, record (as picture_merge() wants it) */
	SYNC_IN_WHOLE,	   /* peer, owner, epoch, seq, flags */
	SYNC_IN_DIGEST,	   /* peer, digest: its beat says so, each beat */
	SYNC_IN_SETTLED,   /* all our programs have told what they have */
	SYNC_IN_FORGET,	   /* owner: that node is dead or has left */
	SYNC_IN_RISE,	   /* epoch: others hold us for dead with this one */
	SYNC_IN_TICK
};

struct sync_in {
	enum sync_event event;
	uint32_t peer; /* the caller's slot, below peers_max */
	uint16_t owner;
	uint64_t epoch, seq, digest;
	uint8_t flags;
	bool last, ask;
	const struct sync_row *rows;
	uint32_t rows_len;
	const struct picture_record *record;
};

enum sync_verb {
	SYNC_TELL, /* record: to local subscribers; dead: it has gone */
	SYNC_EPOCH, /* epoch: ours from now on, others knew a higher one */
	SYNC_SEND_HAVE, /* peer, rows, rows_len, last, ask */
	SYNC_SEND_PULL, /* peer, owner, epoch, seq */
	SYNC_SEND_RECORD, /* peer, record (perhaps dead) */
	SYNC_SEND_WHOLE	  /* peer, owner, epoch, seq, flags */
};

/* Pointers are valid until the next call. */
struct sync_out {
	enum sync_verb verb;
	uint32_t peer;
	uint16_t owner;
	uint64_t epoch, seq;
	uint8_t flags;
	bool last, ask;
	const struct sync_row *rows;
	uint32_t rows_len;
	const struct picture_record *record;
};

#define SYNC_RANGES 4u /* pulls of one peer that may be under way */

/* Records of one owner on their way to one peer. */
struct sync_range {
	bool used;
	bool answer; /* a WHOLE is owed */
	bool all;    /* it began with the first change of the epoch */
	bool begun;  /* and that was said */
	bool last;   /* nothing of lower epochs lived when it began */
	uint16_t owner;
	uint64_t epoch, seq; /* up to here all has been told then; own: now */
	uint64_t floor;	     /* the owner's, when it began */
	struct picture_walk walk;
};

struct sync_peer {
	bool up;
	bool heard;	  /* its vector, to the end */
	bool having, ask; /* our vector is being sent */
	bool same;	  /* its digest was ours, and nothing changed since */
	bool differs;
	uint16_t node;
	uint32_t have_next; /* owner to go on with */
	uint32_t sent;	    /* frames, since there was room */
	uint32_t pulls;	    /* of ours that it has not answered */
	uint32_t telling;   /* ranges in use */
	struct sync_range own, ranges[SYNC_RANGES];
	uint64_t differs_since, ask_next, ask_wait;
};

/* One for each of the picture's owners, at the same place. */
struct sync_owner {
	uint16_t node;
	uint16_t source; /* peer + 1 that has been asked for it */
	bool lacking;	 /* a record had no room */
	uint64_t epoch, seq; /* the most that was offered */
	uint64_t offers[SYNC_PEERS_MAX / 64]; /* bit n: by peer n */
};

struct sync {
	struct sync_conf conf;
	struct picture *picture;
	struct sync_peer *peers;
	struct sync_owner *owners;
	struct sync_row rows[SYNC_ROWS_MAX];
	struct picture_record gone;
	uint32_t turn; /* peer to be served next */
	bool pull;     /* there may be something to pull */
	bool idle;     /* no peer can be sent anything, unless: */
	uint64_t idle_seq; /* our own row is beyond this */
	bool risen;
	uint32_t tell; /* place + 1 of a changed record */
	uint8_t sweep; /* bit n: picture_drop n */
	uint16_t sweep_owner;
	uint32_t sweep_place;
	uint64_t digest; /* with which peers were compared */
	uint64_t bad;	 /* frames that made no sense */
	uint64_t full;	 /* records that had no room */
};

size_t sync_memory(const struct sync_conf *conf,
    const struct picture_conf *picture);
void sync_init(struct sync *s, struct arena *a, struct picture *p,
    const struct sync_conf *conf);
void sync_feed(struct sync *s, uint64_t now, const struct sync_in *in);
/* Effects; false when there is none left.  Take all before the next feed. */
bool sync_take(struct sync *s, struct sync_out *out);
uint64_t sync_due(const struct sync *s);
/*
 * Has all that the connected peers had when they connected (or were asked
 * last) arrived?
 */
bool sync_complete(const struct sync *s);

/* Between sync.c and sync_take.c.  NULL when there is no room for it. */
struct sync_owner *sync_owner(struct sync *s, uint16_t node, bool add);
/* The peer that is this node, or NULL. */
struct sync_peer *sync_peer(const struct sync *s, uint16_t node);

static inline bool
sync_offers(const struct sync_owner *o, uint32_t peer)
{
	return (o->offers[peer / 64] >> peer % 64 & 1) != 0;
}

#endif
