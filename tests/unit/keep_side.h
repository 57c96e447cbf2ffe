/* SPDX-License-Identifier: ISC */
#ifndef KEEP_SIDE_H
#define KEEP_SIDE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/keep.h"

/* A table of jobs, and what it did about the last event. */
#define JOBS 4u
#define PROCS 8u
#define JOB UINT64_C(0x1230000)
#define SEGV (STATUS_SIGNAL | 11u)

static struct keep k;
static struct keep_conf conf = { JOBS, PROCS };
static void *memory;
static uint64_t now = 1000 * ORCM_SECOND;
static struct record_job job;
static char did[512];	  /* the effects of the last event but records */
static enum proc_state state[PROCS]; /* as published, by rank */
static struct record_proc record[PROCS];
static uint32_t dels;
static bool last;

static inline void
begin(void)
{
	struct arena a;

	free(memory);
	memory = calloc(1, keep_memory(&conf));
	if (memory == NULL)
		abort();
	arena_init(&a, memory, keep_memory(&conf));
	keep_init(&k, &a, &conf);
	memset(&job, 0, sizeof(job));
	memcpy(job.name, "job", 4);
	job.size = 2;
	job.budget = BUDGET_INF;
	job.grace_ms = 1000;
	job.signal = 15;
	memset(state, 0, sizeof(state));
}

static inline bool
tell(const struct keep_in *in)
{
	static const char *const names[] = {
		[KEEP_OUT_SPAWN] = "spawn", [KEEP_OUT_RUN] = "run",
		[KEEP_OUT_SIGNAL] = "signal", [KEEP_OUT_END] = "end",
		[KEEP_OUT_REAP] = "reap",
	};
	struct keep_out out;
	size_t len = 0;
	bool good;

	did[0] = '\0';
	good = keep_feed(&k, now, in);
	while (keep_take(&k, &out)) {
		if (out.verb == KEEP_OUT_PUT) {
			state[RECORD_RANK(out.id)] = out.proc.state;
			record[RECORD_RANK(out.id)] = out.proc;
		} else if (out.verb == KEEP_OUT_DEL) {
			dels++;
			last = out.last;
		} else {
			len += (size_t)snprintf(did + len, sizeof(did) - len,
			    "%s%s %u.%u", len > 0 ? ", " : "",
			    names[out.verb], RECORD_RANK(out.id), out.value);
		}
	}
	return good;
}

static inline bool
put_job(uint64_t id)
{
	struct keep_in in = { .event = KEEP_IN_JOB, .id = id, .job = &job };

	return tell(&in);
}

static inline void
put_flow(uint32_t rank, uint32_t incarnation, uint32_t flags)
{
	struct record_flow flow = { incarnation, flags };
	struct keep_in in = { .event = KEEP_IN_FLOW, .id = JOB | rank,
		.flow = &flow };

	(void)tell(&in);
}

static inline void
put_proc(uint32_t rank, enum proc_state s, uint32_t incarnation,
    uint32_t keeper)
{
	struct record_proc proc = { .state = s, .incarnation = incarnation,
		.keeper = keeper, .pid = 900, .restarts = incarnation,
		.status = STATUS_NONE };
	struct keep_in in = { .event = KEEP_IN_PROC, .id = JOB | rank,
		.proc = &proc };

	(void)tell(&in);
}

static inline void
plain(enum keep_event event, uint64_t id, uint32_t value)
{
	struct keep_in in = { .event = event, .id = id, .value = value };

	(void)tell(&in);
}

static inline void
process(uint64_t id, enum proc_event event, uint32_t incarnation,
    uint32_t value)
{
	struct keep_in in = { .event = KEEP_IN_PROCESS, .id = id,
		.process = { event, incarnation, value } };

	(void)tell(&in);
}

static inline void
keeper(uint32_t rank, uint32_t incarnation)
{
	process(JOB | rank, PROC_IN_KEEPER, incarnation, 100 + rank);
	process(JOB | rank, PROC_IN_STARTED, incarnation, 200 + rank);
}

static inline void
both_up(void)
{
	begin();
	plain(KEEP_IN_SYNCED, 0, 0);
	(void)put_job(JOB);
	keeper(0, 0);
	keeper(1, 0);
}

#endif
