/* SPDX-License-Identifier: ISC */
/*
 * The table of jobs and processes of one node.  A job is a record of its
 * owner; this core makes it true and tells how things are in process
 * records.  After a death of the daemon the same records come back: what the
 * picture kept of ours, what the owners say (job and flow records), and the
 * keepers themselves, who connect again.  So the first rule after a start
 * is to adopt: a replica whose owner sees its keeper alive is waited for and
 * never started a second time.
 *
 * A job that vanished from the picture while we were not connected says
 * nothing; only a tombstone ends it, or a keeper that found no owner.
 */
#include "core/keep.h"

#include <string.h>

#include "base/require.h"

#define NONE UINT32_MAX

size_t
keep_memory(const struct keep_conf *conf)
{
	return conf->jobs_max * sizeof(struct keep_job) +
	    conf->procs_max *
		(sizeof(struct keep_proc) + sizeof(struct keep_early) +
		    sizeof(uint32_t) + sizeof(bool) +
		    BUDGET_MAX * sizeof(uint64_t)) +
	    7 * 16;
}

void
keep_init(struct keep *k, struct arena *a, const struct keep_conf *conf)
{
	memset(k, 0, sizeof(*k));
	k->conf = *conf;
	k->jobs = arena_alloc(a, conf->jobs_max, sizeof(*k->jobs));
	k->procs = arena_alloc(a, conf->procs_max, sizeof(*k->procs));
	k->early = arena_alloc(a, conf->procs_max, sizeof(*k->early));
	k->deaths = arena_alloc(a, (size_t)conf->procs_max * BUDGET_MAX,
	    sizeof(*k->deaths));
}

static uint32_t
job_find(const struct keep *k, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < k->conf.jobs_max; i++)
		if (k->jobs[i].used && k->jobs[i].id == id)
			return i;
	return NONE;
}

const struct keep_job *
keep_job(const struct keep *k, uint64_t id)
{
	uint32_t i = job_find(k, id);

	return i == NONE ? NULL : &k->jobs[i];
}

static uint32_t
proc_find(const struct keep *k, uint64_t id)
{
	uint32_t j = job_find(k, RECORD_ID_JOB(id));

	if (j == NONE || RECORD_RANK(id) >= k->jobs[j].r.size)
		return NONE;
	return k->jobs[j].first + RECORD_RANK(id);
}

/* The first run of n free processes, or NONE. */
static uint32_t
procs_free(const struct keep *k, uint32_t n)
{
	uint32_t i, run = 0;

	for (i = 0; i < k->conf.procs_max; i++) {
		run = k->procs[i].used ? 0 : run + 1;
		if (run == n)
			return i + 1 - n;
	}
	return NONE;
}

static void
push(struct keep *k, uint32_t at, enum keep_verb verb, uint32_t value)
{
	struct keep_proc *p = &k->procs[at];
	struct keep_out *o;

	REQUIRE(p->outs_len < sizeof(p->outs) / sizeof(p->outs[0]));
	o = &p->outs[p->outs_len++];
	memset(o, 0, sizeof(*o));
	o->verb = verb;
	o->value = value;
	if (p->queued)
		return;
	p->queued = true;
	p->next = NONE;
	if (k->queue_len++ == 0)
		k->queue_first = at;
	else
		k->procs[k->queue_last].next = at;
	k->queue_last = at;
}

/* Hands on what one process wants, and its record when that has changed. */
static void
drain(struct keep *k, uint32_t at)
{
	static const enum keep_verb verbs[] = {
		[PROC_OUT_SPAWN] = KEEP_OUT_SPAWN,
		[PROC_OUT_RUN] = KEEP_OUT_RUN,
		[PROC_OUT_SIGNAL] = KEEP_OUT_SIGNAL,
		[PROC_OUT_END] = KEEP_OUT_END,
		[PROC_OUT_REAP] = KEEP_OUT_REAP,
	};
	struct keep_proc *p = &k->procs[at];
	struct proc_out out;

	while (proc_take(&p->proc, &out))
		push(k, at, verbs[out.verb], out.value);
	if (p->told &&
	    memcmp(&p->last, &p->proc.r, sizeof(p->last)) == 0)
		return;
	push(k, at, KEEP_OUT_PUT, 0);
	p->outs[p->outs_len - 1].proc = p->proc.r;
	p->outs[p->outs_len - 1].was = p->told ? p->last.state : PROC_NEW;
	p->outs[p->outs_len - 1].adopted = p->proc.adopted;
	p->last = p->proc.r;
	p->told = true;
}

