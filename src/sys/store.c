/* SPDX-License-Identifier: ISC */
/*
 * Three places for one stream.  Replicas that are level read from the ring
 * or from memory; only one that catches up reads from the file.  The file
 * has no name from the start, so it is gone with us whatever happens.
 */
#include "sys/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPACE_MAX (256u * 1024)

static uint8_t *
map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int
store_init(struct store *s, uint64_t keep, size_t window)
{
	memset(s, 0, sizeof(*s));
	s->file = s->source = -1;
	s->memory = keep < STORE_MEMORY ? keep : STORE_MEMORY;
	s->keeping = keep > 0;
	for (s->ring_size = SPACE_MAX; s->ring_size < window + SPACE_MAX;)
		s->ring_size *= 2;
	s->ring = map(s->ring_size);
	s->stage = map(STORE_CHUNK);
	if (s->memory > 0)
		s->mem = map((size_t)STORE_MEMORY);
	if (s->ring == NULL || s->stage == NULL ||
	    (s->memory > 0 && s->mem == NULL)) {
		store_free(s);
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static void
unmap(uint8_t **p, size_t size)
{
	if (*p != NULL)
		(void)munmap(*p, size);
	*p = NULL;
}

void
store_free(struct store *s)
{
	unmap(&s->ring, s->ring_size);
	unmap(&s->stage, STORE_CHUNK);
	unmap(&s->mem, (size_t)STORE_MEMORY);
	if (s->file != -1)
		close(s->file);
	s->file = -1;
}

int
store_source(struct store *s, int fd)
{
	struct stat st;

	s->source_at = lseek(fd, 0, SEEK_CUR);
	if (s->source_at == -1 || fstat(fd, &st) == -1)
		return -1;
	s->source = fd;
	s->source_time = st.st_mtim;
	s->source_size = st.st_size;
	/* Memory would only repeat what the file holds. */
	unmap(&s->mem, (size_t)STORE_MEMORY);
	s->memory = 0;
	return 0;
}

size_t
store_space(struct store *s, uint8_t **at)
{
	size_t n;

	if (s->head < s->memory) {
		*at = s->mem + s->head;
		n = (size_t)(s->memory - s->head);
	} else {
		*at = s->ring + s->head % s->ring_size;
		n = s->ring_size - (size_t)(s->head % s->ring_size);
	}
	return n < SPACE_MAX ? n : SPACE_MAX;
}

static int
open_file(void)
{
	const char *dir = getenv("TMPDIR");
	char path[1024];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/orcm-run.XXXXXX",
	    dir != NULL && dir[0] != '\0' ? dir : "/tmp");
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkstemp(path);
	if (fd == -1)
		return -1;
	(void)unlink(path);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

static int
file_add(struct store *s, const uint8_t *p, size_t n)
{
	ssize_t k;

	if (s->file == -1) {
		s->file = open_file();
		s->file_end = s->memory;
		if (s->file == -1)
			return -1;
	}
	while (n > 0) {
		k = pwrite(s->file, p, n, (off_t)(s->file_end - s->memory));
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		s->file_end += (uint64_t)k;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int
store_add(struct store *s, size_t n)
{
	uint64_t at = s->head;

	s->head += n;
	if (!s->keeping || s->source != -1 || at < s->memory)
		return 0;
	if (file_add(s, s->ring + at % s->ring_size, n) == 0)
		return 0;
	s->keeping = false;
	return -1;
}

static bool
source_unchanged(const struct store *s)
{
	struct stat st;

	return fstat(s->source, &st) == 0 && st.st_size >= s->source_size &&
	       st.st_mtim.tv_sec == s->source_time.tv_sec &&
	       st.st_mtim.tv_nsec == s->source_time.tv_nsec;
}

static size_t
from_file(struct store *s, int fd, off_t at, size_t n, const uint8_t **out)
{
	ssize_t k;

	if (n > STORE_CHUNK)
		n = STORE_CHUNK;
	do
		k = pread(fd, s->stage, n, at);
	while (k == -1 && errno == EINTR);
	if (k == 0)
		errno = EIO;
	*out = s->stage;
	return k > 0 ? (size_t)k : 0;
}

size_t
store_get(struct store *s, uint64_t from, const uint8_t **at, size_t max)
{
	uint64_t n = s->head - from, wrap;

	if (n > max)
		n = max;
	if (from < s->memory) {
		*at = s->mem + from;
		return (size_t)(n < s->memory - from ? n : s->memory - from);
	}
	/* The ring may hold bytes that memory holds too, but no older ones. */
	if (s->head - from <= s->ring_size - SPACE_MAX) {
		wrap = s->ring_size - from % s->ring_size;
		*at = s->ring + from % s->ring_size;
		return (size_t)(n < wrap ? n : wrap);
	}
	if (s->source != -1) {
		if (!source_unchanged(s)) {
			errno = ESTALE;
			return 0;
		}
		return from_file(
		    s, s->source, s->source_at + (off_t)from, (size_t)n, at);
	}
	if (s->file == -1 || from >= s->file_end) {
		errno = EIO;
		return 0;
	}
	if (n > s->file_end - from)
		n = s->file_end - from;
	return from_file(s, s->file, (off_t)(from - s->memory), (size_t)n, at);
}

void
store_drop(struct store *s, uint64_t below)
{
	if (below == 0 || below <= s->low)
		return;
	s->low = below;
	s->keeping = false;
	if (s->mem != NULL && below >= s->memory)
		unmap(&s->mem, (size_t)STORE_MEMORY);
	if (s->file != -1 && below >= s->file_end) {
		close(s->file);
		s->file = -1;
	}
}
