/* SPDX-License-Identifier: ISC */
/*
 * orcm-run's command line.  Everything that can be wrong is found here,
 * before anything is started, and ends with status 125 and one line.
 */
#include "run/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <orcm/version.h>

#include "base/name.h"
#include "base/num.h"
#include "sys/log.h"
#include "sys/signame.h"

#define WINDOW_MIN 4096u
#define WINDOW_MAX (UINT64_C(1) << 30)
#define GRACE_MAX 86400000u

static const char help[] =
    "usage: orcm-run [-bLqv] [-n N] [-l policy] [-i all|leader|none|FILE]\n"
    "	[-e leader|all|none] [-R crash|failure|always|never]\n"
    "	[-r N[/SECONDS]] [-p all|none|SIZE] [-w SIZE]\n"
    "	[-k leader|worst|agree] [-t MS] [-g MS] [-s SIGNAL]\n"
    "	[-x NAME[=VALUE]] [-C DIR] [-j NAME] [-D DVM] [--] prog [arg ...]\n"
    "Runs N replicas of prog, feeds stdin to all, prints one output.\n"
    "  -n  replicas (1)                -l  whose output counts (lowest)\n"
    "  -i  who gets stdin (all)        -e  whose stderr is shown (leader)\n"
    "  -R  what is restarted (crash)   -r  restarts per replica (5/30)\n"
    "  -p  input kept for replays (all)\n"
    "  -w  how far a follower may run ahead (1M)\n"
    "  -k  whose status becomes ours (leader)\n"
    "  -t  time limit  -g  polite signal to KILL (5000)  -s  signal (TERM)\n"
    "  -x  set in the environment  -C  directory  -j  job name  -D  DVM\n"
    "  -L  label lines with the rank   -b  hand over, print the job's id\n"
    "  -v  events on stderr            -q  nothing of our own on stderr\n";

