/* SPDX-License-Identifier: ISC */
#if HAVE_TEE || HAVE_SPLICE
#define _GNU_SOURCE /* tee(2), splice(2) */
#endif

#include <errno.h>
#include <fcntl.h>

#include "compat/splice.h"

ssize_t
splice_tee(int from, int to, size_t n)
{
#if HAVE_TEE
	return tee(from, to, n, SPLICE_F_NONBLOCK);
#else
	(void)from;
	(void)to;
	(void)n;
	errno = ENOSYS;
	return -1;
#endif
}

ssize_t
splice_file(int file, off_t at, int to, size_t n)
{
#if HAVE_SPLICE
	loff_t from = at;

	return splice(file, &from, to, NULL, n, SPLICE_F_NONBLOCK);
#else
	(void)file;
	(void)at;
	(void)to;
	(void)n;
	errno = ENOSYS;
	return -1;
#endif
}
