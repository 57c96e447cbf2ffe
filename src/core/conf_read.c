/* SPDX-License-Identifier: ISC */
/*
 * From words to things.  First every line is looked at for its keyword and
 * its name; so all names are known, and sorted, before the first key is read,
 * and a key may name what stands further down.  Then the keys, by the table
 * in conf_key.c: those of the DVM, of nodes and groups, then of what names
 * these.  Keys that were not given get what is usual.
 *
 * A mistake ends the value that it is in, nothing else, so that one look
 * shows all of them.  How things fit together is looked at only when each of
 * them is good.
 */
#include <string.h>

#include "base/hash.h"
#include "base/name.h"
#include "base/num.h"
#include "base/require.h"
#include "core/conf_own.h"

/* Kinds of plug-ins: each is a directory of plugins/. */
static const char *const plugin_kinds[] = { "config", "errmgr", "leader",
	"map", "member", "predict", "sensor", "storm", "transport" };

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const char *
token_text(const struct conf *c, uint32_t at)
{
	return c->work->text + c->work->tokens[at].at;
}

static struct conf_place
token_place(const struct conf *c, uint32_t at)
{
	return conf_token_place(c, &c->work->tokens[at]);
}

/* Lines: keyword and name. */

/* One to three names with ':' between. */
static bool
app_name_ok(const char *s)
{
	const char *colon;
	int parts;

	for (parts = 0; parts < 3; parts++) {
		colon = strchr(s, ':');
		if (colon == NULL)
			return name_ok(s, strlen(s));
		if (!name_ok(s, (size_t)(colon - s)))
			return false;
		s = colon + 1;
	}
	return false;
}

static bool
keyword_of(struct conf *c, struct conf_record *r)
{
	const char *word = token_text(c, r->first), *near = NULL, *name;
	unsigned far, best = CONF_FAR;
	enum conf_keyword k;

	for (k = 0; k < CONF_KEYWORDS; k++) {
		name = conf_keyword_name(k);
		far = conf_distance(word, name);
		if (far < best) {
			best = far;
			near = name;
			r->keyword = k;
		}
	}
	if (best == 0)
		return true;
	if (near != NULL)
		CONF_ERROR(c, token_place(c, r->first), "there is no keyword ",
		    word, "; did you mean ", near, "?");
	else
		CONF_ERROR(c, token_place(c, r->first), "there is no keyword ",
		    word, "; a line begins with dvm, node, group, app or "
		    "plugin");
	return false;
}

/* KIND NAME become KIND:NAME, which no name of ours can be. */
static bool
plugin_name(struct conf *c, struct conf_record *r)
{
	const char *kind = r->name, *name;
	struct text t;
	char *joined;
	size_t i, size;

	for (i = 0; i < LEN(plugin_kinds); i++)
		if (strcmp(kind, plugin_kinds[i]) == 0)
			break;
	if (i == LEN(plugin_kinds)) {
		CONF_ERROR(c, token_place(c, r->first), "plugin ", kind,
		    ": there are no plug-ins of that kind; orcm-info(1) shows "
		    "the kinds");
		return false;
	}
	name = r->len > 2 ? token_text(c, r->keys) : "";
	if (r->len < 3 && r->broken)
		return false;
	if (!name_ok(name, strlen(name))) {
		CONF_ERROR(c, token_place(c, r->first), "plugin ", kind,
		    ": the name of a plug-in follows; write plugin ", kind,
		    " NAME key=value ...");
		return false;
	}
	r->keys++;
	size = strlen(kind) + strlen(name) + 2;
	joined = conf_alloc(c, size, 1);
	text_init(&t, joined, size);
	text_add(&t, kind);
	text_char(&t, ':');
	text_add(&t, name);
	r->name = joined;
	return true;
}

static bool
name_of(struct conf *c, struct conf_record *r)
{
	const char *keyword = conf_keyword_name(r->keyword), *what = "";
	bool good;

	r->keys = r->first + 2;
	r->name = r->len > 1 ? token_text(c, r->first + 1) : "";
	if (r->len < 2 && r->broken)
		return false;
	if (r->len < 2 ||
	    c->work->tokens[r->first + 1].equals != CONF_NO_EQUALS) {
		CONF_ERROR(c, token_place(c, r->first), keyword,
		    ": a name follows; write ", keyword,
		    r->keyword == CONF_PLUGIN ? " KIND" : "",
		    " NAME key=value ...");
		return false;
	}
	if (r->keyword == CONF_PLUGIN)
		return plugin_name(c, r);
	good = r->keyword == CONF_APP ? app_name_ok(r->name) :
					name_ok(r->name, strlen(r->name));
	if (r->keyword == CONF_APP)
		what = ", and :VERSION:RELEASE of such names";
	if (!good)
		CONF_ERROR(c, token_place(c, r->first), keyword, " ", r->name,
		    ": that is not a name; use 1 to 63 of A-Z a-z 0-9 . _ @ "
		    "-", what);
	return good;
}

