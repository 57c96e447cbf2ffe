/* SPDX-License-Identifier: ISC */
/*
 * turns N -- [NAME=VALUE...] PROG [ARG...] [-- ...]: runs the commands in
 * turn, N times each after one that does not count; a line "INDEX NS" is the
 * whole time of one run.  A run that fails is told on stderr and left out.
 */
#include "bench.h"

#define COMMANDS 8
#define LIMIT 15u /* seconds; some launchers hang now and then */

static volatile sig_atomic_t child, late;

static void
on_alarm(int sig)
{
	(void)sig;
	(void)kill((pid_t)child, late++ ? SIGKILL : SIGTERM);
	(void)alarm(3);
}

static int64_t
once(char **argv)
{
	int status, i;
	int64_t t;

	for (i = 0; strchr(argv[i], '=') != NULL; i++)
		(void)putenv(argv[i]);
	late = 0;
	wait_quiet();
	t = now();
	child = start(argv + i, -1, -1, -1);
	(void)alarm(LIMIT);
	while (waitpid((pid_t)child, &status, 0) == -1 && errno == EINTR)
		;
	t = now() - t;
	(void)alarm(0);
	for (i = 0; strchr(argv[i], '=') != NULL; i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(argv[i], "="), argv[i]);
		(void)unsetenv(name);
	}
	if (status == 0 && !late)
		return t;
	fprintf(stderr, "# %s: status %d%s\n", argv[0], status,
	    late ? ", hung" : "");
	return -1;
}

int
main(int argc, char **argv)
{
	char **command[COMMANDS];
	int len = 0, i, k, n = argc > 2 ? number(argv[1]) : 0;
	int64_t t;

	for (i = 2; i < argc; i++)
		if (strcmp(argv[i], "--") == 0 && len < COMMANDS) {
			argv[i] = NULL;
			command[len++] = argv + i + 1;
		}
	if (n == 0 || len == 0)
		fail("usage: turns N -- [NAME=VALUE...] PROG... [-- ...]");
	(void)signal(SIGALRM, on_alarm);
	for (k = -1; k < n; k++)
		for (i = 0; i < len; i++) {
			t = once(command[i]);
			if (k >= 0 && t >= 0)
				printf("%d %lld\n", i, (long long)t);
		}
	return 0;
}
