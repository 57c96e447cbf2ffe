/* SPDX-License-Identifier: ISC */
/*
 * orcm-ps: the replicas of all jobs, one line each.  With -f it goes on and
 * prints a line whenever one of them is no longer as it was last printed,
 * so it keeps the last line of each.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "base/num.h"
#include "lib/tool.h"
#include "sys/log.h"

enum {
	JOB,
	APP,
	RANK,
	NODE,
	STATE,
	PID,
	INCARNATION,
	LEADER,
	RESTARTS,
	READY,
	STALLED,
	DIVERGED,
	DVM,
	COLUMNS
};

static const struct out_column columns[COLUMNS] = {
	[JOB] = { "job", OUT_TEXT },
	[APP] = { "app", OUT_TEXT },
	[RANK] = { "rank", OUT_NUMBER },
	[NODE] = { "node", OUT_TEXT },
	[STATE] = { "state", OUT_TEXT },
	[PID] = { "pid", OUT_NUMBER },
	[INCARNATION] = { "incarnation", OUT_NUMBER },
	[LEADER] = { "leader", OUT_BOOL },
	[RESTARTS] = { "restarts", OUT_NUMBER },
	[READY] = { "ready", OUT_BOOL },
	[STALLED] = { "stalled", OUT_BOOL },
	[DIVERGED] = { "diverged", OUT_BOOL },
	[DVM] = { "dvm", OUT_TEXT },
};

#define NUMBER_ROOM 24

/* One line; NULL and "" are unknown. */
struct row {
	uint64_t id; /* of the job | rank */
	uint32_t number; /* the rank again, to sort by */
	const char *state, *leader, *ready, *stalled, *diverged;
	char job[ORCM_NAME_MAX + 1], app[192];
	char node[ORCM_NAME_MAX + 1], dvm[ORCM_NAME_MAX + 1];
	char rank[NUMBER_ROOM], pid[NUMBER_ROOM];
	char incarnation[NUMBER_ROOM], restarts[NUMBER_ROOM];
};

static struct ps {
	struct tool t;
	struct out out;
	char **names;
	size_t names_len;
	struct row *rows; /* as they were printed last; only with -f */
	size_t rows_len, rows_max;
	bool first; /* nothing has been printed yet */
} ps = { .first = true };

static const char *
truth(bool known, bool yes)
{
	return !known ? NULL : yes ? "yes" : "no";
}

static bool
wanted(const char *job)
{
	size_t i;

	for (i = 0; i < ps.names_len; i++)
		if (strcmp(ps.names[i], job) == 0)
			return true;
	return ps.names_len == 0;
}

/* k is NULL for a replica that orcmd has not told of yet. */
static void
fill(struct row *r, const struct tool_dvm *d, const struct jobs_job *job,
    const struct jobs_rank *k, uint32_t rank)
{
	uint32_t leader = job != NULL ? jobs_leader(&d->jobs, job) :
					ORCM_RANK_NONE;
	bool flows = k != NULL && k->flowing;

	memset(r, 0, sizeof(*r));
	r->number = rank;
	(void)num_text(r->rank, NUMBER_ROOM, rank);
	r->state = proc_state_name(PROC_NEW);
	if (job != NULL) {
		r->id = RECORD_ID_RANK(job->id, rank);
		(void)copy_str(r->job, sizeof(r->job), job->r.name);
		(void)copy_str(r->app, sizeof(r->app), job->r.app);
	}
	(void)copy_str(r->node, sizeof(r->node), k != NULL && k->known ?
	    jobs_node(&d->jobs, k->node) : "-");
	(void)copy_str(r->dvm, sizeof(r->dvm), d->name);
	r->leader = truth(leader != ORCM_RANK_NONE, leader == rank);
	r->ready = truth(flows, jobs_flow(k, FLOW_READY));
	r->stalled = truth(flows, jobs_flow(k, FLOW_STALLED));
	r->diverged = truth(flows, jobs_flow(k, FLOW_DIVERGED));
	if (k == NULL || !k->known)
		return;
	r->id = k->id;
	r->state = proc_state_name(k->proc.state);
	if (k->proc.pid != 0)
		(void)num_text(r->pid, NUMBER_ROOM, k->proc.pid);
	(void)num_text(r->incarnation, NUMBER_ROOM, k->proc.incarnation);
	(void)num_text(r->restarts, NUMBER_ROOM, k->proc.restarts);
}

static void
values_of(const struct row *r, const char **values)
{
	values[JOB] = r->job;
	values[APP] = r->app;
	values[RANK] = r->rank;
	values[NODE] = r->node;
	values[STATE] = r->state;
	values[PID] = r->pid;
	values[INCARNATION] = r->incarnation;
	values[LEADER] = r->leader;
	values[RESTARTS] = r->restarts;
	values[READY] = r->ready;
	values[STALLED] = r->stalled;
	values[DIVERGED] = r->diverged;
	values[DVM] = r->dvm;
}

static void
print(const struct row *r)
{
	const char *values[COLUMNS];

	values_of(r, values);
	out_row(&ps.out, values);
}

static struct row *
add(struct row **rows, size_t *len, size_t *max)
{
	struct row *more;

	if (*len == *max) {
		*max = *max == 0 ? 64 : *max * 2;
		more = realloc(*rows, *max * sizeof(**rows));
		if (more == NULL)
			die_sys(EXIT_TEMP, "rows");
		*rows = more;
	}
	return &(*rows)[(*len)++];
}

static int
order(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int by = strcmp(x->job, y->job);

	if (by == 0)
		by = strcmp(x->dvm, y->dvm);
	if (by == 0)
		by = x->number < y->number ? -1 : x->number > y->number;
	return by;
}

