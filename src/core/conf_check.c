/* SPDX-License-Identifier: ISC */
/*
 * Do nodes, links and groups fit together?  Called when each value by itself
 * is good.  What cannot work is an error; what works, but hardly as it was
 * meant, is a warning, and warnings are given only when there is no error.
 */
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "core/conf_own.h"

/* Limits of profile carrier: see orcm.conf(5). */
#define CARRIER_UNICAST_MAX 16u
#define CARRIER_MULTICAST_MAX 64u

static struct conf_place
where(const struct conf *c, uint32_t node, const char *key)
{
	return conf_where(c, CONF_NODE, node, key);
}

static void
check_numbers(struct conf *c)
{
	char id[NUM_TEXT_MAX];
	uint32_t i, k;

	for (i = 0; i < c->nodes_len; i++)
		for (k = 0; k < i; k++) {
			if (c->nodes[i].id != c->nodes[k].id)
				continue;
			(void)num_text(id, sizeof(id), c->nodes[i].id);
			CONF_ERROR(c, where(c, i, "id"), "node ",
			    c->nodes[i].name, ": its id ", id,
			    " is that of node ", c->nodes[k].name,
			    " too; give one of them another id=");
		}
}

/* No two listen at the same address. */
static void
check_twins(struct conf *c, uint32_t i, uint32_t k)
{
	const struct conf_node *a = &c->nodes[i], *b = &c->nodes[k];
	char text[ADDR_TEXT_MAX];
	uint32_t x, y;

	for (x = 0; x < a->addr_len; x++)
		for (y = 0; y < (i == k ? x : b->addr_len); y++) {
			if (!addr_same(&a->addr[x], &b->addr[y]) ||
			    a->addr[x].port != b->addr[y].port)
				continue;
			addr_text(&a->addr[x], text);
			CONF_ERROR(c, where(c, i, "addr"), "node ", a->name,
			    ": ", text, i == k ? " is there twice" :
			    " is that of node ", i == k ? "" : b->name,
			    i == k ? "" : " too",
			    "; give another, or another :PORT");
		}
}

static void
check_link(struct conf *c, uint32_t i, uint32_t link)
{
	const struct conf_dvm *d = &c->dvm;
	const struct addr *a = &c->nodes[i].addr[link];
	char text[ADDR_TEXT_MAX], net[ADDR_TEXT_MAX];

	addr_text(a, text);
	if (link < d->links_len && d->links[link].net.family != ADDR_NONE &&
	    !addr_in(a, &d->links[link].net)) {
		addr_text_net(&d->links[link].net, net);
		CONF_ERROR(c, where(c, i, "addr"), "node ", c->nodes[i].name,
		    ": ", text, " is not in ", net, ", the link at that place "
		    "of links=; give addresses in the order of links");
	} else if (a->family != c->nodes[0].addr[link].family) {
		CONF_ERROR(c, where(c, i, "addr"), "node ", c->nodes[i].name,
		    ": ", text, " and that of node ", c->nodes[0].name,
		    " on the same link are IPv4 and IPv6; use one of them");
	} else if (i == 0 && d->multicast.family != ADDR_NONE &&
	    a->family != d->multicast.family) {
		addr_text(&d->multicast, net);
		CONF_ERROR(c, where(c, i, "addr"), "node ", c->nodes[i].name,
		    ": ", text, " and multicast=", net, " are IPv4 and IPv6; "
		    "use one of them");
	}
}

/* One for each link; without links= as many as the first node has. */
static bool
check_count(struct conf *c, uint32_t i)
{
	const struct conf_node *n = &c->nodes[i];
	uint32_t want = c->dvm.links_len;
	char had[NUM_TEXT_MAX], wanted[NUM_TEXT_MAX];

	if (want == 0)
		want = c->nodes[0].addr_len;
	if (n->addr_len == 0 && c->nodes_len > 1) {
		CONF_ERROR(c, n->place, "node ", n->name, ": it has no "
		    "address, and other nodes could not find it; add addr=");
		return false;
	}
	if (n->addr_len == want)
		return true;
	(void)num_text(had, sizeof(had), n->addr_len);
	(void)num_text(wanted, sizeof(wanted), want);
	CONF_ERROR(c, where(c, i, "addr"), "node ", n->name, ": addresses: ",
	    had, c->dvm.links_len > 0 ? ", links: " :
	    ", but of the first node: ", wanted, c->dvm.links_len > 0 ?
	    "; give addr= with one for each" : "; give addr= with as many");
	return false;
}

static void
check_addresses(struct conf *c)
{
	uint32_t i, k;

	for (i = 0; i < c->nodes_len; i++) {
		if (!check_count(c, i))
			return;
		for (k = 0; k < c->nodes[i].addr_len; k++)
			check_link(c, i, k);
		for (k = 0; k <= i; k++)
			check_twins(c, i, k);
	}
}

