/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_SOCKET_H
#define COMPAT_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

/*
 * Sockets that are born non-blocking and close-on-exec.  Where the system
 * cannot do both in one call, a fork in another thread can see them open for
 * a moment.  All: -1 with errno.
 */
int socket_make(int domain, int type);
int socket_make_pair(int domain, int type, int fd[2]);
/* accept(2) without the address; EINTR is the caller's. */
int socket_accept(int fd);
/* recvmsg(2) whose descriptors come close-on-exec. */
ssize_t socket_recvmsg(int fd, struct msghdr *msg);

#endif
