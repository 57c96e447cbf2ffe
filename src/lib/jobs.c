/* SPDX-License-Identifier: ISC */
/*
 * Records that a client is told, put together to jobs and their replicas.
 * They come in any order, and a job's processes may outlast its record, so
 * an entry is there as soon as the first of them came.  It never sends
 * anything and knows no time; the tools call it through lib/tool.
 */
#include "lib/jobs.h"

#include <stdlib.h>
#include <string.h>

#include <orcm/leader.h>

#include "base/name.h"
#include "sys/plug.h"

void
jobs_init(struct jobs *j)
{
	memset(j, 0, sizeof(*j));
}

void
jobs_free(struct jobs *j)
{
	free(j->jobs);
	free(j->ranks);
	free(j->nodes);
	jobs_init(j);
}

/* A larger table, or NULL with ENOMEM and the old one kept. */
static void *
grown(void *table, size_t *max, size_t size)
{
	size_t more = *max == 0 ? 16 : *max * 2;
	void *p;

	if (more > SIZE_MAX / size)
		return NULL;
	p = realloc(table, more * size);
	if (p != NULL)
		*max = more;
	return p;
}

static struct jobs_job *
job_entry(struct jobs *j, uint64_t id)
{
	struct jobs_job *e, *free_one = NULL;
	size_t i;

	for (i = 0; i < j->jobs_len; i++) {
		e = &j->jobs[i];
		if (e->id == id)
			return e;
		if (!e->known && !e->led)
			free_one = e;
	}
	if (free_one == NULL && j->jobs_len == j->jobs_max) {
		e = grown(j->jobs, &j->jobs_max, sizeof(*e));
		if (e == NULL)
			return NULL;
		j->jobs = e;
	}
	if (free_one == NULL)
		free_one = &j->jobs[j->jobs_len++];
	memset(free_one, 0, sizeof(*free_one));
	free_one->id = id;
	return free_one;
}

static struct jobs_rank *
rank_entry(struct jobs *j, uint64_t id)
{
	struct jobs_rank *e, *free_one = NULL;
	size_t i;

	for (i = 0; i < j->ranks_len; i++) {
		e = &j->ranks[i];
		if (e->id == id)
			return e;
		if (!e->known && !e->flowing)
			free_one = e;
	}
	if (free_one == NULL && j->ranks_len == j->ranks_max) {
		e = grown(j->ranks, &j->ranks_max, sizeof(*e));
		if (e == NULL)
			return NULL;
		j->ranks = e;
	}
	if (free_one == NULL)
		free_one = &j->ranks[j->ranks_len++];
	memset(free_one, 0, sizeof(*free_one));
	free_one->id = id;
	return free_one;
}

static struct jobs_node *
node_entry(struct jobs *j, uint16_t number)
{
	struct jobs_node *e;
	size_t i;

	for (i = 0; i < j->nodes_len; i++)
		if (j->nodes[i].number == number)
			return &j->nodes[i];
	if (j->nodes_len == j->nodes_max) {
		e = grown(j->nodes, &j->nodes_max, sizeof(*e));
		if (e == NULL)
			return NULL;
		j->nodes = e;
	}
	e = &j->nodes[j->nodes_len++];
	memset(e, 0, sizeof(*e));
	e->number = number;
	return e;
}

static int
take_node(struct jobs *j, const struct client_record *r)
{
	struct record_node node;
	struct jobs_node *e;

	if (r->dead || !record_node_get(&node, r->value, r->value_size))
		return 0;
	e = node_entry(j, r->owner);
	if (e == NULL)
		return -1;
	(void)copy_str(e->name, sizeof(e->name), node.name);
	(void)copy_str(e->version, sizeof(e->version), node.version);
	return 0;
}

static int
take_seen(struct jobs *j, const struct client_record *r)
{
	struct record_seen seen;
	struct jobs_node *e;

	if (r->dead || !record_seen_get(&seen, r->value, r->value_size))
		return 0;
	e = node_entry(j, (uint16_t)r->id);
	if (e == NULL)
		return -1;
	e->known = true;
	e->known_old = false;
	e->seen = seen;
	(void)copy_str(e->name, sizeof(e->name), seen.name);
	return 0;
}

