/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "sys/net.h"

#include "tap.h"

static void
addresses_come_and_go(void)
{
	static const char *const texts[] = { "10.0.0.1:7411", "[fe80::1]:65535",
		"[::1]:1" };
	struct net_addr a, b;
	struct addr addr;
	char out[NET_TEXT];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ok(addr_read_port(texts[i], &addr) && net_from(&a, &addr),
		    "%s", texts[i]);
		net_text(&a, out);
		is_str(out, texts[i], "and back");
		addr.port++;
		ok(net_from(&b, &addr) && net_same_host(&a, &b),
		    "another port of that host");
		addr.ip[0]++;
		ok(net_from(&b, &addr) && !net_same_host(&a, &b),
		    "another host");
	}
	memset(&addr, 0, sizeof(addr));
	ok(!net_from(&b, &addr), "no address");
}

/* The address with the port that the system chose. */
static void
address_of(int fd, struct net_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->size = sizeof(a->ss);
	ok(getsockname(fd, (struct sockaddr *)&a->ss, &a->size) == 0,
	    "an address");
}

/* 127.0.0.1, any port: what no text can say. */
static void
local(struct net_addr *a)
{
	struct addr addr;

	ok(addr_read("127.0.0.1", &addr) && net_from(a, &addr), "127.0.0.1");
}

static bool
ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 5000) == 1;
}

static void
datagrams_come_whole_or_are_known_to_be_cut(void)
{
	struct net_addr any, a, b, from;
	char text[8];
	int one, two;

	local(&any);
	one = net_udp(&any);
	two = net_udp(&any);
	ok(one != -1 && two != -1, "two sockets");
	address_of(one, &a);
	address_of(two, &b);
	ok(net_recv(one, &from, text, sizeof(text)) == -1 && errno == EAGAIN,
	    "nothing is there");
	is_u64((uint64_t)net_send(two, &a, "12345678", 8), 8, "sent");
	ok(ready(one, POLLIN) &&
		net_recv(one, &from, text, sizeof(text)) == 8 &&
		memcmp(text, "12345678", 8) == 0,
	    "a datagram");
	ok(net_same_host(&from, &b) && net_same_host(&from, &a), "its sender");
	is_u64((uint64_t)net_send(two, &a, "123456789", 9), 9, "sent");
	ok(ready(one, POLLIN) && net_recv(one, &from, text, sizeof(text)) == 9,
	    "one that is too long is seen as such");
	is_u64((uint64_t)net_send(two, &a, "", 0), 0, "an empty one");
	ok(ready(one, POLLIN) && net_recv(one, &from, text, sizeof(text)) == 0,
	    "comes as such");
	ok(net_udp(&a) == -1 && errno == EADDRINUSE, "a port is had once");
	close(one);
	close(two);
}

static void
streams_connect_without_waiting(void)
{
	struct net_addr any, a, from, other;
	int listener, out, in;
	char c;

	local(&any);
	listener = net_listen(&any, 8);
	ok(listener != -1, "listening");
	address_of(listener, &a);
	ok(net_accept(listener, &from) == -1 && errno == EAGAIN,
	    "nobody is there");
	out = net_connect(&a, &any);
	ok(out != -1 && ready(out, POLLOUT) && net_connected(out) == 0,
	    "connected");
	in = ready(listener, POLLIN) ? net_accept(listener, &from) : -1;
	address_of(out, &other);
	ok(in != -1 && memcmp(&from.ss, &other.ss, other.size) == 0,
	    "accepted, and who it is");
	ok(write(out, "x", 1) == 1 && ready(in, POLLIN) &&
		read(in, &c, 1) == 1 && c == 'x',
	    "bytes pass");
	close(in);
	close(out);
	close(listener);
	out = net_connect(&a, &any);
	ok(out == -1 ? errno == ECONNREFUSED : ready(out, POLLOUT) &&
			net_connected(out) == ECONNREFUSED,
	    "where nobody listens it is refused");
	if (out != -1)
		close(out);
	listener = net_listen(&a, 8);
	ok(listener != -1, "the port is had again at once");
	close(listener);
}

int
main(void)
{
	addresses_come_and_go();
	datagrams_come_whole_or_are_known_to_be_cut();
	streams_connect_without_waiting();
	return done_testing();
}
