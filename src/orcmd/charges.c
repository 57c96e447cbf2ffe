/* SPDX-License-Identifier: ISC */
/*
 * Charges: the other daemons and the keepers of replicas, each with a
 * connection to our socket.  The connection is the registration: who dies
 * loses it at once, who lives comes back to a new orcmd by itself.
 */
#include "orcmd/orcmd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/wr.h"
#include "sys/clock.h"
#include "sys/log.h"

#define CHARGE_TIME  (2 * ORCM_SECOND) /* to say who it is */
#define ACCEPT_AGAIN (100 * ORCM_MS)   /* when descriptors have run out */

struct charge_peer *
charge_of(struct orcmd *o, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < CHARGES_MAX; i++)
		if (o->charges[i].used && o->charges[i].helper == NULL &&
		    o->charges[i].id == id)
			return &o->charges[i];
	return NULL;
}

static void
keeper_came(struct charge_peer *c, const struct wire_msg *m)
{
	struct orcmd *o = c->o;
	uint32_t incarnation = (uint32_t)wire_num(m, TLV_INCARNATION);
	struct charge_peer *old = charge_of(o, wire_num(m, TLV_ID));

	if (old != NULL && old != c) {
		conn_close(&old->conn);
		old->used = false;
	}
	c->id = wire_num(m, TLV_ID);
	jobs_process(o, c->id, PROC_IN_KEEPER, incarnation, c->pid);
	if (wire_num(m, TLV_STATE) == 0)
		return;
	if (wire_num(m, TLV_KEEPER) != 0)
		jobs_process(o, c->id, PROC_IN_STARTED, incarnation,
		    (uint32_t)wire_num(m, TLV_KEEPER));
	if (wire_num(m, TLV_STATE) == 2 &&
	    wire_num(m, TLV_STATUS) != STATUS_NONE)
		jobs_process(o, c->id, PROC_IN_ENDED, incarnation,
		    (uint32_t)wire_num(m, TLV_STATUS));
}

static void
on_charge(struct charge_peer *c, const struct wire_msg *m)
{
	struct orcmd *o = c->o;
	char role[ORCM_NAME_MAX + 1];

	loop_timer_stop(&o->d.loop, &c->late);
	c->pid = (uint32_t)wire_num(m, TLV_PID);
	wire_str(m, TLV_ROLE, role, sizeof(role));
	if (wire_has(m, TLV_ID))
		keeper_came(c, m);
	else
		helper_came(c, role);
}

static void
say_end(struct orcmd *o, const struct charge_peer *c, uint32_t status)
{
	const struct keep_job *j = keep_job(&o->keep, RECORD_ID_JOB(c->id));

	if (j == NULL)
		return;
	if (STATUS_IS_SIGNAL(status))
		client_say(&o->client, "exit", j->r.name, RECORD_RANK(c->id),
		    "signal=%u", STATUS_NUMBER(status));
	else
		client_say(&o->client, "exit", j->r.name, RECORD_RANK(c->id),
		    "status=%u", STATUS_NUMBER(status));
}

static void
on_frame(struct conn *conn, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct charge_peer *c = conn->arg;
	struct orcmd *o = c->o;
	uint32_t incarnation = (uint32_t)wire_num(m, TLV_INCARNATION);

	(void)fds;
	(void)fds_len;
	if (m->h.type == WIRE_CHARGE) {
		on_charge(c, m);
		return;
	}
	if (m->h.type == WIRE_ALIVE && c->helper != NULL)
		c->helper->unanswered = 0;
	if (c->id == 0)
		return;
	switch (m->h.type) {
	case WIRE_STARTED:
		jobs_process(o, c->id, PROC_IN_STARTED, incarnation,
		    (uint32_t)wire_num(m, TLV_PID));
		break;
	case WIRE_ENDED:
		say_end(o, c, (uint32_t)wire_num(m, TLV_STATUS));
		jobs_process(o, c->id, PROC_IN_ENDED, incarnation,
		    (uint32_t)wire_num(m, TLV_STATUS));
		break;
	case WIRE_FAILED:
		jobs_process(o, c->id, PROC_IN_FAILED, incarnation,
		    (uint32_t)wire_num(m, TLV_ERROR));
		break;
	default:
		break;
	}
}

