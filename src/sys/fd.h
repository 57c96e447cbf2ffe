/* SPDX-License-Identifier: ISC */
#ifndef SYS_FD_H
#define SYS_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Descriptors.  All that are made here are close-on-exec. */

/* pipe(2), close-on-exec, blocking.  -1 with errno. */
int fd_pipe(int fd[2]);
int fd_nonblock(int fd, bool on);
int fd_cloexec(int fd, bool on);
/* Opens /dev/null for each of 0, 1, 2 that is closed, so that nothing else
 * gets their numbers.  Returns a bit mask of those that were closed, or -1. */
int fd_std_open(void);
/* Closes everything from first on, but for the keep_len descriptors in keep
 * (any order). */
void fd_close_from(int first, const int *keep, size_t keep_len);
/* Asks for a larger pipe; the size that it has now (fast path: F_SETPIPE_SZ,
 * elsewhere and on refusal 65536 is answered). */
size_t fd_pipe_size(int fd, size_t wanted);
/*
 * Another open file description of the same pipe, FIFO or terminal, so that
 * O_NONBLOCK can be set without touching what other processes share.  -1
 * when the system cannot (then poll and write at most PIPE_BUF bytes).
 */
int fd_reopen_nonblock(int fd, int flags);
/*
 * Copies up to n bytes that stay in pipe `from` into pipe `to` without
 * moving them through memory (Linux tee(2)).  Bytes copied, 0 when nothing
 * could be, -1 with errno; ENOSYS where there is no such call.
 */
ssize_t fd_tee(int from, int to, size_t n);
/* Moves file bytes into a pipe (Linux splice(2)); like fd_tee. */
ssize_t fd_splice_file(int file, off_t at, int to, size_t n);
/* Writes all of it, waits at most timeout_ms when it would block. -1 errno. */
int fd_write_all(int fd, const void *data, size_t size, int timeout_ms);

#endif
