/* SPDX-License-Identifier: ISC */
/*
 * stdin to the replicas.  Bytes are read once into the store and written to
 * each replica's pipe as it takes them; how far is the core's matter (feed).
 * While the input is a pipe, everybody is level and much comes at a time,
 * its pages are handed on by tee(2) instead: then nothing is copied for the
 * replicas at all.
 */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/log.h"

static void on_stdin(struct watch *w, short revents);
static void on_room(struct watch *w, short revents);

void
input_close(struct run *r, uint32_t rank)
{
	run_close(r, &r->reps[rank].in);
}

void
input_start(struct run *r, uint32_t rank, int fd)
{
	struct rep *p = &r->reps[rank];

	input_close(r, rank);
	watch_init(&p->in, on_room, p);
	p->in.fd = fd;
	p->in_full = false;
	if (fd == -1)
		return;
	(void)fd_nonblock(fd, true);
	(void)fd_pipe_size(fd, 256 * 1024);
}

void
input_open(struct run *r)
{
	struct stat st;

	r->in_fd = STDIN_FILENO;
	if (r->opt.in_file != NULL) {
		r->in_fd = open(r->opt.in_file, O_RDONLY | O_CLOEXEC);
		if (r->in_fd == -1)
			die_sys(JOB_OUR_FAULT, "-i %s", r->opt.in_file);
	}
	if (r->opt.in != RUN_STDIN_NONE && fstat(r->in_fd, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		die(JOB_OUR_FAULT, "the input is a directory");
}

void
input_begin(struct run *r)
{
	struct stat st;
	uint64_t keep = r->opt.keep;
	bool stdin_used = r->opt.in != RUN_STDIN_NONE;

	if (store_init(&r->store, stdin_used ? keep : 0,
		(size_t)r->opt.window) == -1)
		die_sys(JOB_OUR_FAULT, "memory for the input");
	watch_init(&r->in, on_stdin, r);
	r->in.fd = r->in_fd;
	if (!stdin_used) {
		r->in_eof = true;
		feed_eof(&r->feed);
		return;
	}
	if (fstat(r->in_fd, &st) == -1) {
		/* A closed stdin is an empty one. */
		r->in_eof = true;
		feed_eof(&r->feed);
		return;
	}
	r->in_tty = isatty(r->in_fd);
	r->in_pipe = S_ISFIFO(st.st_mode);
	if (S_ISREG(st.st_mode) && keep == UINT64_MAX &&
	    store_source(&r->store, r->in_fd) == -1)
		die_sys(JOB_OUR_FAULT, "input file");
	if (r->in_pipe)
		(void)fd_pipe_size(r->in_fd, 256 * 1024);
}

/* May a terminal be read, or would that stop us (background)? */
static bool
tty_is_ours(const struct run *r)
{
	return !r->in_tty || tcgetpgrp(r->in_fd) == getpgrp();
}

static void
stop_replica_input(struct run *r, uint32_t rank)
{
	feed_stop(&r->feed, rank);
	input_close(r, rank);
}

/* Writes to one replica until it is full or has all there is. */
static void
give(struct run *r, uint32_t rank)
{
	struct rep *p = &r->reps[rank];
	const uint8_t *at;
	uint64_t from, n;
	size_t have;
	ssize_t k;

	while (p->in.fd != -1 && !p->in_full) {
		feed_next(&r->feed, rank, &from, &n);
		if (n == 0) {
			if (feed_finished(&r->feed, rank))
				input_close(r, rank);
			return;
		}
		have = store_get(&r->store, from, &at,
		    n < 4 * STORE_CHUNK ? (size_t)n : 4 * STORE_CHUNK);
		if (have == 0) {
			run_note(r, "rank %u cannot be fed again: %s", rank,
			    errno == ESTALE ? "the input file was changed" :
					      "the input is no longer kept");
			keeper_signal(r, rank, SIGKILL);
			stop_replica_input(r, rank);
			return;
		}
		k = write(p->in.fd, at, have);
		if (k > 0) {
			feed_fed(&r->feed, rank, (uint64_t)k);
			p->in_full = (size_t)k < have;
		} else if (k == -1 && errno == EAGAIN) {
			p->in_full = true;
		} else if (k == -1 && errno != EINTR) {
			stop_replica_input(r, rank);
		}
	}
	if (p->in.fd != -1 && p->in_full)
		run_watch(r, &p->in, POLLOUT);
}

static void
on_room(struct watch *w, short revents)
{
	struct rep *p = w->arg;

	(void)revents;
	p->in_full = false;
	loop_unwatch(&p->run->loop, w);
	give(p->run, p->rank);
}

/* The leader first: its answer is what somebody waits for. */
static void
give_all(struct run *r)
{
	uint32_t i, lead = r->job.leader;

	if (lead < r->opt.n)
		give(r, lead);
	for (i = 0; i < r->opt.n; i++)
		if (i != lead)
			give(r, i);
}

static void
kept_no_more(struct run *r)
{
	const char *dir = getenv("TMPDIR");

	run_note(r, "input is no longer kept after %llu bytes: %s: %s: a "
	    "replica that dies now is not started again",
	    (unsigned long long)r->store.file_end,
	    dir != NULL && dir[0] != '\0' ? dir : "/tmp", strerror(errno));
	feed_keep(&r->feed, 0);
}

static void
trim(struct run *r)
{
	uint64_t low = feed_low(&r->feed);

	store_drop(&r->store, low);
	if (low > 0 && !r->job.no_replay) {
		struct job_in in = { .event = JOB_IN_NO_REPLAY };

		act_feed(r, &in);
	}
}

/*
 * Hands pages of the input pipe on to everybody who is level; the most that
 * anybody took.  The same bytes must be read next.
 */
static size_t
tee_all(struct run *r, size_t n)
{
	struct rep *p;
	size_t most = 0;
	uint32_t i;
	ssize_t k;

	for (i = 0; i < r->opt.n; i++) {
		p = &r->reps[i];
		if (p->in.fd == -1 || p->in_full ||
		    !r->feed.ranks[i].open ||
		    r->feed.ranks[i].fed != r->feed.head)
			continue;
		k = fd_tee(r->in_fd, p->in.fd, n);
		/* Told to the core when the bytes have been read, below. */
		p->tee = k > 0 ? (size_t)k : 0;
		p->in_full = k <= 0;
		most = p->tee > most ? p->tee : most;
	}
	/* Who took less than another is full; all alike took all there is. */
	for (i = 0; i < r->opt.n; i++)
		if (r->reps[i].tee > 0 && r->reps[i].tee < most)
			r->reps[i].in_full = true;
	return most;
}

static void
tee_told(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->opt.n; i++) {
		if (r->reps[i].tee > 0)
			feed_fed(&r->feed, i, r->reps[i].tee);
		r->reps[i].tee = 0;
	}
}

/* At least `least` bytes (they are there), at most n.  As read(2). */
static ssize_t
read_input(struct run *r, uint8_t *at, size_t n, size_t least)
{
	size_t have = 0;
	ssize_t k;

	do {
		k = read(r->in_fd, at + have, n - have);
		if (k > 0)
			have += (size_t)k;
		else if (k == 0 || errno != EINTR)
			break;
	} while (have == 0 || have < least);
	return have > 0 ? (ssize_t)have : k;
}

/* One piece of input; false when there is no more for now. */
static bool
take(struct run *r)
{
	uint64_t room = feed_room(&r->feed);
	uint8_t *at;
	size_t n = store_space(&r->store, &at);
	size_t least = 0;
	ssize_t k;

	if (n > room)
		n = (size_t)room;
	if (n == 0 || r->in_eof)
		return false;
	if (r->tee_big && r->opt.in == RUN_STDIN_ALL)
		least = tee_all(r, n);
	k = read_input(r, at, n, least);
	if (k > 0) {
		if (store_add(&r->store, (size_t)k) == -1)
			kept_no_more(r);
		feed_input(&r->feed, (uint64_t)k);
		tee_told(r);
		r->tee_big = r->in_pipe && k >= 16384;
		return (size_t)k == n;
	}
	if (k == -1 && (errno == EAGAIN || (errno == EIO && r->in_tty)))
		return false;
	if (k == -1)
		run_note(r, "reading the input: %s", strerror(errno));
	r->in_eof = true;
	feed_eof(&r->feed);
	return false;
}

static void
on_stdin(struct watch *w, short revents)
{
	struct run *r = w->arg;

	(void)revents;
	if (!tty_is_ours(r)) {
		loop_unwatch(&r->loop, w);
		return;
	}
	(void)take(r);
	give_all(r);
	trim(r);
}

void
input_pump(struct run *r)
{
	bool wanted;

	give_all(r);
	trim(r);
	wanted = !r->in_eof && feed_room(&r->feed) > 0 && tty_is_ours(r);
	run_watch(r, &r->in, wanted ? POLLIN : 0);
}
