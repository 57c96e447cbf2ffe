/* SPDX-License-Identifier: ISC */
#ifndef ORCM_CONFIG_H
#define ORCM_CONFIG_H

#include <orcm/plugin.h>

/*
 * Plug-in kind "config": which files are the configuration.  A source is
 * written KIND:PATH, with the name of a plug-in in front.  The plug-in is
 * pure: it is told what there is and names one file after the other; the host
 * looks into directories, opens and reads.
 */
struct orcm_config_view {
	uint32_t size;	  /* of this struct, as the host was built */
	const char *path; /* behind the colon */
	/* What lies in that directory, in any order; none without `list`. */
	const char *const *names;
	uint32_t names_len;
	const char *last; /* the answer before, or NULL at first */
};

struct orcm_config_ops {
	bool list; /* the path is a directory, its names are needed */
	/*
	 * What to read next: a name below the path, or "" for the path
	 * itself.  NULL: that was all.  A name with a '/' is refused.
	 */
	const char *(*next)(const struct orcm_config_view *view);
};

#endif
