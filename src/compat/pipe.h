/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_PIPE_H
#define COMPAT_PIPE_H

/*
 * pipe(2) with both ends close-on-exec and blocking.  Where the system has
 * no pipe2(2), a fork in another thread can see them open for a moment.
 * -1 with errno.
 */
int pipe_cloexec(int fd[2]);

#endif
