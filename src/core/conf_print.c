/* SPDX-License-Identifier: ISC */
/*
 * A configuration as items, and as text.  The text has one line for each
 * thing, sorted, with its keys in one order and values in one form, and
 * without what is as usual.  So two configurations that mean the same have
 * the same text, and its hash names what a DVM runs with.
 */
#include <string.h>

#include "base/name.h"
#include "base/require.h"
#include "core/conf_own.h"

#define NTH_BITS 16u /* of *at: which of several values; above: which key */
#define NTH_MASK ((UINT32_C(1) << NTH_BITS) - 1)

/* Values of a key that may be given several times. */
static uint32_t
values_len(const struct conf_key *k, const void *object)
{
	const struct conf_app *a = object;

	return k->several ? a->env.len : 1;
}

static bool
param_item(const struct conf_plugin *p, uint32_t *at, struct conf_item *out)
{
	struct text t;
	const char *word, *sign;

	if (*at == p->params.len)
		return false;
	word = p->params.word[(*at)++];
	sign = strchr(word, '=');
	REQUIRE(sign != NULL);
	memset(out->key, 0, sizeof(out->key));
	memcpy(out->key, word, (size_t)(sign - word));
	out->class = CONF_LIVE;
	out->usual = out->shown = false;
	out->row = 0;
	out->part = word;
	text_init(&t, out->value, sizeof(out->value));
	text_add(&t, sign + 1);
	out->cut = t.cut;
	return true;
}

static void
key_item(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct conf_item *out)
{
	char usual[ORCM_NAME_MAX + 1];
	struct text t;

	(void)copy_str(out->key, sizeof(out->key), k->name);
	out->class = k->class;
	out->shown = k->shown;
	out->row = conf_key_row(k);
	text_init(&t, usual, sizeof(usual));
	conf_usual(c, k, object, &t);
	text_init(&t, out->value, sizeof(out->value));
	k->type->print(c, k, object, n, &t);
	out->cut = t.cut;
	out->usual = strcmp(usual, out->value) == 0;
	out->part = k->several ? out->value : "";
}

bool
conf_item(const struct conf *c, enum conf_keyword k, uint32_t i, uint32_t *at,
    struct conf_item *out)
{
	const void *object = conf_object(c, k, i);
	const struct conf_key *key;
	uint32_t n;

	if (k == CONF_PLUGIN)
		return param_item(object, at, out);
	for (;;) {
		key = conf_key(*at >> NTH_BITS);
		n = *at & NTH_MASK;
		if (key == NULL)
			return false;
		if (key->keyword == k && n < values_len(key, object)) {
			(*at)++;
			key_item(c, key, object, n, out);
			return true;
		}
		*at = ((*at >> NTH_BITS) + 1) << NTH_BITS;
	}
}

/* Text. */

struct sink {
	void (*put)(void *arg, const char *text, size_t size);
	void *arg;
};

static void
put(const struct sink *s, const char *text)
{
	s->put(s->arg, text, strlen(text));
}

/* In quotes if there is anything that needs them. */
static void
put_value(const struct sink *s, const char *value)
{
	const char *p = value, *next;

	if (value[strcspn(value, " \t\"\\")] == '\0') {
		put(s, value);
		return;
	}
	put(s, "\"");
	for (; *p != '\0'; p = next) {
		if (*p == '"' || *p == '\\')
			put(s, "\\");
		next = p + 1 + strcspn(p + 1, "\"\\");
		s->put(s->arg, p, (size_t)(next - p));
	}
	put(s, "\"");
}

static bool
put_line(const struct conf *c, enum conf_keyword k, uint32_t i,
    const struct sink *s)
{
	const struct conf_plugin *p;
	struct conf_item item;
	uint32_t at = 0;
	bool whole = true;

	put(s, conf_keyword_name(k));
	put(s, " ");
	if (k == CONF_PLUGIN) {
		p = conf_object(c, k, i);
		put(s, p->kind);
		put(s, " ");
		put(s, p->plugin);
	} else {
		put(s, conf_name(c, k, i));
	}
	while (conf_item(c, k, i, &at, &item)) {
		whole = whole && !item.cut;
		if (item.usual || item.shown)
			continue;
		put(s, " ");
		put(s, item.key);
		put(s, "=");
		put_value(s, item.value);
	}
	put(s, "\n");
	return whole;
}

bool
conf_print(const struct conf *c,
    void (*put_text)(void *arg, const char *text, size_t size), void *arg)
{
	static const enum conf_keyword order[CONF_KEYWORDS] = { CONF_DVM,
		CONF_GROUP, CONF_NODE, CONF_APP, CONF_PLUGIN };
	const struct sink s = { put_text, arg };
	bool whole = true;
	uint32_t i, k;

	for (k = 0; k < CONF_KEYWORDS; k++)
		for (i = 0; i < conf_len(c, order[k]); i++)
			whole = put_line(c, order[k], i, &s) && whole;
	return whole;
}
