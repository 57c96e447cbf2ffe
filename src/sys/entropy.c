/* SPDX-License-Identifier: ISC */
#include "sys/entropy.h"

#include "compat/random.h"

int
entropy(void *out, size_t size)
{
	return random_bytes(out, size);
}
