/* SPDX-License-Identifier: ISC */
#include <orcm/errmgr.h>

/*
 * The ladder: restarts here, then relocations, then it is held.  A replica
 * that nobody can blame is only given another place.  A program that ends
 * alike on several nodes is poisonous: to take it to yet another one would
 * harm that one too.
 */
enum { HERE, MOVES, POISON };

static enum orcm_answer
relocate(const struct orcm_errmgr_fault *f)
{
	return f->moves < f->args[MOVES] ? ORCM_ANSWER_RELOCATE :
					   ORCM_ANSWER_HOLD;
}

static enum orcm_answer
answer(const struct orcm_errmgr_fault *f)
{
	switch (f->cause) {
	case ORCM_CAUSE_NODE:
	case ORCM_CAUSE_PREEMPTED:
	case ORCM_CAUSE_PREDICTED:
		return ORCM_ANSWER_RELOCATE;
	case ORCM_CAUSE_START: /* it would fail here again */
		return relocate(f);
	case ORCM_CAUSE_CRASH:
	case ORCM_CAUSE_EXIT:
		if (f->same >= f->args[POISON])
			return ORCM_ANSWER_HOLD;
		break;
	case ORCM_CAUSE_LIMIT:
	case ORCM_CAUSE_VALUE:
		break;
	default:
		return ORCM_ANSWER_IGNORE;
	}
	if (f->here <= f->args[HERE])
		return ORCM_ANSWER_RESTART;
	return relocate(f);
}

static bool
check(const uint32_t *args)
{
	return args[POISON] >= 2;
}

static const struct orcm_errmgr_ops ops = {
	.answer = answer,
	.check = check,
};

static const struct orcm_param params[] = {
	{ "here", "3", "restarts on one node before it is relocated" },
	{ "moves", "5", "relocations within the window before it is held" },
	{ "poison", "3", "nodes on which a like end holds it, 2 or more" },
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(errmgr, default, "1.0", ops, params);
