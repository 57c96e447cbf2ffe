/* SPDX-License-Identifier: ISC */
/*
 * From lines to words.  Blanks separate; "..." holds blanks and, after a
 * backslash, '"' and '\'; '#' where a word could begin ends the line; a
 * backslash at the end of a line says that the next one belongs to it.
 *
 * Words are copied without their quotes, so their places in the text are
 * gone, but for the line of each.  A line with a mistake ends at it: what
 * stood before is kept, so that a thing that was begun is known to others and
 * does not cause errors there too.
 */
#include <string.h>

#include "base/require.h"
#include "core/conf_own.h"

struct conf_place
conf_token_place(const struct conf *c, const struct conf_token *t)
{
	struct conf_place p = { c->work->files[t->file], t->line };

	return p;
}

static struct conf_place
here(const struct conf *c)
{
	struct conf_place p = { c->work->files[c->work->files_len - 1],
		c->work->line };

	return p;
}

void
conf_text_end(struct conf *c)
{
	struct conf_work *w = c->work;

	if (w->open)
		CONF_ERROR(c, here(c), "a backslash ends the last line, but "
		    "there is no next one; remove it");
	w->open = w->begun = w->skip = false;
}

void
conf_file(struct conf *c, const char *name)
{
	struct conf_work *w = c->work;
	struct text t;

	if (w->files_len > 0)
		conf_text_end(c);
	w->line = 0;
	if (w->files_len == CONF_FILES_MAX) {
		CONF_ERROR(c, here(c), "more than 64 files; put some of them "
		    "together");
		return;
	}
	text_init(&t, w->files[w->files_len++], CONF_FILE_MAX);
	text_add(&t, name);
}

void
conf_complain_file(struct conf *c, const char *file, const char *text)
{
	struct conf_place p;

	conf_file(c, file);
	p = here(c);
	conf_complain(c, p, text);
}

static bool
is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/* One letter of the word in hand. */
static void
put(struct conf_work *w, char ch)
{
	struct conf_token *t = &w->tokens[w->tokens_len];

	if (ch == '=' && t->equals == CONF_NO_EQUALS)
		t->equals = w->text_len - t->at;
	/* A word needs no more than it and what ends it had in the line. */
	REQUIRE(w->text_len < CONF_TEXT_MAX);
	w->text[w->text_len++] = ch;
}

/* "...": what follows the closing quote, or NULL and a complaint. */
static const char *
quoted(struct conf *c, const char *s, const char *end)
{
	for (s++; s < end && *s != '"'; s++) {
		if (*s == '\\') {
			s++;
			if (s == end || (*s != '"' && *s != '\\')) {
				CONF_ERROR(c, here(c), "a backslash between "
				    "quotes that is followed by neither \" "
				    "nor \\; write \\\\ for one backslash");
				return NULL;
			}
		} else if ((unsigned char)*s < ' ' && *s != '\t') {
			CONF_ERROR(c, here(c), "a control character between "
			    "quotes; remove it");
			return NULL;
		}
		put(c->work, *s);
	}
	if (s == end) {
		CONF_ERROR(c, here(c), "a quote that is not closed on its "
		    "line; end the value with \"");
		return NULL;
	}
	return s + 1;
}

/* A letter outside of quotes; false and a complaint when it may not be. */
static bool
plain(struct conf *c, char ch)
{
	if (ch == '\r') {
		CONF_ERROR(c, here(c), "a carriage return; convert the file "
		    "to lines that end with a newline alone");
		return false;
	}
	if ((unsigned char)ch < ' ' || ch == 127) {
		CONF_ERROR(c, here(c), "a control character; remove it");
		return false;
	}
	if (ch == '\\') {
		CONF_ERROR(c, here(c), "a backslash within a line; put the "
		    "value in quotes and write \\\\ there");
		return false;
	}
	put(c->work, ch);
	return true;
}

/* What follows the word at s, or NULL and a complaint. */
static const char *
word(struct conf *c, const char *s, const char *end)
{
	struct conf_work *w = c->work;
	struct conf_token *t;

	REQUIRE(w->tokens_len < CONF_TOKENS_MAX);
	t = &w->tokens[w->tokens_len];
	t->at = w->text_len;
	t->line = w->line;
	t->file = (uint8_t)(w->files_len - 1);
	t->equals = CONF_NO_EQUALS;
	t->first = !w->begun;
	t->broken = false;
	while (s != NULL && s < end && !is_blank(*s) &&
	    !(*s == '\\' && s + 1 == end)) {
		if (*s == '"') {
			s = quoted(c, s, end);
		} else {
			s = plain(c, *s) ? s + 1 : NULL;
		}
	}
	if (s == NULL) {
		w->text_len = t->at;
		if (w->begun)
			t[-1].broken = true;
		return NULL;
	}
	put(w, '\0');
	w->tokens_len++;
	w->begun = true;
	return s;
}

/* Is there room for it?  A configuration that is too long is said once. */
static bool
room(struct conf *c, size_t size)
{
	struct conf_work *w = c->work;

	if (w->full)
		return false;
	if (size >= CONF_TEXT_MAX - w->fed) {
		w->full = true;
		CONF_ERROR(c, here(c), "more than 65536 bytes of "
		    "configuration end here; shorten it");
		return false;
	}
	w->fed += (uint32_t)size + 1;
	return true;
}

void
conf_feed_line(struct conf *c, const char *line, size_t size)
{
	struct conf_work *w = c->work;
	const char *s = line, *end;

	REQUIRE(w->files_len > 0);
	if (size > 0 && line[size - 1] == '\n')
		size--;
	end = line + size;
	w->line++;
	if (!room(c, size))
		return;
	if (!w->open)
		w->begun = false;
	w->open = false;
	if (w->skip) {
		w->skip = size > 0 && end[-1] == '\\';
		return;
	}
	for (;;) {
		while (s < end && is_blank(*s))
			s++;
		if (s == end || *s == '#')
			return;
		if (*s == '\\' && s + 1 == end) {
			w->open = true;
			return;
		}
		s = word(c, s, end);
		if (s == NULL) {
			w->skip = end[-1] == '\\';
			return;
		}
	}
}

void
conf_read(struct conf *c, const char *text, size_t size, const char *name)
{
	const char *end = text + size, *newline;

	conf_file(c, name);
	while (text < end) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (newline == NULL)
			newline = end;
		conf_feed_line(c, text, (size_t)(newline - text));
		if (newline == end)
			return;
		text = newline + 1;
	}
}

bool
conf_next(const char *list, size_t *at, char *out, size_t size)
{
	const char *s = list + *at, *comma;
	size_t len;

	if (*at > 0 && s[-1] == '\0')
		return false;
	comma = strchr(s, ',');
	len = comma != NULL ? (size_t)(comma - s) : strlen(s);
	*at += len + 1;
	if (len >= size)
		len = size - 1;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}
