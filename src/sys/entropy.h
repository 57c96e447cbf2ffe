/* SPDX-License-Identifier: ISC */
#ifndef SYS_ENTROPY_H
#define SYS_ENTROPY_H

#include <stddef.h>

/* size random bytes, good for secrets.  0, or -1 with errno and none of use. */
int entropy(void *out, size_t size);

#endif
