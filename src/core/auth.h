/* SPDX-License-Identifier: ISC */
#ifndef CORE_AUTH_H
#define CORE_AUTH_H

#include <orcm/types.h>

#include "base/arena.h"
#include "base/mac.h"
#include "base/wire.h"

/*
 * Who sent this frame, and is it new?  Seals what goes to the network, opens
 * what comes from it: datagrams here, TCP streams with the handshake below.
 * No frame from a network is parsed before it was opened.
 *
 * A datagram is one frame of base/wire.h and a tag of 16 bytes: BLAKE2s-128
 * under K(sender's node, its epoch, unicast or multicast) over the number of
 * the node that it goes to (u16, 0: multicast) and the frame.
 */
struct auth_conf {
	uint32_t dvm;
	uint16_t node;	    /* number of this node, not 0 */
	uint64_t epoch;	    /* of this life: higher than any before */
	uint32_t nodes_max; /* other nodes known at once, 1..65535 */
	uint8_t seed[32];   /* fresh from the system at each start; secret */
};

#define AUTH_KEYS_MAX 3
#define AUTH_NONCE 16u
#define AUTH_WINDOW 256u /* counters below the highest that may come late */
/* The largest frame that a stream may carry before it is ready. */
#define AUTH_BEFORE_MAX 128u

#define AUTH_CHALLENGE_EVERY (300 * ORCM_MS) /* to one node */
#define AUTH_CHALLENGE_LIFE (30 * ORCM_SECOND)
#define AUTH_CHALLENGES_MAX 200 /* in any second, to all */
#define AUTH_ANSWERS_MAX 1000	/* in any second, to who is not proven */
#define AUTH_OUTS_MAX 64

/* What became of a frame; all but AUTH_OK end its use. */
enum auth_verdict {
	AUTH_OK,
	AUTH_SHORT, /* too small for any frame */
	AUTH_MAGIC, /* magic, version, sizes or sender make no frame */
	AUTH_DVM,   /* another system on the same wire */
	AUTH_KEY,   /* no key of that id here */
	AUTH_MAC,
	AUTH_REPLAY,   /* had it, or too old to know */
	AUTH_STALE,    /* from a former life of its sender */
	AUTH_UNPROVEN, /* genuine, but it may be from long ago */
	AUTH_SELF,     /* bears our own number: looped back, or a double */
	AUTH_FULL,     /* genuine, but no room for another node */
	AUTH_VERDICTS
};

enum auth_class {
	AUTH_UNICAST,
	AUTH_MULTICAST,
	AUTH_CLASSES
};

/* Who sent it.  Filled for OK, STALE, UNPROVEN, REPLAY, SELF and FULL. */
struct auth_from {
	uint16_t node, client, key;
	uint64_t epoch, counter;
};

/* A challenge to send, unicast: prove to us that you live this epoch now. */
struct auth_out {
	uint16_t node;
	uint64_t epoch; /* for the log: the nonce stands for it */
	uint8_t nonce[AUTH_NONCE];
};

enum auth_key_state {
	AUTH_KEY_NONE,
	AUTH_KEY_RECEIVE, /* opens what others seal with it */
	AUTH_KEY_SEND	  /* the one that seals; opens, too */
};

struct auth_key {
	uint16_t id; /* 1..65535 */
	enum auth_key_state state;
	uint64_t serial; /* tells it from another key of the same id */
	struct mac_root root;
};

/* What came from one node by one class of address. */
struct auth_window {
	uint64_t high; /* the highest counter that was taken */
	uint64_t seen[AUTH_WINDOW / 64]; /* bit n: the counter n modulo 256 */
	uint64_t serial; /* of the key that tags is made from, 0: none */
	struct blake2s_keyed tags;
};

struct auth_sender {
	bool used, proven;
	bool asked; /* nonce waits for its answer, until `until` */
	uint16_t node;
	uint32_t next; /* in its hash chain */
	uint64_t epoch; /* proven */
	uint64_t asked_epoch, until;
	uint64_t again; /* no challenge before */
	uint8_t nonce[AUTH_NONCE];
	struct auth_window windows[AUTH_CLASSES];
};

struct auth_counts {
	uint64_t verdicts[AUTH_VERDICTS]; /* of datagrams and streams */
	uint64_t opened[AUTH_KEYS_MAX];	  /* by the key in that place */
	uint64_t quiet;	  /* challenges and answers that limits held back */
	uint64_t unasked; /* proofs that are wrong or too late */
};

