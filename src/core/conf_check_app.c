/* SPDX-License-Identifier: ISC */
/*
 * Can each app be placed and started as it is described?  Only what is sure
 * from the text is an error: that a node is down or full is for the
 * scheduler.
 */
#include <string.h>

#include "base/num.h"
#include "core/conf_own.h"

static struct conf_place
where(const struct conf *c, const struct conf_app *a, const char *key)
{
	return conf_where(c, CONF_APP, (uint32_t)(a - c->apps), key);
}

static bool
pins_allow(const struct conf_app *a, uint32_t rank, uint32_t node)
{
	bool pinned = false;
	uint32_t i;

	for (i = 0; i < a->pins_len; i++) {
		if (a->pins[i].rank != rank &&
		    a->pins[i].rank != CONF_RANK_ALL)
			continue;
		if (a->pins[i].node == node)
			return true;
		pinned = true;
	}
	return !pinned;
}

/* May a rank ever be on that node? */
static bool
possible(const struct conf *c, const struct conf_app *a, uint32_t rank,
    uint32_t node)
{
	const struct conf_node *n = &c->nodes[node];

	return !conf_in(&a->forbid, node) && n->slots >= a->slots &&
	    n->mem >= a->mem && n->cpu >= a->cpu && pins_allow(a, rank, node);
}

static void
check_pins(struct conf *c, const struct conf_app *a)
{
	const struct conf_pin *p;
	char rank[NUM_TEXT_MAX];
	uint32_t i;

	for (i = 0; i < a->pins_len; i++) {
		p = &a->pins[i];
		if (p->rank != CONF_RANK_ALL && p->rank >= a->replicas) {
			(void)num_text(rank, sizeof(rank), p->rank);
			CONF_ERROR(c, where(c, a, "pin"), "app ", a->name,
			    ": pin of rank ", rank, ", but ranks end before "
			    "it; raise replicas=, or remove the pin");
		}
		if (conf_in(&a->forbid, p->node))
			CONF_ERROR(c, where(c, a, "pin"), "app ", a->name,
			    ": pinned to node ", c->nodes[p->node].name,
			    ", which avoid= forbids; remove one of both");
	}
}

/* Says which of its needs no node can meet; false when it is not one alone. */
static bool
say_need(struct conf *c, const struct conf_app *a)
{
	const struct conf_node *n;
	uint64_t slots = 0, mem = 0, cpu = 0;
	const char *need = NULL;
	uint32_t i;

	for (i = 0; i < c->nodes_len; i++) {
		n = &c->nodes[i];
		slots = n->slots > slots ? n->slots : slots;
		mem = n->mem > mem ? n->mem : mem;
		cpu = n->cpu > cpu ? n->cpu : cpu;
	}
	if (slots < a->slots)
		need = "slots";
	else if (mem < a->mem)
		need = "mem";
	else if (cpu < a->cpu)
		need = "cpu";
	if (need != NULL)
		CONF_ERROR(c, where(c, a, need), "app ", a->name,
		    ": no node has as much ", need, " as one replica needs; "
		    "lower ", need, "= here, or raise it at a node");
	return need != NULL;
}

static void
check_place(struct conf *c, const struct conf_app *a)
{
	char text[NUM_TEXT_MAX];
	uint32_t rank, node;

	if (c->nodes_len == 0 || say_need(c, a))
		return;
	for (rank = 0; rank < a->replicas; rank++) {
		for (node = 0; node < c->nodes_len; node++)
			if (possible(c, a, rank, node))
				break;
		if (node < c->nodes_len)
			continue;
		(void)num_text(text, sizeof(text), rank);
		CONF_ERROR(c, a->place, "app ", a->name, ": rank ", text,
		    " may be on no node, by pin=, avoid= and what it needs; "
		    "relax one of them");
		return;
	}
}

static void
check_exec(struct conf *c, const struct conf_app *a)
{
	const char *program = a->exec.word[0];

	if (strchr(program, '/') != NULL && program[0] != '/' &&
	    a->cwd[0] == '\0')
		CONF_ERROR(c, where(c, a, "exec"), "app ", a->name,
		    ": program ", program, " lies below a directory that is "
		    "not given; add cwd=, or give a path that begins with /");
}

static void
check_ids(struct conf *c, const struct conf_app *a)
{
	const struct conf_app *b;

	for (b = c->apps; b < a; b++)
		if (a->id == b->id)
			CONF_ERROR(c, a->place, "app ", a->name, ": its name "
			    "has the same hash as that of app ", b->name,
			    "; give one of them another name");
}

