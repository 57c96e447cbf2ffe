/* SPDX-License-Identifier: ISC */
#if HAVE_CLOSE_RANGE
#define _GNU_SOURCE /* close_range(2) */
#endif

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat/closefds.h"

/*
 * Closing what nobody named.  The wanted descriptors cut the numbers into
 * ranges; close_range(2) closes one in one call, closefrom(2) the last one.
 * The plain twin calls close(2) for each number and needs to know where to
 * stop: a limit of a million descriptors would cost a child tens of
 * milliseconds, so the highest open one is looked up, and that in the
 * parent, because reading a directory allocates.
 *
 * Called by src/sys/fd.c and, between fork and exec, by src/sys/spawn.c.
 */

#define BOUND_MAX 65535 /* when only a limit is known: none is this large */

#if HAVE_CLOSE_RANGE || HAVE_CLOSEFROM
#define BOUND_NEEDED 0
#else
#define BOUND_NEEDED 1
#endif

static int
bound_of_limit(void)
{
	long n = sysconf(_SC_OPEN_MAX);

	if (n < 1 || n > BOUND_MAX)
		return BOUND_MAX;
	return (int)n - 1;
}

#if BOUND_NEEDED

/* The highest number among a directory's entries, or -1. */
static int
highest_entry(DIR *d)
{
	const struct dirent *e;
	char *end;
	long n;
	int highest = -1;

	while ((e = readdir(d)) != NULL) {
		n = strtol(e->d_name, &end, 10);
		if (end == e->d_name || *end != '\0')
			continue;
		if (n > highest && n < INT_MAX)
			highest = (int)n;
	}
	return highest;
}

/*
 * A /dev/fd without the file system behind it lists 0, 1 and 2 whatever is
 * open, so the directory must also know the descriptor that reads it.
 */
static int
bound_of_dir(const char *path)
{
	DIR *d = opendir(path);
	int highest;

	if (d == NULL)
		return -1;
	highest = highest_entry(d);
	if (highest < dirfd(d))
		highest = -1;
	closedir(d);
	return highest;
}

int
closefds_bound(void)
{
	int kept = errno, bound;

	bound = bound_of_dir("/proc/self/fd");
	if (bound == -1)
		bound = bound_of_dir("/dev/fd");
	if (bound == -1)
		bound = bound_of_limit();
	errno = kept;
	return bound;
}

#else

int
closefds_bound(void)
{
	return INT_MAX;
}

#endif

/* The twin: one call for each number. */
static void
close_each(int first, int last)
{
	int fd;

	if (last == INT_MAX)
		last = bound_of_limit();
	for (fd = first; fd <= last; fd++)
		close(fd);
}

static void
close_between(int first, int last)
{
#if HAVE_CLOSE_RANGE
	/* An old kernel or a filter may refuse what the C library has. */
	if (close_range((unsigned)first,
	    last == INT_MAX ? ~0u : (unsigned)last, 0) == 0)
		return;
#elif HAVE_CLOSEFROM
	if (last == INT_MAX) {
		closefrom(first);
		return;
	}
#endif
	close_each(first, last);
}

/* The smallest of keep that is at least from, or -1. */
static int
next_kept(int from, const int *keep, size_t keep_len)
{
	size_t i;
	int next = -1;

	for (i = 0; i < keep_len; i++)
		if (keep[i] >= from && (next == -1 || keep[i] < next))
			next = keep[i];
	return next;
}

void
closefds(int first, int bound, const int *keep, size_t keep_len)
{
	int kept_errno = errno, next;

	while (first <= bound) {
		next = next_kept(first, keep, keep_len);
		if (next == -1 || next > bound) {
			close_between(first, bound);
			break;
		}
		if (next > first)
			close_between(first, next - 1);
		if (next == INT_MAX)
			break;
		first = next + 1;
	}
	errno = kept_errno;
}