static int
order(const struct conf_record *a, const struct conf_record *b)
{
	if (a->keyword != b->keyword)
		return a->keyword < b->keyword ? -1 : 1;
	return a->keyword == CONF_DVM ? 0 : strcmp(a->name, b->name);
}

static void
say_double(struct conf *c, const struct conf_record *r,
    const struct conf_record *old)
{
	struct conf_place was = token_place(c, old->first);
	char line[NUM_TEXT_MAX];

	(void)num_text(line, sizeof(line), was.line);
	CONF_ERROR(c, token_place(c, r->first), conf_keyword_name(r->keyword),
	    " ", r->name, r->keyword == CONF_DVM ?
	    ": a configuration has one dvm, and there is one at " :
	    ": that name is taken at ", was.file, ":", line,
	    r->keyword == CONF_DVM ? "; remove one of them" :
	    "; choose another, or remove one of them");
}

/* Puts it where it belongs, unless it is there already or is too much. */
static void
add_record(struct conf *c, const struct conf_record *r)
{
	static const uint32_t limits[CONF_KEYWORDS] = {
		[CONF_DVM] = 1,
		[CONF_NODE] = CONF_NODES_MAX,
		[CONF_GROUP] = CONF_GROUPS_MAX,
		[CONF_APP] = CONF_APPS_MAX,
		[CONF_PLUGIN] = CONF_PLUGINS_MAX,
	};
	struct conf_work *w = c->work;
	uint32_t at, i, same = 0;
	char limit[NUM_TEXT_MAX];

	for (i = 0; i < w->records_len; i++) {
		same += w->records[i].keyword == r->keyword;
		if (order(&w->records[i], r) == 0) {
			say_double(c, r, &w->records[i]);
			return;
		}
	}
	if (same == limits[r->keyword]) {
		(void)num_text(limit, sizeof(limit), same);
		CONF_ERROR(c, token_place(c, r->first),
		    conf_keyword_name(r->keyword), " ", r->name,
		    ": there are ", limit, " before it, and no more are "
		    "possible; remove some");
		return;
	}
	for (at = w->records_len; at > 0; at--) {
		if (order(&w->records[at - 1], r) < 0)
			break;
		w->records[at] = w->records[at - 1];
	}
	w->records[at] = *r;
	w->records_len++;
}

/* What follows keyword and name is key=value. */
static void
check_words(struct conf *c, const struct conf_record *r)
{
	const char *word;
	uint32_t at;

	for (at = r->keys; at < r->first + r->len; at++) {
		word = token_text(c, at);
		if (c->work->tokens[at].equals == CONF_NO_EQUALS)
			CONF_ERROR(c, token_place(c, at),
			    conf_keyword_name(r->keyword), " ", r->name, ": ",
			    word, " is not key=value; put values with blanks "
			    "in quotes, and a backslash at the end of a line "
			    "that goes on");
	}
}

static void
collect(struct conf *c)
{
	struct conf_work *w = c->work;
	struct conf_record r;
	uint32_t at = 0;

	while (at < w->tokens_len) {
		memset(&r, 0, sizeof(r));
		r.first = at++;
		while (at < w->tokens_len && !w->tokens[at].first)
			at++;
		r.len = at - r.first;
		r.broken = w->tokens[at - 1].broken;
		if (!keyword_of(c, &r) || !name_of(c, &r))
			continue;
		check_words(c, &r);
		add_record(c, &r);
	}
}

/* Things: all names, and what cannot be told from zeroes. */

static uint64_t
app_id(const char *name)
{
	uint64_t id = hash_of(name, strlen(name)) & ~UINT64_C(0xffff);

	return id != 0 ? id : UINT64_C(0x10000);
}

static void
declare_plugin(struct conf_plugin *p)
{
	const char *colon = strchr(p->name, ':');

	REQUIRE(colon != NULL);
	memcpy(p->kind, p->name, (size_t)(colon - p->name));
	p->plugin = colon + 1;
}

