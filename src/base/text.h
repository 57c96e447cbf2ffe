/* SPDX-License-Identifier: ISC */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Puts a text together in room that the caller has; it is NUL ended at any
 * time.  What does not fit is cut, and `cut` stays set, so one look at the
 * end is enough.
 */
struct text {
	char *at;
	size_t size, len; /* len: without the NUL */
	bool cut;
};

/* size > 0 */
void text_init(struct text *t, char *at, size_t size);
void text_add(struct text *t, const char *s);
void text_bytes(struct text *t, const char *s, size_t size);
void text_char(struct text *t, char c);
void text_num(struct text *t, uint64_t v);

#endif
