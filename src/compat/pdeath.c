/* SPDX-License-Identifier: ISC */
#if HAVE_PDEATHSIG
#include <sys/prctl.h>
#endif

#include <signal.h>
#include <unistd.h>

#include "compat/pdeath.h"

int
pdeath_kill(pid_t parent)
{
#if HAVE_PDEATHSIG
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	/* A death before that call was not seen by it. */
	if (getppid() != parent)
		_exit(128 + SIGKILL);
#else
	(void)parent;
#endif
	return 0;
}