static void
take_daemon(struct jobs *j, const struct client_record *r)
{
	struct record_daemon d;

	if (r->dead) {
		if (r->id == j->orcmd)
			j->orcmd_here = false;
		if (r->id == j->leaderd)
			j->leaderd_here = false;
	} else if (record_daemon_get(&d, r->value, r->value_size)) {
		if (strcmp(d.role, "orcmd") == 0) {
			j->orcmd = r->id;
			j->orcmd_here = true;
		} else if (strcmp(d.role, "orcm-leaderd") == 0) {
			j->leaderd = r->id;
			j->leaderd_here = true;
		}
	}
}

static int
take_job(struct jobs *j, const struct client_record *r)
{
	struct jobs_job *e;
	struct record_job job;

	if (!r->dead && !record_job_get(&job, r->value, r->value_size))
		return 0;
	if (r->dead && jobs_id(j, r->id) == NULL)
		return 0;
	e = job_entry(j, r->id);
	if (e == NULL)
		return -1;
	e->known = !r->dead;
	e->known_old = false;
	if (!r->dead)
		e->r = job;
	return 0;
}

static int
take_lead(struct jobs *j, const struct client_record *r)
{
	struct jobs_job *e;
	struct record_lead lead;

	if (!r->dead && !record_lead_get(&lead, r->value, r->value_size))
		return 0;
	if (r->dead && jobs_id(j, r->id) == NULL)
		return 0;
	e = job_entry(j, r->id);
	if (e == NULL)
		return -1;
	e->led = !r->dead;
	e->led_old = false;
	if (!r->dead)
		e->lead = lead;
	return 0;
}

static int
take_rank(struct jobs *j, const struct client_record *r)
{
	struct jobs_rank *e;
	struct record_proc proc;
	struct record_flow flow;
	bool is_proc = r->kind == RECORD_PROC;

	if (!r->dead && !(is_proc ?
		record_proc_get(&proc, r->value, r->value_size) :
		record_flow_get(&flow, r->value, r->value_size)))
		return 0;
	if (r->dead &&
	    jobs_rank(j, RECORD_ID_JOB(r->id), RECORD_RANK(r->id)) == NULL)
		return 0;
	e = rank_entry(j, r->id);
	if (e == NULL)
		return -1;
	/* It has moved, and its former node speaks of a former life. */
	if (is_proc && e->known && e->node != r->owner &&
	    (r->dead || proc.incarnation < e->proc.incarnation))
		return 0;
	if (is_proc) {
		e->known = !r->dead;
		e->known_old = false;
		e->node = r->owner;
		if (!r->dead)
			e->proc = proc;
	} else {
		e->flowing = !r->dead;
		e->flowing_old = false;
		if (!r->dead)
			e->flow = flow;
	}
	return 0;
}

int
jobs_take(struct jobs *j, const struct client_record *r)
{
	switch (r->kind) {
	case RECORD_NODE:
		return take_node(j, r);
	case RECORD_SEEN:
		return take_seen(j, r);
	case RECORD_DAEMON:
		if (r->owner == j->here)
			take_daemon(j, r);
		return 0;
	case RECORD_JOB:
		return take_job(j, r);
	case RECORD_LEAD:
		return take_lead(j, r);
	case RECORD_PROC:
	case RECORD_FLOW:
		return take_rank(j, r);
	default:
		return 0;
	}
}

void
jobs_again(struct jobs *j)
{
	size_t i;

	j->orcmd_here = j->leaderd_here = false;
	for (i = 0; i < j->nodes_len; i++)
		j->nodes[i].known_old = j->nodes[i].known;
	for (i = 0; i < j->jobs_len; i++) {
		j->jobs[i].known_old = j->jobs[i].known;
		j->jobs[i].led_old = j->jobs[i].led;
	}
	for (i = 0; i < j->ranks_len; i++) {
		j->ranks[i].known_old = j->ranks[i].known;
		j->ranks[i].flowing_old = j->ranks[i].flowing;
	}
}

void
jobs_sweep(struct jobs *j)
{
	size_t i;

	for (i = 0; i < j->nodes_len; i++)
		j->nodes[i].known &= !j->nodes[i].known_old;
	for (i = 0; i < j->jobs_len; i++) {
		struct jobs_job *e = &j->jobs[i];

		e->known = e->known && !e->known_old;
		e->led = e->led && !e->led_old;
	}
	for (i = 0; i < j->ranks_len; i++) {
		struct jobs_rank *e = &j->ranks[i];

		e->known = e->known && !e->known_old;
		e->flowing = e->flowing && !e->flowing_old;
	}
}