static void
check_witness(struct conf *c)
{
	const struct conf_dvm *d = &c->dvm;
	char text[ADDR_TEXT_MAX];
	uint32_t i, n, k;

	if (d->two_node == CONF_WITNESS && d->witness_len == 0)
		CONF_ERROR(c, conf_where(c, CONF_DVM, 0, "two-node"), "dvm ",
		    d->name, ": two-node=witness needs one; add witness= "
		    "with an address of a third machine");
	if (d->two_node != CONF_WITNESS && d->witness_len > 0)
		CONF_ERROR(c, conf_where(c, CONF_DVM, 0, "witness"), "dvm ",
		    d->name, ": witness= means nothing without "
		    "two-node=witness; add that, or remove witness=");
	for (i = 0; i < d->witness_len; i++)
		for (n = 0; n < c->nodes_len; n++)
			for (k = 0; k < c->nodes[n].addr_len; k++) {
				if (!addr_same(&d->witness[i],
					&c->nodes[n].addr[k]))
					continue;
				addr_text(&d->witness[i], text);
				CONF_ERROR(c,
				    conf_where(c, CONF_DVM, 0, "witness"),
				    "dvm ", d->name, ": witness ", text,
				    " is node ", c->nodes[n].name,
				    "; a third machine has to decide");
			}
}

static void
check_votes(struct conf *c)
{
	const struct conf_dvm *d = &c->dvm;
	uint32_t i, votes = 0;

	for (i = 0; i < c->nodes_len; i++)
		votes += c->nodes[i].votes;
	if (c->nodes_len > 0 && votes == 0)
		CONF_ERROR(c, where(c, 0, "votes"), "node ", c->nodes[0].name,
		    ": no node has votes, so there is never a majority; give "
		    "votes=1 to some");
	for (i = 0; i < d->ties_len; i++)
		if (c->nodes[d->ties[i]].votes == 0)
			CONF_ERROR(c, conf_where(c, CONF_DVM, 0, "tiebreak"),
			    "dvm ", d->name, ": tiebreak node ",
			    c->nodes[d->ties[i]].name, " has no votes; give "
			    "it some, or remove it from tiebreak=");
	if (d->primary != CONF_NONE && c->nodes[d->primary].votes == 0)
		CONF_ERROR(c, conf_where(c, CONF_DVM, 0, "primary"), "dvm ",
		    d->name, ": primary node ", c->nodes[d->primary].name,
		    " has no votes; give it some, or name another");
}

/* avoid= takes both, so no name may mean two things. */
static void
check_names(struct conf *c)
{
	uint32_t i;

	for (i = 0; i < c->groups_len; i++)
		if (conf_find(c, CONF_NODE, c->groups[i].name) != CONF_NONE)
			CONF_ERROR(c, c->groups[i].place, "group ",
			    c->groups[i].name, ": there is a node of that "
			    "name; choose another");
}

/* Warnings. */

static void
warn_groups(struct conf *c)
{
	uint32_t i;

	for (i = 0; i < c->groups_len; i++)
		if (c->groups[i].nodes.bits[0] == 0 &&
		    c->groups[i].nodes.bits[1] == 0)
			CONF_WARNING(c, c->groups[i].place, "group ",
			    c->groups[i].name, ": no node is in it; give it "
			    "nodes=, or remove it");
}

static void
warn_mesh(struct conf *c)
{
	const struct conf_dvm *d = &c->dvm;
	uint32_t max = d->multicast.family == ADDR_NONE ?
	    CARRIER_UNICAST_MAX : CARRIER_MULTICAST_MAX;
	char len[NUM_TEXT_MAX], most[NUM_TEXT_MAX];

	if (c->nodes_len == 2 && d->two_node == CONF_TAKEOVER &&
	    c->nodes[0].addr_len == 1)
		CONF_WARNING(c, d->place, "dvm ", d->name, ": two nodes with "
		    "one link: when it breaks, both act alone; add a second "
		    "address to each node, or use two-node=strict or witness");
	if (d->profile == CONF_PROFILE_CARRIER && c->nodes_len > max) {
		(void)num_text(len, sizeof(len), c->nodes_len);
		(void)num_text(most, sizeof(most), max);
		CONF_WARNING(c, conf_where(c, CONF_DVM, 0, "profile"), "dvm ",
		    d->name, ": profile=carrier is made for ", most,
		    " nodes, not for ", len, d->multicast.family == ADDR_NONE ?
		    "; set multicast=, or another profile" :
		    "; set another profile");
	}
}

/* The canonical text is what others are given: it must be possible, too. */

struct measure {
	struct hash hash;
	uint64_t size;
};

static void
measure(void *arg, const char *text, size_t size)
{
	struct measure *m = arg;

	hash_add(&m->hash, text, size);
	m->size += size;
}

static void
check_text(struct conf *c)
{
	struct measure m = { .size = 0 };

	hash_init(&m.hash);
	if (!conf_print(c, measure, &m))
		CONF_ERROR(c, c->dvm.place, "dvm ", c->dvm.name, ": a value "
		    "is longer than 8191 bytes when it is printed by "
		    "orcm-conf print; shorten it");
	else if (m.size > CONF_TEXT_MAX)
		CONF_ERROR(c, c->dvm.place, "dvm ", c->dvm.name, ": it has "
		    "more than 65536 bytes when it is printed by orcm-conf "
		    "print; shorten it");
	c->hash = hash_value(&m.hash);
}
_Static_assert(CONF_VALUE_MAX == 8192 && CONF_TEXT_MAX == 65536,
    "as the errors say");

void
conf_check(struct conf *c)
{
	check_numbers(c);
	check_addresses(c);
	check_witness(c);
	check_votes(c);
	check_names(c);
	conf_check_apps(c);
	if (!c->bad)
		check_text(c);
	if (!c->bad) {
		warn_groups(c);
		warn_mesh(c);
		conf_warn_apps(c);
	}
}
