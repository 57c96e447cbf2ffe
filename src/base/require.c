/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/require.h"

/* The line goes out in one write, so that it is not cut up by others. */
struct line {
	char text[512];
	size_t size;
};

static void
add(struct line *l, const char *s)
{
	size_t size, room;

	size = strlen(s);
	room = sizeof(l->text) - l->size;
	if (size > room)
		size = room;
	memcpy(l->text + l->size, s, size);
	l->size += size;
}

_Noreturn void
require_failed(const char *file, int line, const char *what)
{
	struct line l = { .size = 0 };
	char number[24];
	ssize_t n;

	if (num_text(number, sizeof(number), (uint64_t)line) == 0)
		number[0] = '\0';
	add(&l, file);
	add(&l, ":");
	add(&l, number);
	add(&l, ": required: ");
	add(&l, what);
	if (l.size == sizeof(l.text))
		l.size--;
	add(&l, "\n");
	n = write(STDERR_FILENO, l.text, l.size);
	(void)n; /* there is nobody left to tell */
	abort();
}
