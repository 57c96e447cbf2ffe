/* SPDX-License-Identifier: ISC */
/*
 * The DVM that runs the job: one that is there, or a private one that lives
 * as long as we do.  A private DVM is the same daemons in a run directory of
 * its own.  They all hold one end of a socket pair, the lifeline: when our
 * end closes, for whatever reason, they end and take everything away; when
 * the last of them has ended, our end reads end-of-file.
 *
 * They look after each other.  Only when nobody is left who could, because
 * all were killed at once or orcmd before it had started the others, is it
 * we who start orcmd again; for that we keep the other end too.
 */
#include "run/run.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/name.h"
#include "base/num.h"
#include "lib/rundir.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/log.h"
#include "sys/spawn.h"

#define END_MS 3000
#define REVIVE (200 * ORCM_MS)

static bool
is_running(const char *run)
{
	char path[PATH_ROOM];
	int fd;

	if (path_join(run, "pnpd.sock", path) == -1)
		return false;
	fd = sock_connect(path);
	if (fd != -1) {
		close(fd);
		return true;
	}
	/* The switchboard may be away for a moment. */
	return path_join(run, "orcmd.lock", path) == 0 &&
	    lock_holder(path) > 0;
}

/* Starts orcmd of the private DVM; the socket pair's other end goes along. */
static void
start_orcmd(struct run *r)
{
	static char opt_d[] = "-D", opt_r[] = "-r", opt_l[] = "-l";
	char path[PATH_ROOM], life[16];
	char *argv[] = { path, opt_d, r->dvm, opt_r, r->run, opt_l, life,
		NULL };
	struct spawn s;

	if (path_program(r->argv0, "orcmd", path) == -1)
		die_sys(JOB_OUR_FAULT, "find orcmd");
	(void)num_text(life, sizeof(life), (uint64_t)r->theirs);
	spawn_apart(&s, path, argv);
	s.keep = &r->theirs;
	s.keep_len = 1;
	r->orcmd = spawn(&s);
	if (r->orcmd == -1)
		die_sys(JOB_OUR_FAULT, "start %s", path);
}

/*
 * A private DVM all of whose processes were killed at once could not take
 * its directory away.  The next one does: of owners that are dead.
 */
static void
sweep(const char *base)
{
	char run[PATH_ROOM];
	struct dirent *e;
	uint32_t pid;
	DIR *d = opendir(base);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "run.", 4) != 0 ||
		    !num_u32(e->d_name + 4, 2, INT32_MAX, &pid) ||
		    kill((pid_t)pid, 0) == 0 || errno != ESRCH ||
		    path_join(base, e->d_name, run) == -1)
			continue;
		if (!rundir_held(run))
			path_run_remove(run);
	}
	(void)closedir(d);
}

static void
make_private(struct run *r)
{
	char base[PATH_ROOM];
	int pair[2];

	r->private = true;
	(void)snprintf(r->dvm, sizeof(r->dvm), "run.%ld", (long)getpid());
	if (path_run_base(base) == -1 ||
	    (size_t)snprintf(r->run, sizeof(r->run), "%s/%s", base, r->dvm) >=
		sizeof(r->run))
		die_sys(JOB_OUR_FAULT, "run directory");
	sweep(base);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		die_sys(JOB_OUR_FAULT, "lifeline");
	(void)fd_cloexec(pair[0], true);
	(void)fd_cloexec(pair[1], true);
	r->lifeline = pair[0];
	r->theirs = pair[1];
	/* orcmd first: from then on there is somebody to clean up after us. */
	start_orcmd(r);
	if (path_run_make(r->run) == -1)
		rundir_bad(r->run, JOB_OUR_FAULT, JOB_OUR_FAULT);
}

void
dvm_find(struct run *r)
{
	const char *name = r->opt.dvm != NULL ? r->opt.dvm :
						 getenv("ORCM_DVM");
	bool given = (name != NULL && name[0] != '\0') ||
	    getenv("ORCM_RUN") != NULL;
	char sock[PATH_ROOM];

	r->lifeline = -1;
	if (name == NULL || name[0] == '\0')
		name = "default";
	if (!name_ok(name, strlen(name)))
		die(JOB_OUR_FAULT, "-D %s: not a name", name);
	(void)copy_str(r->dvm, sizeof(r->dvm), name);
	if (path_run(name, NULL, r->run) == -1)
		die_sys(JOB_OUR_FAULT, "run directory of %s", name);
	if (path_join(r->run, "io.0123456789abcdef", sock) == -1)
		rundir_bad(r->run, JOB_OUR_FAULT, JOB_OUR_FAULT);
	if (path_run_check(r->run) == -1) {
		if (errno != ENOENT)
			rundir_bad(r->run, JOB_OUR_FAULT, JOB_OUR_FAULT);
	} else if (is_running(r->run)) {
		return;
	}
	if (given)
		die(JOB_OUR_FAULT, "no DVM \"%s\" in %s: start it with "
		    "\"orcmd -D %s\"", name, r->run, name);
	make_private(r);
}

/* orcmd, our child, has ended: the others start it again if it died. */
void
dvm_child(struct run *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != r->orcmd)
			continue;
		r->orcmd = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
		    !client_up(&r->client) && !r->over && !r->revived)
			die(JOB_OUR_FAULT, "the private DVM did not start: "
			    "orcmd ended with status %d",
			    WEXITSTATUS(status));
	}
}

uint64_t
dvm_revive(struct run *r, uint64_t now)
{
	char path[PATH_ROOM];

	if (!r->private)
		return ORCM_NEVER;
	if (r->revive == 0)
		r->revive = now + REVIVE;
	if (now < r->revive)
		return r->revive;
	r->revive = now + REVIVE;
	/* It may have died before there was anybody to hear its end. */
	dvm_child(r);
	/* Ours may not have come to its lock yet. */
	if (r->orcmd == 0 && path_join(r->run, "orcmd.lock", path) == 0 &&
	    lock_holder(path) <= 0) {
		r->revived = true;
		start_orcmd(r);
	}
	return r->revive;
}

void
dvm_end(struct run *r)
{
	struct pollfd p = { r->lifeline, POLLIN, 0 };
	uint64_t end = clock_now() + END_MS * ORCM_MS;
	char c;

	if (!r->private)
		return;
	(void)shutdown(r->lifeline, SHUT_WR);
	close(r->theirs);
	while (clock_now() < end) {
		if (poll(&p, 1, 100) == 1 && read(r->lifeline, &c, 1) <= 0)
			break;
	}
	/* Normally the last of them has done this. */
	path_run_remove(r->run);
}
