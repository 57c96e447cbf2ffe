/* SPDX-License-Identifier: ISC */
/*
 * Sockets between nodes.  Nothing is kept here and nothing waits; whom to
 * believe is the business of the core "auth".  A TCP socket tells at once
 * what it has (TCP_NODELAY) and finds a peer that vanished by itself at some
 * time (SO_KEEPALIVE); beats find it much earlier.
 */
#include "sys/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat/socket.h"

#define UDP_BUFFER (256 * 1024) /* beats of a whole DVM that came at once */

static void
close_keep_errno(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

bool
net_from(struct net_addr *out, const struct addr *a)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&out->ss;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->ss;

	memset(out, 0, sizeof(*out));
	if (a->family == ADDR_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(a->port);
		memcpy(&v4->sin_addr, a->ip, 4);
		out->size = sizeof(*v4);
	} else if (a->family == ADDR_V6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(a->port);
		memcpy(&v6->sin6_addr, a->ip, 16);
		out->size = sizeof(*v6);
	}
	return out->size > 0;
}

void
net_text(const struct net_addr *a, char out[NET_TEXT])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a->ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->ss;
	char host[INET6_ADDRSTRLEN] = "?";
	bool six = a->ss.ss_family == AF_INET6;
	unsigned port = ntohs(six ? v6->sin6_port : v4->sin_port);

	if (six)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
	else
		(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
	(void)snprintf(out, NET_TEXT, six ? "[%s]:%u" : "%s:%u", host, port);
}

bool
net_same_host(const struct net_addr *a, const struct net_addr *b)
{
	if (a->ss.ss_family != b->ss.ss_family)
		return false;
	if (a->ss.ss_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)&a->ss)->sin6_addr,
			   &((const struct sockaddr_in6 *)&b->ss)->sin6_addr,
			   sizeof(struct in6_addr)) == 0;
	return ((const struct sockaddr_in *)&a->ss)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)&b->ss)->sin_addr.s_addr;
}

static int
bound(const struct net_addr *a, int type)
{
	int fd = socket_make(a->ss.ss_family, type), on = 1;

	if (fd == -1)
		return -1;
	/* A daemon that comes back finds its port in TIME_WAIT. */
	if ((type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR,
					&on, sizeof(on)) == -1) ||
	    bind(fd, (const struct sockaddr *)&a->ss, a->size) == -1) {
		close_keep_errno(fd);
		return -1;
	}
	return fd;
}

int
net_udp(const struct net_addr *a)
{
	int fd = bound(a, SOCK_DGRAM), size = UDP_BUFFER;

	/* Less is enough for most. */
	if (fd != -1)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

int
net_listen(const struct net_addr *a, int backlog)
{
	int fd = bound(a, SOCK_STREAM);

	if (fd != -1 && listen(fd, backlog) == -1) {
		close_keep_errno(fd);
		return -1;
	}
	return fd;
}

static void
stream_options(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

int
net_connect(const struct net_addr *to, const struct net_addr *from)
{
	struct net_addr local = *from;
	int fd;

	if (local.ss.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&local.ss)->sin6_port = 0;
	else
		((struct sockaddr_in *)&local.ss)->sin_port = 0;
	fd = bound(&local, SOCK_STREAM);
	if (fd == -1)
		return -1;
	stream_options(fd);
	if (connect(fd, (const struct sockaddr *)&to->ss, to->size) == -1 &&
	    errno != EINPROGRESS) {
		close_keep_errno(fd);
		return -1;
	}
	return fd;
}

int
net_connected(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		return errno;
	return error;
}

int
net_accept(int fd, struct net_addr *from)
{
	int got;

	do
		got = socket_accept(fd);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	memset(from, 0, sizeof(*from));
	from->size = sizeof(from->ss);
	if (getpeername(got, (struct sockaddr *)&from->ss, &from->size) == -1) {
		close_keep_errno(got);
		return -1;
	}
	stream_options(got);
	return got;
}

ssize_t
net_send(int fd, const struct net_addr *to, const void *data, size_t size)
{
	ssize_t n;

	do
		n = sendto(fd, data, size, 0, (const struct sockaddr *)&to->ss,
		    to->size);
	while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
net_recv(int fd, struct net_addr *from, void *data, size_t size)
{
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from->ss,
		.msg_namelen = sizeof(from->ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(fd, &msg, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	from->size = msg.msg_namelen;
	if (msg.msg_flags & MSG_TRUNC)
		return (ssize_t)size + 1;
	return n;
}
