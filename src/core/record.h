/* SPDX-License-Identifier: ISC */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include <orcm/types.h>

/*
 * The values of the picture's records, as structs and as TLVs.  A record's
 * key is (owner node, kind, id); only its owner writes it.
 */
enum record_kind {
	RECORD_NODE = 1, /* orcm-pnpd: a node; id: its number */
	RECORD_DAEMON,	 /* orcm-pnpd: a program connected; id: its slot */
	RECORD_JOB,	 /* the job's owner: what shall run; id: job id */
	RECORD_PROC,	 /* orcmd: one replica; id: job id | rank */
	RECORD_LEAD,	 /* orcm-leaderd: a claim; id: job id */
	RECORD_FLOW,	 /* the job's owner: how one replica's streams do */
	RECORD_DOC,	 /* orcm-pnpd: part of a document; see core/doc.h */
	RECORD_FATE,	 /* orcm-pnpd: another node is gone; id: its number */
	RECORD_SEEN	 /* not in pictures: a node as this one sees it */
};
#define RECORD_KIND_LAST RECORD_SEEN
#define RECORD_KINDS_ALL 0x3feu /* bit n: kind n */
#define RECORD_BIT(kind) (UINT32_C(1) << (kind))
#define RECORD_VALUE_MAX 512u

/* The low 16 bits of a job's id are 0, so that a rank fits there. */
#define RECORD_ID_RANK(job, rank) ((job) | (uint64_t)(rank))
#define RECORD_ID_JOB(id) ((id) & ~UINT64_C(0xffff))
#define RECORD_RANK(id) ((uint32_t)((id) & 0xffff))

/* How a process ended: 0..255 its exit code, else one of these. */
#define STATUS_SIGNAL 0x100u /* | number: died of a signal */
#define STATUS_LOST 0x200u   /* nobody saw how */
#define STATUS_NONE 0x400u   /* it has not ended */
#define STATUS_IS_CODE(s) ((s) < 0x100u)
#define STATUS_IS_SIGNAL(s) (((s) & 0xff00u) == STATUS_SIGNAL)
#define STATUS_NUMBER(s) ((s) & 0xffu)

enum job_want { JOB_UP, JOB_PAUSED, JOB_DOWN, JOB_KILL };
enum job_restart { RESTART_CRASH, RESTART_FAILURE, RESTART_ALWAYS,
	RESTART_NEVER };
#define BUDGET_INF UINT32_MAX
#define BUDGET_MAX 1000u

struct record_job {
	char name[ORCM_NAME_MAX + 1];
	char app[192];	  /* name:version:release */
	char policy[128]; /* leader policy, name[:argument][,key=value] */
	uint32_t size;	  /* replicas */
	uint32_t pid;	  /* of the owner */
	enum job_want want;
	enum job_restart restart;
	uint32_t budget;    /* restarts a replica, or BUDGET_INF */
	uint32_t period_ms; /* in that time; 0: in its whole life */
	bool strict;	    /* every death counts, also of a fruitful life */
	bool hold;	    /* flow records follow: start nothing before */
	uint32_t grace_ms;  /* between the polite signal and KILL */
	uint32_t signal;    /* the polite signal */
	uint32_t pokes;	    /* grows when `poke` is to be sent to all */
	uint32_t poke;
	uint64_t epoch; /* the highest leader epoch that was accepted */
};

enum proc_state {
	PROC_NEW,      /* known, nothing done */
	PROC_ADOPTING, /* it lives, its keeper has not come back to us yet */
	PROC_STARTING, /* a life has been ordered */
	PROC_UP,
	PROC_BACKOFF, /* dead, to be started later */
	PROC_STOPPING, /* the polite signal is sent */
	PROC_KILLING,
	PROC_DONE,   /* ended, no life will follow */
	PROC_FAILED, /* given up, or it cannot be executed */
	PROC_STATES
};
const char *proc_state_name(enum proc_state s);

#define PROC_NO_ROOM 0xffffu /* error: this node keeps no more processes */

struct record_proc {
	enum proc_state state;
	uint32_t incarnation;
	uint32_t pid;	 /* of the program; 0: none */
	uint32_t keeper; /* of its orcm-wrap; 0: none */
	uint32_t restarts;
	uint32_t status; /* of the last life that ended, or STATUS_NONE */
	uint32_t error;	 /* errno when it cannot be executed, else 0 */
};

struct record_lead {
	uint32_t rank;
	uint32_t incarnation; /* of that replica */
	uint64_t epoch;
};

#define FLOW_ATTACHED 0x01u /* its keeper is connected to the owner */
#define FLOW_ALIVE 0x02u
#define FLOW_READY 0x04u    /* caught up */
#define FLOW_STALLED 0x08u  /* does not move while others do */
#define FLOW_DIVERGED 0x10u
#define FLOW_DONE 0x20u	    /* ended as it should, its output is held */
#define FLOW_FRUIT 0x40u    /* this life has moved the job on */

struct record_flow {
	uint32_t incarnation;
	uint32_t flags;
};

struct record_daemon {
	char role[ORCM_NAME_MAX + 1];
	char name[ORCM_NAME_MAX + 1];
	uint32_t pid;
};

struct record_node {
	char name[ORCM_NAME_MAX + 1];
	char version[64];
	uint64_t epoch;
};

struct record_fate {
	uint64_t epoch;	 /* of the life that is over */
	uint32_t status; /* enum memb_status, 0..255 */
};

struct record_seen {
	char name[ORCM_NAME_MAX + 1];
	uint64_t epoch;	 /* the last that was seen; 0: none */
	uint32_t status; /* enum memb_status, 0..255 */
	bool fit;	 /* may lead and be given processes */
	bool connected;
	bool self;
	/* Of the node itself only: */
	bool agreed;  /* all members have the same view */
	bool quorate; /* this side may act for all */
};

/*
 * Values: to TLVs in out[RECORD_VALUE_MAX], size returned; from TLVs, false
 * when they do not make a whole and possible value.
 */
size_t record_job_put(const struct record_job *r, uint8_t *out);
bool record_job_get(struct record_job *r, const uint8_t *p, size_t size);
size_t record_proc_put(const struct record_proc *r, uint8_t *out);
bool record_proc_get(struct record_proc *r, const uint8_t *p, size_t size);
size_t record_lead_put(const struct record_lead *r, uint8_t *out);
bool record_lead_get(struct record_lead *r, const uint8_t *p, size_t size);
size_t record_flow_put(const struct record_flow *r, uint8_t *out);
bool record_flow_get(struct record_flow *r, const uint8_t *p, size_t size);
size_t record_daemon_put(const struct record_daemon *r, uint8_t *out);
bool record_daemon_get(struct record_daemon *r, const uint8_t *p, size_t size);
size_t record_node_put(const struct record_node *r, uint8_t *out);
bool record_node_get(struct record_node *r, const uint8_t *p, size_t size);
size_t record_fate_put(const struct record_fate *r, uint8_t *out);
bool record_fate_get(struct record_fate *r, const uint8_t *p, size_t size);
size_t record_seen_put(const struct record_seen *r, uint8_t *out);
bool record_seen_get(struct record_seen *r, const uint8_t *p, size_t size);

/* Would a life that ended like this be followed by another one? */
bool record_restarts(enum job_restart policy, uint32_t status);

#endif
