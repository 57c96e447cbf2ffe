/* SPDX-License-Identifier: ISC */
/*
 * killer N SETTLE_MS FIFO...: kills, in turn, the programs "stamp" that
 * report through these FIFOs, N times each, and none before it has lived for
 * SETTLE_MS; prints "INDEX NS", the time from before kill(2) to the first act
 * of the next life.  With SETTLE_MS 0 all that have reported are killed at
 * once, a second after the last of them has.
 */
#include "bench.h"

#include <poll.h>

#define FIFOS 8
#define LIMIT 15000

static struct fifo {
	int fd;
	int64_t record[2];
} fifos[FIFOS];

static int
await(struct fifo *f, int ms)
{
	struct pollfd p = { f->fd, POLLIN, 0 };

	return poll(&p, 1, ms) == 1 &&
	    read(f->fd, f->record, sizeof(f->record)) == sizeof(f->record);
}

/* One FIFO, many replicas: N deaths in all. */
static void
herd(struct fifo *f, int n)
{
	pid_t pids[256];
	int len, i;

	while (n > 0) {
		for (len = 0; len < 256 && await(f, len ? 1100 : LIMIT); len++)
			pids[len] = (pid_t)f->record[1];
		if (len == 0)
			fail("no restart");
		for (i = 0; i < len && n > 0; i++, n--)
			(void)kill(pids[i], SIGKILL);
	}
	/* What is reported now is for the next run. */
}

int
main(int argc, char **argv)
{
	int n = argc > 3 ? number(argv[1]) : 0, i, len = argc - 3;
	int64_t settle = argc > 3 ? number(argv[2]) * MS : 0, t;

	if (n <= 0 || len > FIFOS)
		fail("usage: killer N SETTLE_MS FIFO...");
	for (i = 0; i < len; i++) {
		/* Open for both, so that it never ends. */
		fifos[i].fd = open(argv[3 + i], O_RDWR | O_CLOEXEC);
		if (fifos[i].fd == -1)
			fail(argv[3 + i]);
		if (settle != 0 && !await(&fifos[i], LIMIT))
			fail("no first start");
	}
	if (settle == 0) {
		herd(&fifos[0], n);
		return 0;
	}
	for (i = 0; i < n * len; i++) {
		struct fifo *f = &fifos[i % len];

		rest(f->record[0] + settle - now());
		wait_quiet();
		while (await(f, 0))
			;
		t = now();
		if (kill((pid_t)f->record[1], SIGKILL) == -1)
			fail("kill");
		if (!await(f, LIMIT))
			fail("no restart");
		printf("%d %lld\n", i % len, (long long)(f->record[0] - t));
	}
	return 0;
}
