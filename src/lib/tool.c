/* SPDX-License-Identifier: ISC */
/*
 * The frame of every small tool: one loop, one connection to each DVM that
 * it looks into, and a clear end when there is none.
 *
 * A daemon that was killed is back within milliseconds, so a lost or refused
 * connection is waited out as long as one of the daemons holds its lock in
 * the run directory; when none does, nobody will start them, and the answer
 * is given at once.  It allocates one entry for each DVM and nothing else.
 */
#include "lib/tool.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <orcm/version.h>

#include "base/name.h"
#include "base/num.h"
#include "lib/rundir.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/log.h"

#define PRIVATE "run." /* orcm-run calls its private DVM run.PID */
#define DEFAULT "default"
#define LIMIT_MAX UINT64_C(31536000000) /* ms: a year */

void
tool_init(struct tool *t, const char *name, const char *usage)
{
	memset(t, 0, sizeof(*t));
	t->name = name;
	t->usage = usage;
	log_init(name, LOG_WARN);
	(void)fd_std_open();
}

void
tool_usage(const struct tool *t)
{
	die(EXIT_USAGE, "usage: %s %s", t->name, t->usage);
}

void
tool_option(struct tool *t, int option)
{
	switch (option) {
	case 'D':
		t->dvm = optarg;
		break;
	case 'J':
		t->json = true;
		break;
	case 'V':
		printf("%s %s wire %d plugin %d.%d\n", t->name, ORCM_VERSION,
		    ORCM_WIRE_VERSION, ORCM_PLUGIN_MAJOR, ORCM_PLUGIN_MINOR);
		tool_flush();
		exit(EXIT_YES);
	case 'f':
		t->follow = true;
		break;
	case 'h':
		t->header = true;
		break;
	case 'o':
		t->columns = optarg;
		break;
	case 'r':
		t->dir = optarg;
		break;
	case 't':
		if (!num_ms(optarg, &t->limit_ms) || t->limit_ms > LIMIT_MAX)
			die(EXIT_USAGE, "-t %s: milliseconds, or a number "
			    "with ms, s, m or h; 0 is special", optarg);
		break;
	default:
		tool_usage(t);
	}
}

void
tool_columns(struct tool *t, struct out *o, const struct out_column *columns,
    size_t len)
{
	char list[400] = "";
	size_t i, at = 0;

	if (out_init(o, columns, len, t->columns, t->header, t->json) == 0)
		return;
	for (i = 0; i < len && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, " %s",
		    columns[i].name);
	die(EXIT_USAGE, "-o %s: choose of%s, each once", t->columns, list);
}

void
tool_flush(void)
{
	if (out_end() == -1)
		die_sys(EXIT_TEMP, "standard output");
}

static void
look(struct tool *t)
{
	if (t->ops->look != NULL && !t->loop.stop)
		t->ops->look(t);
}

/* The states of a DVM. */

static void
dvm_coming(struct tool_dvm *d)
{
	d->state = TOOL_COMING;
	d->told = false;
	d->since = clock_now();
	loop_timer(&d->tool->loop, &d->tool->tick, d->since + TOOL_TICK);
}

static void
dvm_here(struct tool_dvm *d)
{
	jobs_sweep(&d->jobs);
	d->state = TOOL_HERE;
	d->was_here = true;
	if (d->tool->ops->here != NULL)
		d->tool->ops->here(d);
	look(d->tool);
}

static void
dvm_away(struct tool_dvm *d)
{
	/* What was known of its jobs is known no longer. */
	jobs_again(&d->jobs);
	jobs_sweep(&d->jobs);
	d->state = TOOL_AWAY;
	loop_timer(&d->tool->loop, &d->tool->tick, clock_now());
	if (d->tool->ops->away != NULL)
		d->tool->ops->away(d);
}

/* Will no daemon answer however long we wait? */
static bool
hopeless(const struct tool_dvm *d)
{
	struct stat st;

	if (conn_is_open(&d->client.conn))
		return false;
	if (lstat(d->run, &st) == -1 && errno == ENOENT)
		return true;
	return !(d->tool->patient && d->was_here) && !rundir_held(d->run);
}

static bool
whole(const struct tool_dvm *d)
{
	return (d->tool->kinds & RECORD_BIT(RECORD_JOB)) == 0 ||
	    jobs_whole(&d->jobs);
}

