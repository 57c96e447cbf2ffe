/* SPDX-License-Identifier: ISC */
#include "lib/rundir.h"

#include <errno.h>
#include <stddef.h>

#include "sys/lock.h"
#include "sys/log.h"
#include "sys/path.h"

void
rundir_bad(const char *run, int wrong, int failed)
{
	switch (errno) {
	case EACCES:
		die(wrong, "%s: belongs to somebody else or cannot be reached: "
		    "remove it or choose another by ORCM_RUN", run);
	case EPERM:
		die(wrong, "%s: open to others: chmod 700 it or choose "
		    "another by ORCM_RUN", run);
	case ENAMETOOLONG:
		die(wrong, "%s: too long for a socket's path: choose a "
		    "shorter one by ORCM_RUN", run);
	case ENOTDIR:
		die(wrong, "%s: not a directory: remove it or choose "
		    "another by ORCM_RUN", run);
	default:
		die_sys(failed, "run directory %s", run);
	}
}

bool
rundir_held(const char *run)
{
	static const char *const locks[] = {
		"orcmd.lock",
		"orcm-pnpd.lock",
		"orcm-leaderd.lock",
	};
	char path[PATH_ROOM];
	size_t i;

	for (i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
		if (path_join(run, locks[i], path) == 0 &&
		    lock_holder(path) > 0)
			return true;
	return false;
}
