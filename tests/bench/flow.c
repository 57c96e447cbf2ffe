/* SPDX-License-Identifier: ISC */
/*
 * flow [-m MIB] [-r ROUNDS] -- COMMAND...: what a command that passes its
 * input on does to a stream of lines.  Prints "rtt NS" for each of ROUNDS
 * lines of 64 bytes, there and back, and "rate BYTES_PER_SECOND" of MIB of
 * lines of 100 bytes, counted on the input side until the last one is out.
 */
#include "bench.h"

#include <poll.h>

#define LIMIT 20000
#define SHORT 64
#define LONG 100

static char back[1 << 20], block[LONG * 655];
static int to, from;

static void
take(int64_t want)
{
	struct pollfd p = { from, POLLIN, 0 };
	ssize_t n;

	for (; want > 0; want -= n) {
		if (poll(&p, 1, LIMIT) != 1)
			fail("no answer");
		n = read(from, back, sizeof(back));
		if (n <= 0)
			fail("early end");
	}
}

static void
lines(char *p, size_t len, size_t size)
{
	memset(p, 'x', size);
	for (; size >= len; size -= len)
		p[size - 1] = '\n';
}

static void
rounds(int n)
{
	int64_t t;

	/* The first one waits until everybody is up. */
	for (; n >= 0; n--) {
		t = now();
		if (write(to, block, SHORT) != SHORT)
			fail("write");
		take(SHORT);
		if (n > 0)
			printf("rtt %lld\n", (long long)(now() - t));
		else
			break;
	}
}

static void
bulk(int64_t mib)
{
	int64_t total = mib * 1048576 / LONG * LONG, sent = 0, got = 0;
	int64_t t = now();
	size_t off = 0, n;
	ssize_t k;

	(void)fcntl(to, F_SETFL, O_NONBLOCK);
	while (got < total) {
		struct pollfd p[2] = { { from, POLLIN, 0 },
			{ sent < total ? to : -1, POLLOUT, 0 } };

		if (poll(p, 2, LIMIT) < 1)
			fail("stalled");
		if (p[1].revents & (POLLERR | POLLHUP))
			fail("stdin was closed");
		n = sizeof(block) - off;
		if ((int64_t)n > total - sent)
			n = (size_t)(total - sent);
		k = p[1].revents & POLLOUT ? write(to, block + off, n) : 0;
		if (k > 0) {
			sent += k;
			off = (off + (size_t)k) % sizeof(block);
		}
		if (p[0].revents == 0)
			continue;
		k = read(from, back, sizeof(back));
		if (k <= 0)
			fail("early end");
		got += k;
	}
	printf("rate %.0f\n",
	    (double)total * 1e9 / (double)(now() - t));
}

int
main(int argc, char **argv)
{
	int mib = 0, n = 0, c, in[2], out[2], status;
	pid_t pid;

	while ((c = getopt(argc, argv, "+m:r:")) != -1)
		if (c == 'm')
			mib = number(optarg);
		else if (c == 'r')
			n = number(optarg);
	if (optind >= argc)
		fail("usage: flow [-m MIB] [-r ROUNDS] -- COMMAND...");
	(void)signal(SIGPIPE, SIG_IGN);
	make_pipe(in);
	make_pipe(out);
	wait_quiet();
	pid = start(argv + optind, in[0], out[1], -1);
	close(in[0]);
	close(out[1]);
	to = in[1];
	from = out[0];
	lines(block, SHORT, SHORT);
	if (n == 0) {
		if (write(to, block, SHORT) != SHORT)
			fail("write");
		take(SHORT);
	}
	if (n > 0)
		rounds(n);
	lines(block, LONG, sizeof(block));
	if (mib > 0)
		bulk(mib);
	close(to);
	while (read(from, back, sizeof(back)) > 0)
		;
	(void)waitpid(pid, &status, 0);
	return status == 0 ? 0 : 5;
}
