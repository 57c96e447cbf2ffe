/* SPDX-License-Identifier: ISC */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the helpers of scripts/bench-run.sh share. */

#define MS INT64_C(1000000)

static inline _Noreturn void
fail(const char *what)
{
	fprintf(stderr, "# %s%s%s\n", what, errno != 0 ? ": " : "",
	    errno != 0 ? strerror(errno) : "");
	exit(4);
}

static inline int
number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return *end != '\0' || n < 0 || n > 1000000 ? 0 : (int)n;
}

static inline int64_t
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

static inline void
rest(int64_t ns)
{
	struct timespec ts = { (time_t)(ns / (1000 * MS)),
		(long)(ns % (1000 * MS)) };

	while (ns > 0 && nanosleep(&ts, &ts) == -1 && errno == EINTR)
		;
}

/* Tasks that run or want to, ours included; 0 where that is not told. */
static inline long
busy(void)
{
	char text[128], *p;
	ssize_t n;
	int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC), i;

	if (fd == -1)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (p = text, i = 0; i < 3 && p != NULL; i++) {
		p = strchr(p, ' ');
		if (p != NULL)
			p++;
	}
	return p != NULL ? strtol(p, NULL, 10) : 0;
}

/* A sample is taken when nothing else runs, but not awaited for long. */
static inline void
wait_quiet(void)
{
	int64_t end = now() + 300 * MS;
	int good = 0;

	while (good < 3 && now() < end) {
		good = busy() <= 1 ? good + 1 : 0;
		rest(MS);
	}
}

static inline void
make_pipe(int fd[2])
{
	if (pipe(fd) == -1 || fcntl(fd[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd[1], F_SETFD, FD_CLOEXEC) == -1)
		fail("pipe");
}

/*
 * Starts argv with these descriptors (-1: /dev/null) as 0, 1 and 2 (2 stays
 * ours with -2).
 */
static inline pid_t
start(char *const *argv, int in, int out, int err)
{
	int fd[3] = { in, out, err }, i;
	pid_t pid = fork();

	if (pid == -1)
		fail("fork");
	if (pid != 0)
		return pid;
	for (i = 0; i < 3; i++) {
		if (fd[i] == -2)
			continue;
		if (fd[i] == -1)
			fd[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd[i] == -1 || dup2(fd[i], i) == -1)
			_exit(126);
	}
	execvp(argv[0], argv);
	_exit(127);
}

/* The process that has locked a file, or 0. */
static inline pid_t
holder(const char *path)
{
	struct flock l;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	memset(&l, 0, sizeof(l));
	l.l_type = F_WRLCK;
	l.l_whence = SEEK_SET;
	if (fd == -1)
		return 0;
	if (fcntl(fd, F_GETLK, &l) == -1)
		l.l_type = F_UNLCK;
	close(fd);
	return l.l_type == F_UNLCK ? 0 : l.l_pid;
}

/* One replica as orcm-ps tells it. */
struct seen {
	long rank, pid;
	int up, leader, ready;
};

/* All replicas of a job into s; how many lines there were. */
static inline int
look(const char *ps, const char *dvm, const char *job, struct seen *s, int max)
{
	char line[256], state[32], leader[8], ready[8], pid[16];
	const char *const argv[] = { ps, "-D", dvm, "-o",
		"rank,state,pid,leader,ready", job, NULL };
	int fd[2], n = 0, status;
	pid_t child;
	FILE *f;

	make_pipe(fd);
	child = start((char *const *)(uintptr_t)argv, -1, fd[1], -1);
	close(fd[1]);
	f = fdopen(fd[0], "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (n < max && sscanf(line, "%ld %31s %15s %7s %7s", &s[n].rank,
				   state, pid, leader, ready) == 5) {
			s[n].pid = strtol(pid, NULL, 10);
			s[n].up = strcmp(state, "up") == 0;
			s[n].leader = strcmp(leader, "yes") == 0;
			s[n].ready = strcmp(ready, "yes") == 0;
			n++;
		}
	if (f != NULL)
		(void)fclose(f);
	(void)waitpid(child, &status, 0);
	return n;
}

/* The leader's pid when n replicas are up, ready and led; else 0. */
static inline long
whole(const struct seen *s, int len, int n)
{
	long leader = 0;
	int i;

	if (len != n)
		return 0;
	for (i = 0; i < len; i++) {
		if (!s[i].up || !s[i].ready || s[i].pid == 0)
			return 0;
		if (s[i].leader)
			leader = s[i].pid;
	}
	return leader;
}

#endif
