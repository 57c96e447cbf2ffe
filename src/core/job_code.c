/* SPDX-License-Identifier: ISC */
/*
 * The status of a job that is over: the program's own, as the rule says, or
 * one of ours.  A replica that we stopped has no say.
 */
#include "core/job.h"

#define SIGNAL_TERM 15
#define ENOENT_OF_POSIX 2 /* the same number on every system we know */

uint32_t
job_code_of(uint32_t status)
{
	if (STATUS_IS_CODE(status))
		return status;
	return STATUS_IS_SIGNAL(status) ? 128 + STATUS_NUMBER(status) :
					  JOB_GAVE_UP;
}

static uint32_t
worst_code(const struct job *j)
{
	uint32_t i, code, worst = 0;

	for (i = 0; i < j->conf.ranks_len; i++) {
		if (!j->ranks[i].own_end)
			continue;
		code = job_code_of(j->ranks[i].status);
		worst = code > worst ? code : worst;
	}
	return worst;
}

static uint32_t
agreed_code(const struct job *j)
{
	uint32_t i, code = JOB_UNDECIDED, member;
	const struct splice *s;

	for (i = 0; i < j->conf.ranks_len; i++) {
		if (!j->ranks[i].own_end)
			continue;
		if (code == JOB_UNDECIDED)
			code = job_code_of(j->ranks[i].status);
		if (code != job_code_of(j->ranks[i].status))
			return JOB_DISAGREED;
		s = job_splice(j, i, &member);
		if (j->conf.delivery != ORCM_DELIVER_ALL &&
		    (!splice_agrees(s, member) ||
			s->ranks[member].pos != s->done))
			return JOB_DISAGREED;
	}
	return code == JOB_UNDECIDED ? JOB_DISAGREED : code;
}

static uint32_t
majority_code(const struct job *j)
{
	uint32_t i, k, n;

	for (i = 0; i < j->conf.ranks_len; i++) {
		for (k = 0, n = 0; k < j->conf.ranks_len; k++)
			n += j->ranks[i].own_end && j->ranks[k].own_end &&
			    j->ranks[i].status == j->ranks[k].status;
		if (n > j->conf.ranks_len / 2)
			return job_code_of(j->ranks[i].status);
	}
	return JOB_DISAGREED;
}

/* Has anybody ended before we asked for it? */
static bool
any_own_end(const struct job *j)
{
	uint32_t i;

	for (i = 0; i < j->conf.ranks_len; i++)
		if (j->ranks[i].own_end)
			return true;
	return false;
}

static uint32_t
stopped_code_of(const struct job *j, uint32_t rank)
{
	uint32_t status = rank == ORCM_RANK_NONE ? STATUS_NONE :
						   j->ranks[rank].status;

	if (status != STATUS_NONE && status != STATUS_LOST)
		return job_code_of(status);
	return 128 + (j->signal != 0 ? j->signal : SIGNAL_TERM);
}

/*
 * Who ended by itself says nothing of a job that was stopped, unless all that
 * it wrote was delivered.
 */
uint32_t
job_stopped_code(const struct job *j)
{
	uint32_t i, code, worst = JOB_UNDECIDED;

	if (j->conf.delivery == ORCM_DELIVER_LEADER)
		return stopped_code_of(j, j->leader != ORCM_RANK_NONE &&
		    (!j->ranks[j->leader].own_end ||
			splice_complete(&j->splices[0])) ?
			j->leader :
			ORCM_RANK_NONE);
	for (i = 0; i < j->conf.ranks_len; i++) {
		if (j->ranks[i].own_end || j->ranks[i].status == STATUS_NONE)
			continue;
		code = stopped_code_of(j, i);
		if (worst == JOB_UNDECIDED || code > worst)
			worst = code;
	}
	return worst != JOB_UNDECIDED ? worst :
					stopped_code_of(j, ORCM_RANK_NONE);
}

/*
 * Whose output was delivered and is cut short because it was told to stop, or
 * ORCM_RANK_NONE.  Who had come to its end by then, further on in the text,
 * does not make that a whole one.
 */
static uint32_t
cut_short(const struct job *j)
{
	uint32_t i;

	if (j->conf.delivery == ORCM_DELIVER_LEADER)
		return j->ranks[j->leader].own_end ? ORCM_RANK_NONE :
						     j->leader;
	for (i = 0; j->conf.delivery == ORCM_DELIVER_ALL &&
	     i < j->conf.ranks_len; i++)
		if (!j->ranks[i].own_end)
			return i;
	return ORCM_RANK_NONE;
}

uint32_t
job_final_code(const struct job *j)
{
	if (!any_own_end(j))
		return job_stopped_code(j);
	if (cut_short(j) != ORCM_RANK_NONE)
		return stopped_code_of(j, cut_short(j));
	if (j->conf.rule == JOB_STATUS_AGREE)
		return agreed_code(j);
	if (j->conf.rule == JOB_STATUS_WORST ||
	    j->conf.delivery == ORCM_DELIVER_ALL)
		return worst_code(j);
	if (j->conf.delivery == ORCM_DELIVER_MAJORITY)
		return majority_code(j);
	return job_code_of(j->ranks[j->leader].status);
}

uint32_t
job_gave_up_code(const struct job *j)
{
	uint32_t i, code = JOB_GAVE_UP;

	for (i = 0; i < j->conf.ranks_len; i++) {
		const struct job_rank *r = &j->ranks[i];

		if (r->proc.error == PROC_NO_ROOM)
			return JOB_OUR_FAULT;
		if (r->proc.error != 0)
			return r->proc.error == ENOENT_OF_POSIX ?
			    JOB_NOT_FOUND :
			    JOB_CANNOT_EXEC;
		if (j->conf.restart == RESTART_NEVER &&
		    STATUS_IS_SIGNAL(r->status))
			code = job_code_of(r->status);
	}
	return code;
}
