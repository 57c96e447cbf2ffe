/* SPDX-License-Identifier: ISC */
/*
 * The client side of the connection to orcm-pnpd.  It keeps no copy of what
 * was published: after each loss the program is asked to publish all of it
 * again, so the switchboard's memory and the program's can never differ for
 * long.  Retries come at 1 ms first, because a daemon is usually back within
 * a few of them, and at 50 ms in the end.
 */
#include "lib/client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "sys/clock.h"
#include "sys/log.h"

#define QUEUE_MAX (UINT32_C(1) << 20)
#define RETRY_MAX (50 * ORCM_MS)

static void connect_now(struct client *c);

static void
send_frame(struct client *c, struct wr *w, uint8_t *frame)
{
	size_t size = wire_end(w, 0);

	if (size > 0 && conn_is_open(&c->conn))
		(void)conn_send(&c->conn, frame, size);
}

static void
begin(struct wr *w, uint8_t *frame, enum wire_type type)
{
	struct wire_header h = { .type = (uint8_t)type };

	wire_begin(w, frame, WIRE_CONTROL_MAX, &h);
}

static void
retry_later(struct client *c)
{
	uint64_t wait = ORCM_MS << (c->tries / 3 < 6 ? c->tries / 3 : 6);

	c->tries++;
	if (wait > RETRY_MAX)
		wait = RETRY_MAX;
	loop_timer(c->loop, &c->retry, clock_now() + wait);
}

static void
send_event(struct client *c, const struct client_event *e)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	begin(&w, frame, WIRE_EVENT);
	wr_tlv_u64(&w, TLV_TIME, e->time_ms);
	wr_tlv_u64(&w, TLV_SEQ, e->seq);
	wr_tlv_str(&w, TLV_ROLE, c->role);
	wr_tlv_u32(&w, TLV_PID, e->pid);
	wr_tlv_str(&w, TLV_NAME, e->name);
	if (e->job[0] != '\0')
		wr_tlv_str(&w, TLV_JOB, e->job);
	if (e->rank != ORCM_RANK_NONE)
		wr_tlv_u16(&w, TLV_RANK, (uint16_t)e->rank);
	if (e->text[0] != '\0')
		wr_tlv_str(&w, TLV_TEXT, e->text);
	send_frame(c, &w, frame);
}

static void
send_hello(struct client *c)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	begin(&w, frame, WIRE_HELLO);
	wr_tlv_str(&w, TLV_ROLE, c->role);
	wr_tlv_str(&w, TLV_NAME, c->name);
	wr_tlv_u32(&w, TLV_PID, (uint32_t)getpid());
	wr_tlv_str(&w, TLV_VERSION, ORCM_VERSION);
	send_frame(c, &w, frame);
	begin(&w, frame, WIRE_SUB);
	wr_tlv_u32(&w, TLV_KINDS, c->kinds);
	send_frame(c, &w, frame);
}

static void
welcomed(struct client *c, const struct wire_msg *m)
{
	wire_str(m, TLV_NODE, c->node, sizeof(c->node));
	c->number = (uint16_t)(m->h.sender >> 16);
	c->node_epoch = wire_num(m, TLV_EPOCH);
	c->pnpd_pid = (uint32_t)wire_num(m, TLV_PID);
	c->up = true;
	c->speaks = c->settled = false;
	c->tries = 0;
	if (c->ops->up != NULL)
		c->ops->up(c);
}

/*
 * All that there was has been told: now the program knows what it was in a
 * former life, so now it says what is, and the rest is forgotten.
 */
static void
synced(struct client *c)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;
	uint32_t i;

	c->speaks = true;
	if (c->ops->synced != NULL)
		c->ops->synced(c);
	if (c->ops->publish != NULL && c->up)
		c->ops->publish(c);
	for (i = 0; c->up && i < c->events_len; i++)
		send_event(c, &c->events[(c->events_at + CLIENT_EVENTS -
					     c->events_len + i) %
					 CLIENT_EVENTS]);
	if (!c->up)
		return;
	c->settled = true;
	begin(&w, frame, WIRE_SETTLED);
	send_frame(c, &w, frame);
}

