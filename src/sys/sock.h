/* SPDX-License-Identifier: ISC */
#ifndef SYS_SOCK_H
#define SYS_SOCK_H

#include <stddef.h>
#include <sys/types.h>

/* UNIX stream sockets.  All are non-blocking and close-on-exec. */

#define SOCK_PATH_MAX 100u /* bytes; the smallest sun_path is 104 */
#define SOCK_FDS_MAX 4	   /* descriptors passed at a time */

struct sock_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid; /* -1 where the system does not tell; never trusted */
};

/*
 * Binds under a temporary name with mode 0600, listens, renames into place:
 * whoever sees the name can connect.  A stale socket of that name is
 * replaced.  -1 with errno; ENAMETOOLONG beyond SOCK_PATH_MAX.
 */
int sock_listen(const char *path, int backlog);
/* -1 with errno. A connect that would have to wait is EAGAIN. */
int sock_connect(const char *path);
/* -1 with errno; EAGAIN when nobody waits. */
int sock_accept(int fd);
/* Who is at the other end, by the kernel.  -1 with errno. */
int sock_peer(int fd, struct sock_peer *peer);
int sock_pair(int fd[2]);

/*
 * One sendmsg(2) with fds_len descriptors riding on the first byte; no
 * SIGPIPE.  Bytes taken, or -1 with errno.
 */
ssize_t sock_send(int fd, const void *data, size_t size, const int *fds,
    size_t fds_len);
/*
 * One recvmsg(2).  Descriptors that came are stored in fds[0..*fds_len-1]
 * (room for SOCK_FDS_MAX; more than that are closed).  0: end of file.
 */
ssize_t sock_recv(int fd, void *data, size_t size, int *fds, size_t *fds_len);
/*
 * Where a sock_recv() that brings descriptors is cut.  1: right behind the
 * bytes of the sock_send() that they came with, but it may begin with bytes
 * of earlier ones (Linux).  0: right before those bytes, but it may go on
 * with later ones (BSD).  -1 with errno when it cannot be found out.
 */
int sock_fds_come_last(void);

#endif