static void
feed_proc(struct keep *k, uint64_t now, uint32_t at, const struct proc_in *in)
{
	proc_feed(&k->procs[at].proc, now, in);
	drain(k, at);
}

static void
feed_event(struct keep *k, uint64_t now, uint32_t at, enum proc_event event)
{
	struct proc_in in = { .event = event };

	feed_proc(k, now, at, &in);
}

/* What the job wants, told to one of its processes. */
static void
apply_want(struct keep *k, uint64_t now, const struct keep_job *j, uint32_t at)
{
	if (j->gone || j->r.want == JOB_KILL)
		feed_event(k, now, at, PROC_IN_KILL);
	else if (j->r.want == JOB_DOWN)
		feed_event(k, now, at, PROC_IN_STOP);
	else if (j->r.want == JOB_UP)
		feed_event(k, now, at, PROC_IN_START);
}

/* A pause may have begun or ended while no daemon was there to hear of it. */
static void
pause_or_resume(struct keep *k, uint32_t at)
{
	const struct keep_proc *p = &k->procs[at];

	if (p->proc.r.state != PROC_UP)
		return;
	if (k->jobs[p->job].r.want == JOB_PAUSED)
		push(k, at, KEEP_OUT_SIGNAL, KEEP_SIGNAL_PAUSE);
	else if (k->jobs[p->job].r.want == JOB_UP && p->proc.adopted)
		push(k, at, KEEP_OUT_SIGNAL, KEEP_SIGNAL_RESUME);
}

/* What an early keeper said, told to its process now. */
static void
early_tell(struct keep *k, uint64_t now, uint32_t at, struct keep_early *e)
{
	struct proc_in in = {
		.event = PROC_IN_KEEPER,
		.incarnation = e->incarnation,
		.value = e->keeper,
	};

	e->used = false;
	feed_proc(k, now, at, &in);
	if (e->pid != 0) {
		in.event = PROC_IN_STARTED;
		in.value = e->pid;
		feed_proc(k, now, at, &in);
	}
	if (!e->ended && !e->failed) {
		pause_or_resume(k, at);
		return;
	}
	in.event = e->ended ? PROC_IN_ENDED : PROC_IN_FAILED;
	in.value = e->value;
	feed_proc(k, now, at, &in);
}

/* Is there a keeper of it somewhere, as far as the records say? */
static bool
keeper_lives(const struct keep_proc *p)
{
	if (p->flow_known && (p->flow.flags & FLOW_ATTACHED))
		return true;
	if (!p->past_known || p->past.keeper == 0 ||
	    p->past.state == PROC_DONE || p->past.state == PROC_FAILED)
		return false;
	/* The owner, if it has seen that life, has seen its keeper go. */
	return !p->flow_known || p->flow.incarnation < p->past.incarnation;
}

/* The first act for a replica: adopt what lives, else start it. */
static void
plan_proc(struct keep *k, uint64_t now, const struct keep_job *j, uint32_t at)
{
	struct keep_proc *p = &k->procs[at];
	struct keep_early *e = keep_early_find(k,
	    RECORD_ID_RANK(j->id, p->rank));
	struct proc_in in = { .event = PROC_IN_ADOPT };

	if (p->past_known)
		proc_recall(&p->proc, &p->past);
	if (p->flow_known && p->flow.incarnation > p->proc.r.incarnation)
		p->proc.r.incarnation = p->flow.incarnation;
	if (p->flow_known)
		p->proc.fresh = false;
	if (e != NULL || keeper_lives(p)) {
		in.incarnation = p->proc.r.incarnation;
		feed_proc(k, now, at, &in);
	} else if (p->flow_known && (p->flow.flags & FLOW_DONE)) {
		p->proc.r.state = PROC_DONE;
	}
	if (e != NULL)
		early_tell(k, now, at, e);
	apply_want(k, now, j, at);
	drain(k, at);
}

static void
plan(struct keep *k, uint64_t now, uint32_t job)
{
	struct keep_job *j = &k->jobs[job];
	uint32_t i;

	j->planned = true;
	for (i = 0; i < j->r.size; i++)
		plan_proc(k, now, j, j->first + i);
}

static void
job_conf(struct keep_job *j)
{
	j->conf.restart = j->r.restart;
	j->conf.budget = j->r.budget;
	j->conf.period = j->r.period_ms * ORCM_MS;
	j->conf.strict = j->r.strict;
	j->conf.grace = j->r.grace_ms * ORCM_MS;
	j->conf.signal = j->r.signal;
}

