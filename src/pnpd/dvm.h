/* SPDX-License-Identifier: ISC */
#ifndef PNPD_DVM_H
#define PNPD_DVM_H

#include "core/auth.h"
#include "core/memb.h"
#include "core/sync.h"
#include "pnpd/mesh.h"

/*
 * This node's part in a DVM of several nodes: who is there (core "memb", by
 * datagrams), what they know (core "sync", over lines), all of it sealed
 * (core "auth").  A DVM of one node has none of it.
 */
#define NUMBER_ALONE 1u /* of the only node */
#define SETTLE_TIME (5 * ORCM_SECOND) /* for all programs to come back */
#define OWNERS_TIME (500 * ORCM_MS) /* for owners of jobs, when daemons are */
#define DVM_WINDOW 64u /* frames that a line's queue takes at once */

struct pnpd;
struct peer;
struct conf;
struct conf_node;

struct dvm {
	struct pnpd *p;
	bool on;
	struct conf *conf; /* until dvm_begin() */
	const struct conf_node *own; /* of that */
	uint16_t number; /* of this node */
	struct auth auth;
	struct memb memb;
	struct sync sync;
	struct mesh mesh;
	struct watch udp[LINKS_MAX]; /* never watched: read at ticks */
	struct netfault fault; /* ORCM_FAULT */
	struct timer tick, repair, settle, late;
	bool fates_due; /* other nodes have written about nodes */
	bool quorate;	/* as was told */
	uint64_t seen_seq;  /* counts what was told to watchers of nodes */
	uint64_t malformed; /* sealed well, and yet no frame */
};

/* dvm.c */
/*
 * Reads the configuration, if there is one: whether there are other nodes,
 * and the number of this one.  Exits when it is wrong.
 */
void dvm_conf(struct dvm *d, struct pnpd *p);
/* Opens the sockets and begins.  Exits when that cannot be. */
void dvm_begin(struct dvm *d);
/* Says goodbye and closes all. */
void dvm_end(struct dvm *d);
/* A record of ours has changed. */
void dvm_changed(struct dvm *d);
/* Others know a later life of ours: goes on under an epoch beyond it. */
void dvm_renew(struct dvm *d, uint64_t epoch);
/* All programs that outlive us have told what they have. */
void dvm_settled(struct dvm *d);
/* Writes it to stderr. */
void dvm_state(struct dvm *d);

/* beats.c */
void beats_drain(struct dvm *d);
void beats_send(struct dvm *d, const struct memb_beat *b);
void beats_challenge(struct dvm *d);
void beats_bye(struct dvm *d);

/* view.c: what memb decides, done */
void view_feed(struct dvm *d, const struct memb_in *in);
void view_run(struct dvm *d);
/* What this node sees of all, to a client or, with NULL, to all watchers. */
void view_tell(struct dvm *d, struct peer *c);

/* spread.c: what sync decides, done */
void spread_feed(struct dvm *d, const struct sync_in *in);
void spread_frame(struct dvm *d, struct node *n, const struct wire_msg *m);

#endif
