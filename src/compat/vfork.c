/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "compat/vfork.h"

/*
 * The call of vfork(2) and the child's work share this frame, which lives
 * until the parent goes on: a wrapper that returned in the child would not.
 */
pid_t
vfork_run(void (*child)(void *arg), void *arg)
{
	pid_t pid;

#if HAVE_VFORK
	pid = vfork();
#else
	pid = fork();
#endif
	if (pid == 0) {
		child(arg);
		_exit(127);
	}
	return pid;
}