/* One of some words; their number, or -1. */
static int
word(const char *text, const char *const *words)
{
	int i;

	for (i = 0; words[i] != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	return -1;
}

static int
one_of(char option, const char *text, const char *const *words)
{
	int i = word(text, words);

	if (i == -1)
		die(JOB_OUR_FAULT, "-%c %s: see orcm-run -h for the choices",
		    option, text);
	return i;
}

static void
set_input(struct run_options *o, const char *text)
{
	static const char *const words[] = { "all", "leader", "none", NULL };
	int i = word(text, words);

	o->in_file = i == -1 ? text : NULL;
	o->in = i == -1 ? RUN_STDIN_ALL : (enum run_stdin)i;
}

static void
set_budget(struct run_options *o, const char *text)
{
	char copy[32], *slash;
	uint32_t seconds = 0;

	if (!copy_str(copy, sizeof(copy), text))
		copy[0] = '\0';
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	o->strict = true;
	o->budget = BUDGET_INF;
	if (strcmp(copy, "inf") != 0 &&
	    !num_u32(copy, 0, BUDGET_MAX, &o->budget))
		die(JOB_OUR_FAULT, "-r %s: give N or N/SECONDS, N up to %u, "
		    "or inf", text, BUDGET_MAX);
	if (slash != NULL && !num_u32(slash, 1, 4000000, &seconds))
		die(JOB_OUR_FAULT, "-r %s: seconds are 1 to 4000000", text);
	o->period_ms = seconds * 1000;
}

static void
set_keep(struct run_options *o, const char *text)
{
	if (strcmp(text, "all") == 0)
		o->keep = UINT64_MAX;
	else if (strcmp(text, "none") == 0)
		o->keep = 0;
	else if (!num_size(text, &o->keep))
		die(JOB_OUR_FAULT, "-p %s: give all, none or a size such as "
		    "16M", text);
}

static void
set_window(struct run_options *o, const char *text)
{
	if (!num_size(text, &o->window) || o->window < WINDOW_MIN ||
	    o->window > WINDOW_MAX)
		die(JOB_OUR_FAULT, "-w %s: give a size from 4K to 1G", text);
}

static void
set_time(uint64_t *ms, char option, const char *text)
{
	if (!num_ms(text, ms) || *ms > GRACE_MAX)
		die(JOB_OUR_FAULT, "-%c %s: give milliseconds, at most %u",
		    option, text, GRACE_MAX);
}

static void
set_env(struct run_options *o, char *text)
{
	char **env;

	if (text[0] == '\0' || text[0] == '=')
		die(JOB_OUR_FAULT, "-x %s: give NAME or NAME=VALUE", text);
	env = realloc(o->env, (o->env_len + 1) * sizeof(*env));
	if (env == NULL)
		die_sys(JOB_OUR_FAULT, "-x");
	o->env = env;
	o->env[o->env_len++] = text;
}

/* -np N as the MPI launchers write it. */
static const char *
number_option(int argc, char **argv)
{
	if (strcmp(optarg, "p") != 0)
		return optarg;
	if (optind >= argc)
		die(JOB_OUR_FAULT, "-np: how many?");
	return argv[optind++];
}

static void
set_number(struct run_options *o, const char *text)
{
	if (!num_u32(text, 1, ORCM_RANKS_MAX, &o->n))
		die(JOB_OUR_FAULT, "-n %s: give 1 to %u", text,
		    ORCM_RANKS_MAX);
}

static void
set_signal(struct run_options *o, const char *text)
{
	o->signal = signame_number(text);
	if (o->signal == 0)
		die(JOB_OUR_FAULT, "-s %s: no such signal", text);
}

/* The end after -V or -h: what was asked for is written, or that is said. */
static void
shown(void)
{
	if (fflush(stdout) == EOF)
		die_sys(JOB_OUR_FAULT, "standard output");
	exit(0);
}

static void
show_version(void)
{
	printf("orcm-run %s wire %d plugin %d.%d\n", ORCM_VERSION,
	    ORCM_WIRE_VERSION, ORCM_PLUGIN_MAJOR, ORCM_PLUGIN_MINOR);
	shown();
}

static void
option(struct run *r, int c, int argc, char **argv)
{
	static const char *const errs[] = { "leader", "all", "none", NULL };
	static const char *const restarts[] = { "crash", "failure", "always",
		"never", NULL };
	static const char *const rules[] = { "leader", "worst", "agree",
		NULL };
	struct run_options *o = &r->opt;

	switch (c) {
	case 'C': o->dir = optarg; break;
	case 'D': o->dvm = optarg; break;
	case 'L': o->label = true; break;
	case 'R':
		o->restart = (enum job_restart)one_of('R', optarg, restarts);
		break;
	case 'V': show_version(); break;
	case 'b': o->background = true; break;
	case 'e': o->err = (enum run_stderr)one_of('e', optarg, errs); break;
	case 'g': set_time(&o->grace_ms, 'g', optarg); break;
	case 'h': fputs(help, stdout); shown(); break;
	case 'i': set_input(o, optarg); break;
	case 'j': o->name = optarg; break;
	case 'k': o->rule = (enum job_rule)one_of('k', optarg, rules); break;
	case 'l': o->policy = optarg; break;
	case 'n': set_number(o, number_option(argc, argv)); break;
	case 'p': set_keep(o, optarg); break;
	case 'q': o->quiet = true; break;
	case 'r': set_budget(o, optarg); break;
	case 's': set_signal(o, optarg); break;
	case 't': set_time(&o->limit_ms, 't', optarg); break;
	case 'v': o->verbose = true; break;
	case 'w': set_window(o, optarg); break;
	case 'x': set_env(o, optarg); break;
	default:
		fputs(help, stderr);
		exit(JOB_OUR_FAULT);
	}
}

static void
check(struct run *r)
{
	struct run_options *o = &r->opt;

	/* Labels tell outputs apart, so all of them are wanted. */
	if (o->label && o->policy == NULL)
		o->policy = "none";
	if (o->policy == NULL)
		o->policy = "lowest";
	if (policy_load(&r->policy, o->policy, o->n) == -1)
		die(JOB_OUR_FAULT, "%s", r->policy.error);
	if (o->label && r->policy.ops->delivery != ORCM_DELIVER_ALL)
		die(JOB_OUR_FAULT, "-L labels everybody's output: leave -l "
		    "out or use -l none");
	if (o->in == RUN_STDIN_LEADER &&
	    r->policy.ops->delivery != ORCM_DELIVER_LEADER)
		die(JOB_OUR_FAULT, "-i leader: nobody leads under -l %s",
		    o->policy);
	if (o->name != NULL && !name_ok(o->name, strlen(o->name)))
		die(JOB_OUR_FAULT, "-j %s: a name has 1 to 63 of A-Z a-z 0-9 "
		    ". _ @ -", o->name);
	if (o->budget == 0)
		o->restart = RESTART_NEVER;
}

void
run_options(struct run *r, int argc, char **argv)
{
	struct run_options *o = &r->opt;
	int c;

	o->n = 1;
	o->budget = 5;
	o->period_ms = 30000;
	o->keep = UINT64_MAX;
	o->window = UINT64_C(1) << 20;
	o->grace_ms = 5000;
	o->limit_ms = 0;
	o->signal = SIGTERM;
	/* "+": options behind the program's name are the program's. */
	while ((c = getopt(argc, argv,
		    "+C:D:LR:Vbe:g:hi:j:k:l:n:p:qr:s:t:vw:x:")) != -1)
		option(r, c, argc, argv);
	if (optind >= argc) {
		fputs(help, stderr);
		exit(JOB_OUR_FAULT);
	}
	o->argv = argv + optind;
	check(r);
}
