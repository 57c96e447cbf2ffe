/* SPDX-License-Identifier: ISC */
/*
 * A file that is linked statically loads nothing.  In the place of src/sys's
 * loader it has the plug-ins that the programs in it need, linked in: those
 * that find a configuration.
 */
#include <stdio.h>
#include <string.h>

#include "sys/plug.h"

extern const struct orcm_plugin orcm_plugin_config_dir;
extern const struct orcm_plugin orcm_plugin_config_file;

const struct orcm_plugin *
plug_builtin(const char *kind, const char *name)
{
	static const struct orcm_plugin *const linked[] = {
		&orcm_plugin_config_dir,
		&orcm_plugin_config_file,
	};
	size_t i;

	for (i = 0; i < sizeof(linked) / sizeof(linked[0]); i++)
		if (strcmp(linked[i]->kind, kind) == 0 &&
		    strcmp(linked[i]->name, name) == 0)
			return linked[i];
	return NULL;
}

const struct orcm_plugin *
plug_load(const char *kind, const char *name, size_t ops_min, char *error)
{
	const struct orcm_plugin *p = plug_builtin(kind, name);

	if (p != NULL && p->ops_size >= ops_min)
		return p;
	(void)snprintf(error, PLUG_ERROR_MAX,
	    "%s plug-in \"%s\": only dir and file can be used here", kind,
	    name);
	return NULL;
}
