/* SPDX-License-Identifier: ISC */
#include "core/keep.h"

bool
keep_find(const struct keep *k, uint32_t keeper, uint64_t *id)
{
	const struct keep_proc *p;
	uint32_t i;

	for (i = 0; i < k->conf.procs_max; i++) {
		p = &k->procs[i];
		if (!p->used || p->proc.r.keeper != keeper)
			continue;
		*id = RECORD_ID_RANK(k->jobs[p->job].id, p->rank);
		return true;
	}
	return false;
}

uint32_t
keep_jobs(const struct keep *k)
{
	uint32_t i, n = 0;

	for (i = 0; i < k->conf.jobs_max; i++)
		n += k->jobs[i].used;
	return n;
}

uint64_t
keep_due(const struct keep *k)
{
	uint64_t due = ORCM_NEVER;
	uint32_t i;

	for (i = 0; i < k->conf.procs_max; i++)
		if (k->procs[i].used && proc_due(&k->procs[i].proc) < due)
			due = proc_due(&k->procs[i].proc);
	for (i = 0; i < k->conf.jobs_max; i++)
		if (k->jobs[i].used && k->jobs[i].untold &&
		    k->jobs[i].forget < due)
			due = k->jobs[i].forget;
	return due;
}
