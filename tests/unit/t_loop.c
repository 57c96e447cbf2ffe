/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <orcm/types.h>

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/loop.h"
#include "aborts.h"
#include "tap.h"

/*
 * Turns are driven by hand.  Every pipe here has a byte in it from the start
 * unless a test says otherwise, so nothing depends on time.
 */
#define PIPES 4

struct end {
	struct watch watch;
	int fd[2];
	unsigned calls;
	short revents;
	struct end *victims[PIPES]; /* unwatched when we are called */
	struct end *fresh;	    /* watched when we are called */
};

static struct loop loop;

static void
end_called(struct watch *w, short revents)
{
	struct end *e = w->arg;
	size_t i;

	e->calls++;
	e->revents = revents;
	for (i = 0; i < PIPES; i++)
		if (e->victims[i] != NULL)
			loop_unwatch(&loop, &e->victims[i]->watch);
	if (e->fresh != NULL && e->fresh->watch.at == SIZE_MAX)
		loop_watch(&loop, &e->fresh->watch, POLLIN);
}

static void
end_open(struct end *e, bool full)
{
	memset(e, 0, sizeof(*e));
	if (fd_pipe(e->fd) == -1 || (full && write(e->fd[1], "x", 1) != 1))
		abort();
	watch_init(&e->watch, end_called, e);
	e->watch.fd = e->fd[0];
}

static void
end_close(struct end *e)
{
	loop_unwatch(&loop, &e->watch);
	close(e->fd[0]);
	close(e->fd[1]);
}

static void
ends_open(struct end e[PIPES], size_t watched)
{
	size_t i;

	if (loop_init(&loop, PIPES, PIPES) == -1)
		abort();
	for (i = 0; i < PIPES; i++) {
		end_open(&e[i], true);
		if (i < watched)
			loop_watch(&loop, &e[i].watch, POLLIN);
	}
}

static void
ends_close(struct end e[PIPES])
{
	size_t i;

	for (i = 0; i < PIPES; i++)
		end_close(&e[i]);
	loop_free(&loop);
}

static void
every_ready_watch_is_called_once(void)
{
	struct end e[PIPES];
	size_t i;

	ends_open(e, PIPES);
	ok(loop_turn(&loop) == 0, "a turn");
	for (i = 0; i < PIPES; i++)
		ok(e[i].calls == 1 && (e[i].revents & POLLIN) != 0,
		    "watch %zu was called once", i);
	ends_close(e);
}

static void
full_table_refuses(void)
{
	struct end e[PIPES], one_more;

	ends_open(e, PIPES);
	end_open(&one_more, true);
	ok(loop_watch(&loop, &one_more.watch, POLLIN) == -1 &&
	    errno == ENOBUFS, "a full table says ENOBUFS");
	loop_unwatch(&loop, &e[1].watch);
	loop_unwatch(&loop, &e[1].watch);
	ok(loop_watch(&loop, &one_more.watch, POLLIN) == 0,
	    "there is room after a removal");
	loop_turn(&loop);
	ok(one_more.calls == 1 && e[1].calls == 0 && e[3].calls == 1,
	    "the place changed its owner");
	end_close(&one_more);
	ends_close(e);
}

/* Whoever is first called removes some: they are not called any more. */
static void
removed_watch_is_not_called(void)
{
	struct end e[PIPES];
	unsigned mask, who, i, called, wrong = 0;

	for (mask = 0; mask < 1u << PIPES; mask++)
		for (who = 0; who < PIPES; who++) {
			ends_open(e, PIPES);
			for (i = 0; i < PIPES; i++)
				if ((mask >> i & 1) != 0)
					e[who].victims[i] = &e[i];
			loop_turn(&loop);
			/* Those above in the table came before it. */
			for (i = 0; i < PIPES; i++) {
				called = i > who || i == who ||
				    (mask >> i & 1) == 0;
				wrong += e[i].calls != called;
			}
			ends_close(e);
		}
	is_u64(wrong, 0, "wrong calls in all ways to remove while called");
}

static void
new_watch_waits_for_the_next_turn(void)
{
	struct end e[PIPES];
	unsigned who, i, wrong = 0;

	for (who = 0; who < PIPES - 1; who++) {
		ends_open(e, PIPES - 1);
		/* Its hole and the new one change the table under the loop. */
		e[who].victims[0] = &e[who];
		e[who].fresh = &e[PIPES - 1];
		loop_turn(&loop);
		wrong += e[PIPES - 1].calls != 0;
		for (i = 0; i < PIPES - 1; i++)
			wrong += e[i].calls != 1;
		loop_turn(&loop);
		wrong += e[PIPES - 1].calls != 1;
		wrong += e[who].calls != 1;
		ends_close(e);
	}
	is_u64(wrong, 0, "wrong calls around a new watch");
}

