/* SPDX-License-Identifier: ISC */
#include <orcm/types.h>

#include "base/name.h"
#include "base/require.h"

/* No <ctype.h>: what a letter is must not hang on a locale. */
static bool
good(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '@' ||
	    c == '-';
}

/* "." and ".." are directories wherever a name becomes a file. */
static bool
only_dots(const char *s, size_t len)
{
	return s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.'));
}

bool
name_ok(const char *s, size_t len)
{
	size_t i;

	if (len == 0 || len > ORCM_NAME_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!good(s[i]))
			return false;
	return !only_dots(s, len);
}

void
name_from(char *out, const char *text)
{
	size_t i;

	for (i = 0; i < ORCM_NAME_MAX && text[i] != '\0'; i++)
		out[i] = good(text[i]) ? text[i] : '_';
	if (i == 0)
		out[i++] = '_';
	if (only_dots(out, i))
		out[0] = '_';
	out[i] = '\0';
}

bool
copy_str(char *out, size_t size, const char *s)
{
	size_t i;

	REQUIRE(size > 0);
	for (i = 0; i < size - 1 && s[i] != '\0'; i++)
		out[i] = s[i];
	out[i] = '\0';
	return s[i] == '\0';
}
