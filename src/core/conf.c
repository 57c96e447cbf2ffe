/* SPDX-License-Identifier: ISC */
/*
 * The tables of a configuration and its list of errors.
 *
 * The text goes through four hands: conf_text.c cuts it into words,
 * conf_read.c makes things and their keys of them, conf_link.c adds what
 * follows from it, conf_check.c looks whether it fits together.  All
 * memory is taken at the start, at its limits; what no line touches is never
 * used.  It knows neither files nor plug-ins: who has them (lib/confload.c)
 * feeds lines and adds complaints.
 */
#include <string.h>

#include "base/hash.h"
#include "base/require.h"
#include "core/conf_own.h"

/* Bytes of one part of an error; no text of ours has more. */
#define PART_MAX 130u
#define PART_SHOWN 60u /* of one that is longer */

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/* What an arena takes for len elements of size bytes. */
static size_t
slice(size_t len, size_t size)
{
	return (len * size + 15) / 16 * 16;
}

size_t
conf_memory(void)
{
	const struct conf *c = NULL;
	const struct conf_work *w = NULL;

	return slice(CONF_NODES_MAX, sizeof(*c->nodes)) +
	    slice(CONF_GROUPS_MAX, sizeof(*c->groups)) +
	    slice(CONF_APPS_MAX, sizeof(*c->apps)) +
	    slice(CONF_PLUGINS_MAX, sizeof(*c->plugins)) +
	    slice(CONF_ATTRS_MAX, sizeof(*c->attrs)) +
	    slice(CONF_ERRORS_MAX, sizeof(*c->errors)) +
	    slice(1, sizeof(*w)) +
	    slice(CONF_FILES_MAX, sizeof(*w->files)) +
	    slice(CONF_TEXT_MAX, 1) +
	    slice(CONF_TOKENS_MAX, sizeof(*w->tokens)) +
	    slice(CONF_RECORDS_MAX, sizeof(*w->records)) +
	    slice(CONF_POOL_MAX, 1);
}

void
conf_init(struct conf *c, struct arena *a)
{
	struct conf_work *w;

	memset(c, 0, sizeof(*c));
	c->nodes = arena_alloc(a, CONF_NODES_MAX, sizeof(*c->nodes));
	c->groups = arena_alloc(a, CONF_GROUPS_MAX, sizeof(*c->groups));
	c->apps = arena_alloc(a, CONF_APPS_MAX, sizeof(*c->apps));
	c->plugins = arena_alloc(a, CONF_PLUGINS_MAX, sizeof(*c->plugins));
	c->attrs = arena_alloc(a, CONF_ATTRS_MAX, sizeof(*c->attrs));
	c->errors = arena_alloc(a, CONF_ERRORS_MAX, sizeof(*c->errors));
	w = arena_alloc(a, 1, sizeof(*w));
	w->files = arena_alloc(a, CONF_FILES_MAX, sizeof(*w->files));
	w->text = arena_alloc(a, CONF_TEXT_MAX, 1);
	w->tokens = arena_alloc(a, CONF_TOKENS_MAX, sizeof(*w->tokens));
	w->records = arena_alloc(a, CONF_RECORDS_MAX, sizeof(*w->records));
	w->pool = arena_alloc(a, CONF_POOL_MAX, 1);
	c->work = w;
	c->generation = 1;
}

void
conf_clear(struct conf *c)
{
	struct conf_work *w = c->work;
	struct conf fresh = { .nodes = c->nodes, .groups = c->groups,
		.apps = c->apps, .plugins = c->plugins, .attrs = c->attrs,
		.errors = c->errors, .work = w, .generation = 1 };

	*c = fresh;
	w->files_len = w->line = w->fed = 0;
	w->full = w->open = w->begun = w->skip = false;
	w->text_len = w->tokens_len = w->records_len = w->pool_used = 0;
	memset(w->base, 0, sizeof(w->base));
}

/* A zeroed piece of the pool, good until conf_clear(). */
void *
conf_alloc(struct conf *c, size_t len, size_t size)
{
	struct conf_work *w = c->work;
	void *p = w->pool + w->pool_used;

	size = slice(len, size);
	REQUIRE(size <= CONF_POOL_MAX - w->pool_used);
	w->pool_used += (uint32_t)size;
	return memset(p, 0, size);
}

void
conf_follow(struct conf *c, uint64_t old_generation, uint64_t old_hash)
{
	c->generation = old_generation + (c->hash != old_hash);
}

/* Things by keyword. */

const char *
conf_keyword_name(enum conf_keyword k)
{
	static const char *const names[CONF_KEYWORDS] = {
		[CONF_DVM] = "dvm",
		[CONF_NODE] = "node",
		[CONF_GROUP] = "group",
		[CONF_APP] = "app",
		[CONF_PLUGIN] = "plugin",
	};

	REQUIRE(k < CONF_KEYWORDS);
	return names[k];
}

uint32_t
conf_len(const struct conf *c, enum conf_keyword k)
{
	switch (k) {
	case CONF_DVM:
		return c->dvm.name[0] != '\0';
	case CONF_NODE:
		return c->nodes_len;
	case CONF_GROUP:
		return c->groups_len;
	case CONF_APP:
		return c->apps_len;
	default:
		return c->plugins_len;
	}
}

