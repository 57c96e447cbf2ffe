/* SPDX-License-Identifier: ISC */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/arena.h"
#include "core/job.h"
#include "core/record.h"
#include "lib/client.h"
#include "lib/policy.h"
#include "lib/spec.h"
#include "sys/conn.h"
#include "sys/loop.h"
#include "sys/store.h"

/*
 * The parts of orcm-run, one file each: options, dvm (finding or making
 * one), keep (the keepers of its replicas), input, output, errout (stderr),
 * act (what the core "job" decides).  They share this one struct.
 */
enum run_stdin { RUN_STDIN_ALL, RUN_STDIN_LEADER, RUN_STDIN_NONE };
enum run_stderr { RUN_STDERR_LEADER, RUN_STDERR_ALL, RUN_STDERR_NONE };

struct run_options {
	uint32_t n;
	const char *policy, *dvm, *name, *dir, *in_file;
	enum run_stdin in;
	enum run_stderr err;
	enum job_restart restart;
	enum job_rule rule;
	uint32_t budget, period_ms;
	bool strict, background, label, quiet, verbose;
	uint64_t keep, window, limit_ms, grace_ms;
	int signal;
	char **env; /* NAME=VALUE to set, from -x */
	size_t env_len;
	char **argv;
};

/* Where bytes go: our stdout or stderr, which must never block us. */
struct sink {
	int fd;
	size_t most; /* bytes at a time that cannot block */
	bool ready;  /* a write may be tried */
	bool socket;
	int error; /* errno of the write that failed, or 0 */
	struct watch watch;
};

#define ERR_RING 8192u
#define ERR_LINES 20u
#define LABEL_LINE 65536u

struct rep {
	struct run *run;
	uint32_t rank;
	struct conn conn; /* to its keeper */
	uint32_t keeper;  /* pid */
	struct watch in, out, err;
	bool in_full, err_shown;
	size_t tee; /* bytes that it was handed and the core not told yet */
	uint8_t err_ring[ERR_RING]; /* the last of its stderr */
	uint64_t err_head, err_tail; /* tail: printed up to here */
	bool line_open; /* -L: its last line is not ended */
};

struct run {
	struct run_options opt;
	struct policy policy;
	struct loop loop;
	struct arena arena;
	struct feed feed;
	struct splice *splices;
	struct job job;
	struct store store;
	struct client client;
	struct client_event events[CLIENT_EVENTS];
	struct rep *reps;
	struct spec spec;
	char **env; /* of the replicas */
	/* identity */
	uint64_t id; /* of the job */
	char name[ORCM_NAME_MAX + 1], app[192];
	char dvm[ORCM_NAME_MAX + 1], run[PATH_ROOM], sock[PATH_ROOM];
	bool private;
	int lifeline, theirs; /* our end and the daemons'; see dvm.c */
	pid_t orcmd;	      /* of a private DVM, our child */
	uint64_t revive;      /* when orcmd is started again, or 0 */
	bool revived;
	const char *argv0;
	/* streams */
	struct watch in;
	int in_fd;
	bool in_tty, in_eof, in_pipe;
	bool tee_big; /* much came last time: copying less is worth it */
	struct sink out, err;
	bool out_closed; /* we were started without a stdout */
	uint32_t line_of; /* -L: whose line is open on stdout, or RANK_NONE */
	/* the job's record */
	bool published;
	enum job_want want;
	uint32_t signal, pokes, poke;
	enum job_restart restart;
	/* keepers */
	struct watch listen;
	struct timer due;
	uint64_t down_since; /* no connection to the DVM; 0: there is one */
	unsigned ints;
	bool stop_self; /* SIGTSTP: stop when the others have been told */
	bool ending; /* only stderr has to be written out, then it is over */
	bool hurry;  /* not even that */
	bool over;
	uint32_t code;
	int tell_fd; /* -b: the parent waits for the id here, or -1 */
};

/* Watches for events, or no more when they are 0. */
static inline void
run_watch(struct run *r, struct watch *w, short events)
{
	if (w->fd == -1 || events == 0)
		loop_unwatch(&r->loop, w);
	else if (w->at == SIZE_MAX)
		(void)loop_watch(&r->loop, w, events);
	else
		loop_watch_events(&r->loop, w, events);
}

/* Gives up what a watch is on. */
static inline void
run_close(struct run *r, struct watch *w)
{
	loop_unwatch(&r->loop, w);
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}

/* options.c */
void run_options(struct run *r, int argc, char **argv);

/* dvm.c */
void dvm_find(struct run *r);
/* Has the private DVM's orcmd to be started again? */
void dvm_child(struct run *r);
/* There is no connection: when to look again, or ORCM_NEVER. */
uint64_t dvm_revive(struct run *r, uint64_t now);
void dvm_end(struct run *r);

/* keep.c */
void keepers_listen(struct run *r);
void keepers_end(struct run *r);
/* Sends a signal to the program of one replica, past orcmd. */
void keeper_signal(struct run *r, uint32_t rank, int sig);
/* Nothing that its program left behind is listened to any more. */
void keeper_release(struct run *r, uint32_t rank);

/* input.c */
/* Before -C takes effect: a file for -i is the caller's. */
void input_open(struct run *r);
void input_begin(struct run *r);
/* Gives replicas what they can take, reads what may be read. */
void input_pump(struct run *r);
void input_start(struct run *r, uint32_t rank, int fd);
void input_close(struct run *r, uint32_t rank);

/* output.c */
void output_begin(struct run *r);
void output_start(struct run *r, uint32_t rank, int fd);
void output_close(struct run *r, uint32_t rank);
/* Delivers what can be delivered and wakes who has room again. */
void output_pump(struct run *r);
/* Writes to a sink; bytes taken, 0 when it is full or broken. */
size_t sink_write(struct run *r, struct sink *s, const void *p, size_t n);

/* errout.c */
void errout_begin(struct run *r);
void errout_start(struct run *r, uint32_t rank, int fd);
void errout_close(struct run *r, uint32_t rank);
void errout_pump(struct run *r);
/* Is anything left that is to be passed on and that our stderr refuses now? */
bool errout_rest(struct run *r);
/* The last lines of a replica that failed. */
void errout_show(struct run *r, uint32_t rank);
/* A line of our own on stderr, unless -q. */
void run_note(struct run *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* act.c */
void act_feed(struct run *r, const struct job_in *in);
/* An event about one replica. */
void act_rank(struct run *r, enum job_event event, uint32_t rank,
    uint32_t incarnation, uint32_t value);
/* Everything that follows from what has happened in this turn. */
void act_all(struct run *r);
void act_publish(struct client *c);
void act_record(struct client *c, const struct client_record *rec);
void act_event(struct client *c, const struct client_event *e);
void act_order(struct client *c, const struct client_order *o);
void act_refused(struct client *c, const char *text);
void act_status(struct run *r);

#endif