/* One more in a table, with nothing but its name, which comes first. */
static void *
add_thing(void *things, size_t size, uint32_t *len, const char *name,
    size_t name_size)
{
	char *thing = (char *)things + (*len)++ * size;

	memset(thing, 0, size);
	/* It fits: name_of() has seen it. */
	(void)copy_str(thing, name_size, name);
	return thing;
}
#define ADD_THING(c, things, name_)                                            \
	add_thing((c)->things, sizeof(*(c)->things), &(c)->things##_len,       \
	    name_, sizeof((c)->things->name))

static void
declare(struct conf *c, const struct conf_record *r)
{
	struct conf_place place = token_place(c, r->first);
	struct conf_node *node;
	struct conf_group *group;
	struct conf_app *app;
	struct conf_plugin *plugin;

	switch (r->keyword) {
	case CONF_DVM:
		(void)copy_str(c->dvm.name, sizeof(c->dvm.name), r->name);
		c->dvm.place = place;
		c->dvm.primary = CONF_NONE;
		break;
	case CONF_NODE:
		node = ADD_THING(c, nodes, r->name);
		node->place = place;
		break;
	case CONF_GROUP:
		group = ADD_THING(c, groups, r->name);
		group->place = place;
		group->parent = CONF_NONE;
		break;
	case CONF_APP:
		app = ADD_THING(c, apps, r->name);
		app->place = place;
		app->id = app_id(app->name);
		app->cwd = "";
		app->spread_node = CONF_SPREAD_STRICT;
		break;
	default:
		plugin = ADD_THING(c, plugins, r->name);
		plugin->place = place;
		declare_plugin(plugin);
	}
}

/*
 * Without one the others are looked at all the same.  Where a line could not
 * be read, that may have been it.
 */
static void
check_dvm(struct conf *c)
{
	if (c->dvm.name[0] != '\0')
		return;
	c->dvm.place.file = c->work->files[0];
	c->dvm.place.line = 0;
	if (!c->bad)
		CONF_ERROR(c, c->dvm.place, "there is no line dvm; begin "
		    "with: dvm NAME");
	c->bad = true;
}

static void
declare_all(struct conf *c)
{
	struct conf_work *w = c->work;
	uint32_t i;
	enum conf_keyword k;

	for (i = 0; i < w->records_len; i++) {
		declare(c, &w->records[i]);
		for (k = w->records[i].keyword + 1; k < CONF_KEYWORDS; k++)
			w->base[k] = i + 1;
	}
}

/* Keys. */

static void
say_no_key(struct conf_use *u, enum conf_keyword k, const char *name)
{
	const char *near = NULL, *other = NULL, *remedy;
	unsigned far, best = CONF_FAR;
	const struct conf_key *key;
	uint32_t row;

	for (row = 0; (key = conf_key(row)) != NULL; row++) {
		if (key->keyword != k) {
			if (strcmp(key->name, name) == 0)
				other = conf_keyword_name(key->keyword);
			continue;
		}
		far = conf_distance(name, key->name);
		if (far < best) {
			best = far;
			near = key->name;
		}
	}
	remedy = "; see orcm.conf(5) for those that there are";
	if (near != NULL)
		remedy = "; did you mean ";
	else if (other != NULL)
		remedy = "; it is one of ";
	CONF_ERROR(u->c, u->place, conf_keyword_name(k), " ",
	    conf_name(u->c, k, u->index), ": there is no key ", name, remedy,
	    near != NULL ? near : other != NULL ? other : "",
	    near != NULL ? "?" : "");
}

static void
read_value(struct conf_use *u, const char *value)
{
	enum conf_verdict v = CONF_BAD;

	u->value = value;
	if (value[0] != '\0')
		v = u->key->type->read(u, value);
	else if (u->key->usual != NULL && u->key->usual[0] == '\0')
		v = CONF_GOOD;
	if (v == CONF_BAD)
		CONF_VALUE_ERROR(u, " is not ", u->key->expect,
		    "; give one like ", u->key->name, "=", u->key->example);
}

/* The key of a token; NULL and a complaint when there is none such. */
static const struct conf_key *
key_of(struct conf_use *u, const struct conf_record *r, uint32_t at,
    uint64_t *seen)
{
	const struct conf_token *t = &u->c->work->tokens[at];
	const char *word = token_text(u->c, at);
	char name[ORCM_NAME_MAX + 1] = "?";

	if (t->equals < sizeof(name)) {
		memcpy(name, word, t->equals);
		name[t->equals] = '\0';
	}
	u->key = conf_key_find(r->keyword, name);
	if (u->key == NULL) {
		say_no_key(u, r->keyword, name);
		return NULL;
	}
	if ((*seen >> conf_key_row(u->key) & 1) != 0 && !u->key->several) {
		u->value = word + t->equals + 1;
		CONF_VALUE_ERROR(u, ": the key is there twice; give it once");
		return NULL;
	}
	*seen |= UINT64_C(1) << conf_key_row(u->key);
	return u->key;
}