void *
conf_object(const struct conf *c, enum conf_keyword k, uint32_t i)
{
	REQUIRE(i < conf_len(c, k));
	switch (k) {
	case CONF_DVM:
		return (void *)(uintptr_t)&c->dvm;
	case CONF_NODE:
		return &c->nodes[i];
	case CONF_GROUP:
		return &c->groups[i];
	case CONF_APP:
		return &c->apps[i];
	default:
		return &c->plugins[i];
	}
}

/* Each of them begins with its name. */
_Static_assert(offsetof(struct conf_dvm, name) == 0, "name");
_Static_assert(offsetof(struct conf_node, name) == 0, "name");
_Static_assert(offsetof(struct conf_group, name) == 0, "name");
_Static_assert(offsetof(struct conf_app, name) == 0, "name");
_Static_assert(offsetof(struct conf_plugin, name) == 0, "name");

const char *
conf_name(const struct conf *c, enum conf_keyword k, uint32_t i)
{
	return conf_object(c, k, i);
}

/* Is `part` "a" or "a:b", and `name` "a:b:c"? */
static bool
begins(const char *name, const char *part)
{
	size_t len = strlen(part);

	return strncmp(name, part, len) == 0 && name[len] == ':';
}

uint32_t
conf_find(const struct conf *c, enum conf_keyword k, const char *name)
{
	uint32_t i, fits = 0, found = CONF_NONE;

	for (i = 0; i < conf_len(c, k); i++) {
		if (strcmp(conf_name(c, k, i), name) == 0)
			return i;
		if (k == CONF_APP && begins(c->apps[i].name, name)) {
			fits++;
			found = i;
		}
	}
	return fits == 1 ? found : CONF_NONE;
}

struct conf_place
conf_where(const struct conf *c, enum conf_keyword k, uint32_t i,
    const char *key)
{
	/* Tables and records are sorted alike. */
	const struct conf_record *r = &c->work->records[c->work->base[k] + i];
	const struct conf_token *t;
	uint32_t at;

	REQUIRE(i < conf_len(c, k));
	for (at = r->keys; at < r->first + r->len; at++) {
		t = &c->work->tokens[at];
		if (t->equals == strlen(key) &&
		    memcmp(c->work->text + t->at, key, t->equals) == 0)
			return conf_token_place(c, t);
	}
	return conf_token_place(c, &c->work->tokens[r->first]);
}

/* Errors. */

static bool
before(const struct conf_place *a, const struct conf_place *b)
{
	/* Names lie in one table, in the order of the files. */
	if (a->file != b->file)
		return a->file < b->file;
	return a->line < b->line;
}

/* Room for one more: a warning makes way for an error. */
static bool
make_room(struct conf *c, bool warning)
{
	uint32_t i = c->errors_len;

	if (i < CONF_ERRORS_MAX)
		return true;
	c->errors_lost++;
	if (warning)
		return false;
	while (i > 0 && !c->errors[i - 1].warning)
		i--;
	if (i == 0)
		return false;
	memmove(&c->errors[i - 1], &c->errors[i],
	    (c->errors_len - i) * sizeof(*c->errors));
	c->errors_len--;
	return true;
}

/* By place; of the same place in the order in which they were found. */
static struct conf_error *
add_error(struct conf *c, struct conf_place place, bool warning)
{
	uint32_t at;

	c->bad = c->bad || !warning;
	if (!make_room(c, warning))
		return NULL;
	for (at = c->errors_len; at > 0; at--) {
		if (!before(&place, &c->errors[at - 1].place))
			break;
		c->errors[at] = c->errors[at - 1];
	}
	c->errors_len++;
	c->errors[at].place = place;
	c->errors[at].warning = warning;
	return &c->errors[at];
}

/* What stands in a text need not be fit to be shown. */
static void
add_part(struct text *t, const char *part)
{
	size_t len = strlen(part), i, shown = len;

	if (len > PART_MAX)
		shown = PART_SHOWN;
	for (i = 0; i < shown; i++)
		text_char(t,
		    (unsigned char)part[i] < ' ' || part[i] == 127 ? '?' :
								    part[i]);
	if (shown < len)
		text_add(t, "...");
}

void
conf_say(struct conf *c, struct conf_place place, bool warning,
    const char *const *parts)
{
	struct conf_error *e = add_error(c, place, warning);
	struct text t;

	if (e == NULL)
		return;
	text_init(&t, e->text, sizeof(e->text));
	for (; *parts != NULL; parts++)
		add_part(&t, *parts);
}

void
conf_say_value(struct conf_use *u, const char *const *parts)
{
	struct conf_error *e = add_error(u->c, u->place, false);
	const char *const head[] = {
		conf_keyword_name(u->key->keyword), " ",
		conf_name(u->c, u->key->keyword, u->index), ": ",
		u->key->name, "=", u->value,
	};
	struct text t;
	size_t i;

	if (e == NULL)
		return;
	text_init(&t, e->text, sizeof(e->text));
	for (i = 0; i < LEN(head); i++)
		add_part(&t, head[i]);
	for (; *parts != NULL; parts++)
		add_part(&t, *parts);
}

void
conf_complain(struct conf *c, struct conf_place place, const char *text)
{
	struct conf_error *e = add_error(c, place, false);
	struct text t;

	if (e == NULL)
		return;
	text_init(&t, e->text, sizeof(e->text));
	text_add(&t, text);
}
