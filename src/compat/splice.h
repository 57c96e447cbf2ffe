/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_SPLICE_H
#define COMPAT_SPLICE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Bytes that reach a pipe without passing through our memory, and without
 * waiting.  Bytes taken, 0 at an end of file, -1 with errno: EAGAIN when it
 * would wait, ENOSYS where there is no such call (then read and write).
 */
ssize_t splice_tee(int from, int to, size_t n);
ssize_t splice_file(int file, off_t at, int to, size_t n);

#endif
