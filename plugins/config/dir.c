/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <orcm/config.h>

/*
 * dir:PATH: all files there whose names end with .conf, in the byte order of
 * their names.  Names that begin with a dot are what editors leave behind.
 */
#define SUFFIX ".conf"

static bool
wanted(const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX);

	return len > suffix && name[0] != '.' &&
	    strcmp(name + len - suffix, SUFFIX) == 0;
}

/* The lowest one above the last. */
static const char *
next(const struct orcm_config_view *v)
{
	const char *best = NULL;
	uint32_t i;

	for (i = 0; i < v->names_len; i++) {
		if (!wanted(v->names[i]) ||
		    (v->last != NULL && strcmp(v->names[i], v->last) <= 0))
			continue;
		if (best == NULL || strcmp(v->names[i], best) < 0)
			best = v->names[i];
	}
	return best;
}

static const struct orcm_config_ops ops = {
	.list = true,
	.next = next,
};

ORCM_PLUGIN(config, dir, "1.0", ops, NULL);
