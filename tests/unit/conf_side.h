/* SPDX-License-Identifier: ISC */
#ifndef CONF_SIDE_H
#define CONF_SIDE_H

#include <stdlib.h>

#include "core/conf.h"

/* What the tests of configurations share. */

/* One with memory of its own; it ends with the test. */
static inline struct conf *
conf_new(void)
{
	struct conf *c = calloc(1, sizeof(*c));
	struct arena a;
	void *block = calloc(1, conf_memory());

	if (c == NULL || block == NULL)
		abort();
	arena_init(&a, block, conf_memory());
	conf_init(c, &a);
	return c;
}

/* Reads that text and nothing else. */
static inline bool
conf_of(struct conf *c, const char *text)
{
	conf_clear(c);
	conf_read(c, text, strlen(text), "t");
	return conf_end(c);
}

/* Its canonical text, NUL ended, in memory that the caller gives. */
struct conf_text {
	char at[CONF_TEXT_MAX + 1];
	size_t len;
	bool cut;
};

static inline void
conf_text_put(void *arg, const char *text, size_t size)
{
	struct conf_text *t = arg;

	if (size > CONF_TEXT_MAX - t->len) {
		t->cut = true;
		return;
	}
	memcpy(t->at + t->len, text, size);
	t->len += size;
	t->at[t->len] = '\0';
}

static inline bool
conf_text_of(const struct conf *c, struct conf_text *t)
{
	t->len = 0;
	t->at[0] = '\0';
	t->cut = false;
	return conf_print(c, conf_text_put, t) && !t->cut;
}

#endif
