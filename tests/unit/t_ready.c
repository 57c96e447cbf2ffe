/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/ready.h"
#include "tap.h"

static char dir[] = "/tmp/t_ready.XXXXXX";

static void
newline_and_end_of_file_on_the_pipe(void)
{
	char buf[8];
	int fd[2];

	if (!ok(pipe(fd) == 0, "a pipe"))
		return;
	errno = ERANGE;
	ready_tell(fd[1]);
	ok(errno == ERANGE, "errno is kept");
	is_u64((uint64_t)read(fd[0], buf, sizeof(buf)), 1, "one byte");
	ok(buf[0] == '\n', "a newline");
	is_u64((uint64_t)read(fd[0], buf, sizeof(buf)), 0,
	    "then the descriptor is closed");
	close(fd[0]);
}

static void
reader_that_is_gone_does_no_harm(void)
{
	int fd[2];

	if (!ok(pipe(fd) == 0, "a pipe"))
		return;
	close(fd[0]);
	ready_tell(fd[1]);
	ok(fcntl(fd[1], F_GETFD) == -1, "no SIGPIPE, and it is closed");
}

static void
notify_socket_gets_ready(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char buf[32] = "";
	int fd;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s/n", dir);
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (!ok(fd != -1 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0,
	    "a socket to be notified on"))
		return;
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	ready_tell(-1);
	is_u64((uint64_t)recv(fd, buf, sizeof(buf) - 1, 0), 7, "7 bytes");
	is_str(buf, "READY=1", "READY=1");
	ok(getenv("NOTIFY_SOCKET") == NULL, "out of the environment");
	close(fd);
	unlink(a.sun_path);
}

static void
bad_notify_sockets_are_ignored(void)
{
	char name[400];

	setenv("NOTIFY_SOCKET", "relative", 1);
	ready_tell(-1);
	ok(getenv("NOTIFY_SOCKET") == NULL, "a relative name");
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	ready_tell(-1);
	ok(getenv("NOTIFY_SOCKET") == NULL, "a name that is too long");
	setenv("NOTIFY_SOCKET", "", 1);
	ready_tell(-1);
	ok(getenv("NOTIFY_SOCKET") == NULL, "an empty name");
	ready_tell(-1);
	ok(true, "nobody to tell");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 111;
	newline_and_end_of_file_on_the_pipe();
	reader_that_is_gone_does_no_harm();
	notify_socket_gets_ready();
	bad_notify_sockets_are_ignored();
	rmdir(dir);
	return done_testing();
}
