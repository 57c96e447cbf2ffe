/* SPDX-License-Identifier: ISC */
/*
 * Values that are lists of addresses, of nodes and groups, of attributes, of
 * times.  Where the order means nothing they are kept as sets or sorted, so
 * that two texts which mean the same are printed alike.  What is named twice
 * is a mistake: whoever wrote it meant something else.
 */
#include <string.h>

#include "base/name.h"
#include "base/num.h"
#include "core/conf_own.h"

enum conf_verdict
conf_say_twice(struct conf_use *u, const char *item)
{
	CONF_VALUE_ERROR(u, ": ", item, " is there twice; name it once");
	return CONF_SAID;
}

void
conf_comma(struct text *out)
{
	if (out->len > 0)
		text_char(out, ',');
}

static enum conf_verdict
too_many(struct conf_use *u, const char *limit)
{
	CONF_VALUE_ERROR(u, " has more than ", limit, " items; remove some");
	return CONF_SAID;
}

/* Links: networks or interfaces. */

static bool
read_link(struct conf_link *l, const char *item)
{
	struct addr a;

	memset(l, 0, sizeof(*l));
	if (strchr(item, '/') != NULL)
		return addr_read_net(item, &l->net) &&
		    !addr_is_multicast(&l->net);
	/* An address without its prefix is not an interface. */
	return name_ok(item, strlen(item)) && !addr_read(item, &a) &&
	    copy_str(l->name, sizeof(l->name), item);
}

static bool
same_link(const struct conf_link *a, const struct conf_link *b)
{
	return addr_same(&a->net, &b->net) && a->net.prefix == b->net.prefix &&
	    strcmp(a->name, b->name) == 0;
}

static enum conf_verdict
read_links(struct conf_use *u, const char *value)
{
	struct conf_dvm *d = u->object;
	char item[CONF_ITEM_MAX];
	struct conf_link l;
	size_t at = 0;
	uint32_t i;

	while (conf_next(value, &at, item, sizeof(item))) {
		if (!read_link(&l, item))
			return CONF_BAD;
		for (i = 0; i < d->links_len; i++)
			if (same_link(&l, &d->links[i]))
				return conf_say_twice(u, item);
		if (d->links_len == CONF_LINKS_MAX)
			return too_many(u, "4");
		d->links[d->links_len++] = l;
	}
	return CONF_GOOD;
}

static void
print_links(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_dvm *d = object;
	char text[ADDR_TEXT_MAX];
	uint32_t i;

	(void)c, (void)k, (void)n;
	for (i = 0; i < d->links_len; i++) {
		conf_comma(out);
		if (d->links[i].net.family == ADDR_NONE) {
			text_add(out, d->links[i].name);
			continue;
		}
		addr_text_net(&d->links[i].net, text);
		text_add(out, text);
	}
}

const struct conf_type conf_links = { read_links, print_links };

/* Addresses: of witnesses, of a node. */

static bool
is_host(const struct addr *a)
{
	return !addr_is_multicast(a) && !addr_is_any(a);
}

static void
print_addrs(const struct addr *list, uint32_t len, uint32_t usual_port,
    struct text *out)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;
	uint32_t i;

	for (i = 0; i < len; i++) {
		a = list[i];
		if (a.port == usual_port)
			a.port = 0;
		addr_text(&a, text);
		conf_comma(out);
		text_add(out, text);
	}
}

static enum conf_verdict
read_witnesses(struct conf_use *u, const char *value)
{
	struct conf_dvm *d = u->object;
	char item[CONF_ITEM_MAX];
	struct addr a;
	size_t at = 0;
	uint32_t i;

	while (conf_next(value, &at, item, sizeof(item))) {
		if (!addr_read(item, &a) || !is_host(&a))
			return CONF_BAD;
		for (i = 0; i < d->witness_len; i++)
			if (addr_same(&a, &d->witness[i]))
				return conf_say_twice(u, item);
		if (d->witness_len == CONF_WITNESSES_MAX)
			return too_many(u, "8");
		d->witness[d->witness_len++] = a;
	}
	return CONF_GOOD;
}

static void
print_witnesses(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_dvm *d = object;

	(void)c, (void)k, (void)n;
	print_addrs(d->witness, d->witness_len, 0, out);
}

const struct conf_type conf_witnesses = { read_witnesses, print_witnesses };

static enum conf_verdict
read_addrs(struct conf_use *u, const char *value)
{
	struct conf_node *node = u->object;
	char item[CONF_ITEM_MAX];
	struct addr a;
	size_t at = 0;

	while (conf_next(value, &at, item, sizeof(item))) {
		if (!addr_read_port(item, &a) || !is_host(&a))
			return CONF_BAD;
		if (node->addr_len == CONF_LINKS_MAX)
			return too_many(u, "4");
		if (a.port == 0)
			a.port = (uint16_t)u->c->dvm.port;
		node->addr[node->addr_len++] = a;
	}
	return CONF_GOOD;
}

static void
print_node_addrs(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_node *node = object;

	(void)k, (void)n;
	print_addrs(node->addr, node->addr_len, c->dvm.port, out);
}

const struct conf_type conf_addrs = { read_addrs, print_node_addrs };

/* Nodes that break ties, the first one first. */