static bool
job_new(struct keep *k, uint64_t now, const struct keep_in *in)
{
	uint32_t i, job, first = procs_free(k, in->job->size);
	struct keep_job *j;
	struct keep_proc *p;

	for (job = 0; job < k->conf.jobs_max && k->jobs[job].used; job++)
		;
	if (job == k->conf.jobs_max || first == NONE)
		return false;
	j = &k->jobs[job];
	memset(j, 0, sizeof(*j));
	j->used = true;
	j->id = in->id;
	j->forget = ORCM_NEVER;
	j->r = *in->job;
	j->first = first;
	job_conf(j);
	for (i = 0; i < j->r.size; i++) {
		p = &k->procs[first + i];
		memset(p, 0, sizeof(*p));
		p->used = true;
		p->job = job;
		p->rank = i;
		proc_init(&p->proc, &j->conf,
		    &k->deaths[(size_t)(first + i) * BUDGET_MAX]);
	}
	if (k->synced && !j->r.hold)
		plan(k, now, job);
	return true;
}

static void
poke_all(struct keep *k, const struct keep_job *j, uint32_t sig)
{
	uint32_t i;

	for (i = 0; i < j->r.size; i++)
		if (k->procs[j->first + i].proc.r.pid != 0)
			push(k, j->first + i, KEEP_OUT_SIGNAL, sig);
}

static bool
job_changed(struct keep *k, uint64_t now, uint32_t job,
    const struct record_job *r)
{
	struct keep_job *j = &k->jobs[job];
	enum job_want was = j->r.want;
	uint32_t pokes = j->r.pokes, i;

	if (r->size != j->r.size)
		return false;
	j->r = *r;
	j->gone = j->untold = false;
	j->forget = ORCM_NEVER;
	job_conf(j);
	if (!j->planned) {
		if (k->synced && !r->hold)
			plan(k, now, job);
		return true;
	}
	if (r->pokes != pokes && r->poke != 0)
		poke_all(k, j, r->poke);
	if (was == JOB_PAUSED && r->want != JOB_PAUSED)
		poke_all(k, j, KEEP_SIGNAL_RESUME);
	else if (was == JOB_UP && r->want == JOB_PAUSED)
		poke_all(k, j, KEEP_SIGNAL_PAUSE);
	if (was != r->want || r->want == JOB_KILL)
		for (i = 0; i < j->r.size; i++)
			apply_want(k, now, j, j->first + i);
	return true;
}

static void
job_gone(struct keep *k, uint64_t now, uint32_t job)
{
	struct keep_job *j = &k->jobs[job];
	uint32_t i;

	if (j->gone)
		return;
	j->gone = true;
	for (i = 0; i < j->r.size; i++)
		apply_want(k, now, j, j->first + i);
}

/* A job that was taken back is forgotten when nothing of it is left. */
static void
job_sweep(struct keep *k, uint32_t job)
{
	struct keep_job *j = &k->jobs[job];
	uint32_t i;

	/* Swept already, but not taken yet. */
	if (!j->used || !j->gone || k->procs[j->first].dead)
		return;
	for (i = 0; i < j->r.size; i++)
		if (!proc_over(&k->procs[j->first + i].proc))
			return;
	for (i = 0; i < j->r.size; i++) {
		push(k, j->first + i, KEEP_OUT_DEL, 0);
		k->procs[j->first + i].dead = true;
	}
}

/*
 * Its owner may have gone while the picture was lost, when no keeper was left
 * that could have noticed.
 */
static void
job_forget(struct keep *k, uint64_t now, uint32_t job)
{
	struct keep_job *j = &k->jobs[job];
	const struct proc *p;
	uint32_t i;

	if (!j->used || !j->untold || now < j->forget)
		return;
	for (i = 0; i < j->r.size; i++) {
		p = &k->procs[j->first + i].proc;
		if (p->keeper || (p->r.state != PROC_NEW && !proc_over(p))) {
			j->forget = now + KEEP_FORGET;
			return;
		}
	}
	job_gone(k, now, job);
}

static void
flow_came(struct keep *k, uint64_t now, uint32_t at,
    const struct record_flow *flow)
{
	struct keep_proc *p = &k->procs[at];
	bool was = p->flow_known && (p->flow.flags & FLOW_ATTACHED);

	p->flow = *flow;
	p->flow_known = true;
	if ((flow->flags & FLOW_FRUIT) &&
	    flow->incarnation == p->proc.r.incarnation)
		proc_fruit(&p->proc);
	/* The owner saw the keeper go that we still wait for. */
	if (was && !(flow->flags & FLOW_ATTACHED) &&
	    p->proc.r.state == PROC_ADOPTING)
		feed_event(k, now, at, PROC_IN_LOST);
}

