/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include <orcm/config.h>

/* file:PATH: that one file. */

static const char *
next(const struct orcm_config_view *v)
{
	return v->last == NULL ? "" : NULL;
}

static const struct orcm_config_ops ops = {
	.next = next,
};

ORCM_PLUGIN(config, file, "1.0", ops, NULL);
