/* SPDX-License-Identifier: ISC */
#ifndef CORE_SPLICE_H
#define CORE_SPLICE_H

#include <orcm/types.h>

#include "base/arena.h"
#include "base/hash.h"

/*
 * One output stream out of the outputs of several replicas.  The id of a
 * byte is its offset, which every life of every replica counts alike.
 */
enum splice_mode {
	SPLICE_LEADER,	/* the leader's bytes are delivered */
	SPLICE_MAJORITY /* bytes that more than half agree on */
};

struct splice_conf {
	uint32_t ranks_len; /* 1..ORCM_RANKS_MAX */
	enum splice_mode mode;
	uint64_t window; /* how far a replica may be ahead, bytes, >= 4096 */
	uint64_t history; /* delivered bytes kept; 0: SPLICE_HISTORY */
	uint64_t mark;	  /* bytes to the first mark; 0: SPLICE_MARK_FIRST */
};

#define SPLICE_CHUNK 65536u	   /* bytes read at a time, at most */
#define SPLICE_HISTORY 262144u	   /* delivered bytes kept to compare with */
#define SPLICE_MARKS 1024u	   /* hashes kept of what is older */
#define SPLICE_MARK_FIRST 65536u /* bytes between two of them, at first */
#define SPLICE_SHOWN 16u	   /* bytes shown of a difference */

/* A version of the output: lanes agree up to their fork, then differ. */
struct splice_lane {
	bool used;
	bool hashed; /* at_lo and marks speak of this lane's bytes */
	uint8_t *buf;
	uint64_t lo, head; /* offsets in buf: lo <= kept < head */
	struct hash at_lo; /* of the bytes below lo */
	uint64_t *marks;   /* marks[i]: hash of the bytes below (i+1)*step */
	uint64_t step;
	uint32_t marks_len;
};

struct splice_rank {
	bool open;     /* this life may write on */
	bool ended;    /* it has closed its output, at pos */
	bool stopped;  /* it ended because it was told to */
	bool gone;     /* no life will come any more */
	bool hashing;  /* below the lane's lo: hashes are compared */
	bool reported; /* its difference has been told */
	uint32_t lane;
	uint64_t pos; /* bytes of this life taken so far */
	struct hash hash;
};

enum splice_difference { SPLICE_BYTES, SPLICE_SHORTER, SPLICE_LONGER };

/* A replica's output is not the delivered one. */
struct splice_out {
	uint32_t rank;
	enum splice_difference how;
	uint64_t from, to; /* it begins in [from, to]; mostly from == to */
	uint8_t theirs[SPLICE_SHOWN], ours[SPLICE_SHOWN];
	uint32_t theirs_len, ours_len; /* 0 when no longer held */
};

struct splice {
	struct splice_conf conf;
	uint64_t cap; /* bytes of a lane's buffer, a power of two */
	struct splice_rank *ranks;
	struct splice_lane *lanes;
	uint32_t lanes_len;
	uint64_t *forks; /* lanes_len * lanes_len offsets */
	uint8_t *stage;	 /* SPLICE_CHUNK bytes to compare from */
	uint32_t trunk;	 /* the lane that was delivered last */
	uint32_t leader; /* or ORCM_RANK_NONE */
	uint64_t done;	 /* bytes delivered */
	bool direct;	 /* the last room was in a lane, not in stage */
	struct splice_out *outs;
	uint32_t outs_len;
};

/* Bytes of arena that splice_init() takes. */
size_t splice_memory(const struct splice_conf *conf);
void splice_init(struct splice *s, struct arena *a,
    const struct splice_conf *conf);

/* A new life of a replica: it writes from offset 0 again. */
void splice_start(struct splice *s, uint32_t rank);
/* It has ended as it should: its output is whole at what was taken. */
void splice_eof(struct splice *s, uint32_t rank);
/* It has ended because it was told to: its end is nobody else's measure. */
void splice_stopped(struct splice *s, uint32_t rank);
/* This life has died: what it wrote stays, but its end is no end. */
void splice_lost(struct splice *s, uint32_t rank);
/* No life of it will come any more. */
void splice_gone(struct splice *s, uint32_t rank);
/* Whose bytes are delivered from now on; ORCM_RANK_NONE: nobody's. */
void splice_lead(struct splice *s, uint32_t rank);

/*
 * Where the next output of a replica has to be put and how much of it may be
 * taken now; 0: leave it in the pipe (it is a window ahead, or closed).
 * splice_took() must follow before any other call, also with 0.
 */
size_t splice_room(struct splice *s, uint32_t rank, uint8_t **at);
void splice_took(struct splice *s, uint32_t rank, size_t n);

/* The next bytes to deliver, contiguous; 0: none now. */
size_t splice_deliver(struct splice *s, const uint8_t **at);
void splice_delivered(struct splice *s, size_t n);
/* Are there bytes that wait for nothing but their delivery? */
bool splice_pending(const struct splice *s);

/* Differences, each replica's once.  False when there is none left. */
bool splice_take(struct splice *s, struct splice_out *out);

/* Has this life written all that was delivered, and the same? */
bool splice_level(const struct splice *s, uint32_t rank);
/* Is all of the stream delivered, and its end agreed by the mode? */
bool splice_complete(const struct splice *s);
/* SPLICE_MAJORITY: can no byte, and no end, ever get a majority again? */
bool splice_split(const struct splice *s);
/* Is this replica's output the delivered one so far? */
bool splice_agrees(const struct splice *s, uint32_t rank);

#endif
