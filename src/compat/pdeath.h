/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_PDEATH_H
#define COMPAT_PDEATH_H

#include <sys/types.h>

/*
 * In a child: it shall be killed when its parent dies.  parent is what
 * getpid() said there before the fork; a parent that is dead already kills at
 * once.  Nothing where the system cannot; 0, or -1 with errno.
 * Async-signal-safe.
 */
int pdeath_kill(pid_t parent);

#endif
