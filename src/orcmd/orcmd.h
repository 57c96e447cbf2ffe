/* SPDX-License-Identifier: ISC */
#ifndef ORCMD_ORCMD_H
#define ORCMD_ORCMD_H

#include "base/arena.h"
#include "core/keep.h"
#include "lib/client.h"
#include "lib/daemon.h"

/*
 * The parts of orcmd, one file each: jobs (what the core "keep" decides is
 * done), charges (who holds a connection to us), helpers (the other
 * daemons), stuck (whether those still turn).  They share this one struct.
 */
#define JOBS_MAX    256u
#define PROCS_MAX   1024u
#define CHARGES_MAX (PROCS_MAX + 64u)
#define HELPERS     2u

struct orcmd;

/* The other daemons of the node. */
struct helper {
	struct orcmd *o;
	const char *name;
	pid_t pid;      /* our child, or 0 */
	bool connected; /* as a charge */
	uint64_t since;
	unsigned fails;
	unsigned unanswered; /* ALIVE frames; see stuck.c */
	struct timer timer;
};

struct charge_peer {
	struct orcmd *o;
	struct conn conn;
	struct timer late;
	bool used;
	uint64_t id; /* of a keeper's replica */
	struct helper *helper;
	uint32_t pid;
};

struct orcmd {
	struct daemon d;
	struct arena arena;
	struct keep keep;
	struct client client;
	struct client_event events[CLIENT_EVENTS];
	struct charge_peer *charges; /* CHARGES_MAX */
	bool feeding;
	struct helper helpers[HELPERS];
	struct watch listen;
	struct timer tick, end, again, ask;
	uint64_t ask_at; /* when the others are to be asked next */
	char wrap[PATH_ROOM]; /* path of orcm-wrap */
	uint64_t end_by;
	bool ending, ready;
};

/* jobs.c */
void jobs_begin(struct orcmd *o);
/* False when there is no room for a job. */
bool jobs_feed(struct orcmd *o, const struct keep_in *in);
void jobs_process(struct orcmd *o, uint64_t id, enum proc_event event,
    uint32_t incarnation, uint32_t value);
/* Publishes one process record. */
void jobs_put(struct orcmd *o, uint64_t id, const struct record_proc *r);

/* charges.c */
void charges_begin(struct orcmd *o);
/* The connection of the keeper of one replica, or NULL. */
struct charge_peer *charge_of(struct orcmd *o, uint64_t id);
/* Tells all other daemons to end. */
void charges_tell_end(struct orcmd *o);
/* Closes all connections, with what is queued sent. */
void charges_end(struct orcmd *o);

/* helpers.c */
void helpers_begin(struct orcmd *o);
void helper_came(struct charge_peer *c, const char *role);
void helper_died(struct helper *h);

/* stuck.c */
void stuck_begin(struct orcmd *o);

/* orcmd.c */
void orcmd_check_end(struct orcmd *o);
void orcmd_check_ready(struct orcmd *o);

#endif
