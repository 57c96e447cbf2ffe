/* SPDX-License-Identifier: ISC */
#include "core/keep.h"

#include <string.h>

struct keep_early *
keep_early_find(struct keep *k, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < k->conf.procs_max; i++)
		if (k->early[i].used && k->early[i].id == id)
			return &k->early[i];
	return NULL;
}

void
keep_early_note(struct keep *k, uint64_t id, const struct proc_in *in)
{
	struct keep_early *e = keep_early_find(k, id);
	uint32_t i;

	for (i = 0; e == NULL && i < k->conf.procs_max; i++)
		if (!k->early[i].used)
			e = &k->early[i];
	if (e == NULL || (!e->used && in->event != PROC_IN_KEEPER))
		return;
	switch (in->event) {
	case PROC_IN_KEEPER:
		memset(e, 0, sizeof(*e));
		e->used = true;
		e->id = id;
		e->keeper = in->value;
		break;
	case PROC_IN_STARTED:
		e->ended = e->failed = false;
		e->pid = in->value;
		break;
	case PROC_IN_ENDED:
	case PROC_IN_FAILED:
		e->ended = in->event == PROC_IN_ENDED;
		e->failed = !e->ended;
		e->value = in->value;
		break;
	default:
		e->used = false;
		return;
	}
	e->incarnation = in->incarnation;
}

bool
keep_expects(const struct keep *k, uint64_t id, uint32_t incarnation)
{
	const struct keep_job *j = keep_job(k, RECORD_ID_JOB(id));
	const struct proc *p;

	if (j == NULL || !j->planned || RECORD_RANK(id) >= j->r.size)
		return true;
	p = &k->procs[j->first + RECORD_RANK(id)].proc;
	return p->r.state == PROC_NEW || incarnation >= p->r.incarnation;
}
