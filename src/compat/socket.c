/* SPDX-License-Identifier: ISC */
#if HAVE_ACCEPT4
#define _GNU_SOURCE /* accept4(2) */
#endif

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "compat/socket.h"

/*
 * Systems with accept4(2) also have SOCK_CLOEXEC, SOCK_NONBLOCK and
 * MSG_CMSG_CLOEXEC; one name stands for the four.  Called by src/sys/sock.c.
 */

#if HAVE_ACCEPT4

int
socket_make(int domain, int type)
{
	return socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int
socket_make_pair(int domain, int type, int fd[2])
{
	return socketpair(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd);
}

int
socket_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

ssize_t
socket_recvmsg(int fd, struct msghdr *msg)
{
	return recvmsg(fd, msg, MSG_CMSG_CLOEXEC);
}

#else

static int
settle(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* The descriptor, or -1 and it is closed. */
static int
settled_or_closed(int fd)
{
	int kept;

	if (fd == -1 || settle(fd) == 0)
		return fd;
	kept = errno;
	close(fd);
	errno = kept;
	return -1;
}

int
socket_make(int domain, int type)
{
	return settled_or_closed(socket(domain, type, 0));
}

int
socket_make_pair(int domain, int type, int fd[2])
{
	int kept;

	if (socketpair(domain, type, 0, fd) == -1)
		return -1;
	if (settle(fd[0]) == 0 && settle(fd[1]) == 0)
		return 0;
	kept = errno;
	close(fd[0]);
	close(fd[1]);
	errno = kept;
	return -1;
}

int
socket_accept(int fd)
{
	return settled_or_closed(accept(fd, NULL, NULL));
}

ssize_t
socket_recvmsg(int fd, struct msghdr *msg)
{
	struct cmsghdr *h;
	size_t at;
	ssize_t n;
	int one;

	n = recvmsg(fd, msg, 0);
	if (n == -1)
		return -1;
	for (h = CMSG_FIRSTHDR(msg); h != NULL; h = CMSG_NXTHDR(msg, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (at = CMSG_LEN(0); at + sizeof(one) <= h->cmsg_len;
		    at += sizeof(one)) {
			memcpy(&one, (char *)h + at, sizeof(one));
			(void)fcntl(one, F_SETFD, FD_CLOEXEC);
		}
	}
	return n;
}

#endif
