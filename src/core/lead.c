/* SPDX-License-Identifier: ISC */
/*
 * Leadership is a claim record with an epoch: receivers follow the highest
 * one and never accept a lower one again.  So a claim that is late, doubled
 * or forgotten does no harm, and this core may die at any moment: the picture
 * kept its claims, and the owners of jobs tell the highest epoch that they
 * accepted.
 *
 * A replica can lead when its process lives (or ended as it should and all
 * it wrote is held) and its receiver says that it has caught up.  Both the
 * keeper's daemon (process records) and the receiver (flow records) report
 * deaths; whoever is first counts, so a switch never waits for the slower.
 */
#include "core/lead.h"

#include <string.h>

#include "base/require.h"

#define NONE UINT32_MAX

size_t
lead_memory(const struct lead_conf *conf)
{
	return conf->jobs_max * sizeof(struct lead_job) +
	    conf->members_max * sizeof(struct lead_member) +
	    ORCM_RANKS_MAX * sizeof(struct orcm_leader_member) + 3 * 16;
}

void
lead_init(struct lead *l, struct arena *a, const struct lead_conf *conf)
{
	memset(l, 0, sizeof(*l));
	l->conf = *conf;
	l->jobs = arena_alloc(a, conf->jobs_max, sizeof(*l->jobs));
	l->members = arena_alloc(a, conf->members_max, sizeof(*l->members));
	l->view = arena_alloc(a, ORCM_RANKS_MAX, sizeof(*l->view));
}

static struct lead_job *
job_find(struct lead *l, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < l->conf.jobs_max; i++)
		if (l->jobs[i].used && l->jobs[i].id == id)
			return &l->jobs[i];
	return NULL;
}

static bool
overlaps(const struct lead *l, uint32_t first, uint32_t len, uint32_t *next)
{
	uint32_t i;

	for (i = 0; i < l->conf.jobs_max; i++)
		if (l->jobs[i].used && first < l->jobs[i].first +
			l->jobs[i].size && l->jobs[i].first < first + len) {
			*next = l->jobs[i].first + l->jobs[i].size;
			return true;
		}
	return false;
}

static uint32_t
members_free(const struct lead *l, uint32_t len)
{
	uint32_t first = 0;

	while (first + len <= l->conf.members_max)
		if (!overlaps(l, first, len, &first))
			return first;
	return NONE;
}

static bool
job_came(struct lead *l, const struct lead_in *in)
{
	struct lead_job *j = job_find(l, in->id);
	uint32_t i, first;

	if (j == NULL) {
		for (i = 0; i < l->conf.jobs_max && l->jobs[i].used; i++)
			;
		first = members_free(l, in->job->size);
		if (i == l->conf.jobs_max || first == NONE)
			return false;
		j = &l->jobs[i];
		memset(j, 0, sizeof(*j));
		memset(&l->members[first], 0,
		    in->job->size * sizeof(*l->members));
		j->used = true;
		j->id = in->id;
		j->size = in->job->size;
		j->first = first;
		j->lead.rank = ORCM_RANK_NONE;
		memcpy(j->name, in->job->name, sizeof(j->name));
	}
	if (in->job->size != j->size)
		return false;
	j->gone = j->untold = false;
	j->ops = in->ops;
	j->argument = in->argument;
	if (in->job->epoch > j->lead.epoch)
		j->lead.epoch = in->job->epoch;
	j->dirty = true;
	return true;
}

static bool
proc_lives(const struct record_proc *p)
{
	return p->state == PROC_UP || p->state == PROC_STOPPING ||
	    p->state == PROC_KILLING || p->state == PROC_DONE;
}

static bool
member_alive(const struct lead_member *m)
{
	if (!m->flow_known)
		return m->proc_known && proc_lives(&m->proc);
	if (m->flow.flags & FLOW_DONE)
		return true;
	if (!(m->flow.flags & FLOW_ALIVE))
		return false;
	/* The other reporter may know of this life's death already. */
	return !m->proc_known || m->proc.incarnation < m->flow.incarnation ||
	    (m->proc.incarnation == m->flow.incarnation &&
		(proc_lives(&m->proc) || m->proc.state == PROC_STARTING ||
		    m->proc.state == PROC_ADOPTING ||
		    m->proc.state == PROC_NEW));
}

/*
 * Is its first life on the way?  Where the receivers tell flows, orcmd's word
 * that it is up is not enough: it starts until its flow has been seen ready,
 * or the process is known to have died.
 */
static bool
member_starting(const struct lead_job *j, const struct lead_member *m)
{
	/* The job has begun: only we have forgotten who led it. */
	if (j->lead.epoch > 0)
		return false;
	/* Who does not move from the start may never become ready. */
	if (m->lived || (m->flow_known && (m->flow.flags & FLOW_STALLED)))
		return false;
	if (!m->proc_known)
		return !m->flow_known || (m->flow.flags & FLOW_ATTACHED);
	if (m->proc.incarnation > 0)
		return false;
	if (m->proc.state == PROC_NEW || m->proc.state == PROC_STARTING)
		return true;
	/* It may have ended as it should before we heard that it began. */
	return j->flows &&
	    (m->proc.state == PROC_UP ||
		(m->proc.state == PROC_DONE &&
		    STATUS_IS_CODE(m->proc.status)));
}

