/* SPDX-License-Identifier: ISC */
#if HAVE_SO_PEERCRED
#define _GNU_SOURCE /* struct ucred */
#endif

#include <sys/types.h>

#if HAVE_SO_PEERCRED
#include <sys/socket.h>
#elif HAVE_GETPEERUCRED
#include <ucred.h>
#endif

#include <errno.h>
#include <unistd.h>

#include "compat/peer.h"

int
peer_get(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
#if HAVE_SO_PEERCRED
	struct ucred u;
	socklen_t size = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &size) == -1)
		return -1;
	/* Linux answers for an unconnected socket, with nobody. */
	if (size != sizeof(u) || u.uid == (uid_t)-1) {
		errno = ENOTCONN;
		return -1;
	}
	*uid = u.uid;
	*gid = u.gid;
	/* 0 is a process that our pid namespace does not show. */
	*pid = u.pid > 0 ? u.pid : -1;
	return 0;
#elif HAVE_GETPEERUCRED
	ucred_t *u = NULL;

	if (getpeerucred(fd, &u) == -1)
		return -1;
	*uid = ucred_geteuid(u);
	*gid = ucred_getegid(u);
	*pid = ucred_getpid(u);
	ucred_free(u);
	if (*uid == (uid_t)-1) {
		errno = EPERM;
		return -1;
	}
	return 0;
#elif HAVE_GETPEEREID
	*pid = -1;
	return getpeereid(fd, uid, gid);
#else
	(void)fd;
	(void)uid;
	(void)gid;
	(void)pid;
	errno = ENOSYS;
	return -1;
#endif
}
