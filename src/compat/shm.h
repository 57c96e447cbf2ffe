/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_SHM_H
#define COMPAT_SHM_H

#include <stddef.h>

/*
 * size bytes of zeroed shared memory without a name, mapped for reading and
 * writing.  Its blocks are reserved: a later access cannot fail for want of
 * memory.  *fd becomes a close-on-exec descriptor through which others can
 * only read.  The caller unmaps and closes.  NULL with errno (ENOSPC: no
 * memory is left).
 */
void *shm_make(size_t size, int *fd);

#endif