/* What nobody said. */
static void
fill(struct conf_use *u, const struct conf_record *r, uint64_t seen)
{
	char text[NUM_TEXT_MAX];
	struct text t;
	uint32_t row;

	u->place = token_place(u->c, r->first);
	for (row = 0; (u->key = conf_key(row)) != NULL; row++) {
		if (u->key->keyword != r->keyword || (seen >> row & 1) != 0)
			continue;
		if (u->key->required) {
			if (r->broken)
				continue;
			CONF_ERROR(u->c, u->place,
			    conf_keyword_name(r->keyword), " ", r->name,
			    ": there is no ", u->key->name, "=; add one like ",
			    u->key->name, "=", u->key->example);
			continue;
		}
		if (u->key->usual != NULL) {
			if (u->key->usual[0] != '\0')
				read_value(u, u->key->usual);
			continue;
		}
		text_init(&t, text, sizeof(text));
		conf_usual(u->c, u->key, u->object, &t);
		read_value(u, text);
	}
}

static void
read_keys(struct conf *c, const struct conf_record *r, uint32_t index)
{
	struct conf_use u = { .c = c, .index = index, .tokens_len = r->len };
	const struct conf_token *t;
	uint64_t seen = 0;
	uint32_t at;

	u.object = conf_object(c, r->keyword, index);
	for (at = r->keys; at < r->first + r->len; at++) {
		t = &c->work->tokens[at];
		u.place = conf_token_place(c, t);
		if (t->equals != CONF_NO_EQUALS &&
		    key_of(&u, r, at, &seen) != NULL)
			read_value(&u, token_text(c, at) + t->equals + 1);
	}
	fill(&u, r, seen);
}

/* A plug-in's parameters: any, each once; sorted. */
static void
read_params(struct conf *c, const struct conf_record *r, uint32_t index)
{
	struct conf_plugin *p = conf_object(c, CONF_PLUGIN, index);
	const struct conf_token *t;
	const char **list = conf_alloc(c, r->len + 1, sizeof(*list)), *word;
	uint32_t at, i, len = 0;

	for (at = r->keys; at < r->first + r->len; at++) {
		t = &c->work->tokens[at];
		word = token_text(c, at);
		if (t->equals == CONF_NO_EQUALS)
			continue;
		if (!name_ok(word, t->equals) || word[t->equals + 1] == '\0') {
			CONF_ERROR(c, token_place(c, at), "plugin ", p->name,
			    ": ", word, " is not KEY=VALUE; give it as "
			    "orcm-info -p shows it");
			continue;
		}
		for (i = len; i > 0 && strcmp(list[i - 1], word) > 0; i--)
			list[i] = list[i - 1];
		list[i] = word;
		len++;
		/* With the '=': one of the neighbours has the same key. */
		if ((i > 0 && strncmp(list[i - 1], word, t->equals + 1) == 0) ||
		    (i + 1 < len &&
			strncmp(list[i + 1], word, t->equals + 1) == 0))
			CONF_ERROR(c, token_place(c, at), "plugin ", p->name,
			    ": ", word, ": the key is there twice; give it "
			    "once");
	}
	p->params.word = list;
	p->params.len = len;
}

static void
read_all(struct conf *c, enum conf_keyword k)
{
	uint32_t i, first = c->work->base[k];

	for (i = 0; i < conf_len(c, k); i++)
		if (k == CONF_PLUGIN)
			read_params(c, &c->work->records[first + i], i);
		else
			read_keys(c, &c->work->records[first + i], i);
}

bool
conf_end(struct conf *c)
{
	REQUIRE(c->work->files_len > 0);
	conf_text_end(c);
	collect(c);
	declare_all(c);
	check_dvm(c);
	conf_link_attrs(c);
	read_all(c, CONF_DVM);
	read_all(c, CONF_NODE);
	read_all(c, CONF_GROUP);
	conf_link_groups(c);
	read_all(c, CONF_APP);
	read_all(c, CONF_PLUGIN);
	conf_link_apps(c);
	if (!c->bad)
		conf_check(c);
	return !c->bad;
}
