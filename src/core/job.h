/* SPDX-License-Identifier: ISC */
#ifndef CORE_JOB_H
#define CORE_JOB_H

#include <orcm/leader.h>
#include <orcm/types.h>

#include "base/arena.h"
#include "core/feed.h"
#include "core/record.h"
#include "core/splice.h"

/*
 * What the owner of a job decides: who is ready, who is stalled, when the
 * job is over and with which status.  It looks at the streams (feed, splice)
 * and never changes their offsets; the caller moves the bytes.
 */
enum job_rule { JOB_STATUS_LEADER, JOB_STATUS_WORST, JOB_STATUS_AGREE };

/* Statuses of our own, beside the program's (orcm-run(1)). */
enum {
	JOB_DISAGREED = 122,
	JOB_GAVE_UP = 123,
	JOB_TIMED_OUT = 124,
	JOB_OUR_FAULT = 125,
	JOB_CANNOT_EXEC = 126,
	JOB_NOT_FOUND = 127
};

struct job_conf {
	uint32_t ranks_len;
	enum orcm_delivery delivery;
	enum job_restart restart;
	enum job_rule rule;
	uint64_t limit;	 /* ns from the start, or ORCM_NEVER */
	uint64_t stall;	 /* ns without a move that make a replica stalled */
	uint64_t grace;	 /* ns: the polite signal to KILL */
	uint64_t settle; /* ns that followers may take after the leader */
	uint64_t window;
};

#define JOB_UNDECIDED UINT32_MAX /* a job's code before it has one */

/* A follower that waits a window ahead makes the leader's stall shorter. */
#define JOB_STALL_WINDOW 10 /* stall / this */
#define JOB_KICK 10	    /* stall * this: it is not waited for */
#define JOB_REST (100 * ORCM_MS) /* output may follow the end so long */
#define JOB_INPUT_SLACK 131072u /* bytes that pipes may hold */

enum job_event {
	JOB_IN_ATTACHED, /* a keeper is connected: rank, incarnation */
	JOB_IN_DETACHED, /* it is gone */
	JOB_IN_STARTED,	 /* rank, incarnation, value: pid */
	JOB_IN_ENDED,	 /* rank, incarnation, value: status */
	JOB_IN_OUT_EOF,	 /* rank: its stdout is closed, all of it is taken */
	JOB_IN_PROC,	 /* its process record: proc */
	JOB_IN_LEAD,	 /* rank leads: incarnation, epoch */
	JOB_IN_STOP,	 /* value: signal that asked for the end */
	JOB_IN_KILL,	 /* end it now */
	JOB_IN_PAUSE,
	JOB_IN_RESUME,
	JOB_IN_CLOSED,	 /* our stdout cannot be written: value: our status */
	JOB_IN_NO_REPLAY, /* no life can be fed from the start any more */
	JOB_IN_LOOK	 /* streams moved or time passed */
};

struct job_in {
	enum job_event event;
	uint32_t rank, incarnation, value;
	uint64_t epoch;
	const struct record_proc *proc;
};

enum job_verb {
	JOB_OUT_WANT,	/* the record's want and signal are new */
	JOB_OUT_FLOW,	/* the flow record of rank is new: value = flags */
	JOB_OUT_LEADER, /* rank leads now */
	JOB_OUT_READY,	/* rank has caught up */
	JOB_OUT_STALLED, /* rank does not move: value = ms */
	JOB_OUT_KICK,	/* kill rank: it holds everybody back for ever */
	JOB_OUT_CUT,	/* close rank's stdout: something else holds it open */
	JOB_OUT_EXIT	/* all is over: value = our status */
};

struct job_out {
	enum job_verb verb;
	uint32_t rank, incarnation, value;
	enum job_want want;
	uint32_t signal;
	enum job_restart restart;
};

struct job_rank {
	bool attached, alive, kicked, flowed;
	bool ended;   /* as it should: no life will follow */
	bool eof;     /* its stdout is closed */
	bool ready, stalled, fruit, started;
	bool own_end; /* it ended before we asked for it */
	uint32_t incarnation, pid, status;
	uint32_t flags; /* as published */
	uint32_t flags_incarnation;
	struct record_proc proc;
	bool proc_known;
	uint64_t fed, pos;	 /* when it was last looked at */
	uint64_t moved, behind;	 /* output: since when; 0: not behind */
	uint64_t moved_in, behind_in; /* input: likewise */
	uint64_t done, head;	 /* of the job, when this life began */
	uint64_t cut;		 /* when its stdout will be closed for it */
};

struct job {
	struct job_conf conf;
	struct feed *feed;
	struct splice *splices; /* one, or one a rank when all are delivered */
	struct job_rank *ranks;
	uint64_t start;
	uint64_t epoch; /* of the leader that is followed */
	uint32_t leader, leader_incarnation, announced;
	enum job_want want;
	uint32_t signal; /* that goes with want JOB_DOWN, or 0 */
	bool stopping;	/* somebody asked for the end */
	bool closed, no_replay, want_new, over;
	uint32_t code;	/* status if it is decided, else UINT32_MAX */
	uint64_t finished; /* when the stream was complete, or 0 */
	uint64_t deadline; /* exit then, come what may */
	uint64_t looked;
	uint32_t told;	/* place in the scan of job_take() */
};

size_t job_memory(const struct job_conf *conf);
void job_init(struct job *j, struct arena *a, const struct job_conf *conf,
    struct feed *feed, struct splice *splices, uint64_t now);
void job_feed(struct job *j, uint64_t now, const struct job_in *in);
bool job_take(struct job *j, struct job_out *out);
uint64_t job_due(const struct job *j);

/*
 * The status of one life as an exit code, of a complete job, of one that was
 * told to stop, of one that nobody is left of.
 */
uint32_t job_code_of(uint32_t status);
uint32_t job_final_code(const struct job *j);
uint32_t job_stopped_code(const struct job *j);
uint32_t job_gave_up_code(const struct job *j);

/* Does any life run?  Is what the leader wrote still to be delivered? */
bool job_alive(const struct job *j);
bool job_undelivered(const struct job *j);

/* Streams moved or time passed. */
void job_look_streams(struct job *j, uint64_t now);
/* When the output of a life that has ended is no longer waited for. */
uint64_t job_rest_by(const struct job *j, uint64_t now);

/* The splice that a rank's output goes to, and its number there. */
struct splice *job_splice(const struct job *j, uint32_t rank,
    uint32_t *member);
/* How much of its output this life has said. */
uint64_t job_pos(const struct job *j, uint32_t rank);

#endif
