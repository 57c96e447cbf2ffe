/* SPDX-License-Identifier: ISC */
/*
 * flood SOCKET COUNT open|garbage|half|hold: makes so many connections to a
 * UNIX socket and misbehaves on each: says nothing and leaves, sends bytes
 * that are no frame, sends the beginning of one and leaves; or (hold) keeps
 * as many open as it can until its stdin ends.  Prints how many connections
 * were made; a refused one is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The first bytes of a good HELLO: magic, version, type. */
static const unsigned char beginning[] = { 0x4f, 0x43, 1, 1, 0, 0, 0, 0, 0, 0,
	0, 80, 0, 0, 0, 40 };

static int
connect_to(const char *path)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd == -1)
		return -1;
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Where the other end has hung up already that is no matter. */
static void
say(int fd, const void *p, size_t n)
{
	(void)!send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
garbage(int fd)
{
	unsigned char bytes[300];
	size_t i, n = 1 + (size_t)rand() % sizeof(bytes);

	for (i = 0; i < n; i++)
		bytes[i] = (unsigned char)(rand() >> 7);
	say(fd, bytes, n);
}

static void
more_files(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
		lim.rlim_cur = lim.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &lim);
	}
}

int
main(int argc, char **argv)
{
	long i, count, made = 0;
	char how;
	int fd;

	if (argc != 4)
		return 99;
	count = atol(argv[2]);
	how = argv[3][0] == 'h' ? argv[3][1] : argv[3][0];
	srand(1);
	more_files();
	for (i = 0; i < count; i++) {
		fd = connect_to(argv[1]);
		if (fd == -1)
			continue;
		made++;
		if (how == 'g')
			garbage(fd);
		else if (how == 'a')
			say(fd, beginning, 1 + (size_t)i % sizeof(beginning));
		if (strcmp(argv[3], "hold") != 0)
			close(fd);
	}
	printf("%ld\n", made);
	(void)fflush(stdout);
	if (strcmp(argv[3], "hold") == 0)
		while (read(0, &how, 1) > 0)
			;
	return 0;
}
