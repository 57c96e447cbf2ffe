/* SPDX-License-Identifier: ISC */
/*
 * The charge's end of its connection to orcmd.  It keeps nothing but the
 * connection: what the charge is and has, the program says again each time.
 * Retries come at 1 ms first, since orcmd is back within a few of them.
 */
#include "lib/charge.h"

#include <string.h>
#include <unistd.h>

#include <orcm/types.h>

#include "sys/clock.h"

#define QUEUE_MAX 65536u
#define RETRY_MAX (50 * ORCM_MS)

static void
retry_later(struct charge *c)
{
	uint64_t wait = ORCM_MS << (c->tries / 3 < 6 ? c->tries / 3 : 6);

	c->tries++;
	loop_timer(c->loop, &c->retry,
	    clock_now() + (wait > RETRY_MAX ? RETRY_MAX : wait));
}

static void
on_frame(struct conn *conn, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct charge *c = conn->arg;

	(void)fds;
	(void)fds_len;
	c->ops->frame(c, m);
}

static void
on_end(struct conn *conn, enum conn_end why)
{
	struct charge *c = conn->arg;

	(void)why;
	if (!c->started)
		return;
	retry_later(c);
	if (c->ops->down != NULL)
		c->ops->down(c);
}

static const struct conn_ops conn_ops = { .frame = on_frame, .end = on_end };

static void
connect_now(struct charge *c)
{
	struct sock_peer peer;
	int fd;

	if (!c->started || conn_is_open(&c->conn))
		return;
	fd = sock_connect(c->path);
	if (fd != -1 && (sock_peer(fd, &peer) == -1 ||
			    (peer.uid != geteuid() && peer.uid != 0))) {
		close(fd);
		fd = -1;
	}
	if (fd == -1 || conn_open(&c->conn, fd, WIRE_BY_ORCMD, WIRE_CONTROL_MAX,
			    QUEUE_MAX) == -1) {
		retry_later(c);
		return;
	}
	c->tries = 0;
	c->ops->up(c);
}

static void
on_retry(struct timer *t)
{
	connect_now(t->arg);
}

void
charge_init(
    struct charge *c, struct loop *l, const struct charge_ops *ops, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->loop = l;
	c->ops = ops;
	c->arg = arg;
	conn_init(&c->conn, l, &conn_ops, c);
	timer_init(&c->retry, on_retry, c);
}

int
charge_start(struct charge *c, const char *run)
{
	if (path_join(run, "orcmd.sock", c->path) == -1)
		return -1;
	c->started = true;
	connect_now(c);
	return 0;
}

void
charge_stop(struct charge *c)
{
	c->started = false;
	loop_timer_stop(c->loop, &c->retry);
	conn_close(&c->conn);
}

bool
charge_up(const struct charge *c)
{
	return conn_is_open(&c->conn);
}

bool
charge_send(struct charge *c, const void *frame, size_t size)
{
	return conn_is_open(&c->conn) && conn_send(&c->conn, frame, size) == 0;
}
