/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/require.h"
#include "sys/out.h"

/*
 * Records for shells on standard output.  Keeps which columns were chosen
 * and in which order; the values of a row stay the caller's.  It buffers
 * with stdio, so a program that shows things as they happen calls out_end()
 * after each row.  It never aligns, never asks for the width of a terminal
 * and never colours: what a person sees is what a script gets.  Called by
 * src/cmd only.
 */

/* Index of the column with that name, or len. */
static size_t
find_column(const struct out *o, const char *name, size_t name_len)
{
	size_t i;

	for (i = 0; i < o->len; i++)
		if (strlen(o->columns[i].name) == name_len &&
		    memcmp(o->columns[i].name, name, name_len) == 0)
			break;
	return i;
}

/* Adds the columns that "a,b,c" names; each may be named once. */
static int
choose(struct out *o, const char *chosen)
{
	size_t len, column, i;

	for (;; chosen += len + 1) {
		len = strcspn(chosen, ",");
		column = find_column(o, chosen, len);
		if (column == o->len)
			return -1;
		for (i = 0; i < o->order_len; i++)
			if (o->order[i] == column)
				return -1;
		o->order[o->order_len++] = column;
		if (chosen[len] == '\0')
			return 0;
	}
}

int
out_init(struct out *o, const struct out_column *columns, size_t len,
    const char *chosen, bool header, bool json)
{
	size_t i;

	REQUIRE(len > 0 && len <= OUT_COLUMNS_MAX);
	memset(o, 0, sizeof(*o));
	o->columns = columns;
	o->len = len;
	o->header = header;
	o->json = json;
	if (chosen == NULL) {
		for (i = 0; i < len; i++)
			o->order[o->order_len++] = i;
		return 0;
	}
	if (choose(o, chosen) == -1) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

/* Is s a number of RFC 8259, section 6? */
static bool
is_number(const char *s)
{
	static const char digits[] = "0123456789";

	if (*s == '-')
		s++;
	if (*s < '0' || *s > '9')
		return false;
	s += *s == '0' ? 1 : strspn(s, digits);
	if (*s == '.') {
		if (strspn(s + 1, digits) == 0)
			return false;
		s += 1 + strspn(s + 1, digits);
	}
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		if (strspn(s, digits) == 0)
			return false;
		s += strspn(s, digits);
	}
	return *s == '\0';
}

/* 1 for yes, 0 for no, -1 for anything else. */
static int
truth(const char *s)
{
	if (strcmp(s, "yes") == 0 || strcmp(s, "true") == 0 ||
	    strcmp(s, "1") == 0)
		return 1;
	if (strcmp(s, "no") == 0 || strcmp(s, "false") == 0 ||
	    strcmp(s, "0") == 0)
		return 0;
	return -1;
}

/*
 * Bytes of the UTF-8 character that begins at s (RFC 3629: the shortest
 * form, no surrogates, up to U+10FFFF), 0 when there is none.
 */
static size_t
utf8_size(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t size, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	size = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	for (i = 1; i < size; i++, low = 0x80, high = 0xbf)
		if (s[i] < low || s[i] > high)
			return 0;
	return size;
}

/* A string of RFC 8259, section 7; what is no UTF-8 becomes U+FFFD. */
static void
json_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t size;

	putchar('"');
	for (; *s != '\0'; s += size) {
		size = utf8_size(s);
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", stdout);
		else if (*s == '\t')
			fputs("\\t", stdout);
		else if (*s == '\r')
			fputs("\\r", stdout);
		else if (*s < 0x20 || *s == 0x7f)
			printf("\\u%04x", *s);
		else if (size > 0)
			fwrite(s, 1, size, stdout);
		else {
			fputs("\\ufffd", stdout);
			size = 1;
		}
	}
	putchar('"');
}

static void
json_value(enum out_form form, const char *value)
{
	int yes;

	if (value == NULL || value[0] == '\0')
		fputs("null", stdout);
	else if (form == OUT_NUMBER && is_number(value))
		fputs(value, stdout);
	else if (form == OUT_BOOL && (yes = truth(value)) != -1)
		fputs(yes ? "true" : "false", stdout);
	else
		json_string(value);
}

static void
text_value(enum out_form form, const char *value)
{
	int yes;

	if (value == NULL || value[0] == '\0')
		putchar('-');
	else if (form == OUT_BOOL && (yes = truth(value)) != -1)
		fputs(yes ? "yes" : "no", stdout);
	else
		for (; *value != '\0'; value++)
			putchar((unsigned char)*value < 0x20 ||
			    *value == 0x7f ? '?' : *value);
}

void
out_header(const struct out *o)
{
	size_t i;

	if (!o->header || o->json)
		return;
	for (i = 0; i < o->order_len; i++)
		printf("%s%s", i == 0 ? "" : "\t",
		    o->columns[o->order[i]].name);
	putchar('\n');
}

void
out_row(const struct out *o, const char *const *values)
{
	const struct out_column *c;
	size_t i;

	if (o->json)
		putchar('{');
	for (i = 0; i < o->order_len; i++) {
		c = &o->columns[o->order[i]];
		if (i > 0)
			putchar(o->json ? ',' : '\t');
		if (o->json) {
			json_string(c->name);
			putchar(':');
			json_value(c->form, values[o->order[i]]);
		} else
			text_value(c->form, values[o->order[i]]);
	}
	if (o->json)
		putchar('}');
	putchar('\n');
}

int
out_end(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	/* An earlier, unseen failure has left no errno. */
	if (errno == 0)
		errno = EIO;
	return -1;
}