static void
on_end(struct conn *conn, enum conn_end why)
{
	struct charge_peer *c = conn->arg;
	struct orcmd *o = c->o;

	(void)why;
	loop_timer_stop(&o->d.loop, &c->late);
	c->used = false;
	if (c->helper != NULL) {
		c->helper->connected = false;
		helper_died(c->helper);
	} else if (c->id != 0) {
		jobs_process(o, c->id, PROC_IN_LOST, 0, 0);
	}
	orcmd_check_end(o);
}

static void
on_late(struct timer *t)
{
	struct charge_peer *c = t->arg;

	conn_close(&c->conn);
	c->used = false;
}

static void
take_charge(struct orcmd *o, int fd)
{
	static const struct conn_ops ops = {
		.frame = on_frame,
		.end = on_end,
	};
	struct charge_peer *c = NULL;
	struct sock_peer who;
	uint32_t i;

	for (i = 0; i < CHARGES_MAX && c == NULL; i++)
		if (!o->charges[i].used)
			c = &o->charges[i];
	if (c == NULL || sock_peer(fd, &who) == -1 ||
	    (who.uid != geteuid() && who.uid != 0)) {
		close(fd);
		return;
	}
	memset(c, 0, sizeof(*c));
	c->o = o;
	conn_init(&c->conn, &o->d.loop, &ops, c);
	timer_init(&c->late, on_late, c);
	if (conn_open(&c->conn, fd, WIRE_BY_CHARGE, WIRE_CONTROL_MAX, 65536) ==
	    -1)
		return;
	c->used = true;
	loop_timer(&o->d.loop, &c->late, clock_now() + CHARGE_TIME);
}

static void
on_listen(struct watch *w, short revents)
{
	struct orcmd *o = w->arg;
	int fd, i;

	(void)revents;
	for (i = 0; i < 32; i++) {
		fd = sock_accept(w->fd);
		if (fd != -1) {
			take_charge(o, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			loop_watch_events(&o->d.loop, w, 0);
			loop_timer(
			    &o->d.loop, &o->again, clock_now() + ACCEPT_AGAIN);
		}
		return;
	}
}

static void
on_again(struct timer *t)
{
	struct orcmd *o = t->arg;

	loop_watch_events(&o->d.loop, &o->listen, POLLIN);
}

void
charges_tell_end(struct orcmd *o)
{
	struct wire_header h = { .type = WIRE_END };
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;
	uint32_t i;

	for (i = 0; i < CHARGES_MAX; i++)
		if (o->charges[i].used && o->charges[i].helper != NULL) {
			wire_begin(&w, frame, sizeof(frame), &h);
			(void)conn_send(
			    &o->charges[i].conn, frame, wire_end(&w, 0));
		}
}

void
charges_end(struct orcmd *o)
{
	uint32_t i;

	for (i = 0; i < CHARGES_MAX; i++)
		if (o->charges[i].used)
			conn_close(&o->charges[i].conn);
}

void
charges_begin(struct orcmd *o)
{
	char path[PATH_ROOM];

	o->charges = arena_alloc(&o->arena, CHARGES_MAX, sizeof(*o->charges));
	if (path_join(o->d.conf.run, "orcmd.sock", path) == -1)
		die_sys(EXIT_USAGE, "%s", o->d.conf.run);
	watch_init(&o->listen, on_listen, o);
	timer_init(&o->again, on_again, o);
	o->listen.fd = sock_listen(path, 128);
	if (o->listen.fd == -1)
		die_sys(EXIT_TEMP, "listen on %s", path);
	if (loop_watch(&o->d.loop, &o->listen, POLLIN) == -1)
		die_sys(EXIT_TEMP, "%s", path);
}
