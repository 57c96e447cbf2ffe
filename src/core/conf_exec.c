/* SPDX-License-Identifier: ISC */
/*
 * The program of an app and its environment.  Arguments are split at blanks,
 * as a shell would do it but for everything that makes a shell one: '...' and
 * "..." keep what stands between, a backslash keeps the next letter (within
 * "..." just '"' and '\'), and there are no variables, no patterns, no pipes.
 * Each argument is printed plain if that is possible, else within '...'.
 */
#include <string.h>

#include "base/require.h"
#include "core/conf_own.h"

/* Does a backslash at s keep the next letter? */
static bool
is_escape(const char *s, char quote)
{
	return *s == '\\' && (quote == '\0' ||
		(quote == '"' && (s[1] == '"' || s[1] == '\\')));
}

/*
 * The next argument into out, which has room for all of the text; what
 * follows it.  NULL at the end, and with *bad when it does not end.
 */
static const char *
next_word(const char *s, char *out, size_t *len, bool *bad)
{
	char quote = '\0';

	*len = 0;
	while (*s == ' ' || *s == '\t')
		s++;
	if (*s == '\0')
		return NULL;
	while (*s != '\0' && (quote != '\0' || (*s != ' ' && *s != '\t'))) {
		if (quote != '\0' ? *s == quote : (*s == '\'' || *s == '"')) {
			quote = quote != '\0' ? '\0' : *s;
			s++;
			continue;
		}
		if (is_escape(s, quote) && *++s == '\0') {
			*bad = true;
			return NULL;
		}
		out[(*len)++] = *s++;
	}
	*bad = quote != '\0';
	return *bad ? NULL : s;
}

static enum conf_verdict
read_exec(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	size_t size = strlen(value), len, words = 0, max;
	const char **list, *s;
	char *text;
	bool bad = false;

	/* Each argument but the last is followed by a blank. */
	text = conf_alloc(u->c, size + 1, 1);
	max = size / 2 + 1;
	list = conf_alloc(u->c, max + 1, sizeof(*list));
	for (s = value; (s = next_word(s, text, &len, &bad)) != NULL;) {
		REQUIRE(words < max);
		list[words++] = text;
		text[len] = '\0';
		text += len + 1;
	}
	if (bad) {
		CONF_VALUE_ERROR(u, " ends within an argument; close its "
		    "quote, or remove the backslash at the end");
		return CONF_SAID;
	}
	if (words == 0 || list[0][0] == '\0')
		return CONF_BAD;
	a->exec.word = list;
	a->exec.len = (uint32_t)words;
	return CONF_GOOD;
}

/* Letters that need no quotes wherever they stand. */
static bool
is_plain(char ch)
{
	return ch != ' ' && ch != '\t' && ch != '\'' && ch != '\\' &&
	    ch != '"';
}

static void
print_argument(const char *s, struct text *out)
{
	const char *p = s;

	while (*p != '\0' && is_plain(*p))
		p++;
	if (*p == '\0' && p != s) {
		text_add(out, s);
		return;
	}
	text_char(out, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			text_add(out, "'\\''");
		else
			text_char(out, *s);
	text_char(out, '\'');
}

static void
print_exec(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)c, (void)k, (void)n;
	for (i = 0; i < a->exec.len; i++) {
		if (i > 0)
			text_char(out, ' ');
		print_argument(a->exec.word[i], out);
	}
}

const struct conf_type conf_exec = { read_exec, print_exec };

/* The environment: one NAME=VALUE each time the key is given. */

static size_t
name_size(const char *s)
{
	size_t len = 0;

	while ((s[len] >= 'A' && s[len] <= 'Z') ||
	    (s[len] >= 'a' && s[len] <= 'z') || s[len] == '_' ||
	    (len > 0 && s[len] >= '0' && s[len] <= '9'))
		len++;
	return s[len] == '=' ? len : 0;
}

static enum conf_verdict
read_env(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	const char **list;
	size_t len = name_size(value);
	uint32_t i;

	if (len == 0)
		return CONF_BAD;
	if (strncmp(value, "ORCM_", 5) == 0) {
		CONF_VALUE_ERROR(u, ": names that begin with ORCM_ are set for "
		    "each replica; choose another");
		return CONF_SAID;
	}
	if (a->env.word == NULL)
		a->env.word = conf_alloc(u->c, u->tokens_len + 1,
		    sizeof(*list));
	list = (const char **)(uintptr_t)a->env.word;
	for (i = a->env.len; i > 0; i--) {
		/* With the '=', so that no name is part of another. */
		if (strncmp(list[i - 1], value, len + 1) == 0) {
			CONF_VALUE_ERROR(u, ": the app has that variable "
			    "already; give each of them once");
			return CONF_SAID;
		}
		if (strcmp(list[i - 1], value) < 0)
			break;
		list[i] = list[i - 1];
	}
	list[i] = value;
	a->env.len++;
	return CONF_GOOD;
}

static void
print_env(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	const struct conf_app *a = object;

	(void)c, (void)k;
	if (n < a->env.len)
		text_add(out, a->env.word[n]);
}

const struct conf_type conf_env = { read_env, print_env };
