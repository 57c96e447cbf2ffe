/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Has no ops at all. */
extern const struct orcm_plugin orcm_plugin;
const struct orcm_plugin orcm_plugin = {
	.major = ORCM_PLUGIN_MAJOR,
	.minor = ORCM_PLUGIN_MINOR,
	.ops_size = sizeof(struct orcm_leader_ops),
	.kind = "leader",
	.name = "no_ops",
	.version = "1.0",
	.ops = NULL,
};
