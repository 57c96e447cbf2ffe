/* SPDX-License-Identifier: ISC */
/*
 * orcm-wait: ends when a condition on a job holds, or executes a program
 * then.  The job, or the whole DVM, may come later; without -D a new private
 * DVM is found while it waits.  A job's end is believed only when nobody can
 * still tell of it: a switchboard that was just killed knows nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "base/num.h"
#include "lib/tool.h"
#include "sys/log.h"

#define LIMIT_MS 30000u
#define EXIT_NOEXEC 126
#define EXIT_NOTFOUND 127

enum condition { LEADER, READY, GONE, COUNT };

static struct wait {
	struct tool t;
	enum condition condition;
	uint32_t count;
	const char *text, *job;
} w;

static void
parse(const char *text)
{
	w.text = text;
	if (strcmp(text, "leader") == 0)
		w.condition = LEADER;
	else if (strcmp(text, "ready") == 0)
		w.condition = READY;
	else if (strcmp(text, "gone") == 0)
		w.condition = GONE;
	else if (strncmp(text, "count=", 6) == 0 &&
	    num_u32(text + 6, 0, ORCM_RANKS_MAX, &w.count))
		w.condition = COUNT;
	else
		die(EXIT_USAGE, "\"%s\": wait for leader, ready, gone or "
		    "count=N, N up to %u", text, ORCM_RANKS_MAX);
}

static uint32_t
count_if(const struct jobs *j, const struct jobs_job *job, bool ready)
{
	const struct jobs_rank *k;
	uint32_t i, n = 0;

	for (i = 0; i < job->r.size; i++) {
		k = jobs_rank(j, job->id, i);
		if (ready)
			n += jobs_ready(k);
		else
			n += k != NULL && k->known &&
			    k->proc.state == PROC_UP;
	}
	return n;
}

static bool
holds(const struct jobs *j, const struct jobs_job *job)
{
	switch (w.condition) {
	case LEADER:
		return jobs_leader(j, job) != ORCM_RANK_NONE;
	case READY:
		return count_if(j, job, true) == job->r.size;
	case COUNT:
		return count_if(j, job, false) == w.count;
	case GONE:
		break;
	}
	return false;
}

/* Has somebody that job, or a part of it? */
static bool
somewhere(void)
{
	const struct tool_dvm *d;
	size_t i;

	for (d = w.t.dvms; d != NULL; d = d->next)
		for (i = 0; i < d->jobs.jobs_len; i++)
			if (strcmp(d->jobs.jobs[i].r.name, w.job) == 0 &&
			    jobs_there(&d->jobs, d->jobs.jobs[i].id))
				return true;
	return false;
}

static void
look(struct tool *t)
{
	const struct jobs_job *job;
	const struct tool_dvm *d;

	if (w.condition == GONE ||
	    (w.condition == COUNT && w.count == 0)) {
		if (!tool_pending(t) && !somewhere())
			loop_stop(&t->loop);
		if (w.condition == GONE)
			return;
	}
	for (d = t->dvms; d != NULL; d = d->next) {
		job = d->state == TOOL_HERE ? jobs_name(&d->jobs, w.job) :
					      NULL;
		if (job == NULL)
			continue;
		if (holds(&d->jobs, job))
			loop_stop(&t->loop);
		return;
	}
}

static void
late(struct tool *t)
{
	die(EXIT_TIMEOUT, "%s %s: not within %llu ms", w.text, w.job,
	    (unsigned long long)t->limit_ms);
}

static _Noreturn void
run(char **argv)
{
	execvp(argv[0], argv);
	if (errno == ENOENT)
		die_sys(EXIT_NOTFOUND, "%s", argv[0]);
	die_sys(EXIT_NOEXEC, "%s", argv[0]);
}

int
main(int argc, char **argv)
{
	static const struct tool_ops ops = { .look = look, .late = late };
	int c;

	tool_init(&w.t, "orcm-wait",
	    "[-V] [-D dvm] [-r rundir] [-t ms] "
	    "leader|ready|gone|count=N job [prog [arg ...]]");
	w.t.limit_ms = LIMIT_MS;
	while ((c = getopt(argc, argv, "+D:Vr:t:")) != -1)
		tool_option(&w.t, c);
	if (argc - optind < 2)
		tool_usage(&w.t);
	parse(argv[optind]);
	w.job = argv[optind + 1];
	if (!name_ok(w.job, strlen(w.job)))
		die(EXIT_USAGE, "%s: not a job's name", w.job);
	w.t.ops = &ops;
	w.t.kinds = JOBS_KINDS;
	w.t.scan = true;
	tool_start(&w.t);
	tool_run(&w.t);
	if (argv[optind + 2] != NULL)
		run(argv + optind + 2);
	return EXIT_YES;
}