struct auth {
	struct auth_conf conf; /* its seed is wiped */
	struct auth_key keys[AUTH_KEYS_MAX];
	uint64_t serials, counter; /* counter: of the last datagram */
	struct blake2s_keyed tags[AUTH_CLASSES]; /* our own */
	struct blake2s_keyed nonces;
	uint64_t nonces_len;
	struct auth_sender *senders;
	uint32_t *buckets, buckets_len;
	uint64_t challenges_at, answers_at; /* see auth.c: allowed() */
	struct auth_out outs[AUTH_OUTS_MAX];
	uint32_t outs_first, outs_len;
	struct auth_counts counts;
};

size_t auth_memory(const struct auth_conf *conf);
void auth_init(struct auth *a, struct arena *arena,
    const struct auth_conf *conf);
/* Wipes all secrets; nothing can be sealed or opened afterwards. */
void auth_wipe(struct auth *a);

/*
 * The keyring.  The first key sends; further ones only open until
 * auth_key_use().  So a key is changed by add on all nodes, then use on all,
 * then remove on all, when its count of opened frames no longer grows.
 */
/* False: id 0, that id is there already, or there are AUTH_KEYS_MAX. */
bool auth_key_add(struct auth *a, uint16_t id, const uint8_t key[MAC_KEY]);
/* From now on this one seals.  False: there is none of that id. */
bool auth_key_use(struct auth *a, uint16_t id);
/*
 * Wipes it.  Streams made with it end: their next frame is AUTH_KEY.  False:
 * there is none of that id, or it is the one that sends.
 */
bool auth_key_remove(struct auth *a, uint16_t id);
/* In the place 0..AUTH_KEYS_MAX-1, or NULL; *opened: frames it opened. */
const struct auth_key *auth_key_at(const struct auth *a, unsigned place,
    uint64_t *opened);

/*
 * Makes a datagram of the frame in buf[size], room bytes large: fills dvm,
 * node, epoch, key and counter of its header and adds the tag.  dst 0 is
 * multicast.  Its whole size, or 0: no room, no key, or not a whole frame.
 */
size_t auth_seal(struct auth *a, uint16_t dst, uint8_t *buf, size_t size,
    size_t room);
/*
 * Opens a datagram that came by this class of address.  After AUTH_OK the
 * first size - MAC_TAG bytes are a frame of from's, not seen before, whose
 * TLVs are still to be parsed.  After AUTH_UNPROVEN take what there is, and
 * parse the frame only if its type is a challenge (auth_challenged()) or a
 * proof (auth_proved()).
 */
enum auth_verdict auth_open(struct auth *a, uint64_t now,
    enum auth_class class, const uint8_t *p, size_t size,
    struct auth_from *from);
/* A challenge to send; false when there is none left. */
bool auth_take(struct auth *a, struct auth_out *out);
/*
 * A challenge came, unicast, opened as OK or UNPROVEN.  True: send from->node
 * a proof with its nonce, unicast, now.
 */
bool auth_challenged(struct auth *a, uint64_t now,
    const struct auth_from *from);
/*
 * A proof came, unicast, opened as UNPROVEN.  True: its sender's epoch is
 * proven and replaces the one before; datagrams up to this one are old.
 */
bool auth_proved(struct auth *a, uint64_t now, const struct auth_from *from,
    const uint8_t nonce[AUTH_NONCE]);
/* The proven epoch of a node; false when there is none. */
bool auth_epoch(const struct auth *a, uint16_t node, uint64_t *epoch);
/* The node has left for good: its place is free.  It has to prove again. */
void auth_forget(struct auth *a, uint16_t node);

/*
 * A TCP connection begins with three frames:
 *
 *	client: MEET{nonce}		header: dvm, key, node, epoch
 *	server: MEET{nonce, tag of "S"}	the same, and its counter
 *	client: PROVE{tag of "C"}	the same, and its counter
 *
 * Each tag is the end of its frame, made under K(0, 0, handshake) over its
 * letter and the BLAKE2s-256 of all bytes before it, the first frame's on.
 * Counters are those of the last datagram, so that what was sent before is
 * known to be old.  From then on each frame is followed by a tag under a key
 * of this stream and direction, over the writer's letter, the number of the
 * record (u64, from 0) and the frame.
 */
