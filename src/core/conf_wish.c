/* SPDX-License-Identifier: ISC */
/*
 * Values that say where the replicas of an app shall be and when it starts:
 * spread, pin, avoid, prefer, apart, after.  They name nodes, groups,
 * attributes and other apps, which are all known by name when these are read,
 * wherever in the text they stand.
 */
#include <string.h>

#include "base/num.h"
#include "core/conf_own.h"

/* The next item, cut in two at the first `sign`; *second is NULL without. */
static bool
next_pair(const char *value, size_t *at, char *item, char sign, char **second)
{
	if (!conf_next(value, at, item, CONF_ITEM_MAX))
		return false;
	*second = strchr(item, sign);
	if (*second != NULL)
		*(*second)++ = '\0';
	return true;
}

/* No list has more items than commas and one. */
static size_t
items_max(const char *value)
{
	size_t len = 1;

	while ((value = strchr(value, ',')) != NULL) {
		value++;
		len++;
	}
	return len;
}

/* KIND[:HOW], or node[:strict|soft]. */

static const char *const hows[] = {
	[CONF_SPREAD_USUAL] = "usual",
	[CONF_SPREAD_NONE] = "none",
	[CONF_SPREAD_SOFT] = "soft",
	[CONF_SPREAD_FIRM] = "firm",
	[CONF_SPREAD_STRICT] = "strict",
};
#define HOWS_LEN (sizeof(hows) / sizeof(hows[0]))

static enum conf_verdict
say_kind(struct conf_use *u, const char *kind)
{
	CONF_VALUE_ERROR(u, ": no group has kind=", kind,
	    "; give it to groups, or name a kind that they have, or node");
	return CONF_SAID;
}

static enum conf_verdict
read_spread(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	const struct conf *c = u->c;
	char item[CONF_ITEM_MAX], *word;
	size_t at = 0;
	uint32_t how, kind, seen = 0;

	while (next_pair(value, &at, item, ':', &word)) {
		for (how = 0; word != NULL && how < HOWS_LEN; how++)
			if (strcmp(word, hows[how]) == 0)
				break;
		if (word == NULL)
			how = CONF_SPREAD_FIRM;
		for (kind = 0; kind < c->kinds_len; kind++)
			if (strcmp(c->kinds[kind], item) == 0)
				break;
		if (strcmp(item, "node") == 0) {
			kind = CONF_KINDS_MAX;
			if (word == NULL)
				how = CONF_SPREAD_STRICT;
			if (how != CONF_SPREAD_STRICT &&
			    how != CONF_SPREAD_SOFT)
				return CONF_BAD;
		} else if (kind == c->kinds_len) {
			return say_kind(u, item);
		}
		if (how == HOWS_LEN)
			return CONF_BAD;
		if ((seen >> kind & 1) != 0)
			return conf_say_twice(u, item);
		seen |= 1u << kind;
		if (kind == CONF_KINDS_MAX)
			a->spread_node = how;
		else
			a->spread[kind] = how;
	}
	return CONF_GOOD;
}

static void
print_spread(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < c->kinds_len; i++) {
		if (a->spread[i] == CONF_SPREAD_USUAL)
			continue;
		conf_comma(out);
		text_add(out, c->kinds[i]);
		text_char(out, ':');
		text_add(out, hows[a->spread[i]]);
	}
	if (a->spread_node == CONF_SPREAD_SOFT) {
		conf_comma(out);
		text_add(out, "node:soft");
	}
}

const struct conf_type conf_spreads = { read_spread, print_spread };

/* RANK@NODE, all@NODE; sorted. */

static uint32_t
pin_order(const struct conf_pin *p)
{
	return (uint32_t)p->rank << 16 | p->node;
}

static enum conf_verdict
read_pins(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	struct conf_pin *pins, pin;
	char item[CONF_ITEM_MAX], *node;
	uint32_t rank, i, at_node;
	size_t at = 0;

	pins = conf_alloc(u->c, items_max(value), sizeof(*pins));
	a->pins = pins;
	while (next_pair(value, &at, item, '@', &node)) {
		rank = CONF_RANK_ALL;
		if (node == NULL || (strcmp(item, "all") != 0 &&
			!num_u32(item, 0, CONF_REPLICAS_MAX - 1, &rank)))
			return CONF_BAD;
		at_node = conf_find(u->c, CONF_NODE, node);
		if (at_node == CONF_NONE) {
			conf_say_unknown(u, CONF_NODE, node);
			return CONF_SAID;
		}
		pin.rank = (uint16_t)rank;
		pin.node = (uint16_t)at_node;
		for (i = a->pins_len; i > 0; i--) {
			if (pin_order(&pins[i - 1]) < pin_order(&pin))
				break;
			if (pin_order(&pins[i - 1]) == pin_order(&pin))
				return conf_say_twice(u, node);
			pins[i] = pins[i - 1];
		}
		pins[i] = pin;
		a->pins_len++;
	}
	return CONF_GOOD;
}

static void
print_pins(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < a->pins_len; i++) {
		conf_comma(out);
		if (a->pins[i].rank == CONF_RANK_ALL)
			text_add(out, "all");
		else
			text_num(out, a->pins[i].rank);
		text_char(out, '@');
		text_add(out, c->nodes[a->pins[i].node].name);
	}
}

const struct conf_type conf_pins = { read_pins, print_pins };

