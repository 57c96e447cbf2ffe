/* SPDX-License-Identifier: ISC */
#ifndef SYS_PLUG_H
#define SYS_PLUG_H

#include <stdbool.h>
#include <stddef.h>

#include <orcm/plugin.h>

/*
 * Finding and loading plug-ins.  Search: the directories in
 * $ORCM_PLUGIN_PATH (absolute, with ':' between), ~/.orcm/plugins if ~ is
 * ours, the installation's PLUGINDIR, each with a KIND/ below; then the
 * linked-in ones.  A root process skips the first two.  In a directory
 * NAME.so is taken, else of the NAME.VERSION.so the greatest one, where numbers
 * count as numbers: 1.10 is greater than 1.9.
 *
 * A file is loaded only when it, with all links resolved, and every directory
 * above it belong to root or to us and neither group nor others can write
 * there.  As in OpenSSH's safe_path() there is no exception for the sticky
 * bit: nothing below /tmp is ever loaded.
 */
#define PLUG_ERROR_MAX 300

struct plug_file {
	const struct orcm_plugin *plugin;
	char path[256]; /* "" when linked in */
	int priority;	/* place in the search, 0 is first */
	bool active;	/* would be taken for its name */
};

/*
 * The plug-in of that kind and name, or NULL with a reason in
 * error[PLUG_ERROR_MAX]: what, where, what to do.  ops_min: size of the
 * kind's 1.0 ops.  A loaded plug-in stays for the life of the process.  A file
 * that does not fit is an error, it is never passed over in silence for a
 * later one.
 */
const struct orcm_plugin *plug_load(const char *kind, const char *name,
    size_t ops_min, char *error);
/*
 * All plug-ins of all kinds into files[0..max-1]; how many.  Unusable files
 * are told to say(arg, text).  Loads each of them, so it is for a program
 * that ends soon.
 */
size_t plug_list(struct plug_file *files, size_t max,
    void (*say)(void *arg, const char *text), void *arg);
/* Just the linked-in one, or NULL. */
const struct orcm_plugin *plug_builtin(const char *kind, const char *name);

#endif
