/* SPDX-License-Identifier: ISC */
/*
 * What follows from what was said: all attributes there are, which kinds of
 * groups lie above which, who is in a group by way of another, and where an
 * app may never be.  Nothing here depends on the order of lines.
 */
#include <string.h>

#include "base/name.h"
#include "core/conf_own.h"

/* Attributes, sorted. */

static void
add_attr(struct conf *c, struct conf_place place, const char *name)
{
	uint32_t at;

	for (at = c->attrs_len; at > 0; at--)
		if (strcmp(c->attrs[at - 1], name) <= 0)
			break;
	if (at > 0 && strcmp(c->attrs[at - 1], name) == 0)
		return;
	if (c->attrs_len == CONF_ATTRS_MAX) {
		CONF_ERROR(c, place, "attr=", name, ": there are 64 different "
		    "ones before it, and no more are possible; use fewer");
		return;
	}
	memmove(c->attrs[at + 1], c->attrs[at],
	    (c->attrs_len - at) * sizeof(*c->attrs));
	(void)copy_str(c->attrs[at], sizeof(*c->attrs), name);
	c->attrs_len++;
}
_Static_assert(CONF_ATTRS_MAX == 64, "bits of a node, and the text above");

static void
attrs_of(struct conf *c, const struct conf_token *t, const char *list)
{
	char item[CONF_ITEM_MAX];
	size_t at = 0;

	while (conf_next(list, &at, item, sizeof(item)))
		if (name_ok(item, strlen(item)))
			add_attr(c, conf_token_place(c, t), item);
}

void
conf_link_attrs(struct conf *c)
{
	const struct conf_work *w = c->work;
	const struct conf_record *r;
	const struct conf_token *t;
	uint32_t i, at;

	for (i = 0; i < c->nodes_len; i++) {
		r = &w->records[w->base[CONF_NODE] + i];
		for (at = r->keys; at < r->first + r->len; at++) {
			t = &w->tokens[at];
			if (strncmp(w->text + t->at, "attr=", 5) == 0)
				attrs_of(c, t, w->text + t->at + 5);
		}
	}
}

/* Groups. */

/* Is it above itself? */
static bool
in_circle(const struct conf *c, uint32_t group)
{
	uint32_t at = c->groups[group].parent, steps;

	for (steps = 0; at != CONF_NONE && steps < c->groups_len; steps++) {
		if (at == group)
			return true;
		at = c->groups[at].parent;
	}
	return false;
}

static bool
check_parents(struct conf *c)
{
	const struct conf_group *g, *parent;
	bool good = true;
	uint32_t i;

	for (i = 0; i < c->groups_len; i++) {
		g = &c->groups[i];
		if (g->parent == CONF_NONE)
			continue;
		parent = &c->groups[g->parent];
		if (in_circle(c, i)) {
			CONF_ERROR(c, conf_where(c, CONF_GROUP, i, "parent"),
			    "group ", g->name, ": parent=", parent->name,
			    ": so the group lies above itself; remove a "
			    "parent= of the circle");
			return false;
		} else if (strcmp(g->kind, parent->kind) == 0) {
			CONF_ERROR(c, conf_where(c, CONF_GROUP, i, "parent"),
			    "group ", g->name, ": parent=", parent->name,
			    ": both are of kind ", g->kind,
			    "; give one of them another kind=");
			good = false;
		}
	}
	return good;
}

static uint32_t
find_kind(const struct conf *c, const char *kind)
{
	uint32_t i;

	for (i = 0; i < c->kinds_len; i++)
		if (strcmp(c->kinds[i], kind) == 0)
			break;
	return i;
}

/* All kinds, by name at first. */
static bool
collect_kinds(struct conf *c)
{
	uint32_t i, at;

	for (i = 0; i < c->groups_len; i++) {
		if (find_kind(c, c->groups[i].kind) < c->kinds_len)
			continue;
		if (c->kinds_len == CONF_KINDS_MAX) {
			CONF_ERROR(c, conf_where(c, CONF_GROUP, i, "kind"),
			    "group ", c->groups[i].name, ": kind=",
			    c->groups[i].kind, ": there are 4 other kinds, "
			    "and no more are possible; use fewer");
			return false;
		}
		for (at = c->kinds_len; at > 0; at--) {
			if (strcmp(c->kinds[at - 1], c->groups[i].kind) < 0)
				break;
			memcpy(c->kinds[at], c->kinds[at - 1],
			    sizeof(c->kinds[at]));
		}
		(void)copy_str(c->kinds[at], sizeof(c->kinds[at]),
		    c->groups[i].kind);
		c->kinds_len++;
	}
	return true;
}
_Static_assert(CONF_KINDS_MAX == 4, "as the error says");

