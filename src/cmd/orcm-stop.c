/* SPDX-License-Identifier: ISC */
/*
 * orcm-stop: orders the owners of jobs to stop them and waits until nothing
 * of them is left; with -a the same for a whole DVM.  An order is sent again
 * after a lost connection until it was answered: a job that is stopped twice
 * is stopped.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "lib/rundir.h"
#include "lib/tool.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/signame.h"

#define LIMIT_MS 10000u
#define ANSWER (2 * ORCM_SECOND)
#define DVM_TICK (10 * ORCM_MS)

/* What becomes of one job. */
enum stage {
	ASK,	/* not found or not ordered yet */
	ASKED,	/* no answer yet */
	HEARD,	/* its owner has the order */
	MISSING /* no such job */
};

struct target {
	const char *name;
	struct tool_dvm *dvm;
	uint64_t id;
	enum stage stage;
};

static struct stop {
	struct tool t;
	struct target *targets;
	size_t len;
	int signal;
	bool all, quick, any_missing;
	bool asked, heard; /* with -a */
	struct timer answer, watch;
} s;

static void
missing(struct target *g, const char *why)
{
	log_line(LOG_ERROR, "%s \"%s\"", why, g->name);
	g->stage = MISSING;
	s.any_missing = true;
}

static void
ask(struct target *g)
{
	struct client_order o;
	const struct jobs_job *job;
	struct tool_dvm *d;

	for (d = s.t.dvms; d != NULL; d = d->next) {
		job = d->state == TOOL_HERE ? jobs_name(&d->jobs, g->name) :
					      NULL;
		if (job == NULL)
			continue;
		memset(&o, 0, sizeof(o));
		o.id = (uint64_t)(g - s.targets) + 1;
		o.verb = ORDER_STOP;
		o.signal = (uint32_t)s.signal;
		(void)copy_str(o.to, sizeof(o.to), "owner");
		(void)copy_str(o.job, sizeof(o.job), g->name);
		g->dvm = d;
		g->id = job->id;
		if (client_order(&d->client, &o))
			g->stage = ASKED;
		return;
	}
	if (!tool_pending(&s.t))
		missing(g, "no job");
}

/* Is there nothing left of it, nor anybody who could know? */
static bool
is_gone(const struct target *g)
{
	const struct tool_dvm *d;

	for (d = s.t.dvms; d != NULL; d = d->next)
		if (d == g->dvm)
			return d->state == TOOL_AWAY ||
			    (d->state == TOOL_HERE &&
				!jobs_there(&d->jobs, g->id));
	return true;
}

static void
look_jobs(struct tool *t)
{
	struct target *g;
	bool over = true;

	if (t->dvms == NULL || (tool_here(t) == 0 && !tool_pending(t)))
		if (s.targets[0].stage == ASK)
			tool_nobody(t);
	for (g = s.targets; g < s.targets + s.len; g++) {
		if (g->stage == ASK)
			ask(g);
		if (g->stage == MISSING || (s.quick && g->stage == HEARD))
			continue;
		if (g->stage == ASK || !is_gone(g))
			over = false;
	}
	if (over)
		loop_stop(&t->loop);
}

static void
look_dvm(struct tool *t)
{
	struct client_order o = { .id = 1, .verb = ORDER_SHUTDOWN,
		.to = "orcmd", .signal = 0 };

	if (s.asked && !rundir_held(t->dvms->run)) {
		loop_stop(&t->loop);
		return;
	}
	if (t->dvms->state == TOOL_AWAY && !s.asked)
		tool_nobody(t);
	if (t->dvms->state == TOOL_HERE && !s.asked)
		s.asked = client_order(&t->dvms->client, &o);
	if (s.quick && s.heard)
		loop_stop(&t->loop);
}

static void
look(struct tool *t)
{
	if (s.all)
		look_dvm(t);
	else
		look_jobs(t);
}