const char *
jobs_node(const struct jobs *j, uint16_t number)
{
	size_t i;

	for (i = 0; i < j->nodes_len; i++)
		if (j->nodes[i].number == number)
			return j->nodes[i].name;
	return "-";
}

const struct jobs_job *
jobs_id(const struct jobs *j, uint64_t id)
{
	size_t i;

	for (i = 0; i < j->jobs_len; i++)
		if (j->jobs[i].id == id)
			return &j->jobs[i];
	return NULL;
}

const struct jobs_job *
jobs_name(const struct jobs *j, const char *name)
{
	size_t i;

	for (i = 0; i < j->jobs_len; i++)
		if (j->jobs[i].known && strcmp(j->jobs[i].r.name, name) == 0)
			return &j->jobs[i];
	return NULL;
}

const struct jobs_rank *
jobs_rank(const struct jobs *j, uint64_t job, uint32_t rank)
{
	size_t i;

	for (i = 0; i < j->ranks_len; i++)
		if (j->ranks[i].id == RECORD_ID_RANK(job, rank))
			return &j->ranks[i];
	return NULL;
}

bool
jobs_there(const struct jobs *j, uint64_t job)
{
	const struct jobs_job *e = jobs_id(j, job);
	size_t i;

	for (i = 0; i < j->ranks_len; i++)
		if (j->ranks[i].known && RECORD_ID_JOB(j->ranks[i].id) == job)
			return true;
	return e != NULL && e->known;
}

bool
jobs_alive(const struct jobs_rank *k)
{
	if (k == NULL || !k->known)
		return false;
	return k->proc.state == PROC_DONE ||
	    (k->proc.pid != 0 &&
		(k->proc.state == PROC_UP || k->proc.state == PROC_ADOPTING ||
		    k->proc.state == PROC_STOPPING));
}

bool
jobs_flow(const struct jobs_rank *k, uint32_t flag)
{
	return k != NULL && k->flowing &&
	    (!k->known || k->flow.incarnation == k->proc.incarnation) &&
	    (k->flow.flags & flag) != 0;
}

bool
jobs_ready(const struct jobs_rank *k)
{
	return jobs_alive(k) &&
	    (!k->flowing || jobs_flow(k, FLOW_READY | FLOW_DONE));
}

uint32_t
jobs_leader(const struct jobs *j, const struct jobs_job *job)
{
	const struct jobs_rank *k;

	if (!job->led)
		return ORCM_RANK_NONE;
	k = jobs_rank(j, job->id, job->lead.rank);
	if (!jobs_alive(k) || k->proc.incarnation != job->lead.incarnation)
		return ORCM_RANK_NONE;
	return job->lead.rank;
}

/* Is somebody ready to lead, and the policy such that one will be claimed? */
static bool
claim_due(const struct jobs *j, const struct jobs_job *job)
{
	const struct orcm_plugin *plugin;
	const struct orcm_leader_ops *ops;
	char policy[sizeof(job->r.policy)];
	uint32_t i;

	memcpy(policy, job->r.policy, sizeof(policy));
	policy[strcspn(policy, ":,")] = '\0';
	plugin = plug_builtin("leader", policy);
	if (plugin == NULL)
		return false;
	ops = plugin->ops;
	if (ops->delivery != ORCM_DELIVER_LEADER)
		return false;
	for (i = 0; i < job->r.size; i++)
		if (jobs_ready(jobs_rank(j, job->id, i)))
			return true;
	return false;
}

bool
jobs_whole(const struct jobs *j)
{
	const struct jobs_job *job;
	const struct jobs_rank *k;
	size_t i;

	if (!j->orcmd_here || !j->leaderd_here)
		return false;
	for (i = 0; i < j->ranks_len; i++) {
		k = &j->ranks[i];
		if (!k->known || k->known_old)
			continue;
		job = jobs_id(j, RECORD_ID_JOB(k->id));
		if (job == NULL || !job->known || job->known_old)
			return false;
		/* Its owner tells about each process that it has. */
		if (k->proc.state == PROC_UP && (!k->flowing || k->flowing_old))
			return false;
	}
	for (i = 0; i < j->jobs_len; i++) {
		job = &j->jobs[i];
		if (!job->known || job->known_old)
			continue;
		k = jobs_rank(j, job->id, job->r.size - 1);
		if (k == NULL || !k->known || k->known_old)
			return false;
		if ((!job->led || job->led_old) && claim_due(j, job))
			return false;
	}
	return true;
}
