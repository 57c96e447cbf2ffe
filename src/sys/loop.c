/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <orcm/types.h>

#include "base/require.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/loop.h"

/*
 * The one place where a daemon waits.  A turn is: poll(2), the signals that
 * came, the ready descriptors, the timers that are due.
 *
 * The table is dense: a removed watch is replaced by the last one.  Ready
 * descriptors are therefore called from the end of the table to its start,
 * and an entry's revents are cleared before its call.  Then the entry that
 * fills a hole has been called already or is new (nothing to report in both
 * cases), or moves to a place that is still to come: no callback can make
 * the loop call a removed or a new watch, call one twice, or pass one over.
 *
 * A timer that is set for a time that has come runs in the next turn, which
 * bounds the timers of a turn to those that were set before it.  poll(2)
 * counts in milliseconds; the wait is rounded up, so a timer is late by less
 * than one and never costs a busy wait.
 *
 * The signal handler marks the signal and writes one byte to a pipe.  The
 * mark cannot be lost, the byte may be when the pipe is full, and then the
 * loop is awake anyway.  The handler knows nothing but the statics below,
 * which is why a process has one loop.
 */

_Static_assert(offsetof(struct timer, node) == 0, "node is cast to timer");

#define WAIT_MAX_MS (1000 * 3600)

static volatile sig_atomic_t signal_came[NSIG];
static volatile sig_atomic_t signal_fd = -1;

static void
handle_signal(int sig)
{
	const char byte = '!';
	int kept = errno;
	ssize_t n;

	signal_came[sig] = 1;
	n = write((int)signal_fd, &byte, 1);
	(void)n;
	errno = kept;
}

static void
call_signals(struct watch *w, short revents)
{
	struct loop *l = w->arg;
	char bytes[64];
	int sig;

	(void)revents;
	while (read(w->fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes))
		continue;
	for (sig = 1; sig < NSIG; sig++) {
		if (!signal_came[sig])
			continue;
		signal_came[sig] = 0;
		if (l->on_signal[sig] != NULL)
			l->on_signal[sig](l->on_signal_arg[sig], sig);
	}
}

static int
open_signal_pipe(struct loop *l)
{
	int kept;

	if (fd_pipe(l->pipe) == -1)
		return -1;
	if (fd_nonblock(l->pipe[0], true) == 0 &&
	    fd_nonblock(l->pipe[1], true) == 0)
		return 0;
	kept = errno;
	close(l->pipe[0]);
	close(l->pipe[1]);
	errno = kept;
	return -1;
}

/*
 * Tables for the most that there can be, in pages that cost nothing until
 * they are used (calloc would write all of them).
 */
static int
map_tables(struct loop *l, size_t timers_max)
{
	size_t watches, nodes;
	uint8_t *p;

	watches = l->max * sizeof(*l->fds);
	watches += watches % sizeof(void *);
	nodes = watches + l->max * sizeof(struct watch *);
	l->tables_size = nodes + (timers_max + 1) * sizeof(struct heap_node *);
	l->tables = mmap(NULL, l->tables_size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l->tables == MAP_FAILED)
		return -1;
	p = l->tables;
	l->fds = (void *)p;
	l->watches = (void *)(p + watches);
	heap_init(&l->timers, (void *)(p + nodes), timers_max);
	return 0;
}

int
loop_init(struct loop *l, size_t fds_max, size_t timers_max)
{
	int kept;

	REQUIRE(signal_fd == -1);
	REQUIRE(fds_max < INT_MAX);
	memset(l, 0, sizeof(*l));
	l->max = fds_max + 1; /* the self-pipe */
	if (map_tables(l, timers_max) == -1)
		return -1;
	if (open_signal_pipe(l) == -1) {
		kept = errno;
		(void)munmap(l->tables, l->tables_size);
		errno = kept;
		return -1;
	}
	l->now = clock_now();
	signal_fd = l->pipe[1];
	watch_init(&l->pipe_watch, call_signals, l);
	l->pipe_watch.fd = l->pipe[0];
	return loop_watch(l, &l->pipe_watch, POLLIN);
}

void
loop_free(struct loop *l)
{
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		if (l->on_signal[sig] != NULL)
			loop_signal(l, sig, NULL, NULL);
	signal_fd = -1;
	close(l->pipe[0]);
	close(l->pipe[1]);
	(void)munmap(l->tables, l->tables_size);
	memset(l, 0, sizeof(*l));
}

void
watch_init(struct watch *w, void (*call)(struct watch *, short), void *arg)
{
	w->fd = -1;
	w->events = 0;
	w->call = call;
	w->arg = arg;
	w->at = SIZE_MAX;
	w->again = false;
}