static void
reply(struct tool_dvm *d, uint64_t id, uint32_t code, const char *text)
{
	struct target *g;

	if (s.all) {
		if (code != 0)
			die(EXIT_NO, "DVM \"%s\": %s", d->name, text);
		s.heard = true;
		return;
	}
	if (id == 0 || id > s.len)
		return;
	g = &s.targets[id - 1];
	if (g->stage != ASKED)
		return;
	if (code == 0)
		g->stage = HEARD;
	else if (is_gone(g))
		g->stage = HEARD; /* it ended by itself meanwhile */
	else
		missing(g, text);
}

/* The connection was lost: what is not answered is ordered once more. */
static void
here(struct tool_dvm *d)
{
	struct target *g;

	for (g = s.targets; g < s.targets + s.len; g++)
		if (g->stage == ASKED && g->dvm == d && !is_gone(g))
			g->stage = ASK;
	if (!s.heard)
		s.asked = false;
}

static _Noreturn void
late_at(uint64_t ms)
{
	struct target *g;

	if (s.all)
		die(EXIT_TIMEOUT, "DVM \"%s\": not gone within %llu ms",
		    s.t.dvms->name, (unsigned long long)ms);
	for (g = s.targets; g < s.targets + s.len; g++)
		if (g->stage != MISSING && (g->stage == ASK || !is_gone(g)))
			log_line(LOG_ERROR, "job \"%s\": not gone within "
			    "%llu ms", g->name, (unsigned long long)ms);
	exit(EXIT_TIMEOUT);
}

static void
late(struct tool *t)
{
	late_at(t->limit_ms);
}

/* With -t 0 nothing is waited for but the answer. */
static void
no_answer(struct timer *t)
{
	(void)t;
	late_at(ANSWER / ORCM_MS);
}

/* The locks of a DVM's daemons tell nobody that they are free. */
static void
watch_dvm(struct timer *t)
{
	look(&s.t);
	loop_timer(&s.t.loop, t, clock_now() + DVM_TICK);
}

static void
options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+D:Var:s:t:")) != -1)
		switch (c) {
		case 'a':
			s.all = true;
			break;
		case 's':
			s.signal = signame_number(optarg);
			if (s.signal == 0)
				die(EXIT_USAGE, "-s %s: not a signal", optarg);
			break;
		default:
			tool_option(&s.t, c);
		}
	argv += optind;
	if (s.all != (argv[0] == NULL))
		tool_usage(&s.t);
	s.targets = calloc((size_t)(argc - optind) + 1, sizeof(*s.targets));
	if (s.targets == NULL)
		die_sys(EXIT_TEMP, "jobs");
	for (; *argv != NULL; argv++) {
		if (!name_ok(*argv, strlen(*argv)))
			die(EXIT_USAGE, "%s: not a job's name", *argv);
		s.targets[s.len++].name = *argv;
	}
	s.quick = s.t.limit_ms == 0;
	/* A private DVM belongs to its orcm-run. */
	s.t.one = s.all;
}

int
main(int argc, char **argv)
{
	static const struct tool_ops ops = {
		.look = look,
		.reply = reply,
		.here = here,
		.late = late,
	};

	tool_init(&s.t, "orcm-stop",
	    "[-V] [-D dvm] [-r rundir] [-s signal] [-t ms] -a | job ...");
	s.t.limit_ms = LIMIT_MS;
	options(argc, argv);
	s.t.ops = &ops;
	s.t.kinds = JOBS_KINDS;
	tool_start(&s.t);
	timer_init(&s.answer, no_answer, NULL);
	timer_init(&s.watch, watch_dvm, NULL);
	if (s.quick)
		loop_timer(&s.t.loop, &s.answer, clock_now() + ANSWER);
	if (s.all)
		watch_dvm(&s.watch);
	tool_run(&s.t);
	return s.any_missing ? EXIT_NO : EXIT_YES;
}
