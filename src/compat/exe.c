/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat/exe.h"

/*
 * Where the running program's file is.  Linux tells; elsewhere it is found
 * again as the shell found it, which goes wrong only when somebody lied in
 * argv[0] or changed the working directory before we were asked.  Keeps
 * nothing and opens nothing.  Called by src/sys/path.c, to find the programs
 * that lie beside this one.
 */

#ifndef PATH_MAX
#define PATH_MAX 4096 /* POSIX lets a system without a limit leave it out */
#endif

#if HAVE_PROC_SELF_EXE
/* What the kernel says, even when argv[0] says something else. */
static int
from_kernel(char *out, size_t size)
{
	static const char gone[] = " (deleted)";
	const size_t gone_len = sizeof(gone) - 1;
	ssize_t n;

	n = readlink("/proc/self/exe", out, size);
	if (n == -1)
		return -1;
	if (n == 0 || (size_t)n >= size || out[0] != '/') {
		errno = n == 0 || out[0] != '/' ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	out[n] = '\0';
	/* An upgrade renamed a new file over ours; the place is the same. */
	if ((size_t)n > gone_len &&
	    strcmp(out + (size_t)n - gone_len, gone) == 0)
		out[(size_t)n - gone_len] = '\0';
	return 0;
}
#endif

/* realpath(3) of file, if it is something that can be executed. */
static int
resolve(const char *file, char *out, size_t size)
{
	struct stat st;
	char *whole;
	size_t len;

	if (stat(file, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || access(file, X_OK) == -1) {
		errno = ENOENT;
		return -1;
	}
	whole = realpath(file, NULL);
	if (whole == NULL)
		return -1;
	len = strlen(whole);
	if (len >= size) {
		free(whole);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(out, whole, len + 1);
	free(whole);
	return 0;
}

/* As the shell found us: by argv[0], along PATH when it has no slash. */
static int
from_argv0(const char *argv0, char *out, size_t size)
{
	char file[PATH_MAX];
	const char *p, *end;
	int n;

	if (argv0 == NULL || argv0[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	if (strchr(argv0, '/') != NULL)
		return resolve(argv0, out, size);
	p = getenv("PATH");
	while (p != NULL) {
		end = strchr(p, ':');
		n = end != NULL ? (int)(end - p) : (int)strlen(p);
		/* An empty element means the working directory. */
		n = snprintf(file, sizeof(file), "%.*s/%s", n == 0 ? 1 : n,
		    n == 0 ? "." : p, argv0);
		if (n > 0 && (size_t)n < sizeof(file) &&
		    resolve(file, out, size) == 0)
			return 0;
		p = end != NULL ? end + 1 : NULL;
	}
	errno = ENOENT;
	return -1;
}

int
exe_path(const char *argv0, char *out, size_t size)
{
#if HAVE_PROC_SELF_EXE
	if (from_kernel(out, size) == 0)
		return 0;
#endif
	return from_argv0(argv0, out, size);
}
