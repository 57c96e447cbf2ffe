/* SPDX-License-Identifier: ISC */
#ifndef SYS_SPAWN_H
#define SYS_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * Starting a program.  The child begins with default signal dispositions and
 * an empty mask, and with no descriptor but those named.  The cost does not
 * depend on the parent's size (vfork(2) where there is one, else fork(2)).
 */
struct spawn_limit {
	int resource;
	struct rlimit value;
};

struct spawn {
	/*
	 * A path (has a '/'; as seen from dir), or a name for a search along
	 * PATH in envp.  What has no format that the system knows is given
	 * to /bin/sh, as execvp(3) does.
	 */
	const char *file;
	char *const *argv, *const *envp;
	int fd[3];	    /* become 0, 1, 2; -1: /dev/null */
	const int *keep;    /* other descriptors that stay open, above 2 */
	size_t keep_len;
	int dir;	    /* descriptor of the working directory, or -1 */
	bool session;	    /* a session of its own, else a process group */
	bool die_with_parent; /* KILL when the parent dies, where possible */
	int umask;	    /* -1: as the parent's */
	int nice;	    /* absolute nice value, or SPAWN_NICE_KEEP */
	const struct spawn_limit *limits;
	size_t limits_len;
};

#define SPAWN_NICE_KEEP 127

/*
 * Fills *s for a process of ours: apart in its session, with our environment
 * and stderr, and nothing else of us.
 */
void spawn_apart(struct spawn *s, const char *file, char *const *argv);
/*
 * The child's pid once the program has been executed.  -1 with errno of
 * whatever failed in the child, exec included (ENOENT, EACCES, ...); then no
 * child is left.
 */
pid_t spawn(const struct spawn *s);
/*
 * A whole path for a name, as execvp would search it (PATH from envp, or the
 * system's default).  0; or -1 with ENOENT (nothing of that name) or EACCES
 * (found, not executable).
 */
int spawn_find(const char *file, char *const *envp, char *path, size_t size);

#endif