static void
paused_watch_is_silent(void)
{
	struct end e[PIPES];

	ends_open(e, 2);
	loop_watch_events(&loop, &e[0].watch, 0);
	close(e[0].fd[1]);
	e[0].fd[1] = -1;
	loop_turn(&loop);
	ok(e[0].calls == 0 && e[1].calls == 1, "no hang-up in a pause");
	loop_watch_events(&loop, &e[0].watch, POLLIN);
	loop_turn(&loop);
	ok(e[0].calls == 1, "called after the pause");
	ends_close(e);
}

static void
again_calls_without_readiness(void)
{
	struct end e[PIPES], empty;

	ends_open(e, 0);
	end_open(&empty, false);
	loop_watch(&loop, &empty.watch, POLLIN);
	loop_watch_again(&loop, &empty.watch);
	loop_watch_again(&loop, &empty.watch);
	loop_turn(&loop);
	ok(empty.calls == 1 && (empty.revents & POLLIN) != 0,
	    "called with POLLIN");
	is_u64(loop.again_len, 0, "and only once");
	loop_watch_again(&loop, &empty.watch);
	loop_unwatch(&loop, &empty.watch);
	is_u64(loop.again_len, 0, "a removal takes the wish back");
	end_close(&empty);
	ends_close(e);
}

struct ticker {
	struct timer timer;
	unsigned calls;
	uint64_t seen, again; /* again: set anew for this time */
	struct timer *stops;
	char name;
};

static char order[16];

static void
ticked(struct timer *t)
{
	struct ticker *k = t->arg;
	size_t len = strlen(order);

	k->calls++;
	k->seen = loop_now(&loop);
	if (len + 1 < sizeof(order)) {
		order[len] = k->name;
		order[len + 1] = '\0';
	}
	if (k->again != ORCM_NEVER)
		loop_timer(&loop, t, k->again);
	if (k->stops != NULL)
		loop_timer_stop(&loop, k->stops);
}

static void
tickers_open(struct ticker *k, size_t len)
{
	size_t i;

	if (loop_init(&loop, 1, len) == -1)
		abort();
	order[0] = '\0';
	for (i = 0; i < len; i++) {
		memset(&k[i], 0, sizeof(k[i]));
		timer_init(&k[i].timer, ticked, &k[i]);
		k[i].again = ORCM_NEVER;
		k[i].name = (char)('a' + i);
	}
}

static void
timers_run_in_order(void)
{
	struct ticker k[4];
	uint64_t now;

	tickers_open(k, 4);
	now = loop_now(&loop);
	loop_timer(&loop, &k[0].timer, now + 3);
	loop_timer(&loop, &k[1].timer, now + 2);
	loop_timer(&loop, &k[2].timer, now + 3);
	loop_timer(&loop, &k[3].timer, now + 1);
	loop_turn(&loop);
	is_str(order, "dbac", "by time, then by when they were set");
	loop_free(&loop);
}

static void
timer_that_sets_itself_keeps_nobody_waiting(void)
{
	struct ticker k[3];

	tickers_open(k, 3);
	k[0].again = 0;
	loop_timer(&loop, &k[0].timer, 0);
	loop_timer(&loop, &k[1].timer, 0);
	loop_timer(&loop, &k[2].timer, 0);
	loop_turn(&loop);
	is_str(order, "abc", "each once in the first turn");
	loop_turn(&loop);
	is_str(order, "abca", "the one again in the second");
	loop_free(&loop);
}

static void
stopped_timer_does_not_run(void)
{
	struct ticker k[3];

	tickers_open(k, 3);
	loop_timer(&loop, &k[0].timer, 0);
	loop_timer(&loop, &k[1].timer, 0);
	loop_timer(&loop, &k[2].timer, 0);
	k[0].stops = &k[1].timer;
	loop_timer(&loop, &k[2].timer, ORCM_NEVER);
	loop_turn(&loop);
	is_str(order, "a", "neither by stop nor by NEVER");
	loop_free(&loop);
}

