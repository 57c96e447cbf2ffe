/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Made for a later release. */
static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_ALL,
};

extern const struct orcm_plugin orcm_plugin;
const struct orcm_plugin orcm_plugin = {
	.major = ORCM_PLUGIN_MAJOR,
	.minor = ORCM_PLUGIN_MINOR + 1,
	.ops_size = sizeof(ops),
	.kind = "leader",
	.name = "newer_minor",
	.version = "1.0",
	.ops = &ops,
};
