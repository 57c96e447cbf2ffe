/* SPDX-License-Identifier: ISC */
#if HAVE_SETPIPE_SZ
#define _GNU_SOURCE /* F_GETPIPE_SZ, F_SETPIPE_SZ */
#endif

#include <errno.h>
#include <fcntl.h>

#include "compat/pipesize.h"

int
pipesize_get(int fd)
{
#if HAVE_SETPIPE_SZ
	return fcntl(fd, F_GETPIPE_SZ);
#else
	(void)fd;
	errno = ENOSYS;
	return -1;
#endif
}

int
pipesize_set(int fd, int wanted)
{
#if HAVE_SETPIPE_SZ
	return fcntl(fd, F_SETPIPE_SZ, wanted);
#else
	(void)fd;
	(void)wanted;
	errno = ENOSYS;
	return -1;
#endif
}