static void
timer_is_not_early_and_costs_one_turn(void)
{
	struct ticker k[1];
	uint64_t due;
	unsigned turns = 0;

	tickers_open(k, 1);
	due = clock_now() + 7 * ORCM_MS + 1;
	loop_timer(&loop, &k[0].timer, due);
	while (k[0].calls == 0) {
		loop_turn(&loop);
		turns++;
	}
	ok(k[0].seen >= due, "not early");
	ok(turns <= 2, "no busy wait (%u turns)", turns);
	loop_free(&loop);
}

static unsigned signals[NSIG];

static void
signalled(void *arg, int sig)
{
	*(unsigned *)arg += 1;
	signals[sig]++;
}

static void
signals_come_between_turns(void)
{
	unsigned calls = 0;

	if (loop_init(&loop, 1, 1) == -1)
		abort();
	ok(loop_signal(&loop, SIGUSR1, signalled, &calls) == 0, "USR1");
	ok(loop_signal(&loop, SIGUSR2, signalled, &calls) == 0, "USR2");
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	is_u64(calls, 0, "not inside the handler");
	loop_turn(&loop);
	ok(signals[SIGUSR1] == 1 && signals[SIGUSR2] == 1,
	    "once each for several");
	ok(loop_signal(&loop, NSIG, signalled, NULL) == -1 && errno == EINVAL,
	    "no such signal");
	ok(loop_signal(&loop, SIGKILL, signalled, NULL) == -1,
	    "KILL cannot be had");
	loop_free(&loop);
}

/* More signals than the self-pipe has room for bytes. */
static void
full_pipe_loses_no_signal(void)
{
	unsigned calls = 0, i;

	if (loop_init(&loop, 1, 1) == -1)
		abort();
	loop_signal(&loop, SIGUSR1, signalled, &calls);
	loop_signal(&loop, SIGUSR2, signalled, &calls);
	signals[SIGUSR2] = 0;
	for (i = 0; i < 70000; i++)
		raise(SIGUSR1);
	errno = 0;
	raise(SIGUSR2);
	ok(errno == 0, "the handler keeps errno");
	loop_turn(&loop);
	is_u64(signals[SIGUSR2], 1, "the last one is told");
	loop_free(&loop);
}

static void
signal_ends_a_wait(void)
{
	unsigned calls = 0;
	pid_t child, parent = getpid();

	if (loop_init(&loop, 1, 1) == -1)
		abort();
	loop_signal(&loop, SIGUSR1, signalled, &calls);
	child = fork();
	if (child == 0) {
		kill(parent, SIGUSR1);
		_exit(0);
	}
	while (calls == 0)
		if (loop_turn(&loop) == -1)
			break;
	is_u64(calls, 1, "a waiting loop is woken");
	waitpid(child, NULL, 0);
	loop_free(&loop);
}

static void
stop_it(struct timer *t)
{
	(void)t;
	loop_stop(&loop);
}

static void
run_ends_with_stop(void)
{
	struct timer t;

	if (loop_init(&loop, 1, 1) == -1)
		abort();
	timer_init(&t, stop_it, NULL);
	loop_timer(&loop, &t, 0);
	ok(loop_run(&loop) == 0, "stopped inside a turn");
	loop_stop(&loop);
	ok(loop_run(&loop) == 0, "stopped before it ran");
	loop_free(&loop);
}

static void
watch_a_closed_descriptor(void)
{
	struct end e;

	if (loop_init(&loop, 1, 1) == -1)
		_exit(0);
	end_open(&e, true);
	loop_watch(&loop, &e.watch, POLLIN);
	close(e.fd[0]);
	loop_turn(&loop);
}

static void
set_too_many_timers(void)
{
	struct timer t[2];

	if (loop_init(&loop, 1, 1) == -1)
		_exit(0);
	timer_init(&t[0], stop_it, NULL);
	timer_init(&t[1], stop_it, NULL);
	loop_timer(&loop, &t[0], 0);
	loop_timer(&loop, &t[1], 0);
}

int
main(void)
{
	alarm(60);
	every_ready_watch_is_called_once();
	full_table_refuses();
	removed_watch_is_not_called();
	new_watch_waits_for_the_next_turn();
	paused_watch_is_silent();
	again_calls_without_readiness();
	timers_run_in_order();
	timer_that_sets_itself_keeps_nobody_waiting();
	stopped_timer_does_not_run();
	timer_is_not_early_and_costs_one_turn();
	signals_come_between_turns();
	full_pipe_loses_no_signal();
	signal_ends_a_wait();
	run_ends_with_stop();
	ok(aborts(watch_a_closed_descriptor), "a closed descriptor is a bug");
	ok(aborts(set_too_many_timers), "too many timers are a bug");
	return done_testing();
}
