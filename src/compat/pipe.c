/* SPDX-License-Identifier: ISC */
#if HAVE_PIPE2
#define _GNU_SOURCE /* pipe2(2) */
#endif

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "compat/pipe.h"

int
pipe_cloexec(int fd[2])
{
#if HAVE_PIPE2
	return pipe2(fd, O_CLOEXEC);
#else
	int kept;

	if (pipe(fd) == -1)
		return -1;
	if (fcntl(fd[0], F_SETFD, FD_CLOEXEC) == 0 &&
	    fcntl(fd[1], F_SETFD, FD_CLOEXEC) == 0)
		return 0;
	kept = errno;
	close(fd[0]);
	close(fd[1]);
	errno = kept;
	return -1;
#endif
}