/* Is the app among those that it waits for?  seen: bits by app. */
static bool
waits_for(const struct conf *c, uint32_t from, uint32_t app, uint64_t *seen)
{
	uint16_t stack[CONF_APPS_MAX];
	const struct conf_app *a;
	uint32_t len = 0, i, next;

	stack[len++] = (uint16_t)from;
	while (len > 0) {
		a = &c->apps[stack[--len]];
		for (i = 0; i < a->after_len; i++) {
			next = a->after[i];
			if (next == app)
				return true;
			if ((seen[next / 64] >> next % 64 & 1) != 0)
				continue;
			seen[next / 64] |= UINT64_C(1) << next % 64;
			stack[len++] = (uint16_t)next;
		}
	}
	return false;
}

static void
check_after(struct conf *c)
{
	uint64_t seen[CONF_APPS_MAX / 64];
	uint32_t i;

	for (i = 0; i < c->apps_len; i++) {
		memset(seen, 0, sizeof(seen));
		if (!waits_for(c, i, i, seen))
			continue;
		/* All others of the circle would say the same. */
		CONF_ERROR(c, where(c, &c->apps[i], "after"), "app ",
		    c->apps[i].name, ": it waits for itself, by way of after= "
		    "of others; remove an after= of the circle");
		return;
	}
}

/* Tables of the scheduler are that long. */
static void
check_lists(struct conf *c)
{
	uint32_t i, pins = 0, wishes = 0;

	for (i = 0; i < c->apps_len; i++) {
		pins += c->apps[i].pins_len;
		wishes += c->apps[i].prefer_len + c->apps[i].apart_len;
	}
	if (pins > CONF_LISTS_MAX)
		CONF_ERROR(c, c->dvm.place, "dvm ", c->dvm.name, ": all apps "
		    "together have more than 1024 pins; use avoid= or "
		    "prefer= instead of some");
	if (wishes > CONF_LISTS_MAX)
		CONF_ERROR(c, c->dvm.place, "dvm ", c->dvm.name, ": all apps "
		    "together have more than 1024 items in prefer= and "
		    "apart=; remove some");
}
_Static_assert(CONF_LISTS_MAX == 1024, "as the errors say");

void
conf_check_apps(struct conf *c)
{
	uint32_t i;

	for (i = 0; i < c->apps_len; i++) {
		check_ids(c, &c->apps[i]);
		check_exec(c, &c->apps[i]);
		check_pins(c, &c->apps[i]);
		if (!c->bad)
			check_place(c, &c->apps[i]);
	}
	check_after(c);
	check_lists(c);
}

/* Warnings. */

static void
warn_nodes(struct conf *c, const struct conf_app *a)
{
	char replicas[NUM_TEXT_MAX], nodes[NUM_TEXT_MAX];
	uint32_t i, rank, len = 0;

	for (i = 0; i < c->nodes_len; i++) {
		for (rank = 0; rank < a->replicas; rank++)
			if (possible(c, a, rank, i))
				break;
		len += rank < a->replicas;
	}
	if (c->nodes_len == 0 || a->spread_node != CONF_SPREAD_STRICT ||
	    a->replicas <= len)
		return;
	(void)num_text(replicas, sizeof(replicas), a->replicas);
	(void)num_text(nodes, sizeof(nodes), len);
	CONF_WARNING(c, where(c, a, "replicas"), "app ", a->name, ": ",
	    replicas, " replicas, but only ", nodes, " nodes for them, and "
	    "one on each; lower replicas=, or set spread=node:soft");
}

static void
warn_after(struct conf *c, const struct conf_app *a)
{
	const struct conf_app *b;
	uint32_t i;

	for (i = 0; i < a->after_len; i++) {
		b = &c->apps[a->after[i]];
		if (a->start == CONF_START_AUTO &&
		    b->start == CONF_START_MANUAL)
			CONF_WARNING(c, where(c, a, "after"), "app ", a->name,
			    ": it waits for app ", b->name, ", which is "
			    "started by hand; set start=manual here too, or "
			    "start=auto there");
	}
}

void
conf_warn_apps(struct conf *c)
{
	uint64_t have = 0, want = 0;
	uint32_t i;

	for (i = 0; i < c->nodes_len; i++)
		have += c->nodes[i].drain ? 0 : c->nodes[i].slots;
	for (i = 0; i < c->apps_len; i++) {
		warn_nodes(c, &c->apps[i]);
		warn_after(c, &c->apps[i]);
		if (c->apps[i].start == CONF_START_AUTO)
			want += (uint64_t)c->apps[i].replicas *
			    c->apps[i].slots;
	}
	if (c->nodes_len > 0 && want > have)
		CONF_WARNING(c, c->dvm.place, "dvm ", c->dvm.name, ": all "
		    "replicas together need more slots than all nodes "
		    "together have; raise slots= of nodes, or lower replicas=");
}
