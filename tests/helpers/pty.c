/* SPDX-License-Identifier: ISC */
/*
 * pty COMMAND [ARG...]: runs the command on a terminal of its own.  Our stdin
 * is typed there (its end as the character for end of file), what appears is
 * our stdout.  Ends with the command's status, 128+n for a signal, when all
 * that it showed has been written.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void
fail(const char *what)
{
	perror(what);
	exit(99);
}

static void
put(int fd, const char *p, size_t n)
{
	ssize_t k;

	while (n > 0) {
		k = write(fd, p, n);
		if (k == -1 && errno != EINTR && errno != EAGAIN)
			fail("write");
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
}

static void
child(const char *name, int master, char **argv)
{
	struct termios t;
	int fd;

	/* A script's background ignores them. */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	close(master);
	(void)setsid();
	fd = open(name, O_RDWR);
	if (fd == -1)
		fail(name);
#ifdef TIOCSCTTY
	(void)ioctl(fd, TIOCSCTTY, 0);
#endif
	/* What is typed does not appear, and what appears is as written. */
	if (tcgetattr(fd, &t) == 0) {
		t.c_lflag &= ~(tcflag_t)ECHO;
		t.c_oflag &= ~(tcflag_t)OPOST;
		(void)tcsetattr(fd, TCSANOW, &t);
	}
	(void)dup2(fd, 0);
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	if (fd > 2)
		close(fd);
	put(1, "", 1);
	execvp(argv[0], argv);
	fail(argv[0]);
}

/* The terminal is set up when its first byte, a NUL, has come. */
static void
wait_for_child(int master)
{
	char c;

	while (read(master, &c, 1) == -1 && errno == EINTR)
		;
}

static void
relay(int master)
{
	struct pollfd p[2] = { { master, POLLIN, 0 }, { 0, POLLIN, 0 } };
	static const char end = 4;
	char buf[4096];
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			fail("poll");
		if (p[0].revents != 0) {
			n = read(master, buf, sizeof(buf));
			/* Linux says EIO when the other side is closed. */
			if (n == 0 || (n == -1 && errno != EINTR))
				return;
			if (n > 0)
				put(1, buf, (size_t)n);
		}
		if (p[1].revents != 0) {
			n = read(0, buf, sizeof(buf));
			if (n > 0) {
				put(master, buf, (size_t)n);
			} else if (n == 0) {
				put(master, &end, 1);
				p[1].fd = -1;
			}
		}
	}
}

int
main(int argc, char **argv)
{
	const char *name;
	int master, status;
	pid_t pid;

	if (argc < 2)
		return 99;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    (name = ptsname(master)) == NULL)
		fail("pty");
	pid = fork();
	if (pid == -1)
		fail("fork");
	if (pid == 0)
		child(name, master, argv + 1);
	wait_for_child(master);
	relay(master);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			fail("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}
