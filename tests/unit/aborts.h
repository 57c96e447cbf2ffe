/* SPDX-License-Identifier: ISC */
#ifndef ABORTS_H
#define ABORTS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/* Does f() end in a failed REQUIRE? */
static inline bool
aborts(void (*f)(void))
{
	const struct rlimit none = { 0, 0 };
	int status = 0;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		close(STDERR_FILENO);
		f();
		_exit(0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid &&
	    WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
