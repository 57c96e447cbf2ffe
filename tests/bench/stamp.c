/* SPDX-License-Identifier: ISC */
/*
 * stamp: a supervised program.  Its first act is to look at the clock; it
 * writes that and its pid to the FIFO $STAMP and waits for its end.
 */
#include "bench.h"

int
main(void)
{
	int64_t record[2] = { now(), (int64_t)getpid() };
	const char *path = getenv("STAMP");
	int fd;

	if (path == NULL)
		return 111;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1 && write(fd, record, sizeof(record)) == -1)
		return 111;
	for (;;)
		(void)pause();
}
