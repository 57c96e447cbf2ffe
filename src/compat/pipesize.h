/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_PIPESIZE_H
#define COMPAT_PIPESIZE_H

/*
 * Bytes that the pipe takes before its writer waits, and asking for more.
 * Both answer the size that it has now, or -1 with errno; ENOSYS where a
 * pipe's size can neither be seen nor changed.
 */
int pipesize_get(int fd);
int pipesize_set(int fd, int wanted);

#endif
