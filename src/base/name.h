/* SPDX-License-Identifier: ISC */
#ifndef BASE_NAME_H
#define BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Is s a name: 1..63 characters of [A-Za-z0-9._@-], not "." or ".."? */
bool name_ok(const char *s, size_t len);
/*
 * Makes a name out of any text: other characters become '_', the length is
 * cut, an empty text becomes "_".  out has ORCM_NAME_MAX + 1 bytes.
 */
void name_from(char *out, const char *text);
/*
 * Copies s into out[size], cut if it must be, always NUL ended (size > 0).
 * False when it was cut.
 */
bool copy_str(char *out, size_t size, const char *s);

#endif