static void
tick(struct keep *k, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < k->conf.procs_max; i++)
		if (k->procs[i].used && proc_due(&k->procs[i].proc) <= now)
			feed_event(k, now, i, PROC_IN_TICK);
	for (i = 0; i < k->conf.jobs_max; i++) {
		job_forget(k, now, i);
		job_sweep(k, i);
	}
}

static void
synced(struct keep *k, uint64_t now)
{
	struct keep_job *j;
	uint32_t i;

	k->synced = true;
	for (i = 0; i < k->conf.jobs_max; i++) {
		j = &k->jobs[i];
		if (j->used && !j->planned && !j->r.hold)
			plan(k, now, i);
		if (j->used && j->untold)
			j->forget = now + KEEP_FORGET;
	}
}

/* What comes next is told from its start again, a job before its flows. */
static void
down(struct keep *k)
{
	uint32_t i;

	k->synced = false;
	for (i = 0; i < k->conf.jobs_max; i++) {
		k->jobs[i].untold = true;
		k->jobs[i].forget = ORCM_NEVER;
	}
}

static bool
feed_job(struct keep *k, uint64_t now, const struct keep_in *in)
{
	uint32_t job = job_find(k, in->id);

	if (in->event == KEEP_IN_JOB)
		return job == NONE ? job_new(k, now, in) :
				     job_changed(k, now, job, in->job);
	if (job == NONE)
		return true;
	/* One keeper's word is nothing against the owner's own record. */
	if (in->event == KEEP_IN_ORPHAN && !k->jobs[job].untold)
		return true;
	job_gone(k, now, job);
	job_sweep(k, job);
	return true;
}

static void
feed_one(struct keep *k, uint64_t now, const struct keep_in *in)
{
	uint32_t at = proc_find(k, in->id);
	struct keep_proc *p;

	if (in->event == KEEP_IN_PROCESS &&
	    (at == NONE || !k->jobs[k->procs[at].job].planned)) {
		keep_early_note(k, in->id, &in->process);
		return;
	}
	if (at == NONE)
		return;
	p = &k->procs[at];
	switch (in->event) {
	case KEEP_IN_FLOW:
		flow_came(k, now, at, in->flow);
		break;
	case KEEP_IN_FLOW_GONE:
		p->flow_known = false;
		break;
	case KEEP_IN_PROC:
		p->past = *in->proc;
		p->past_known = !p->told;
		break;
	case KEEP_IN_SPAWNED:
		p->proc.r.keeper = in->value;
		drain(k, at);
		break;
	default:
		feed_proc(k, now, at, &in->process);
		if (in->process.event == PROC_IN_STARTED)
			pause_or_resume(k, at);
		break;
	}
	job_sweep(k, p->job);
}

bool
keep_feed(struct keep *k, uint64_t now, const struct keep_in *in)
{
	switch (in->event) {
	case KEEP_IN_JOB:
	case KEEP_IN_JOB_GONE:
	case KEEP_IN_ORPHAN:
		return feed_job(k, now, in);
	case KEEP_IN_SYNCED:
		synced(k, now);
		return true;
	case KEEP_IN_TICK:
		tick(k, now);
		return true;
	case KEEP_IN_DOWN:
		down(k);
		return true;
	default:
		feed_one(k, now, in);
		return true;
	}
}

/* Frees a job whose last process has just told its end. */
static bool
release(struct keep *k, uint32_t at)
{
	struct keep_job *j = &k->jobs[k->procs[at].job];
	uint32_t i;

	k->procs[at].used = false;
	for (i = 0; i < j->r.size; i++)
		if (k->procs[j->first + i].used)
			return false;
	j->used = false;
	return true;
}

bool
keep_take(struct keep *k, struct keep_out *out)
{
	struct keep_proc *p;
	uint32_t at;

	if (k->queue_len == 0)
		return false;
	at = k->queue_first;
	p = &k->procs[at];
	REQUIRE(p->outs_len > 0);
	*out = p->outs[0];
	out->id = RECORD_ID_RANK(k->jobs[p->job].id, p->rank);
	out->job = k->jobs[p->job].r.name;
	p->outs_len--;
	memmove(&p->outs[0], &p->outs[1], p->outs_len * sizeof(p->outs[0]));
	if (p->outs_len > 0)
		return true;
	p->queued = false;
	k->queue_first = p->next;
	k->queue_len--;
	if (out->verb == KEEP_OUT_DEL && p->dead)
		out->last = release(k, at);
	return true;
}
