/* SPDX-License-Identifier: ISC */
#ifndef SYS_LOCK_H
#define SYS_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * A lock file that dies with its process (fcntl(2)), made with mode 0600.
 * The descriptor to keep, or -1: EAGAIN when another process holds it, whose
 * pid is then in *holder (0 when it could not be told).  The lock belongs to
 * the process, not to the descriptor: whoever holds it must neither take it
 * a second time nor ask lock_holder(), because any close(2) of the file
 * would give it up.
 */
int lock_take(const char *path, pid_t *holder);
/*
 * Is the file that lock_take() locked still the one that path names?  Not
 * when somebody removed it or put another one in its place: then another
 * process can have a lock of that name, too.  Asking costs the lock nothing.
 */
bool lock_valid(int fd, const char *path);
/* Who else holds it: a pid, 0 when nobody does, -1 with errno. */
pid_t lock_holder(const char *path);

#endif
