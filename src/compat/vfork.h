/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_VFORK_H
#define COMPAT_VFORK_H

#include <sys/types.h>

/*
 * Runs child(arg) in a new process and returns its pid, or -1 with errno.
 * child must not return; it ends in exec or _exit(2), calls nothing but
 * async-signal-safe functions and may be sharing our memory: what it writes
 * there we may see or not, and we do not run before its exec when we do.
 */
pid_t vfork_run(void (*child)(void *arg), void *arg);

#endif
