/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/log.h"
#include "tap.h"

static int seen; /* our end of standard error; a datagram is one write */
static char line[4096];

/* The next write to standard error, or "" when there was none. */
static const char *
next_line(void)
{
	ssize_t n = recv(seen, line, sizeof(line) - 1, 0);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void
line_holds_program_level_and_text(void)
{
	log_init("t_log", LOG_INFO);
	log_line(LOG_WARN, "node %d is %s", 7, "late");
	is_str(next_line(), "t_log: warning: node 7 is late\n",
	    "program, level and text");
	log_line(LOG_ERROR, "x");
	is_str(next_line(), "t_log: error: x\n", "an error says so");
	is_str(next_line(), "", "one write for each line");
}

static void
talkative_levels_are_hidden(void)
{
	log_init("t_log", LOG_WARN);
	log_line(LOG_INFO, "hidden");
	log_sys(LOG_TRACE, "hidden");
	is_str(next_line(), "", "below the level nothing is shown");
	log_init("t_log", LOG_TRACE);
	log_line(LOG_TRACE, "shown");
	is_str(next_line(), "t_log: trace: shown\n", "at the level it is");
}

static void
errno_is_shown_and_kept(void)
{
	char want[256];

	errno = ENOENT;
	log_sys(LOG_ERROR, "open %s", "f");
	ok(errno == ENOENT, "log_sys keeps errno");
	snprintf(want, sizeof(want), "t_log: error: open f: %s\n",
	    strerror(ENOENT));
	is_str(next_line(), want, "log_sys adds the reason");
	errno = EAGAIN;
	log_line(LOG_ERROR, "y");
	ok(errno == EAGAIN, "log_line keeps errno");
	next_line();
}

static void
long_lines_are_cut(void)
{
	static char text[3000];
	size_t len;

	memset(text, 'a', sizeof(text) - 1);
	log_line(LOG_ERROR, "%s", text);
	is_u64(strlen(next_line()), 1000, "cut at 1000 bytes");
	ok(line[strlen(line) - 1] == '\n', "and still a whole line");
	errno = EACCES;
	log_sys(LOG_ERROR, "%s", text);
	next_line();
	len = strlen(strerror(EACCES));
	ok(strlen(line) <= 1000 && strncmp(line + strlen(line) - 1 - len,
	    strerror(EACCES), len) == 0, "the reason outlives the cut");
}

static void
control_bytes_become_question_marks(void)
{
	log_line(LOG_ERROR, "a\nb\tc\033[31m\177 \303\244");
	is_str(next_line(), "t_log: error: a?b?c?[31m? \303\244\n",
	    "no control byte reaches a terminal");
}

/* Exit code of a child that dies with it. */
static int
code_of(bool sys)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		errno = ENOSPC;
		if (sys)
			die_sys(EXIT_TEMP, "write %d", 1);
		die(EXIT_USAGE, "no %s", "sense");
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
die_prints_and_exits(void)
{
	char want[256];

	is_u64((uint64_t)code_of(false), EXIT_USAGE, "die: its exit code");
	is_str(next_line(), "t_log: fatal: no sense\n", "die: its line");
	is_u64((uint64_t)code_of(true), EXIT_TEMP, "die_sys: its exit code");
	snprintf(want, sizeof(want), "t_log: fatal: write 1: %s\n",
	    strerror(ENOSPC));
	is_str(next_line(), want, "die_sys: the reason");
}

int
main(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == -1 ||
	    fcntl(fd[0], F_SETFL, O_NONBLOCK) == -1 ||
	    dup2(fd[1], STDERR_FILENO) == -1)
		return EXIT_TEMP;
	seen = fd[0];
	line_holds_program_level_and_text();
	talkative_levels_are_hidden();
	errno_is_shown_and_kept();
	long_lines_are_cut();
	control_bytes_become_question_marks();
	die_prints_and_exits();
	return done_testing();
}
