/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_RANDOM_H
#define COMPAT_RANDOM_H

#include <stddef.h>

/*
 * size bytes from the system's generator, good for keys.  Waits until it has
 * been seeded where the system can tell.  0, or -1 with errno and nothing in
 * out that may be used.
 */
int random_bytes(void *out, size_t size);

#endif