/* All replicas of one DVM behind those that are in rows already. */
static void
collect(const struct tool_dvm *d, struct row **rows, size_t *len, size_t *max)
{
	const struct jobs *j = &d->jobs;
	const struct jobs_job *job;
	uint32_t rank;
	size_t i;

	for (i = 0; i < j->jobs_len; i++) {
		job = &j->jobs[i];
		if (!job->known || !wanted(job->r.name))
			continue;
		for (rank = 0; rank < job->r.size; rank++)
			fill(add(rows, len, max), d, job,
			    jobs_rank(j, job->id, rank), rank);
	}
	/* Processes that outlast the record of their job. */
	for (i = 0; i < j->ranks_len; i++) {
		job = jobs_id(j, RECORD_ID_JOB(j->ranks[i].id));
		if (!j->ranks[i].known || (job != NULL && job->known) ||
		    !wanted(job != NULL ? job->r.name : ""))
			continue;
		fill(add(rows, len, max), d, job, &j->ranks[i],
		    RECORD_RANK(j->ranks[i].id));
	}
}

/* Named jobs that no row is of: a line for each on stderr. */
static bool
all_found(const struct row *rows, size_t len)
{
	bool all = true;
	size_t i, k;

	for (i = 0; i < ps.names_len; i++) {
		for (k = 0; k < len; k++)
			if (strcmp(rows[k].job, ps.names[i]) == 0)
				break;
		if (k < len)
			continue;
		log_line(LOG_ERROR, "no job \"%s\"", ps.names[i]);
		all = false;
	}
	return all;
}

static _Noreturn void
list(void)
{
	struct row *rows = NULL;
	size_t len = 0, max = 0, i;
	struct tool_dvm *d;
	bool all;

	for (d = ps.t.dvms; d != NULL; d = d->next)
		if (d->state == TOOL_HERE)
			collect(d, &rows, &len, &max);
	if (len > 0)
		qsort(rows, len, sizeof(*rows), order);
	out_header(&ps.out);
	for (i = 0; i < len; i++)
		print(&rows[i]);
	tool_flush();
	all = all_found(rows, len);
	free(rows);
	exit(all ? EXIT_YES : EXIT_NO);
}

/* Would the same be printed?  Columns that nobody chose may differ. */
static bool
same(const struct row *a, const struct row *b)
{
	const char *x[COLUMNS], *y[COLUMNS], *p, *q;
	size_t i;

	values_of(a, x);
	values_of(b, y);
	for (i = 0; i < ps.out.order_len; i++) {
		p = x[ps.out.order[i]];
		q = y[ps.out.order[i]];
		if (strcmp(p != NULL ? p : "", q != NULL ? q : "") != 0)
			return false;
	}
	return true;
}

static struct row *
printed(const struct row *r)
{
	size_t i;

	for (i = 0; i < ps.rows_len; i++)
		if (ps.rows[i].id == r->id &&
		    strcmp(ps.rows[i].dvm, r->dvm) == 0)
			return &ps.rows[i];
	return NULL;
}

static void
print_gone(struct row *r)
{
	r->state = "gone";
	r->leader = r->ready = r->stalled = r->diverged = NULL;
	r->pid[0] = '\0';
	print(r);
}

/* Prints what has changed in one DVM; rows are as it is now. */
static void
compare(const char *dvm, const struct row *rows, size_t len)
{
	struct row *old;
	size_t i, k, kept = 0;

	for (i = 0; i < len; i++) {
		old = printed(&rows[i]);
		if (old != NULL && same(old, &rows[i]))
			continue;
		if (old == NULL)
			old = add(&ps.rows, &ps.rows_len, &ps.rows_max);
		*old = rows[i];
		print(old);
	}
	for (i = 0; i < ps.rows_len; i++) {
		for (k = 0; k < len && rows[k].id != ps.rows[i].id; k++)
			;
		if (k == len && strcmp(ps.rows[i].dvm, dvm) == 0)
			print_gone(&ps.rows[i]);
		else
			ps.rows[kept++] = ps.rows[i];
	}
	ps.rows_len = kept;
	tool_flush();
}

static void
update(struct tool_dvm *d)
{
	static struct row *rows;
	static size_t max;
	size_t len = 0;

	if (!ps.t.follow)
		return;
	if (ps.first)
		out_header(&ps.out);
	ps.first = false;
	if (d->state == TOOL_HERE)
		collect(d, &rows, &len, &max);
	if (len > 0)
		qsort(rows, len, sizeof(*rows), order);
	compare(d->name, rows, len);
}

static void
changed(struct tool_dvm *d, const struct client_record *r)
{
	(void)r;
	update(d);
}

static void
look(struct tool *t)
{
	if (tool_pending(t))
		return;
	if (tool_here(t) == 0)
		tool_nobody(t);
	if (!t->follow)
		list();
}

int
main(int argc, char **argv)
{
	static const struct tool_ops ops = {
		.look = look,
		.changed = changed,
		.here = update,
		.away = update,
	};
	int c;

	tool_init(&ps.t, "orcm-ps",
	    "[-JVfh] [-D dvm] [-o columns] [-r rundir] [job ...]");
	while ((c = getopt(argc, argv, "+D:JVfho:r:")) != -1)
		tool_option(&ps.t, c);
	tool_columns(&ps.t, &ps.out, columns, COLUMNS);
	ps.names = argv + optind;
	ps.names_len = (size_t)(argc - optind);
	ps.t.ops = &ops;
	ps.t.kinds = JOBS_KINDS;
	ps.t.scan = ps.t.patient = ps.t.follow;
	tool_start(&ps.t);
	tool_run(&ps.t);
	return EXIT_YES;
}