/* Has the present wait an end? */
static void
dvm_judge(struct tool_dvm *d)
{
	uint64_t waited = clock_now() - d->since;

	if (d->state != TOOL_COMING)
		return;
	if (d->told) {
		if (whole(d) || waited >= TOOL_SETTLE)
			dvm_here(d);
	} else if (waited >= TOOL_CONNECT || hopeless(d)) {
		dvm_away(d);
	}
}

static void
on_up(struct client *c)
{
	struct tool_dvm *d = c->arg;

	d->jobs.here = c->number;
	jobs_again(&d->jobs);
	dvm_coming(d);
}

static void
on_down(struct client *c)
{
	struct tool_dvm *d = c->arg;

	dvm_coming(d);
	dvm_judge(d);
}

static void
on_synced(struct client *c)
{
	struct tool_dvm *d = c->arg;

	d->told = true;
	d->since = clock_now();
	dvm_judge(d);
}

static void
on_record(struct client *c, const struct client_record *r)
{
	struct tool_dvm *d = c->arg;

	if (jobs_take(&d->jobs, r) == -1)
		die_sys(EXIT_TEMP, "records of %s", d->name);
	if (d->state != TOOL_HERE) {
		if (d->told)
			dvm_judge(d);
		return;
	}
	if (d->tool->ops->changed != NULL)
		d->tool->ops->changed(d, r);
	look(d->tool);
}

static void
on_event(struct client *c, const struct client_event *e)
{
	struct tool_dvm *d = c->arg;

	if (d->tool->ops->event != NULL)
		d->tool->ops->event(d, e);
}

static void
on_reply(struct client *c, uint64_t id, uint32_t code, const char *text)
{
	struct tool_dvm *d = c->arg;

	if (d->tool->ops->reply != NULL)
		d->tool->ops->reply(d, id, code, text);
	look(d->tool);
}

static const struct client_ops client_ops = {
	.up = on_up,
	.record = on_record,
	.synced = on_synced,
	.event = on_event,
	.reply = on_reply,
	.down = on_down,
};

/* The list of them. */

static bool
listed(const struct tool *t, const char *run)
{
	const struct tool_dvm *d;

	for (d = t->dvms; d != NULL; d = d->next)
		if (strcmp(d->run, run) == 0)
			return true;
	return false;
}

static struct tool_dvm *
entry(void)
{
	struct tool_dvm *d = calloc(1, sizeof(*d));

	if (d == NULL)
		die_sys(EXIT_TEMP, "a DVM's entry");
	return d;
}

static void
add(struct tool *t, const char *name, const char *run)
{
	struct tool_dvm *d, **at = &t->dvms;

	if (t->dvms_len == TOOL_DVMS_MAX)
		return;
	d = entry();
	d->tool = t;
	(void)copy_str(d->name, sizeof(d->name), name);
	(void)copy_str(d->run, sizeof(d->run), run);
	jobs_init(&d->jobs);
	while (*at != NULL && strcmp(name, DEFAULT) != 0)
		at = &(*at)->next;
	d->next = *at;
	*at = d;
	t->dvms_len++;
	dvm_coming(d);
	client_init(&d->client, &t->loop, &client_ops, d, t->name, t->name,
	    NULL);
	if (client_start(&d->client, d->run, t->kinds) == -1)
		die_sys(EXIT_USAGE, "%s", d->run);
	dvm_judge(d);
}

static void
drop(struct tool *t, struct tool_dvm **at)
{
	struct tool_dvm *d = *at;

	*at = d->next;
	t->dvms_len--;
	client_stop(&d->client);
	jobs_free(&d->jobs);
	free(d);
}

/* Those that nobody named are forgotten when they are gone. */
static void
drop_away(struct tool *t)
{
	struct tool_dvm **at = &t->dvms;

	while (!t->named && *at != NULL)
		if ((*at)->state == TOOL_AWAY)
			drop(t, at);
		else
			at = &(*at)->next;
}

static void
consider(struct tool *t, const char *name)
{
	char run[PATH_ROOM], base[PATH_ROOM];

	if (!name_ok(name, strlen(name)) || path_run_base(base) == -1 ||
	    (size_t)snprintf(run, sizeof(run), "%s/%s", base, name) >=
		sizeof(run))
		return;
	if (!listed(t, run) && path_run_check(run) == 0 && rundir_held(run))
		add(t, name, run);
}

static void
scan(struct tool *t)
{
	char base[PATH_ROOM];
	struct dirent *e;
	DIR *dir;

	consider(t, DEFAULT);
	dir = path_run_base(base) == 0 ? opendir(base) : NULL;
	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, PRIVATE, strlen(PRIVATE)) == 0)
			consider(t, e->d_name);
	if (dir != NULL)
		closedir(dir);
}

