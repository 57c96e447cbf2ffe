/* SPDX-License-Identifier: ISC */
#if HAVE_MEMFD
#define _GNU_SOURCE /* memfd_create(2) and the seals of fcntl(2) */
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "compat/shm.h"

/*
 * Shared memory that can leave nothing behind.  POSIX has it with a name, so
 * the plain way makes a random one and takes it away before anything else is
 * done; Linux has it without (memfd_create), and can seal it, so that nobody
 * who gets the descriptor can write to it or cut it short under its readers.
 * When the fast way fails at run time (an old kernel, a filter), the plain
 * one is taken.  Called by src/sys/shmring.c only.
 */

#define NAME_TRIES_MAX 64
#define ZEROS_SIZE 4096u

static void
close_keep_errno(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

/*
 * The twin of posix_fallocate(3): zeros are written.  Where shared memory
 * takes no write(2) the answer is 0 too, and touching it has to do.
 */
static int
reserve_by_writing(int fd, size_t size)
{
	static const uint8_t zeros[ZEROS_SIZE];
	size_t at = 0, part;
	ssize_t n;

	while (at < size) {
		part = size - at < ZEROS_SIZE ? size - at : ZEROS_SIZE;
		n = pwrite(fd, zeros, part, (off_t)at);
		if (n > 0)
			at += (size_t)n;
		else if (n == -1 && errno == EINTR)
			continue;
		else if (at == 0 && n == -1 && errno != ENOSPC &&
		    errno != ENOMEM && errno != EFBIG)
			return 0;
		else
			return -1;
	}
	return 0;
}

static int
reserve(int fd, size_t size)
{
#if HAVE_POSIX_FALLOCATE
	int error;

	do
		error = posix_fallocate(fd, 0, (off_t)size);
	while (error == EINTR);
	if (error == 0)
		return 0;
	/* Some file systems only pretend to have it. */
	if (error != EINVAL && error != EOPNOTSUPP && error != ENOSYS &&
	    error != ENODEV) {
		errno = error;
		return -1;
	}
#endif
	return reserve_by_writing(fd, size);
}

/* Sizes, reserves and maps what fd names; touches every page of it. */
static void *
size_and_map(int fd, size_t size)
{
	volatile uint8_t *page;
	void *map;
	size_t at;

	if (ftruncate(fd, (off_t)size) == -1 || reserve(fd, size) == -1)
		return NULL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return NULL;
	page = map;
	for (at = 0; at < size; at += ZEROS_SIZE)
		page[at] = 0;
	return map;
}

#if HAVE_MEMFD
/*
 * Seals the memory against everything but our mapping; a kernel without the
 * seal for later writers (before 5.1) gets a descriptor that cannot write.
 */
static int
close_to_writers(int fd)
{
	char self[64];
	int again;

#ifdef F_SEAL_FUTURE_WRITE
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0)
		return fd;
#endif
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	again = open(self, O_RDONLY | O_CLOEXEC);
	if (again == -1)
		return -1;
	close(fd);
	return again;
}

static void *
make_unnamed(size_t size, int *fd)
{
	void *map;
	int own, shared;

	own = memfd_create("orcm-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (own == -1)
		return NULL;
	map = size_and_map(own, size);
	if (map == NULL)
		goto close_own;
	shared = close_to_writers(own);
	if (shared == -1)
		goto unmap;
	*fd = shared;
	return map;
unmap:
	munmap(map, size);
close_own:
	close_keep_errno(own);
	return NULL;
}
#endif

/* A name that nobody else uses; its time in the system is microseconds. */
static int
open_named(char *name, size_t name_size)
{
	struct timespec t;
	uint64_t x;
	int fd, tries;

	for (tries = 0; tries < NAME_TRIES_MAX; tries++) {
		clock_gettime(CLOCK_REALTIME, &t);
		x = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
		x = (x ^ (uint64_t)getpid() << 40) + (uint64_t)tries;
		x *= UINT64_C(0x9e3779b97f4a7c15);
		/* macOS takes 31 characters. */
		snprintf(name, name_size, "/orcm.%016llx",
		    (unsigned long long)x);
		fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd != -1 || errno != EEXIST)
			return fd;
	}
	return -1;
}

/* The POSIX twin. */
static void *
make_named(size_t size, int *fd)
{
	char name[32];
	void *map;
	int own, shared, kept;

	own = open_named(name, sizeof(name));
	if (own == -1)
		return NULL;
	shared = shm_open(name, O_RDONLY, 0);
	kept = errno;
	shm_unlink(name);
	errno = kept;
	if (shared == -1)
		goto close_own;
	map = size_and_map(own, size);
	if (map == NULL)
		goto close_shared;
	close(own);
	*fd = shared;
	return map;
close_shared:
	close_keep_errno(shared);
close_own:
	close_keep_errno(own);
	return NULL;
}

void *
shm_make(size_t size, int *fd)
{
#if HAVE_MEMFD
	void *map = make_unnamed(size, fd);

	if (map != NULL || errno == ENOSPC || errno == ENOMEM)
		return map;
#endif
	return make_named(size, fd);
}