enum auth_step {
	AUTH_STEP_FAILED, /* for ever; 0, as after wiping */
	AUTH_STEP_CALLED, /* server: waits for the client's MEET */
	AUTH_STEP_MEET,	  /* client: waits for the server's MEET */
	AUTH_STEP_PROVE,  /* server: waits for PROVE */
	AUTH_STEP_READY
};

struct auth_stream {
	enum auth_step step;
	bool client;
	uint16_t key;	 /* id of the key it was made with */
	uint64_t serial; /* of that key */
	uint16_t peer;	 /* its node; believe it when READY */
	uint64_t epoch;	 /* the peer's */
	uint64_t counter; /* of the peer's last datagram before this */
	struct blake2s transcript; /* all bytes of the handshake */
	struct blake2s_keyed in, out;
	uint64_t in_len, out_len; /* records so far */
};

/*
 * We connected.  peer: the node that must answer, 0 for any.  Writes the
 * first frame to out[AUTH_BEFORE_MAX] and returns its size, 0 when there is
 * no key.
 */
size_t auth_stream_connect(struct auth *a, struct auth_stream *s,
    uint16_t peer, uint8_t *out);
/* Somebody connected to us. */
void auth_stream_accept(struct auth_stream *s);
/*
 * The peer's next frame came, cut from the stream by wire_frame_size() with
 * AUTH_BEFORE_MAX.  The frame to send is in out[AUTH_BEFORE_MAX] and its size
 * in *out_size, 0 for none.  All but AUTH_OK is final: close the connection.
 * Nobody is believed before s->step is AUTH_STEP_READY.
 */
enum auth_verdict auth_stream_step(struct auth *a, struct auth_stream *s,
    const uint8_t *p, size_t size, uint8_t *out, size_t *out_size);
/*
 * A ready stream proves its peer's epoch: datagrams need no challenge then.
 * A peer in a former life is genuine all the same: it has lost its memory of
 * a later one, and can be told so over this stream.
 * AUTH_OK, AUTH_STALE (a later life has proven itself), AUTH_FULL, or
 * AUTH_UNPROVEN when the stream is not ready.
 */
enum auth_verdict auth_stream_prove(struct auth *a, uint64_t now,
    const struct auth_stream *s);
/*
 * Fills the header of the frame in buf[size] as auth_seal() does, but for the
 * counter, and adds the record's tag.  Its whole size, or 0: no room, not a
 * whole frame, or the stream is not ready or has lost its key.
 */
size_t auth_stream_seal(struct auth *a, struct auth_stream *s, uint8_t *buf,
    size_t size, size_t room);
/*
 * Opens one record: a frame, cut from the stream by wire_frame_size(), and
 * its tag.  All but AUTH_OK is final.
 */
enum auth_verdict auth_stream_open(struct auth *a, struct auth_stream *s,
    const uint8_t *p, size_t size);
/* Was it made with the key that sends now?  If not, make a new one soon. */
bool auth_stream_current(const struct auth *a, const struct auth_stream *s);
/* Wipes its keys; it has failed then. */
void auth_stream_end(struct auth_stream *s);

/*
 * What the files of this core share.  auth_look() reads a whole frame's
 * header up to the key; nothing in *from is more than a claim yet.
 */
enum auth_verdict auth_look(const struct auth *a, const uint8_t *p,
    size_t size, struct auth_from *from, const struct auth_key **key);
/* Writes who we are into the header of a frame; false: it is none. */
bool auth_stamp(const struct auth *a, uint16_t key, uint8_t *p, size_t size);
/* NULL when there is none. */
const struct auth_key *auth_key_find(const struct auth *a, uint16_t id);
const struct auth_key *auth_key_sending(const struct auth *a);
/* What datagrams of that life of a node are tagged with. */
void auth_tags(const struct auth *a, const struct auth_key *key, uint16_t node,
    uint64_t epoch, enum auth_class class, struct blake2s_keyed *tags);
enum auth_verdict auth_count(struct auth *a, enum auth_verdict v,
    const struct auth_key *key);
void auth_nonce(struct auth *a, uint8_t nonce[AUTH_NONCE]);
/* That epoch is proven, and datagrams up to counter are old. */
enum auth_verdict auth_install(struct auth *a, uint64_t now, uint16_t node,
    uint64_t epoch, uint64_t counter);

#endif
