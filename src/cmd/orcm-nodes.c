/* SPDX-License-Identifier: ISC */
/*
 * orcm-nodes: the nodes of a DVM as one of them sees them.  All live nodes of
 * one side see the same; who is asked shows in the column "self".
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "base/num.h"
#include "core/memb.h"
#include "lib/tool.h"
#include "sys/log.h"

enum column {
	NODE,
	NUMBER,
	STATE,
	EPOCH,
	FIT,
	CONNECTED,
	PROCESSES,
	SELF,
	AGREED,
	QUORATE,
	VERSION,
	DVM,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[NODE] = { "node", OUT_TEXT },
	[NUMBER] = { "number", OUT_NUMBER },
	[STATE] = { "state", OUT_TEXT },
	[EPOCH] = { "epoch", OUT_NUMBER },
	[FIT] = { "fit", OUT_BOOL },
	[CONNECTED] = { "connected", OUT_BOOL },
	[PROCESSES] = { "processes", OUT_NUMBER },
	[SELF] = { "self", OUT_BOOL },
	[AGREED] = { "agreed", OUT_BOOL },
	[QUORATE] = { "quorate", OUT_BOOL },
	[VERSION] = { "version", OUT_TEXT },
	[DVM] = { "dvm", OUT_TEXT },
};

#define NUMBER_ROOM 24

struct row {
	const struct jobs_node *node;
	char number[NUMBER_ROOM], epoch[NUMBER_ROOM], processes[NUMBER_ROOM];
	const char *values[COLUMNS];
};

static struct nodes {
	struct tool t;
	struct out out;
	char **names;
	size_t names_len;
	bool first; /* nothing is printed yet */
	struct shown {
		uint16_t number;
		char line[512]; /* what was printed of it last, with -f */
	} *shown;
	size_t shown_len;
} n;

static bool
wanted(const char *name)
{
	size_t i;

	for (i = 0; i < n.names_len; i++)
		if (strcmp(n.names[i], name) == 0)
			return true;
	return n.names_len == 0;
}

static const char *
truth(bool yes)
{
	return yes ? "yes" : "no";
}

/* Those that live there, by their records. */
static uint64_t
processes_of(const struct jobs *j, uint16_t number)
{
	uint64_t count = 0;
	size_t i;

	for (i = 0; i < j->ranks_len; i++)
		count += j->ranks[i].known && j->ranks[i].node == number &&
			 j->ranks[i].proc.pid != 0;
	return count;
}

static void
fill(struct row *r, const struct tool_dvm *d, const struct jobs_node *node)
{
	const struct record_seen *s = &node->seen;

	memset(r, 0, sizeof(*r));
	r->node = node;
	(void)num_text(r->number, NUMBER_ROOM, node->number);
	(void)num_text(r->processes, NUMBER_ROOM,
	    processes_of(&d->jobs, node->number));
	if (s->epoch != 0)
		(void)num_text(r->epoch, NUMBER_ROOM, s->epoch);
	r->values[NODE] = node->name;
	r->values[NUMBER] = r->number;
	r->values[STATE] = memb_status_name((enum memb_status)s->status);
	r->values[EPOCH] = r->epoch;
	r->values[FIT] = truth(s->fit);
	r->values[CONNECTED] = truth(s->connected);
	r->values[PROCESSES] = r->processes;
	r->values[SELF] = truth(s->self);
	r->values[AGREED] = s->self ? truth(s->agreed) : NULL;
	r->values[QUORATE] = s->self ? truth(s->quorate) : NULL;
	r->values[VERSION] = node->version;
	r->values[DVM] = d->name;
}

static int
order(const void *x, const void *y)
{
	const struct jobs_node *const *a = x, *const *b = y;

	return strcmp((*a)->name, (*b)->name);
}

