/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#if HAVE_GETRANDOM
#include <sys/random.h>
#endif

#include "compat/random.h"

#define PART_MAX 256u /* what getentropy(3) gives at once */

#if HAVE_GETRANDOM

static ssize_t
part(void *out, size_t size)
{
	return getrandom(out, size, 0);
}

#elif HAVE_GETENTROPY

static ssize_t
part(void *out, size_t size)
{
	return getentropy(out, size) == 0 ? (ssize_t)size : -1;
}

#else

/* A file of that name in some changed root is not the generator. */
static ssize_t
part(void *out, size_t size)
{
	struct stat st;
	ssize_t n = -1;
	int fd, error = ENODEV;

	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode)) {
		n = read(fd, out, size);
		error = n == 0 ? EIO : errno;
	}
	close(fd);
	errno = error;
	return n > 0 ? n : -1;
}

#endif

int
random_bytes(void *out, size_t size)
{
	uint8_t *p = out;
	ssize_t n;

	while (size > 0) {
		n = part(p, size < PART_MAX ? size : PART_MAX);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}
