/* SPDX-License-Identifier: ISC */
#ifndef SYS_NET_H
#define SYS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/addr.h"

/*
 * UDP and TCP between nodes, IPv4 and IPv6.  All sockets are non-blocking and
 * close-on-exec.
 */
#define NET_TEXT 64u	 /* an address as text, port included */
#define NET_DATAGRAM 1472u /* bytes that an Ethernet frame carries */

struct net_addr {
	struct sockaddr_storage ss;
	socklen_t size;
};

/* Takes its port, too.  False: no address of a host. */
bool net_from(struct net_addr *out, const struct addr *a);
void net_text(const struct net_addr *a, char out[NET_TEXT]);
/* The same host?  Ports do not count. */
bool net_same_host(const struct net_addr *a, const struct net_addr *b);

/* A bound socket, or -1 with errno. */
int net_udp(const struct net_addr *a);
int net_listen(const struct net_addr *a, int backlog);
/*
 * Begins to connect from the host of `from`, any port: the socket becomes
 * writable when net_connected() has the answer.  -1 with errno.
 */
int net_connect(const struct net_addr *to, const struct net_addr *from);
/* 0 when it is, else the errno why not. */
int net_connected(int fd);
/* -1 with errno; EAGAIN when nobody waits. */
int net_accept(int fd, struct net_addr *from);
/* One datagram; -1 with errno. */
ssize_t net_send(int fd, const struct net_addr *to, const void *data,
    size_t size);
/*
 * One datagram: its size, which is larger than `size` when it was cut; -1
 * with errno, EAGAIN when there is none.
 */
ssize_t net_recv(int fd, struct net_addr *from, void *data, size_t size);

#endif
