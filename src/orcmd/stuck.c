/* SPDX-License-Identifier: ISC */
/*
 * A daemon that died is seen at once; one that does not turn any more (stopped,
 * in a lock, on a dead disk) keeps its connection.  So the others are asked
 * regularly, answer from their main loop, and are killed when they do not:
 * then they are dead daemons like any other.  They do the same to us, see
 * lib/daemon.c.  Who was late itself accuses nobody.
 */
#include <signal.h>

#include "base/wr.h"
#include "orcmd/orcmd.h"
#include "sys/clock.h"
#include "sys/log.h"

static void
ask(struct orcmd *o, const struct helper *h)
{
	struct wire_header header = { .type = WIRE_ALIVE };
	uint8_t frame[WIRE_HEADER];
	struct wr w;
	uint32_t i;

	for (i = 0; i < CHARGES_MAX; i++)
		if (o->charges[i].used && o->charges[i].helper == h) {
			wire_begin(&w, frame, sizeof(frame), &header);
			(void)conn_send(
			    &o->charges[i].conn, frame, wire_end(&w, 0));
		}
}

static void
look(struct orcmd *o, struct helper *h)
{
	pid_t pid = daemon_holder(&o->d.conf, h->name);

	if (pid <= 0 || ++h->unanswered <= DAEMON_ASK_MAX) {
		ask(o, h);
		return;
	}
	h->unanswered = 0;
	log_line(LOG_ERROR, "%s (pid %ld) does not answer: killed", h->name,
	    (long)pid);
	client_say(&o->client, "daemon", NULL, ORCM_RANK_NONE,
	    "%s stuck pid=%ld", h->name, (long)pid);
	(void)kill(pid, SIGKILL);
}

static void
on_ask(struct timer *t)
{
	struct orcmd *o = t->arg;
	uint64_t now = clock_now();
	bool late = now > o->ask_at + DAEMON_ASK / 2;
	uint32_t i;

	for (i = 0; i < HELPERS; i++) {
		if (late)
			o->helpers[i].unanswered = 0;
		look(o, &o->helpers[i]);
	}
	o->ask_at = now + DAEMON_ASK;
	loop_timer(&o->d.loop, t, o->ask_at);
}

void
stuck_begin(struct orcmd *o)
{
	timer_init(&o->ask, on_ask, o);
	o->ask_at = clock_now() + DAEMON_ASK;
	loop_timer(&o->d.loop, &o->ask, o->ask_at);
}
