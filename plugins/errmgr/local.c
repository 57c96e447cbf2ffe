/* SPDX-License-Identifier: ISC */
#include <orcm/errmgr.h>

/*
 * For what belongs to its node, as a driver of a card does: it is restarted
 * here or nowhere.  When the node dies it waits for it.
 */
enum { HERE };

static enum orcm_answer
answer(const struct orcm_errmgr_fault *f)
{
	if (f->cause == ORCM_CAUSE_NODE || f->cause == ORCM_CAUSE_PREEMPTED)
		return ORCM_ANSWER_RESTART;
	if (!orcm_cause_counts(f->cause))
		return ORCM_ANSWER_IGNORE;
	return f->here <= f->args[HERE] ? ORCM_ANSWER_RESTART :
					  ORCM_ANSWER_HOLD;
}

static const struct orcm_errmgr_ops ops = { .answer = answer };

static const struct orcm_param params[] = {
	{ "here", "10", "restarts before it is held" },
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(errmgr, local, "1.0", ops, params);
