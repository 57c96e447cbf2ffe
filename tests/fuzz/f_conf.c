/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "core/conf.h"

#include "fuzz.h"

/*
 * The text of a configuration; a NUL begins another file.  Whatever it is,
 * there is an error or it is good; what is good is printed, and the print is
 * read as the same: an equal hash, no change, and the same print again.
 */
struct all {
	char text[CONF_TEXT_MAX];
	size_t len;
};

static void
put(void *arg, const char *text, size_t size)
{
	struct all *a = arg;

	REQUIRE(size <= CONF_TEXT_MAX - a->len);
	memcpy(a->text + a->len, text, size);
	a->len += size;
}

static struct conf *
make(void)
{
	struct conf *c = calloc(1, sizeof(*c));
	void *block = calloc(1, conf_memory());
	struct arena a;

	if (c == NULL || block == NULL)
		abort();
	arena_init(&a, block, conf_memory());
	conf_init(c, &a);
	return c;
}

static void
use_errors(const struct conf *c)
{
	uint32_t i;

	REQUIRE(c->bad == (c->errors_len > 0));
	for (i = 0; i < c->errors_len; i++) {
		REQUIRE(strlen(c->errors[i].text) > 0);
		REQUIRE(strlen(c->errors[i].text) <
		    sizeof(c->errors[i].text) - 1);
		REQUIRE(c->errors[i].place.file != NULL);
	}
}

static void
use(struct conf *c, struct conf *again)
{
	static struct all one, two;
	static struct conf_diff d;

	one.len = two.len = 0;
	REQUIRE(conf_print(c, put, &one));
	conf_clear(again);
	conf_read(again, one.text, one.len, "print");
	REQUIRE(conf_end(again));
	REQUIRE(conf_print(again, put, &two));
	REQUIRE(one.len == two.len &&
	    memcmp(one.text, two.text, one.len) == 0);
	REQUIRE(c->hash == again->hash);
	conf_diff(&d, c, again);
	REQUIRE(!conf_diff_next(&d));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf *c, *again;
	const char *text = (const char *)data, *end;
	size_t left = size, len;

	if (c == NULL) {
		c = make();
		again = make();
	}
	conf_clear(c);
	do {
		end = memchr(text, '\0', left);
		len = end != NULL ? (size_t)(end - text) : left;
		conf_read(c, text, len, "fuzz");
		text += len + (end != NULL);
		left -= len + (end != NULL);
	} while (left > 0);
	if (conf_end(c))
		use(c, again);
	else
		use_errors(c);
	return 0;
}
