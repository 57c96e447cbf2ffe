/* SPDX-License-Identifier: ISC */
/*
 * From the text of a policy to its plug-in.  Both who delivers (orcm-run) and
 * who asks it (orcm-leaderd) come through here, so both understand one text
 * alike.  It keeps nothing; what a text may set the plug-in's params decide.
 */
#include "lib/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "base/num.h"

static int
wrong(struct policy *p, const char *text, const char *what)
{
	(void)snprintf(p->error, sizeof(p->error),
	    "leader policy \"%.60s\": %s", text, what);
	return -1;
}

/* Milliseconds into ns; what the text says must make sense. */
static bool
stall_time(struct policy *p, const char *value)
{
	uint64_t ms;

	if (!num_ms(value, &ms) || ms < 10 || ms > 3600000)
		return false;
	p->stall = ms * ORCM_MS;
	return true;
}

/* One key=value. */
static int
parameter(struct policy *p, const char *text, char *item)
{
	char *value = strchr(item, '=');

	if (value == NULL)
		return wrong(p, text, "a parameter is key=value");
	*value++ = '\0';
	if (strcmp(item, "stall") != 0)
		return wrong(p, text, "the only parameter is stall=MS");
	if (!stall_time(p, value))
		return wrong(p, text, "stall is 10 to 3600000 ms");
	return 0;
}

static int
parse(struct policy *p, const char *text)
{
	char copy[128], *item, *next, *colon;

	if (!copy_str(copy, sizeof(copy), text))
		return wrong(p, text, "too long");
	next = strchr(copy, ',');
	if (next != NULL)
		*next++ = '\0';
	colon = strchr(copy, ':');
	if (colon != NULL) {
		*colon++ = '\0';
		if (!num_u32(colon, 0, ORCM_RANKS_MAX - 1, &p->argument))
			return wrong(p, text,
			    "a rank (0 to 255) follows the "
			    "colon");
	}
	if (!name_ok(copy, strlen(copy)))
		return wrong(p, text, "not a name");
	(void)copy_str(p->name, sizeof(p->name), copy);
	while ((item = next) != NULL) {
		next = strchr(item, ',');
		if (next != NULL)
			*next++ = '\0';
		if (parameter(p, text, item) == -1)
			return -1;
	}
	return 0;
}

/* Only what the plug-in lists can be set, and its default is the plug-in's. */
static int
take_default(
    struct policy *p, const char *text, const struct orcm_plugin *plugin)
{
	const struct orcm_param *a = plugin->params;

	while (a != NULL && a->name != NULL && strcmp(a->name, "stall") != 0)
		a++;
	if (a == NULL || a->name == NULL) {
		if (p->stall != 0)
			return wrong(p, text, "this policy takes no stall");
		p->stall = POLICY_STALL_MS * ORCM_MS;
		return 0;
	}
	if (p->stall == 0 && (a->value == NULL || !stall_time(p, a->value)))
		return wrong(p, text, "the plug-in's stall is not a time");
	return 0;
}

int
policy_load(struct policy *p, const char *text, uint32_t ranks_len)
{
	const struct orcm_plugin *plugin;

	memset(p, 0, sizeof(*p));
	p->argument = ORCM_RANK_NONE;
	if (parse(p, text) == -1)
		return -1;
	plugin = plug_load("leader", p->name,
	    offsetof(struct orcm_leader_ops, check) + sizeof(p->ops->check),
	    p->error);
	if (plugin == NULL)
		return -1;
	if (take_default(p, text, plugin) == -1)
		return -1;
	p->ops = plugin->ops;
	if (p->ops->delivery == ORCM_DELIVER_LEADER && p->ops->choose == NULL)
		return wrong(p, text, "the plug-in chooses nobody");
	if (p->ops->check == NULL && p->argument != ORCM_RANK_NONE)
		return wrong(p, text, "this policy takes no rank");
	if (p->ops->check != NULL && !p->ops->check(p->argument, ranks_len))
		return wrong(p, text, "needs a rank of this job, e.g. fixed:0");
	return 0;
}
