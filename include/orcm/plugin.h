/* SPDX-License-Identifier: ISC */
#ifndef ORCM_PLUGIN_H
#define ORCM_PLUGIN_H

#include <orcm/types.h>
#include <orcm/version.h>

/*
 * What every plug-in exports: one constant, named orcm_plugin, that the
 * loader reads before any code of the plug-in runs.  There is no
 * constructor, and a plug-in has no undefined ORCM symbol.
 *
 * ops_size is the size of the kind's ops struct at the plug-in's build.
 * Ops structs grow only at their end, so an older plug-in works with a newer
 * host: the host asks ORCM_HAS() before it calls a later member.
 */
struct orcm_plugin {
	uint16_t major, minor;
	uint32_t ops_size;
	const char *kind, *name, *version; /* names as in orcm.7, NUL ended */
	const void *ops;		   /* e.g. struct orcm_leader_ops */
	const struct orcm_param *params;   /* ends with name NULL, or NULL */
};

/* A parameter that a plug-in understands, as orcm-info -p shows it. */
struct orcm_param {
	const char *name;  /* key in POLICY:ARG,key=value */
	const char *value; /* its default, as text */
	const char *text;  /* one line: meaning and unit */
};

/*
 * The last line of a plug-in's file.  Built with ORCM_BUILTIN the same line
 * defines orcm_plugin_KIND_NAME instead, for the table of linked-in ones.
 */
#ifdef ORCM_BUILTIN
#define ORCM_PLUGIN_SYMBOL(kind, name) orcm_plugin_##kind##_##name
#else
#define ORCM_PLUGIN_SYMBOL(kind, name) orcm_plugin
#endif
#define ORCM_PLUGIN(kind_, name_, version_, ops_, params_)                     \
	extern const struct orcm_plugin ORCM_PLUGIN_SYMBOL(kind_, name_);      \
	const struct orcm_plugin ORCM_PLUGIN_SYMBOL(kind_, name_) = {          \
		ORCM_PLUGIN_MAJOR, ORCM_PLUGIN_MINOR, sizeof(ops_), #kind_,    \
		#name_, version_, &(ops_), params_                             \
	}

/* Does this plug-in's ops struct, as it was built, have that member? */
#define ORCM_HAS(plugin, type, member)                                         \
	((plugin)->ops_size >= offsetof(type, member) +                        \
		    sizeof(((const type *)0)->member) &&                       \
	    ((const type *)(plugin)->ops)->member != NULL)

#endif
