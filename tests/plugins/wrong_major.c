/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Made for another plug-in interface. */
static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_ALL,
};

extern const struct orcm_plugin orcm_plugin;
const struct orcm_plugin orcm_plugin = {
	.major = ORCM_PLUGIN_MAJOR + 1,
	.minor = ORCM_PLUGIN_MINOR,
	.ops_size = sizeof(ops),
	.kind = "leader",
	.name = "wrong_major",
	.version = "1.0",
	.ops = &ops,
};
