/* SPDX-License-Identifier: ISC */
#ifndef CORE_PARAM_H
#define CORE_PARAM_H

#include <orcm/plugin.h>
#include <orcm/types.h>

/*
 * The parameters of a map or errmgr policy as users write them:
 * NAME[,key=value...], e.g. "resilient,load=5".  All values are numbers; which
 * keys there are, and what they are without being set, the plug-in says.
 */
#define PARAMS_MAX 8u
#define PARAM_VALUE_MAX 1000000u

enum param_verdict {
	PARAM_GOOD,
	PARAM_NAME,   /* the text does not begin with a name */
	PARAM_FORM,   /* a parameter is key=value */
	PARAM_KEY,    /* the policy takes no such parameter */
	PARAM_VALUE,  /* a value is a number from 0 to PARAM_VALUE_MAX */
	PARAM_PLUGIN  /* the plug-in's own list is wrong */
};

/* The name in front; false when there is none. */
bool param_name(const char *text, char name[ORCM_NAME_MAX + 1]);
/* Values of the plug-in's params, in their order, into args[PARAMS_MAX]. */
enum param_verdict param_parse(const char *text,
    const struct orcm_plugin *plugin, uint32_t *args);
/* What to tell the user. */
const char *param_text(enum param_verdict verdict);

#endif
