/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/num.h"
#include "base/require.h"
#include "base/text.h"

void
text_init(struct text *t, char *at, size_t size)
{
	REQUIRE(size > 0);
	t->at = at;
	t->size = size;
	t->len = 0;
	t->cut = false;
	at[0] = '\0';
}

void
text_bytes(struct text *t, const char *s, size_t size)
{
	size_t room = t->size - 1 - t->len;

	if (size > room) {
		size = room;
		t->cut = true;
	}
	memcpy(t->at + t->len, s, size);
	t->len += size;
	t->at[t->len] = '\0';
}

void
text_add(struct text *t, const char *s)
{
	text_bytes(t, s, strlen(s));
}

void
text_char(struct text *t, char c)
{
	text_bytes(t, &c, 1);
}

void
text_num(struct text *t, uint64_t v)
{
	char digits[NUM_TEXT_MAX];

	(void)num_text(digits, sizeof(digits), v);
	text_add(t, digits);
}