/* Nodes and groups: no node has the name of a group. */

static enum conf_verdict
read_avoid(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	char item[CONF_ITEM_MAX];
	struct conf_set *set;
	size_t at = 0;
	uint32_t i;

	while (conf_next(value, &at, item, sizeof(item))) {
		set = &a->avoid;
		i = conf_find(u->c, CONF_NODE, item);
		if (i == CONF_NONE) {
			set = &a->avoid_groups;
			i = conf_find(u->c, CONF_GROUP, item);
		}
		if (i == CONF_NONE) {
			CONF_VALUE_ERROR(u, ": there is no node and no group ",
			    item, "; correct the name, or add a line for it");
			return CONF_SAID;
		}
		if (conf_in(set, i))
			return conf_say_twice(u, item);
		conf_add(set, i);
	}
	return CONF_GOOD;
}

static void
print_avoid(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < c->nodes_len; i++)
		if (conf_in(&a->avoid, i)) {
			conf_comma(out);
			text_add(out, c->nodes[i].name);
		}
	for (i = 0; i < c->groups_len; i++)
		if (conf_in(&a->avoid_groups, i)) {
			conf_comma(out);
			text_add(out, c->groups[i].name);
		}
}

const struct conf_type conf_avoid = { read_avoid, print_avoid };

/* WHAT=WEIGHT, sorted by what. */

static bool
insert_wish(struct conf_wish *list, uint32_t *len, struct conf_wish wish)
{
	uint32_t i;

	for (i = *len; i > 0 && list[i - 1].what >= wish.what; i--) {
		if (list[i - 1].what == wish.what)
			return false;
		list[i] = list[i - 1];
	}
	list[i] = wish;
	(*len)++;
	return true;
}

/* What a wish is about, or CONF_NONE and a complaint. */

static uint32_t
find_attr(struct conf_use *u, const char *name)
{
	uint32_t i;

	for (i = 0; i < u->c->attrs_len; i++)
		if (strcmp(u->c->attrs[i], name) == 0)
			return i;
	CONF_VALUE_ERROR(u, ": no node has attr=", name,
	    "; give it to a node, or correct the name");
	return CONF_NONE;
}

static uint32_t
find_app(struct conf_use *u, const char *name)
{
	uint32_t i = conf_find(u->c, CONF_APP, name);

	if (i == CONF_NONE) {
		conf_say_unknown(u, CONF_APP, name);
		return CONF_NONE;
	}
	if (i == u->index) {
		CONF_VALUE_ERROR(u, " names the app itself; name another");
		return CONF_NONE;
	}
	return i;
}

static enum conf_verdict
read_wishes(struct conf_use *u, const char *value,
    uint32_t (*find)(struct conf_use *u, const char *name),
    const struct conf_wish **wishes, uint32_t *len)
{
	char item[CONF_ITEM_MAX], *number;
	struct conf_wish *list, wish;
	uint32_t weight, what;
	size_t at = 0;

	list = conf_alloc(u->c, items_max(value), sizeof(*list));
	*wishes = list;
	while (next_pair(value, &at, item, '=', &number)) {
		if (number == NULL ||
		    !num_u32(number, (uint32_t)u->key->min,
			(uint32_t)u->key->max, &weight))
			return CONF_BAD;
		what = find(u, item);
		if (what == CONF_NONE)
			return CONF_SAID;
		wish.what = (uint16_t)what;
		wish.weight = (uint16_t)weight;
		if (!insert_wish(list, len, wish))
			return conf_say_twice(u, item);
	}
	return CONF_GOOD;
}

static void
print_wish(const char *name, const struct conf_wish *w, struct text *out)
{
	conf_comma(out);
	text_add(out, name);
	text_char(out, '=');
	text_num(out, w->weight);
}

static enum conf_verdict
read_prefer(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;

	return read_wishes(u, value, find_attr, &a->prefer, &a->prefer_len);
}

static void
print_prefer(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < a->prefer_len; i++)
		print_wish(c->attrs[a->prefer[i].what], &a->prefer[i], out);
}

const struct conf_type conf_prefer = { read_prefer, print_prefer };

static enum conf_verdict
read_apart(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;

	return read_wishes(u, value, find_app, &a->apart, &a->apart_len);
}

static void
print_apart(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < a->apart_len; i++)
		print_wish(c->apps[a->apart[i].what].name, &a->apart[i], out);
}

const struct conf_type conf_apart = { read_apart, print_apart };

/* Apps, sorted. */

static enum conf_verdict
read_after(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	char item[CONF_ITEM_MAX];
	uint16_t *list;
	size_t at = 0;
	uint32_t i, app;

	list = conf_alloc(u->c, items_max(value), sizeof(*list));
	a->after = list;
	while (conf_next(value, &at, item, sizeof(item))) {
		app = find_app(u, item);
		if (app == CONF_NONE)
			return CONF_SAID;
		for (i = a->after_len; i > 0 && list[i - 1] >= app; i--) {
			if (list[i - 1] == app)
				return conf_say_twice(u, item);
			list[i] = list[i - 1];
		}
		list[i] = (uint16_t)app;
		a->after_len++;
	}
	return CONF_GOOD;
}

static void
print_after(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < a->after_len; i++) {
		conf_comma(out);
		text_add(out, c->apps[a->after[i]].name);
	}
}

const struct conf_type conf_after = { read_after, print_after };
