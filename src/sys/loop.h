/* SPDX-License-Identifier: ISC */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/heap.h"

/*
 * One poll(2) loop in one thread.  Watches and timers are owned by the caller
 * and only pointed to here; any callback may remove any of them.  The clock
 * is read once a turn.  Signals come through a self-pipe, so that callbacks
 * run between two turns, never inside a handler.
 */
struct loop;

struct watch {
	int fd;
	short events; /* POLLIN, POLLOUT; set with loop_watch_events() */
	void (*call)(struct watch *w, short revents);
	void *arg;
	size_t at; /* place in the loop's table; SIZE_MAX: not watched */
	bool again; /* loop_watch_again() */
};

struct timer {
	struct heap_node node; /* first member */
	void (*call)(struct timer *t);
	void *arg;
};

struct loop {
	void *tables; /* the memory of fds, watches and timers */
	size_t tables_size;
	struct pollfd *fds;
	struct watch **watches;
	size_t len, max;
	size_t again_len; /* watches to call without asking poll(2) */
	struct heap timers;
	uint64_t now;
	bool stop;
	void (*on_signal[NSIG])(void *arg, int sig);
	void *on_signal_arg[NSIG];
	int pipe[2]; /* self-pipe of the signal handlers */
	struct watch pipe_watch;
};

/*
 * Room for fds_max watches and timers_max timers, allocated here once.
 * Returns 0, or -1 with errno.  One loop per process (the self-pipe).
 */
int loop_init(struct loop *l, size_t fds_max, size_t timers_max);
void loop_free(struct loop *l);

/* w->fd, w->call and w->arg are set by the caller.  -1 and ENOBUFS when the
 * table is full. */
int loop_watch(struct loop *l, struct watch *w, short events);
/* events 0 is a pause: nothing is reported, not even a hang-up. */
void loop_watch_events(struct loop *l, struct watch *w, short events);
/*
 * Calls w with POLLIN in this turn or the next one, whether its descriptor is
 * ready or not: for a reader that keeps unread data in memory.
 */
void loop_watch_again(struct loop *l, struct watch *w);
/* Does not close the descriptor.  No-op when it is not watched. */
void loop_unwatch(struct loop *l, struct watch *w);
/* Marks a watch as "not watched"; once, before its first use. */
void watch_init(struct watch *w, void (*call)(struct watch *, short),
    void *arg);

void timer_init(struct timer *t, void (*call)(struct timer *), void *arg);
/*
 * At an absolute time of clock_now(); ORCM_NEVER stops it.  A time that has
 * come already is "in the next turn", so that a timer which sets itself again
 * keeps nobody waiting.
 */
void loop_timer(struct loop *l, struct timer *t, uint64_t due);
void loop_timer_stop(struct loop *l, struct timer *t);

/*
 * Calls back between turns when the signal came (once for several).  call
 * NULL: the default action again.  -1 with errno.
 */
int loop_signal(struct loop *l, int sig, void (*call)(void *arg, int sig),
    void *arg);

/* Time of this turn in ns. */
uint64_t loop_now(const struct loop *l);
/* One turn: waits until something happens, then calls. -1 with errno. */
int loop_turn(struct loop *l);
/*
 * Turns until loop_stop(), also one that came before.  -1 with errno when
 * poll itself fails.
 */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