static void
view_fill(struct lead *l, const struct lead_job *j)
{
	const struct lead_member *m;
	struct orcm_leader_member *v;
	uint32_t i;

	for (i = 0; i < j->size; i++) {
		m = &l->members[j->first + i];
		v = &l->view[i];
		memset(v, 0, sizeof(*v));
		v->incarnation = m->flow_known ? m->flow.incarnation :
						 m->proc.incarnation;
		v->alive = member_alive(m);
		/* Where flows are told, who has none yet has not begun. */
		v->ready = v->alive && (m->flow_known ?
		    (m->flow.flags & FLOW_READY) != 0 : !j->flows);
		v->stalled = m->flow_known && (m->flow.flags & FLOW_STALLED);
		v->diverged = m->flow_known &&
		    (m->flow.flags & FLOW_DIVERGED);
		v->starting = member_starting(j, m);
		v->ready_since = v->ready ? m->ready_since : 0;
	}
}

/* Asks the strategy; true when there is a claim to make. */
static bool
choose(struct lead *l, struct lead_job *j, uint32_t *rank)
{
	struct orcm_leader_view view = {
		.size = sizeof(view),
		.members_len = j->size,
		.members = l->view,
		.leader = j->lead.rank,
		.argument = j->argument,
	};

	if (j->ops->delivery != ORCM_DELIVER_LEADER)
		return false;
	view_fill(l, j);
	*rank = j->ops->choose(&view);
	if (*rank >= j->size)
		return false;
	return *rank != j->lead.rank ||
	    l->view[*rank].incarnation != j->lead.incarnation;
}

static void
member_came(struct lead *l, uint64_t now, const struct lead_in *in)
{
	struct lead_job *j = job_find(l, RECORD_ID_JOB(in->id));
	struct lead_member *m;
	bool was;

	if (j == NULL || RECORD_RANK(in->id) >= j->size)
		return;
	m = &l->members[j->first + RECORD_RANK(in->id)];
	was = m->flow_known && (m->flow.flags & FLOW_READY) &&
	    (in->event == LEAD_IN_PROC ||
		m->flow.incarnation == in->flow->incarnation);
	if (in->event == LEAD_IN_PROC) {
		m->proc = *in->proc;
		m->proc_known = true;
	} else {
		m->flow = *in->flow;
		m->flow_known = j->flows = true;
		if (m->flow.flags & (FLOW_READY | FLOW_DONE))
			m->lived = true;
		if (!was && (m->flow.flags & FLOW_READY))
			m->ready_since = now;
	}
	j->dirty = true;
}

/* A job whose owner went while the picture was lost leaves no tombstone. */
static void
down(struct lead *l, uint64_t now)
{
	struct lead_job *j;
	uint32_t i;

	l->synced = false;
	for (i = 0; i < l->conf.jobs_max; i++) {
		j = &l->jobs[i];
		if (j->used && j->untold && now - l->since >= LEAD_FORGET)
			j->gone = j->dirty = true;
		j->untold = true;
	}
}

bool
lead_feed(struct lead *l, uint64_t now, const struct lead_in *in)
{
	struct lead_job *j;

	switch (in->event) {
	case LEAD_IN_JOB:
		REQUIRE(in->ops != NULL);
		return job_came(l, in);
	case LEAD_IN_JOB_GONE:
		j = job_find(l, in->id);
		if (j != NULL)
			j->gone = j->dirty = true;
		break;
	case LEAD_IN_PROC:
	case LEAD_IN_FLOW:
		member_came(l, now, in);
		break;
	case LEAD_IN_LEAD:
		j = job_find(l, in->id);
		if (j != NULL && in->lead->epoch >= j->lead.epoch) {
			j->lead = *in->lead;
			j->dirty = true;
		}
		break;
	case LEAD_IN_SYNCED:
		l->synced = true;
		l->since = now;
		break;
	case LEAD_IN_DOWN:
		down(l, now);
		break;
	}
	return true;
}

bool
lead_take(struct lead *l, struct lead_out *out)
{
	struct lead_job *j;
	uint32_t i, rank;

	for (i = 0; l->synced && i < l->conf.jobs_max; i++) {
		j = &l->jobs[i];
		if (!j->used || !j->dirty)
			continue;
		j->dirty = false;
		out->id = j->id;
		out->job = j->name;
		out->was = j->lead.rank;
		out->claim = !j->gone;
		if (j->gone) {
			j->used = false;
			out->lead = j->lead;
			return true;
		}
		if (!choose(l, j, &rank))
			continue;
		j->lead.rank = rank;
		j->lead.incarnation = l->view[rank].incarnation;
		j->lead.epoch++;
		out->lead = j->lead;
		return true;
	}
	return false;
}
