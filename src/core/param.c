/* SPDX-License-Identifier: ISC */
/*
 * From the text of a policy to the numbers that its plug-in is given.  What
 * keys there are the plug-in says, so a new one needs no change here.  Called
 * for configuration and options, so a text may be anything; loading the
 * plug-in of that name is the caller's affair.
 */
#include "core/param.h"

#include <string.h>

#include "base/name.h"
#include "base/num.h"

bool
param_name(const char *text, char name[ORCM_NAME_MAX + 1])
{
	size_t len = strcspn(text, ",");

	if (!name_ok(text, len))
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return true;
}

/* Defaults; how many there are, or PARAMS_MAX + 1 when one is no number. */
static uint32_t
defaults(const struct orcm_param *params, uint32_t *args)
{
	uint32_t len = 0;

	memset(args, 0, PARAMS_MAX * sizeof(*args));
	while (params != NULL && params[len].name != NULL) {
		if (len == PARAMS_MAX || params[len].value == NULL ||
		    !num_u32(params[len].value, 0, PARAM_VALUE_MAX, &args[len]))
			return PARAMS_MAX + 1;
		len++;
	}
	return len;
}

/* One key=value of size len. */
static enum param_verdict
item(const char *text, size_t len, const struct orcm_param *params,
    uint32_t params_len, uint32_t *args)
{
	const char *equals = memchr(text, '=', len);
	char value[16];
	size_t key, size;
	uint32_t i;

	if (equals == NULL)
		return PARAM_FORM;
	key = (size_t)(equals - text);
	size = len - key - 1;
	for (i = 0; i < params_len; i++)
		if (strlen(params[i].name) == key &&
		    memcmp(params[i].name, text, key) == 0)
			break;
	if (i == params_len)
		return PARAM_KEY;
	if (size >= sizeof(value))
		return PARAM_VALUE;
	memcpy(value, equals + 1, size);
	value[size] = '\0';
	return num_u32(value, 0, PARAM_VALUE_MAX, &args[i]) ? PARAM_GOOD :
							      PARAM_VALUE;
}

enum param_verdict
param_parse(const char *text, const struct orcm_plugin *plugin, uint32_t *args)
{
	uint32_t params_len = defaults(plugin->params, args);
	char name[ORCM_NAME_MAX + 1];
	enum param_verdict verdict;
	size_t len;

	if (params_len > PARAMS_MAX)
		return PARAM_PLUGIN;
	if (!param_name(text, name) || strcmp(name, plugin->name) != 0)
		return PARAM_NAME;
	text += strlen(name);
	while (*text == ',') {
		text++;
		len = strcspn(text, ",");
		verdict = item(text, len, plugin->params, params_len, args);
		if (verdict != PARAM_GOOD)
			return verdict;
		text += len;
	}
	return PARAM_GOOD;
}

const char *
param_text(enum param_verdict verdict)
{
	static const char *const texts[] = {
		[PARAM_GOOD] = "good",
		[PARAM_NAME] = "the name of a policy comes first",
		[PARAM_FORM] = "a parameter is key=value",
		[PARAM_KEY] = "no such parameter; orcm-info -p shows them",
		[PARAM_VALUE] = "a value is a number from 0 to 1000000",
		[PARAM_PLUGIN] = "the plug-in's own parameters are wrong",
	};

	return texts[verdict];
}
