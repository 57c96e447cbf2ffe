/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/ready.h"

#define READY_WAIT_MS 1000 /* for a pipe that is full */

/* The newline of s6 and of orcm-wait; whoever listened may be gone. */
static void
tell_pipe(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	struct sigaction ignore, before;

	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, &before);
	if (poll(&p, 1, READY_WAIT_MS) == 1)
		while (write(fd, "\n", 1) == -1 && errno == EINTR)
			continue;
	sigaction(SIGPIPE, &before, NULL);
	close(fd);
}

/*
 * One datagram, as sd_notify(3) documents it: '/' begins a path, '@' a name
 * in Linux's abstract space, whose first byte is NUL on the wire.
 */
static void
tell_socket(const char *name)
{
	static const char text[] = "READY=1";
	struct sockaddr_un to;
	size_t len = strlen(name);
	int fd;

	if ((name[0] != '/' && name[0] != '@') || len >= sizeof(to.sun_path))
		return;
	memset(&to, 0, sizeof(to));
	to.sun_family = AF_UNIX;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd == -1)
		return;
	/* Non-blocking: a full queue must not keep us from serving. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != -1 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) != -1)
		while (sendto(fd, text, sizeof(text) - 1, 0,
			   (const struct sockaddr *)&to,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			       len)) == -1 && errno == EINTR)
			continue;
	close(fd);
}

void
ready_tell(int fd)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int kept = errno;

	if (fd != -1)
		tell_pipe(fd);
	if (name != NULL) {
		tell_socket(name);
		unsetenv("NOTIFY_SOCKET");
	}
	errno = kept;
}