/* At the first group of a kind that could not be taken. */
static void
say_kinds(struct conf *c, uint32_t taken)
{
	uint32_t i;

	for (i = 0; (taken >> find_kind(c, c->groups[i].kind) & 1) != 0; i++)
		;
	CONF_ERROR(c, conf_where(c, CONF_GROUP, i, "kind"), "group ",
	    c->groups[i].name, ": kind=", c->groups[i].kind, " lies above and "
	    "below another kind, by parent= of groups; let groups of one kind "
	    "always lie above those of the other");
}

/*
 * below[k]: bits of the kinds that lie below kind k, by their parents.  Kinds
 * are taken one by one, the first by name of those with nothing below them
 * that is not taken yet.
 */
static bool
order_kinds(struct conf *c, const uint32_t below[CONF_KINDS_MAX])
{
	char sorted[CONF_KINDS_MAX][ORCM_NAME_MAX + 1];
	uint32_t taken = 0, len = 0, k;

	while (len < c->kinds_len) {
		for (k = 0; k < c->kinds_len; k++)
			if ((taken >> k & 1) == 0 && (below[k] & ~taken) == 0)
				break;
		if (k == c->kinds_len) {
			say_kinds(c, taken);
			return false;
		}
		taken |= 1u << k;
		if (below[k] != 0)
			c->kinds_above |= 1u << len;
		memcpy(sorted[len++], c->kinds[k], sizeof(sorted[0]));
	}
	memcpy(c->kinds, sorted, len * sizeof(sorted[0]));
	return true;
}

static bool
link_kinds(struct conf *c)
{
	uint32_t below[CONF_KINDS_MAX] = { 0 }, i, parent;

	if (!collect_kinds(c))
		return false;
	for (i = 0; i < c->groups_len; i++) {
		parent = c->groups[i].parent;
		if (parent != CONF_NONE)
			below[find_kind(c, c->groups[parent].kind)] |=
			    1u << find_kind(c, c->groups[i].kind);
	}
	if (!order_kinds(c, below))
		return false;
	for (i = 0; i < c->groups_len; i++)
		c->groups[i].kind_index = find_kind(c, c->groups[i].kind);
	return true;
}

void
conf_link_groups(struct conf *c)
{
	struct conf_node *node;
	uint32_t i, g, at;

	if (!check_parents(c) || !link_kinds(c))
		return;
	for (i = 0; i < c->nodes_len; i++) {
		node = &c->nodes[i];
		for (g = 0; g < c->groups_len; g++) {
			if (!conf_in(&node->groups, g))
				continue;
			for (at = g; at != CONF_NONE;
			    at = c->groups[at].parent) {
				conf_add(&node->member, at);
				conf_add(&c->groups[at].nodes, i);
			}
		}
	}
}

/* Apps. */

void
conf_link_apps(struct conf *c)
{
	struct conf_app *a;
	uint32_t i, g;

	for (i = 0; i < c->apps_len; i++) {
		a = &c->apps[i];
		a->forbid = a->avoid;
		for (g = 0; g < c->groups_len; g++)
			if (conf_in(&a->avoid_groups, g)) {
				a->forbid.bits[0] |= c->groups[g].nodes.bits[0];
				a->forbid.bits[1] |= c->groups[g].nodes.bits[1];
			}
	}
}

enum conf_spread
conf_spread(const struct conf *c, const struct conf_app *a, uint32_t kind)
{
	if (a->spread[kind] != CONF_SPREAD_USUAL)
		return (enum conf_spread)a->spread[kind];
	return (c->kinds_above >> kind & 1) != 0 ? CONF_SPREAD_SOFT :
						   CONF_SPREAD_FIRM;
}
