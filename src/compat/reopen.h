/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_REOPEN_H
#define COMPAT_REOPEN_H

/*
 * Opens once more what fd has open, as open(2) with those flags would: a new
 * open file description.  -1 with errno; ENOSYS where /proc/self/fd does not
 * do that (a /dev/fd elsewhere only duplicates).
 */
int reopen(int fd, int flags);

#endif
