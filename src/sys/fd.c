/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <orcm/types.h>

#include "compat/closefds.h"
#include "compat/pipe.h"
#include "compat/pipesize.h"
#include "compat/reopen.h"
#include "compat/splice.h"
#include "sys/clock.h"
#include "sys/fd.h"

/*
 * Acts on descriptors that more than one part needs, and the POSIX face of
 * the fast paths for pipes in src/compat/.  Nothing is kept here.  Everything
 * that is made is close-on-exec; whoever hands a descriptor to a child says
 * so to spawn().
 */

#define PIPE_SIZE_USUAL 65536u

/* What poll(2) promises to take from a blocking writer without a wait. */
#ifdef PIPE_BUF
#define WRITE_PART ((size_t)PIPE_BUF)
#else
#define WRITE_PART ((size_t)_POSIX_PIPE_BUF)
#endif

int
fd_pipe(int fd[2])
{
	return pipe_cloexec(fd);
}

int
fd_nonblock(int fd, bool on)
{
	int old = fcntl(fd, F_GETFL), new;

	if (old == -1)
		return -1;
	new = on ? old | O_NONBLOCK : old & ~O_NONBLOCK;
	return new == old ? 0 : fcntl(fd, F_SETFL, new);
}

int
fd_cloexec(int fd, bool on)
{
	int old = fcntl(fd, F_GETFD), new;

	if (old == -1)
		return -1;
	new = on ? old | FD_CLOEXEC : old & ~FD_CLOEXEC;
	return new == old ? 0 : fcntl(fd, F_SETFD, new);
}

int
fd_std_open(void)
{
	int fd, closed = 0;

	/* The lowest free number is always the one that is looked at. */
	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			continue;
		if (errno != EBADF ||
		    open("/dev/null", O_RDWR | O_CLOEXEC) != fd)
			return -1;
		closed |= 1 << fd;
	}
	return closed;
}

void
fd_close_from(int first, const int *keep, size_t keep_len)
{
	closefds(first, closefds_bound(), keep, keep_len);
}

size_t
fd_pipe_size(int fd, size_t wanted)
{
	int kept = errno, now, grown;

	now = pipesize_get(fd);
	if (now > 0 && (size_t)now < wanted && wanted <= INT_MAX) {
		grown = pipesize_set(fd, (int)wanted);
		if (grown > 0)
			now = grown;
	}
	errno = kept;
	return now > 0 ? (size_t)now : PIPE_SIZE_USUAL;
}

int
fd_reopen_nonblock(int fd, int flags)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	/* A file would get an offset of its own: other bytes than meant. */
	if (!S_ISFIFO(st.st_mode) && !isatty(fd)) {
		errno = EINVAL;
		return -1;
	}
	return reopen(fd, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

ssize_t
fd_tee(int from, int to, size_t n)
{
	ssize_t done;

	do
		done = splice_tee(from, to, n);
	while (done == -1 && errno == EINTR);
	return done == -1 && errno == EAGAIN ? 0 : done;
}

ssize_t
fd_splice_file(int file, off_t at, int to, size_t n)
{
	ssize_t done;

	do
		done = splice_file(file, at, to, n);
	while (done == -1 && errno == EINTR);
	return done == -1 && errno == EAGAIN ? 0 : done;
}

/* Waits until fd takes something, at most until the time `until`. */
static int
wait_writable(int fd, uint64_t until)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	uint64_t now, ms;
	int n;

	do {
		now = clock_now();
		ms = now < until ? (until - now - 1) / ORCM_MS + 1 : 0;
		n = poll(&p, 1, ms < INT_MAX ? (int)ms : INT_MAX);
	} while (n == -1 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	/* An error or a hang-up is what the next write will say. */
	return n > 0 ? 0 : -1;
}

int
fd_write_all(int fd, const void *data, size_t size, int timeout_ms)
{
	const char *p = data;
	uint64_t until;
	size_t part;
	ssize_t n;
	int flags;

	flags = fcntl(fd, F_GETFL);
	if (flags == -1)
		return -1;
	until = clock_now() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) *
	    ORCM_MS;
	while (size > 0) {
		part = size;
		if ((flags & O_NONBLOCK) == 0) {
			/* A larger write could wait for ever. */
			if (part > WRITE_PART)
				part = WRITE_PART;
			if (wait_writable(fd, until) == -1)
				return -1;
		}
		n = write(fd, p, part);
		if (n >= 0) {
			p += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_writable(fd, until) == -1)
				return -1;
		} else if (errno != EINTR)
			return -1;
	}
	return 0;
}