static void
on_record(struct client *c, const struct wire_msg *m)
{
	struct client_record r = {
		.kind = (uint8_t)wire_num(m, TLV_KIND),
		.id = wire_num(m, TLV_ID),
		.epoch = wire_num(m, TLV_EPOCH),
		.seq = wire_num(m, TLV_SEQ),
		.owner = (uint16_t)wire_num(m, TLV_OWNER),
		.dead = (m->h.flags & WIRE_FLAG_DEAD) != 0,
		.value = m->tlv[TLV_VALUE].p,
		.value_size = m->tlv[TLV_VALUE].size,
	};

	if (c->ops->record != NULL)
		c->ops->record(c, &r);
}

static void
on_event(struct client *c, const struct wire_msg *m)
{
	struct client_event e;

	if (c->ops->event == NULL)
		return;
	memset(&e, 0, sizeof(e));
	e.time_ms = wire_num(m, TLV_TIME);
	e.seq = wire_num(m, TLV_SEQ);
	e.pid = (uint32_t)wire_num(m, TLV_PID);
	e.rank = wire_has(m, TLV_RANK) ? (uint32_t)wire_num(m, TLV_RANK)
				       : ORCM_RANK_NONE;
	wire_str(m, TLV_ROLE, e.role, sizeof(e.role));
	wire_str(m, TLV_NAME, e.name, sizeof(e.name));
	wire_str(m, TLV_JOB, e.job, sizeof(e.job));
	if (wire_has(m, TLV_TEXT)) {
		char text[256];

		wire_str(m, TLV_TEXT, text, sizeof(text));
		(void)copy_str(e.text, sizeof(e.text), text);
	}
	c->ops->event(c, &e);
}

static void
on_order(struct client *c, const struct wire_msg *m)
{
	struct client_order o;

	if (c->ops->order == NULL)
		return;
	memset(&o, 0, sizeof(o));
	o.id = wire_num(m, TLV_ORDER);
	o.verb = (enum client_verb)wire_num(m, TLV_VERB);
	o.signal = (uint32_t)wire_num(m, TLV_SIGNAL);
	wire_str(m, TLV_TO, o.to, sizeof(o.to));
	wire_str(m, TLV_JOB, o.job, sizeof(o.job));
	c->ops->order(c, &o);
}

static void
on_frame(struct conn *conn, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct client *c = conn->arg;
	char text[256];

	(void)fds;
	(void)fds_len;
	switch (m->h.type) {
	case WIRE_WELCOME:
		welcomed(c, m);
		break;
	case WIRE_RECORD:
		on_record(c, m);
		break;
	case WIRE_SYNCED:
		synced(c);
		break;
	case WIRE_EVENT:
		on_event(c, m);
		break;
	case WIRE_ORDER:
		on_order(c, m);
		break;
	case WIRE_REPLY:
	case WIRE_REFUSED:
		wire_str(m, TLV_TEXT, text, sizeof(text));
		if (m->h.type == WIRE_REFUSED) {
			if (c->ops->refused != NULL)
				c->ops->refused(c, text);
		} else if (c->ops->reply != NULL) {
			c->ops->reply(c, wire_num(m, TLV_ORDER),
			    (uint32_t)wire_num(m, TLV_CODE), text);
		}
		break;
	default:
		break;
	}
}

static void
on_end(struct conn *conn, enum conn_end why)
{
	struct client *c = conn->arg;
	bool was = c->up;

	(void)why;
	c->up = c->speaks = c->settled = false;
	if (!c->started)
		return;
	retry_later(c);
	if (was && c->ops->down != NULL)
		c->ops->down(c);
}

static const struct conn_ops conn_ops = { .frame = on_frame, .end = on_end };

static void
on_retry(struct timer *t)
{
	connect_now(t->arg);
}

