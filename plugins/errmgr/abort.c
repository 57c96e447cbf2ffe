/* SPDX-License-Identifier: ISC */
#include <orcm/errmgr.h>

/*
 * For jobs that are worth nothing without each of their replicas: once the
 * faults of all together are too many the job ends.  A replica that is lost
 * with its node, or has to make room, ends it at once.
 */
enum { FAULTS };

static enum orcm_answer
answer(const struct orcm_errmgr_fault *f)
{
	if (f->cause == ORCM_CAUSE_NODE || f->cause == ORCM_CAUSE_PREEMPTED)
		return ORCM_ANSWER_ABORT;
	if (!orcm_cause_counts(f->cause))
		return ORCM_ANSWER_IGNORE;
	return f->app_faults <= f->args[FAULTS] ? ORCM_ANSWER_RESTART :
						  ORCM_ANSWER_ABORT;
}

static const struct orcm_errmgr_ops ops = { .answer = answer };

static const struct orcm_param params[] = {
	{ "faults", "0", "faults of all replicas that are forgiven" },
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(errmgr, abort, "1.0", ops, params);
