/* SPDX-License-Identifier: ISC */
#ifndef LIB_JOBS_H
#define LIB_JOBS_H

#include "core/record.h"
#include "lib/client.h"

/*
 * The jobs of one DVM as a client heard of them: what the tools show and
 * wait for.  Entries stay at their place until the next jobs_take().
 */
#define JOBS_KINDS                                                             \
	(RECORD_BIT(RECORD_NODE) | RECORD_BIT(RECORD_DAEMON) |                 \
	    RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_PROC) |                 \
	    RECORD_BIT(RECORD_LEAD) | RECORD_BIT(RECORD_FLOW))

/* The nodes of the DVM, as the one that tells sees them. */
#define JOBS_NODES RECORD_BIT(RECORD_SEEN)

struct jobs_node {
	uint16_t number;
	char name[ORCM_NAME_MAX + 1]; /* also when it has gone */
	char version[64]; /* or "" */
	bool known, known_old; /* seen; always false without JOBS_NODES */
	struct record_seen seen;
};

struct jobs_job {
	uint64_t id;
	bool known, led; /* its record, a claim */
	bool known_old, led_old;
	struct record_job r; /* its name outlasts the record */
	struct record_lead lead;
};

struct jobs_rank {
	uint64_t id; /* of the job | rank */
	uint16_t node; /* where the process is */
	bool known, flowing; /* a process record, a flow record */
	bool known_old, flowing_old;
	struct record_proc proc;
	struct record_flow flow;
};

struct jobs {
	struct jobs_job *jobs;
	struct jobs_rank *ranks;
	struct jobs_node *nodes; /* also those that have gone */
	size_t jobs_len, jobs_max, ranks_len, ranks_max;
	size_t nodes_len, nodes_max;
	uint16_t here; /* the node that tells; set by the caller */
	uint64_t orcmd, leaderd; /* ids of their records */
	bool orcmd_here, leaderd_here;
};

void jobs_init(struct jobs *j);
void jobs_free(struct jobs *j);
/* Takes a record of any kind in.  -1 with ENOMEM. */
int jobs_take(struct jobs *j, const struct client_record *r);
/*
 * The connection was lost and all is told anew: what has not come again until
 * jobs_sweep() was deleted in the meantime.
 */
void jobs_again(struct jobs *j);
void jobs_sweep(struct jobs *j);
/*
 * Can this be all?  A switchboard that has just been started does not know
 * yet what its clients will tell it.  False may also be the truth, so who
 * waits for true must have a time-out.
 */
bool jobs_whole(const struct jobs *j);

/* The name of a node, or "-". */
const char *jobs_node(const struct jobs *j, uint16_t number);
/* NULL when there is none. */
const struct jobs_job *jobs_id(const struct jobs *j, uint64_t id);
const struct jobs_job *jobs_name(const struct jobs *j, const char *name);
const struct jobs_rank *jobs_rank(const struct jobs *j, uint64_t job,
    uint32_t rank);
/* Is the job or one of its processes still there? */
bool jobs_there(const struct jobs *j, uint64_t job);
/* The rank that is claimed to lead and lives, or ORCM_RANK_NONE. */
uint32_t jobs_leader(const struct jobs *j, const struct jobs_job *job);
/* Does this replica live, or has it ended with its output held? */
bool jobs_alive(const struct jobs_rank *k);
bool jobs_ready(const struct jobs_rank *k);
/* Is that flag told of the present life?  False without a flow record. */
bool jobs_flow(const struct jobs_rank *k, uint32_t flag);

#endif
