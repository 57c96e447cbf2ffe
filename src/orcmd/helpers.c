/* SPDX-License-Identifier: ISC */
/*
 * The other daemons of the node: started, adopted when they live already,
 * started again when they die.  And the reaping of all our children.
 */
#include "orcmd/orcmd.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "sys/clock.h"
#include "sys/log.h"

#define HELPER_LIFE (200 * ORCM_MS) /* a shorter life slows the next start */
#define HELPER_WAIT_MAX ORCM_SECOND

static bool
helper_lives(const struct helper *h)
{
	return h->connected || h->pid != 0 ||
	       daemon_holder(&h->o->d.conf, h->name) > 0;
}

static void
helper_start(struct helper *h)
{
	if (h->o->ending || !h->o->d.conf.keep || daemon_over(&h->o->d.conf))
		return;
	/* It would make the directory anew, without our socket in it. */
	if (daemon_lost(&h->o->d)) {
		log_line(LOG_ERROR, "%s was taken away: %s is not started "
		    "again; stop this orcmd and start another",
		    h->o->d.conf.run, h->name);
		return;
	}
	if (helper_lives(h)) {
		/* It will connect; if it dies before, this is seen again. */
		loop_timer(
		    &h->o->d.loop, &h->timer, clock_now() + 20 * ORCM_MS);
		return;
	}
	h->since = clock_now();
	h->pid = daemon_spawn(&h->o->d.conf, h->name, "-k");
	if (h->pid != -1)
		return;
	h->pid = 0;
	log_sys(LOG_ERROR, "start %s", h->name);
	loop_timer(&h->o->d.loop, &h->timer, clock_now() + ORCM_SECOND);
}

static void
on_helper(struct timer *t)
{
	struct helper *h = t->arg;

	if (!h->connected && h->pid == 0)
		helper_start(h);
}

void
helper_died(struct helper *h)
{
	uint64_t now = clock_now(), wait = 0;

	if (h->connected || h->pid != 0 || h->o->ending)
		return;
	h->fails = now - h->since < HELPER_LIFE ? h->fails + 1 : 0;
	if (h->fails > 1)
		wait = 10 * ORCM_MS << (h->fails < 8 ? h->fails : 8);
	if (wait > HELPER_WAIT_MAX)
		wait = HELPER_WAIT_MAX;
	client_say(
	    &h->o->client, "daemon", NULL, ORCM_RANK_NONE, "%s died", h->name);
	if (wait == 0)
		helper_start(h);
	else
		loop_timer(&h->o->d.loop, &h->timer, now + wait);
}

static void
reaped(struct orcmd *o, pid_t pid, int status)
{
	struct keep_in in = { .event = KEEP_IN_ORPHAN };
	uint64_t id;
	uint32_t i;

	for (i = 0; i < HELPERS; i++)
		if (o->helpers[i].pid == pid) {
			o->helpers[i].pid = 0;
			helper_died(&o->helpers[i]);
			return;
		}
	if (!keep_find(&o->keep, (uint32_t)pid, &id))
		return;
	in.id = RECORD_ID_JOB(id);
	/* A keeper that found nobody to own the job: the job is over. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NODAEMON)
		(void)jobs_feed(o, &in);
	/* One that never connected is lost here; others by their connection. */
	if (charge_of(o, id) == NULL)
		jobs_process(o, id, PROC_IN_LOST, 0, 0);
}

static void
on_child(void *arg, int sig)
{
	int status;
	pid_t pid;

	(void)sig;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(arg, pid, status);
}

void
helper_came(struct charge_peer *c, const char *role)
{
	struct orcmd *o = c->o;
	uint32_t i;

	for (i = 0; i < HELPERS; i++) {
		struct helper *h = &o->helpers[i];

		if (strcmp(h->name, role) != 0)
			continue;
		c->helper = h;
		h->connected = true;
		h->unanswered = 0;
		loop_timer_stop(&o->d.loop, &h->timer);
		client_say(&o->client, "daemon", NULL, ORCM_RANK_NONE,
		    "%s up pid=%u", h->name, c->pid);
		client_hurry(&o->client);
		orcmd_check_ready(o);
	}
}

void
helpers_begin(struct orcmd *o)
{
	static const char *const names[HELPERS] = { "orcm-pnpd",
		"orcm-leaderd" };
	uint32_t i;

	(void)loop_signal(&o->d.loop, SIGCHLD, on_child, o);
	for (i = 0; i < HELPERS; i++) {
		o->helpers[i].o = o;
		o->helpers[i].name = names[i];
		timer_init(&o->helpers[i].timer, on_helper, &o->helpers[i]);
		helper_start(&o->helpers[i]);
	}
}
