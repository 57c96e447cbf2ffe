/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_CLOSEFDS_H
#define COMPAT_CLOSEFDS_H

#include <stddef.h>

/*
 * A number that no open descriptor of this process exceeds, now.  Free where
 * the system closes ranges itself; elsewhere it looks through /proc/self/fd
 * or /dev/fd.  May allocate: a child before its exec must not call it, its
 * parent does.
 */
int closefds_bound(void);
/*
 * Closes everything from first to bound, but for the keep_len descriptors in
 * keep (any order).  bound comes from closefds_bound().  Async-signal-safe.
 */
void closefds(int first, int bound, const int *keep, size_t keep_len);

#endif