/* All that are wanted, by name; the caller frees it. */
static const struct jobs_node **
sorted(const struct tool_dvm *d, size_t *len)
{
	const struct jobs *j = &d->jobs;
	const struct jobs_node **list =
	    calloc(j->nodes_len + 1, sizeof(const struct jobs_node *));
	size_t i;

	if (list == NULL)
		die_sys(EXIT_TEMP, "list of nodes");
	*len = 0;
	for (i = 0; i < j->nodes_len; i++)
		if (j->nodes[i].known && wanted(j->nodes[i].name))
			list[(*len)++] = &j->nodes[i];
	qsort(list, *len, sizeof(*list), order);
	return list;
}

/* Has something changed that is shown?  Remembers it. */
static bool
news(const struct row *r)
{
	struct shown *s = NULL;
	char line[sizeof(s->line)];
	size_t i, used = 0, size;

	for (i = 0; i < n.out.order_len; i++) {
		const char *v = r->values[n.out.order[i]];

		size = strlen(v != NULL ? v : "") + 1;
		if (size > sizeof(line) - used)
			break;
		memcpy(line + used, v != NULL ? v : "", size);
		used += size;
	}
	memset(line + used, 0, sizeof(line) - used);
	for (i = 0; i < n.shown_len && s == NULL; i++)
		if (n.shown[i].number == r->node->number)
			s = &n.shown[i];
	if (s != NULL && memcmp(s->line, line, sizeof(line)) == 0)
		return false;
	if (s == NULL) {
		s = realloc(n.shown, (n.shown_len + 1) * sizeof(*s));
		if (s == NULL)
			die_sys(EXIT_TEMP, "list of nodes");
		n.shown = s;
		s = &n.shown[n.shown_len++];
	}
	s->number = r->node->number;
	memcpy(s->line, line, sizeof(line));
	return true;
}

static void
update(struct tool_dvm *d)
{
	const struct jobs_node **list;
	struct row r;
	size_t i, len;

	if (!n.t.follow || d->state != TOOL_HERE)
		return;
	if (n.first)
		out_header(&n.out);
	n.first = false;
	list = sorted(d, &len);
	for (i = 0; i < len; i++) {
		fill(&r, d, list[i]);
		if (news(&r))
			out_row(&n.out, r.values);
	}
	free(list);
	tool_flush();
}

static void
changed(struct tool_dvm *d, const struct client_record *r)
{
	(void)r;
	update(d);
}

/* Named nodes that no row is of: a line for each on stderr. */
static bool
all_found(const struct jobs_node *const *list, size_t len)
{
	bool all = true;
	size_t i, k;

	for (i = 0; i < n.names_len; i++) {
		for (k = 0; k < len; k++)
			if (strcmp(list[k]->name, n.names[i]) == 0)
				break;
		if (k < len)
			continue;
		log_line(LOG_ERROR, "no node \"%s\"", n.names[i]);
		all = false;
	}
	return all;
}

static void
look(struct tool *t)
{
	const struct jobs_node **list;
	struct row r;
	size_t i, len;
	bool all;

	if (tool_pending(t))
		return;
	if (tool_here(t) == 0)
		tool_nobody(t);
	if (t->follow)
		return;
	list = sorted(t->dvms, &len);
	out_header(&n.out);
	for (i = 0; i < len; i++) {
		fill(&r, t->dvms, list[i]);
		out_row(&n.out, r.values);
	}
	tool_flush();
	all = all_found(list, len);
	free(list);
	exit(all ? EXIT_YES : EXIT_NO);
}

int
main(int argc, char **argv)
{
	static const struct tool_ops ops = {
		.look = look,
		.changed = changed,
		.here = update,
	};
	int c;

	tool_init(&n.t, "orcm-nodes",
	    "[-JVfh] [-D dvm] [-o columns] [-r rundir] [node ...]");
	while ((c = getopt(argc, argv, "+D:JVfho:r:")) != -1)
		tool_option(&n.t, c);
	tool_columns(&n.t, &n.out, columns, COLUMNS);
	n.names = argv + optind;
	n.names_len = (size_t)(argc - optind);
	n.first = true;
	n.t.ops = &ops;
	n.t.kinds = JOBS_KINDS | JOBS_NODES;
	n.t.patient = n.t.follow;
	tool_start(&n.t);
	tool_choose(&n.t);
	tool_run(&n.t);
	return EXIT_YES;
}
