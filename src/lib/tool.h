/* SPDX-License-Identifier: ISC */
#ifndef LIB_TOOL_H
#define LIB_TOOL_H

#include "lib/client.h"
#include "lib/jobs.h"
#include "sys/loop.h"
#include "sys/out.h"
#include "sys/path.h"

/*
 * What the small tools have in common: their options, which DVMs they look
 * into, and being connected to those for a bounded time.
 *
 * A tool that was told which DVM (-D, -r, ORCM_DVM, ORCM_RUN) looks only
 * there; else into "default" and the private ones (run.PID) of this user.
 */
#define TOOL_DVMS_MAX 256u	       /* others are not looked at */
#define TOOL_CONNECT (2 * ORCM_SECOND) /* for a daemon that was killed */
#define TOOL_SETTLE (300 * ORCM_MS)    /* for the clients of a new one */
#define TOOL_TICK (10 * ORCM_MS)
#define TOOL_SCAN (50 * ORCM_MS)

struct tool;
struct tool_dvm;

/* Any of these may be NULL. */
struct tool_ops {
	/* Something may have changed: is it time to act? */
	void (*look)(struct tool *t);
	/* A record has come since the DVM was here. */
	void (*changed)(struct tool_dvm *d, const struct client_record *r);
	void (*event)(struct tool_dvm *d, const struct client_event *e);
	void (*reply)(struct tool_dvm *d, uint64_t id, uint32_t code,
	    const char *text);
	/* Its jobs are all told, at first or once more. */
	void (*here)(struct tool_dvm *d);
	void (*away)(struct tool_dvm *d);
	void (*late)(struct tool *t); /* the time limit is reached */
};

enum tool_state {
	TOOL_COMING, /* not all is told, there is hope */
	TOOL_HERE,
	TOOL_AWAY /* no daemon there; goes on trying if it was named */
};

struct tool_dvm {
	struct tool *tool;
	struct tool_dvm *next;
	char name[ORCM_NAME_MAX + 1], run[PATH_ROOM];
	enum tool_state state;
	bool was_here, told;
	uint64_t since; /* begin of the present wait */
	struct client client;
	struct jobs jobs;
};

struct tool {
	const char *name, *usage;
	/* options */
	const char *dvm, *dir, *columns;
	bool header, json, follow;
	uint64_t limit_ms; /* -t: the default is the caller's; 0: none */
	/* set by the caller before tool_start() */
	const struct tool_ops *ops;
	uint32_t kinds;	/* RECORD_BIT() and CLIENT_SUB_EVENTS */
	bool scan;	/* look for new DVMs while it runs */
	bool patient;	/* a daemon that was here may come back */
	bool one;	/* without being told: "default" and no other */
	/* state */
	bool named; /* we were told which DVM */
	struct loop loop;
	struct timer tick, rescan, limit;
	struct tool_dvm *dvms; /* "default" is first */
	size_t dvms_len;
};

/* usage: what is behind "usage: NAME ", for wrong options. */
void tool_init(struct tool *t, const char *name, const char *usage);
/*
 * Options that tools share: D r h J o f t V.  Anything else is wrong use: a
 * usage line, exit 100.  A getopt(3) string of ours begins with '+': options
 * end at the first operand everywhere.
 */
void tool_option(struct tool *t, int option);
_Noreturn void tool_usage(const struct tool *t);
/* The columns that -o chose; exits with 100 when they are wrong. */
void tool_columns(struct tool *t, struct out *o,
    const struct out_column *columns, size_t len);
/* Exits with 111 when standard output failed. */
void tool_flush(void);

/* Finds the DVMs and begins to connect.  Exits with 100 on a bad name. */
void tool_start(struct tool *t);
/*
 * For a tool that speaks to one DVM: leaves "default" if it is here, else
 * the only private one; exits with 100 when there are several.
 */
void tool_choose(struct tool *t);
/* Until loop_stop(&t->loop).  Looks once before it waits. */
void tool_run(struct tool *t);
/* Is a DVM still coming? */
bool tool_pending(const struct tool *t);
/* How many are here. */
size_t tool_here(const struct tool *t);
/* Exits with 102 and says where no daemon is. */
_Noreturn void tool_nobody(const struct tool *t);

#endif
