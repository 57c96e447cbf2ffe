/* SPDX-License-Identifier: ISC */
#ifndef SYS_PATH_H
#define SYS_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* The only file that knows where things are. */

#define PATH_ROOM 256 /* bytes for any path of ours, NUL included */

/*
 * The directory that holds run directories: /run/orcm for root (/var/run/orcm
 * where there is no /run), else $XDG_RUNTIME_DIR/orcm, else /tmp/orcm-UID.
 * Any out here has PATH_ROOM bytes.  -1 with ENAMETOOLONG.
 */
int path_run_base(char *out);
/*
 * Where the DVM of that name lives: dir if given (-r), else $ORCM_RUN, else
 * below path_run_base().  Always absolute.  -1 with errno: EINVAL dvm is no
 * name, ENAMETOOLONG, or what getcwd(3) says.
 */
int path_run(const char *dvm, const char *dir, char *out);
/*
 * Makes the run directory (and the base) with mode 0700 if it is not there
 * and checks it: a directory, not a link, ours, closed to others.  -1 with
 * errno: EACCES somebody else's, EPERM open to others, ENOTDIR, ...  The
 * directory above must be sticky, or be root's or ours and not writable for
 * all: EACCES and EPERM likewise.  It is made only when it is the base.
 */
int path_run_make(const char *run);
/* The same check without making anything. */
int path_run_check(const char *run);
/* run/name, -1 with ENAMETOOLONG when it cannot be a socket's path. */
int path_join(const char *run, const char *name, char *out);
/*
 * Where the configuration is: $ORCM_CONF, else /etc/orcm/orcm.conf for root,
 * else orcm/orcm.conf below $XDG_CONFIG_HOME or ~/.config.  out has PATH_ROOM
 * bytes.  -1 with errno: ENAMETOOLONG, or ENOENT without a HOME.
 */
int path_conf(char *out);
/* The same for the key of a DVM: $ORCM_KEY, else DVM.key beside the above. */
int path_key(const char *dvm, char *out);
/*
 * Makes the directories above a file that are missing, for us alone; what is
 * there stays as it is.  -1 with errno.
 */
int path_parents(const char *file);
/*
 * Path of another program of ours: beside the running one, else in the
 * installation's BINDIR.  argv0 helps where the system does not tell.  In a
 * build tree all programs lie in one directory, as they do once installed.
 * -1 with errno; ENOENT when it is at neither place.
 */
int path_program(const char *argv0, const char *name, char *out);
/*
 * Removes the files of a private DVM and its run directory: only names that
 * our programs make (*.sock and what sock_listen() calls it first, *.lock,
 * epoch, epoch.new, io.*), nothing below it, and the directory if it is empty
 * then.  Not a link, not somebody else's.
 */
void path_run_remove(const char *run);

#endif