static enum conf_verdict
read_ties(struct conf_use *u, const char *value)
{
	struct conf_dvm *d = u->object;
	char item[CONF_ITEM_MAX];
	size_t at = 0;
	uint32_t i, node;

	while (conf_next(value, &at, item, sizeof(item))) {
		node = conf_find(u->c, CONF_NODE, item);
		if (node == CONF_NONE) {
			conf_say_unknown(u, CONF_NODE, item);
			return CONF_SAID;
		}
		for (i = 0; i < d->ties_len; i++)
			if (d->ties[i] == node)
				return conf_say_twice(u, item);
		if (d->ties_len == CONF_TIES_MAX)
			return too_many(u, "8");
		d->ties[d->ties_len++] = (uint16_t)node;
	}
	return CONF_GOOD;
}

static void
print_ties(const struct conf *c, const struct conf_key *k, const void *object,
    uint32_t n, struct text *out)
{
	const struct conf_dvm *d = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < d->ties_len; i++) {
		conf_comma(out);
		text_add(out, c->nodes[d->ties[i]].name);
	}
}

const struct conf_type conf_ties = { read_ties, print_ties };

/* Which groups a node is in: said by the node, or by the group. */

static enum conf_verdict
read_set(struct conf_use *u, enum conf_keyword k, const char *value,
    struct conf_set *set)
{
	char item[CONF_ITEM_MAX];
	size_t at = 0;
	uint32_t i;

	memset(set, 0, sizeof(*set));
	while (conf_next(value, &at, item, sizeof(item))) {
		i = conf_find(u->c, k, item);
		if (i == CONF_NONE) {
			conf_say_unknown(u, k, item);
			return CONF_SAID;
		}
		if (conf_in(set, i))
			return conf_say_twice(u, item);
		conf_add(set, i);
	}
	return CONF_GOOD;
}

static void
print_set(const struct conf *c, enum conf_keyword k,
    const struct conf_set *set, struct text *out)
{
	uint32_t i;

	for (i = 0; i < conf_len(c, k); i++)
		if (conf_in(set, i)) {
			conf_comma(out);
			text_add(out, conf_name(c, k, i));
		}
}

static enum conf_verdict
read_groups(struct conf_use *u, const char *value)
{
	struct conf_node *node = u->object;
	struct conf_set set;
	enum conf_verdict v = read_set(u, CONF_GROUP, value, &set);

	node->groups.bits[0] |= set.bits[0];
	node->groups.bits[1] |= set.bits[1];
	return v;
}

static void
print_groups(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_node *node = object;

	(void)k, (void)n;
	print_set(c, CONF_GROUP, &node->groups, out);
}

const struct conf_type conf_groups_of = { read_groups, print_groups };

static enum conf_verdict
read_nodes(struct conf_use *u, const char *value)
{
	struct conf_set set;
	enum conf_verdict v = read_set(u, CONF_NODE, value, &set);
	uint32_t i;

	for (i = 0; i < u->c->nodes_len; i++)
		if (conf_in(&set, i))
			conf_add(&u->c->nodes[i].groups, u->index);
	return v;
}

static void
print_nodes(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_group *g = object;

	(void)k, (void)n;
	print_set(c, CONF_NODE, &g->nodes, out);
}

const struct conf_type conf_nodes_of = { read_nodes, print_nodes };

/* What a node has; conf_link_attrs() knows them all. */

static enum conf_verdict
read_attrs(struct conf_use *u, const char *value)
{
	struct conf_node *node = u->object;
	char item[CONF_ITEM_MAX];
	size_t at = 0;
	uint32_t i;

	while (conf_next(value, &at, item, sizeof(item))) {
		for (i = 0; i < u->c->attrs_len; i++)
			if (strcmp(u->c->attrs[i], item) == 0)
				break;
		if (i == u->c->attrs_len)
			return name_ok(item, strlen(item)) ? CONF_SAID :
							     CONF_BAD;
		if ((node->attrs >> i & 1) != 0)
			return conf_say_twice(u, item);
		node->attrs |= UINT64_C(1) << i;
	}
	return CONF_GOOD;
}

static void
print_attrs(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_node *node = object;
	uint32_t i;

	(void)k, (void)n;
	for (i = 0; i < c->attrs_len; i++)
		if ((node->attrs >> i & 1) != 0) {
			conf_comma(out);
			text_add(out, c->attrs[i]);
		}
}

const struct conf_type conf_attrs_of = { read_attrs, print_attrs };

/* The steps of a back-off. */

static enum conf_verdict
read_times(struct conf_use *u, const char *value)
{
	struct conf_app *a = u->object;
	char item[CONF_ITEM_MAX];
	size_t at = 0;
	uint64_t ns;

	a->backoff_len = 0;
	while (conf_next(value, &at, item, sizeof(item))) {
		if (!num_time(item, &ns) || ns < u->key->min ||
		    ns > u->key->max)
			return CONF_BAD;
		if (a->backoff_len == CONF_BACKOFF_MAX)
			return too_many(u, "8");
		a->backoff[a->backoff_len++] = ns;
	}
	return CONF_GOOD;
}

static void
print_times(const struct conf *c, const struct conf_key *k,
    const void *object, uint32_t n, struct text *out)
{
	const struct conf_app *a = object;
	char text[NUM_TEXT_MAX];
	uint32_t i;

	(void)c, (void)k, (void)n;
	for (i = 0; i < a->backoff_len; i++) {
		conf_comma(out);
		num_time_text(text, a->backoff[i]);
		text_add(out, text);
	}
}

const struct conf_type conf_times = { read_times, print_times };

_Static_assert(CONF_LINKS_MAX == 4 && CONF_WITNESSES_MAX == 8 &&
    CONF_TIES_MAX == 8 && CONF_BACKOFF_MAX == 8, "as the errors say");
