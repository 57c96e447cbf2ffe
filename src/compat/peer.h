/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_PEER_H
#define COMPAT_PEER_H

#include <sys/types.h>

/*
 * Who made the other end of a connected UNIX socket, as the kernel recorded
 * it at connect(2) or listen(2).  *pid is -1 where the system does not tell.
 * -1 with errno; ENOSYS where no such call exists: POSIX has none, so there
 * is no twin, and builds without fast paths keep the system's call.
 */
int peer_get(int fd, uid_t *uid, gid_t *gid, pid_t *pid);

#endif
