/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include <orcm/plugin.h>

/*
 * The strategies that are linked in, so that a program works without any
 * installed plug-in.  Each is the same file that is also built to be loaded;
 * with ORCM_BUILTIN its symbol carries its kind and name.
 */
extern const struct orcm_plugin *const orcm_builtin[];

extern const struct orcm_plugin orcm_plugin_config_dir;
extern const struct orcm_plugin orcm_plugin_config_file;
extern const struct orcm_plugin orcm_plugin_leader_lowest;
extern const struct orcm_plugin orcm_plugin_leader_fixed;
extern const struct orcm_plugin orcm_plugin_leader_first;
extern const struct orcm_plugin orcm_plugin_leader_none;
extern const struct orcm_plugin orcm_plugin_leader_vote;
extern const struct orcm_plugin orcm_plugin_map_resilient;
extern const struct orcm_plugin orcm_plugin_map_pack;
extern const struct orcm_plugin orcm_plugin_map_roundrobin;
extern const struct orcm_plugin orcm_plugin_errmgr_default;
extern const struct orcm_plugin orcm_plugin_errmgr_local;
extern const struct orcm_plugin orcm_plugin_errmgr_abort;

const struct orcm_plugin *const orcm_builtin[] = {
	&orcm_plugin_config_dir,
	&orcm_plugin_config_file,
	&orcm_plugin_leader_lowest,
	&orcm_plugin_leader_fixed,
	&orcm_plugin_leader_first,
	&orcm_plugin_leader_none,
	&orcm_plugin_leader_vote,
	&orcm_plugin_map_resilient,
	&orcm_plugin_map_pack,
	&orcm_plugin_map_roundrobin,
	&orcm_plugin_errmgr_default,
	&orcm_plugin_errmgr_local,
	&orcm_plugin_errmgr_abort,
	NULL,
};
