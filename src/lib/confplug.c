/* SPDX-License-Identifier: ISC */
/*
 * What a configuration says to plug-ins.  The core knows the form of a policy
 * and nothing of what there is; here each plug-in that is named is loaded, as
 * a daemon of the same user would, and is asked about its parameters the way
 * it will be asked then.  Called after
 * confload() by those who can load them.
 */
#include "lib/confplug.h"

#include <stdio.h>
#include <string.h>

#include <orcm/errmgr.h>
#include <orcm/leader.h>
#include <orcm/map.h>

#include "base/text.h"
#include "core/param.h"
#include "lib/policy.h"
#include "sys/plug.h"

#define OPS_TO(type, member)                                                   \
	(offsetof(struct type, member) + sizeof(((struct type *)0)->member))

static void
complain(struct conf *c, enum conf_keyword k, uint32_t i, const char *key,
    const char *what)
{
	char text[sizeof(c->errors->text)];

	/* The loader says itself what to do. */
	(void)snprintf(text, sizeof(text), "%s %s: %s%s", conf_keyword_name(k),
	    conf_name(c, k, i), what, strchr(what, ';') != NULL ? "" :
	    "; orcm-info -p shows what there is");
	conf_complain(c, conf_where(c, k, i, key), text);
}

static bool
ops_like(const struct orcm_plugin *p, const uint32_t *args)
{
	const struct orcm_map_ops *map = p->ops;
	const struct orcm_errmgr_ops *errmgr = p->ops;

	if (strcmp(p->kind, "map") == 0)
		return map->check == NULL || map->check(args);
	return errmgr->check == NULL || errmgr->check(args);
}

/*
 * A policy of kind map or errmgr: NULL when it is good, else what is wrong,
 * in error[PLUG_ERROR_MAX].
 */
static const char *
wrong_policy(const char *kind, const char *text, char *error)
{
	size_t ops_min = strcmp(kind, "map") == 0 ?
	    OPS_TO(orcm_map_ops, check) : OPS_TO(orcm_errmgr_ops, check);
	const char *what = NULL;
	const struct orcm_plugin *p;
	char name[ORCM_NAME_MAX + 1];
	enum param_verdict verdict;
	uint32_t args[PARAMS_MAX];

	if (!param_name(text, name)) {
		what = param_text(PARAM_NAME);
	} else {
		p = plug_load(kind, name, ops_min, error);
		if (p == NULL)
			return error;
		verdict = param_parse(text, p, args);
		if (verdict != PARAM_GOOD)
			what = param_text(verdict);
		else if (!ops_like(p, args))
			what = "these values do not go together";
	}
	if (what == NULL)
		return NULL;
	(void)snprintf(error, PLUG_ERROR_MAX, "%s policy \"%.120s\": %s", kind,
	    text, what);
	return error;
}

/* The same of kind leader; it may need a rank, and any will do. */
static const char *
wrong_leader(const char *name, const char *params, char *error)
{
	const struct orcm_leader_ops *ops;
	const struct orcm_plugin *plugin;
	struct policy p;
	struct text t;
	char policy[2 * CONF_POLICY_MAX];

	plugin = plug_load("leader", name, OPS_TO(orcm_leader_ops, check),
	    error);
	if (plugin == NULL)
		return error;
	ops = plugin->ops;
	text_init(&t, policy, sizeof(policy));
	text_add(&t, name);
	if (ops->check != NULL)
		text_add(&t, ":0");
	text_add(&t, params);
	if (policy_load(&p, policy, 1) == 0)
		return NULL;
	(void)snprintf(error, PLUG_ERROR_MAX, "%s", p.error);
	return error;
}

/* Of a kind that has no policies: does it know these keys? */
static const char *
wrong_keys(const struct conf_plugin *p, char *error)
{
	const struct orcm_plugin *plugin;
	const struct orcm_param *known;
	uint32_t i;
	size_t len;

	plugin = plug_load(p->kind, p->plugin, 0, error);
	if (plugin == NULL)
		return error;
	for (i = 0; i < p->params.len; i++) {
		len = strcspn(p->params.word[i], "=");
		known = plugin->params;
		while (known != NULL && known->name != NULL &&
		    (strlen(known->name) != len ||
			memcmp(known->name, p->params.word[i], len) != 0))
			known++;
		if (known != NULL && known->name != NULL)
			continue;
		(void)snprintf(error, PLUG_ERROR_MAX,
		    "it takes no parameter %.*s", (int)len,
		    p->params.word[i]);
		return error;
	}
	return NULL;
}

/* NAME and its parameters, as they would stand behind a policy's name. */
static void
check_plugin(struct conf *c, uint32_t i)
{
	const struct conf_plugin *p = &c->plugins[i];
	char params[CONF_POLICY_MAX + 1], policy[2 * CONF_POLICY_MAX];
	char error[PLUG_ERROR_MAX];
	const char *what;
	struct text t;
	uint32_t n;

	text_init(&t, params, sizeof(params));
	for (n = 0; n < p->params.len; n++) {
		text_char(&t, ',');
		text_add(&t, p->params.word[n]);
	}
	(void)snprintf(policy, sizeof(policy), "%s%s", p->plugin, params);
	if (t.cut)
		what = "its parameters have more than 127 characters; give "
		       "fewer";
	else if (strcmp(p->kind, "leader") == 0)
		what = wrong_leader(p->plugin, params, error);
	else if (strcmp(p->kind, "map") == 0 ||
	    strcmp(p->kind, "errmgr") == 0)
		what = wrong_policy(p->kind, policy, error);
	else
		what = wrong_keys(p, error);
	if (what != NULL)
		complain(c, CONF_PLUGIN, i, "", what);
}

void
confplug_check(struct conf *c)
{
	char error[PLUG_ERROR_MAX];
	const char *what;
	struct policy p;
	uint32_t i;

	what = wrong_policy("map", c->dvm.map, error);
	if (what != NULL)
		complain(c, CONF_DVM, 0, "map", what);
	what = wrong_policy("errmgr", c->dvm.errmgr, error);
	if (what != NULL)
		complain(c, CONF_DVM, 0, "errmgr", what);
	for (i = 0; i < c->apps_len; i++)
		if (policy_load(&p, c->apps[i].leader,
			c->apps[i].replicas) == -1)
			complain(c, CONF_APP, i, "leader", p.error);
	for (i = 0; i < c->plugins_len; i++)
		check_plugin(c, i);
}
