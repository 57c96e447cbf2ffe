/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "compat/reopen.h"

int
reopen(int fd, int flags)
{
#if HAVE_PROC_SELF_FD
	char path[64];

	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
#else
	(void)fd;
	(void)flags;
	errno = ENOSYS;
	return -1;
#endif
}