int
loop_watch(struct loop *l, struct watch *w, short events)
{
	REQUIRE(w->at == SIZE_MAX);
	if (l->len == l->max) {
		errno = ENOBUFS;
		return -1;
	}
	w->at = l->len++;
	w->again = false;
	l->watches[w->at] = w;
	l->fds[w->at].revents = 0;
	loop_watch_events(l, w, events);
	return 0;
}

void
loop_watch_events(struct loop *l, struct watch *w, short events)
{
	struct pollfd *p;

	REQUIRE(w->at < l->len && l->watches[w->at] == w);
	p = &l->fds[w->at];
	w->events = events;
	p->events = events;
	/* poll(2) skips negative numbers; it would report a hang-up else. */
	p->fd = events != 0 ? w->fd : -1;
	/* What is not wanted any more is not told in this turn either. */
	p->revents &= events != 0 ? events | POLLERR | POLLHUP | POLLNVAL : 0;
}

void
loop_watch_again(struct loop *l, struct watch *w)
{
	REQUIRE(w->at < l->len && l->watches[w->at] == w);
	if (!w->again)
		l->again_len++;
	w->again = true;
}

void
loop_unwatch(struct loop *l, struct watch *w)
{
	size_t at = w->at, last;

	if (at == SIZE_MAX)
		return;
	REQUIRE(at < l->len && l->watches[at] == w);
	if (w->again)
		l->again_len--;
	w->again = false;
	w->at = SIZE_MAX;
	last = --l->len;
	if (at != last) {
		l->fds[at] = l->fds[last];
		l->watches[at] = l->watches[last];
		l->watches[at]->at = at;
	}
}

void
timer_init(struct timer *t, void (*call)(struct timer *), void *arg)
{
	heap_node_init(&t->node);
	t->call = call;
	t->arg = arg;
}

void
loop_timer(struct loop *l, struct timer *t, uint64_t due)
{
	if (due == ORCM_NEVER) {
		loop_timer_stop(l, t);
		return;
	}
	if (due <= l->now)
		due = l->now + 1;
	/* Who sized the loop has counted its timers. */
	REQUIRE(heap_set(&l->timers, &t->node, due));
}

void
loop_timer_stop(struct loop *l, struct timer *t)
{
	heap_remove(&l->timers, &t->node);
}

int
loop_signal(struct loop *l, int sig, void (*call)(void *arg, int sig),
    void *arg)
{
	struct sigaction sa;

	if (sig <= 0 || sig >= NSIG) {
		errno = EINVAL;
		return -1;
	}
	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = call != NULL ? handle_signal : SIG_DFL;
	if (sigaction(sig, &sa, NULL) == -1)
		return -1;
	if (call == NULL)
		signal_came[sig] = 0;
	l->on_signal[sig] = call;
	l->on_signal_arg[sig] = arg;
	return 0;
}

uint64_t
loop_now(const struct loop *l)
{
	return l->now;
}

/* Milliseconds for poll(2) until the next timer; -1: until something comes. */
static int
wait_ms(const struct loop *l)
{
	const struct heap_node *first = heap_first(&l->timers);
	uint64_t now, ms;

	if (l->again_len > 0)
		return 0;
	if (first == NULL)
		return -1;
	now = clock_now();
	if (first->due <= now)
		return 0;
	ms = (first->due - now - 1) / ORCM_MS + 1;
	return ms < WAIT_MAX_MS ? (int)ms : WAIT_MAX_MS;
}

/* Calls one entry of the table if there is anything to tell it. */
static void
call_watch(struct loop *l, size_t at)
{
	struct watch *w = l->watches[at];
	short revents = l->fds[at].revents;

	l->fds[at].revents = 0;
	if (w->again) {
		w->again = false;
		l->again_len--;
		revents |= POLLIN;
	}
	if (revents == 0)
		return;
	/* Somebody closed a descriptor that is still watched. */
	REQUIRE((revents & POLLNVAL) == 0);
	w->call(w, revents);
}

static void
call_watches(struct loop *l)
{
	size_t at;

	/* Signals first: the rest may depend on who has died. */
	call_watch(l, l->pipe_watch.at);
	for (at = l->len; at-- > 0;)
		if (at < l->len)
			call_watch(l, at);
}

static void
call_timers(struct loop *l)
{
	struct heap_node *n;
	struct timer *t;

	while ((n = heap_first(&l->timers)) != NULL && n->due <= l->now) {
		heap_remove(&l->timers, n);
		t = (struct timer *)n;
		t->call(t);
	}
}

int
loop_turn(struct loop *l)
{
	int n;

	do
		n = poll(l->fds, (nfds_t)l->len, wait_ms(l));
	while (n == -1 && errno == EINTR);
	l->now = clock_now();
	if (n == -1)
		return -1;
	if (n > 0 || l->again_len > 0)
		call_watches(l);
	call_timers(l);
	return 0;
}

int
loop_run(struct loop *l)
{
	while (!l->stop)
		if (loop_turn(l) == -1)
			return -1;
	l->stop = false;
	return 0;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}