static void
add_named(struct tool *t)
{
	const char *name = t->dvm != NULL ? t->dvm : DEFAULT;
	char run[PATH_ROOM], path[PATH_ROOM];

	if (!name_ok(name, strlen(name)))
		die(EXIT_USAGE,
		    "-D %s: a name has 1 to 63 of A-Z a-z 0-9 . _ @ -", name);
	if (path_run(name, t->dir, run) == -1)
		die_sys(EXIT_USAGE, "run directory of %s", name);
	if ((path_run_check(run) == -1 && errno != ENOENT) ||
	    path_join(run, "pnpd.sock", path) == -1)
		rundir_bad(run, EXIT_USAGE, EXIT_USAGE);
	add(t, name, run);
}

static void
on_tick(struct timer *timer)
{
	struct tool *t = timer->arg;
	struct tool_dvm *d;

	for (d = t->dvms; d != NULL; d = d->next)
		dvm_judge(d);
	drop_away(t);
	if (tool_pending(t))
		loop_timer(&t->loop, timer, clock_now() + TOOL_TICK);
	look(t);
}

static void
on_rescan(struct timer *timer)
{
	struct tool *t = timer->arg;

	scan(t);
	loop_timer(&t->loop, timer, clock_now() + TOOL_SCAN);
}

static void
on_limit(struct timer *timer)
{
	struct tool *t = timer->arg;

	if (t->ops->late != NULL)
		t->ops->late(t);
}

/* The empty string is as good as nothing. */
static const char *
said(const char *option, const char *variable)
{
	const char *s = option != NULL ? option : getenv(variable);

	return s != NULL && s[0] != '\0' ? s : NULL;
}

void
tool_start(struct tool *t)
{
	t->dvm = said(t->dvm, "ORCM_DVM");
	t->dir = said(t->dir, "ORCM_RUN");
	t->named = t->one || t->dvm != NULL || t->dir != NULL;
	if (loop_init(&t->loop, TOOL_DVMS_MAX + 8, TOOL_DVMS_MAX + 8) == -1)
		die_sys(EXIT_TEMP, "event loop");
	timer_init(&t->tick, on_tick, t);
	timer_init(&t->rescan, on_rescan, t);
	timer_init(&t->limit, on_limit, t);
	if (t->named)
		add_named(t);
	else
		scan(t);
	drop_away(t);
	if (t->scan && !t->named)
		loop_timer(&t->loop, &t->rescan, clock_now() + TOOL_SCAN);
}

void
tool_choose(struct tool *t)
{
	char list[600] = "";
	struct tool_dvm *d, **at;
	size_t len = 0;

	if (t->dvms != NULL && strcmp(t->dvms->name, DEFAULT) == 0) {
		at = &t->dvms->next;
		while (*at != NULL)
			drop(t, at);
	}
	if (t->dvms_len < 2)
		return;
	for (d = t->dvms; d != NULL && len < sizeof(list); d = d->next)
		len += (size_t)snprintf(list + len, sizeof(list) - len, " %s",
		    d->name);
	die(EXIT_USAGE, "choose a DVM with -D:%s", list);
}

void
tool_run(struct tool *t)
{
	if (t->limit_ms != 0)
		loop_timer(&t->loop, &t->limit,
		    clock_now() + t->limit_ms * ORCM_MS);
	look(t);
	if (loop_run(&t->loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
}

bool
tool_pending(const struct tool *t)
{
	const struct tool_dvm *d;

	for (d = t->dvms; d != NULL; d = d->next)
		if (d->state == TOOL_COMING)
			return true;
	return false;
}

size_t
tool_here(const struct tool *t)
{
	const struct tool_dvm *d;
	size_t n = 0;

	for (d = t->dvms; d != NULL; d = d->next)
		n += d->state == TOOL_HERE;
	return n;
}

void
tool_nobody(const struct tool *t)
{
	char base[PATH_ROOM] = "";

	if (t->named && rundir_held(t->dvms->run))
		die(EXIT_NODAEMON, "DVM \"%s\" in %s does not answer",
		    t->dvms->name, t->dvms->run);
	if (t->named)
		die(EXIT_NODAEMON, "no DVM \"%s\" runs in %s", t->dvms->name,
		    t->dvms->run);
	(void)path_run_base(base);
	die(EXIT_NODAEMON, "no DVM of this user runs in %s", base);
}
