/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_EXE_H
#define COMPAT_EXE_H

#include <stddef.h>

/*
 * Absolute path, free of links, of the running program's file in out[size].
 * argv0 is asked where the system does not tell; it must be what main() got,
 * and the working directory must still be the one of then if it is relative.
 * May be NULL.  0, or -1 with errno (ENOENT: cannot be found out).
 */
int exe_path(const char *argv0, char *out, size_t size);

#endif
