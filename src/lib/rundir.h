/* SPDX-License-Identifier: ISC */
#ifndef LIB_RUNDIR_H
#define LIB_RUNDIR_H

#include <stdbool.h>

/*
 * Ends the program after path_run_make(), path_run_check() or path_join()
 * failed for a run directory: one line that says what is wrong, by errno, and
 * what to do.  The status is `wrong` when the directory can never be ours,
 * else `failed`.
 */
_Noreturn void rundir_bad(const char *run, int wrong, int failed);
/* Does any daemon live there? */
bool rundir_held(const char *run);

#endif