/* The daemon at the other end must be ours or root's, whoever bound it. */
static bool
peer_trusted(int fd)
{
	struct sock_peer peer;

	return sock_peer(fd, &peer) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void
connect_now(struct client *c)
{
	int fd;

	if (!c->started || conn_is_open(&c->conn))
		return;
	fd = sock_connect(c->path);
	if (fd != -1 && !peer_trusted(fd)) {
		log_line(LOG_WARN, "%s: the server is another user's; not used",
		    c->path);
		close(fd);
		fd = -1;
	}
	if (fd == -1 || conn_open(&c->conn, fd, WIRE_BY_PNPD | WIRE_BY_CLIENT,
			    WIRE_CONTROL_MAX, QUEUE_MAX) == -1) {
		retry_later(c);
		return;
	}
	send_hello(c);
}

void
client_init(struct client *c, struct loop *l, const struct client_ops *ops,
    void *arg, const char *role, const char *name, struct client_event *events)
{
	memset(c, 0, sizeof(*c));
	c->loop = l;
	c->ops = ops;
	c->arg = arg;
	c->role = role;
	c->name = name;
	c->events = events;
	/* Written once now, so that its pages are not growth later. */
	if (events != NULL)
		memset(events, 0, CLIENT_EVENTS * sizeof(*events));
	conn_init(&c->conn, l, &conn_ops, c);
	timer_init(&c->retry, on_retry, c);
}

int
client_start(struct client *c, const char *run, uint32_t kinds)
{
	if (path_join(run, "pnpd.sock", c->path) == -1)
		return -1;
	c->kinds = kinds;
	c->started = true;
	connect_now(c);
	return 0;
}

void
client_stop(struct client *c)
{
	c->started = c->up = c->speaks = c->settled = false;
	loop_timer_stop(c->loop, &c->retry);
	conn_close(&c->conn);
}

bool
client_up(const struct client *c)
{
	return c->up;
}

void
client_hurry(struct client *c)
{
	c->tries = 0;
	if (c->started && !conn_is_open(&c->conn))
		loop_timer(c->loop, &c->retry, clock_now());
}

void
client_put(struct client *c, uint8_t kind, uint64_t id, const uint8_t *value,
    size_t size)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	/* Publishing says all of it, in an order that others rely on. */
	if (!c->speaks)
		return;
	begin(&w, frame, WIRE_PUT);
	wr_tlv_u8(&w, TLV_KIND, kind);
	wr_tlv_u64(&w, TLV_ID, id);
	wr_tlv(&w, TLV_VALUE, value, size);
	send_frame(c, &w, frame);
}

void
client_del(struct client *c, uint8_t kind, uint64_t id)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	if (!c->speaks)
		return;
	begin(&w, frame, WIRE_DEL);
	wr_tlv_u8(&w, TLV_KIND, kind);
	wr_tlv_u64(&w, TLV_ID, id);
	send_frame(c, &w, frame);
}

void
client_say(struct client *c, const char *name, const char *job, uint32_t rank,
    const char *fmt, ...)
{
	struct client_event *e;
	va_list ap;
	char *p;

	e = &c->events[c->events_at];
	c->events_at = (c->events_at + 1) % CLIENT_EVENTS;
	if (c->events_len < CLIENT_EVENTS)
		c->events_len++;
	memset(e, 0, sizeof(*e));
	e->time_ms = clock_wall_ms();
	e->seq = ++c->event_seq;
	e->pid = (uint32_t)getpid();
	e->rank = rank;
	(void)copy_str(e->name, sizeof(e->name), name);
	(void)copy_str(e->job, sizeof(e->job), job != NULL ? job : "");
	va_start(ap, fmt);
	(void)vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	for (p = e->text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	/* Before that it is sent with those that came before it. */
	if (c->settled)
		send_event(c, e);
}

bool
client_order(struct client *c, const struct client_order *o)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	if (!c->up)
		return false;
	begin(&w, frame, WIRE_ORDER);
	wr_tlv_u64(&w, TLV_ORDER, o->id);
	wr_tlv_str(&w, TLV_TO, o->to);
	wr_tlv_u8(&w, TLV_VERB, (uint8_t)o->verb);
	if (o->job[0] != '\0')
		wr_tlv_str(&w, TLV_JOB, o->job);
	if (o->signal != 0)
		wr_tlv_u8(&w, TLV_SIGNAL, (uint8_t)o->signal);
	send_frame(c, &w, frame);
	return conn_is_open(&c->conn);
}

void
client_reply(struct client *c, uint64_t id, uint32_t code, const char *text)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	begin(&w, frame, WIRE_REPLY);
	wr_tlv_u64(&w, TLV_ORDER, id);
	wr_tlv_u16(&w, TLV_CODE, (uint16_t)code);
	wr_tlv_str(&w, TLV_TEXT, text);
	send_frame(c, &w, frame);
}
