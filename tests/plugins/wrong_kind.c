/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Says that it is of another kind than its directory. */
static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_ALL,
};

extern const struct orcm_plugin orcm_plugin;
const struct orcm_plugin orcm_plugin = {
	.major = ORCM_PLUGIN_MAJOR,
	.minor = ORCM_PLUGIN_MINOR,
	.ops_size = sizeof(ops),
	.kind = "map",
	.name = "wrong_kind",
	.version = "1.0",
	.ops = &ops,
};
