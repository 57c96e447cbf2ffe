/* SPDX-License-Identifier: ISC */
#ifndef LIB_CONFLOAD_H
#define LIB_CONFLOAD_H

#include "core/conf.h"

/*
 * From where a configuration is to what it says.  A source is PLUGIN:PATH,
 * e.g. "file:/etc/orcm/orcm.conf" or "dir:/etc/orcm/conf.d", or a bare path,
 * where a directory is "dir" and all else "file"; "-" is standard input.  A
 * path with a '/' before its first ':' is bare.
 */

/* Memory for a configuration, or NULL with errno.  Freed by confload_free. */
struct conf *confload_new(void);
void confload_free(struct conf *c);
/*
 * Reads the source and checks all of it but what plug-ins must be asked for:
 * that is confplug_check().  False: c->errors says why, also when there is
 * nothing to be read.
 *
 * trusted: it decides what is run, so its files, and the directory of "dir",
 * must be regular ones that belong to root or to us and that nobody else can
 * write to.
 */
bool confload(struct conf *c, const char *source, bool trusted);

#endif
