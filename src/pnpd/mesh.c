/* SPDX-License-Identifier: ISC */
/*
 * Lines: one TCP connection to each other node of the DVM, over which records,
 * events and orders go.  A line begins with a handshake (core/auth_stream);
 * before it both ends are guests: they may say one thing, of 128 bytes, and
 * have two seconds for it.  Nobody is believed, or told why not, earlier.
 *
 * The node with the higher number connects; if both ends hold a line to each
 * other after a restart, the younger one counts.  When to connect is decided
 * by the core "memb"; what is said over a line by the core "sync".
 */
#include "pnpd/mesh.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "base/require.h"

static void line_end(struct line *l);

void
mesh_init(struct mesh *m, struct loop *l, const struct mesh_ops *ops,
    void *arg, struct auth *auth, const struct netfault *fault,
    struct node *nodes, struct line *lines)
{
	memset(m, 0, sizeof(*m));
	m->loop = l;
	m->ops = ops;
	m->arg = arg;
	m->auth = auth;
	m->fault = fault;
	m->nodes = nodes;
	m->lines = lines;
}

struct node *
mesh_node(struct mesh *m, uint16_t number)
{
	uint32_t i;

	for (i = 0; i < NODES_MAX; i++)
		if (m->nodes[i].used && m->nodes[i].number == number)
			return &m->nodes[i];
	return NULL;
}

struct node *
mesh_add(struct mesh *m, uint16_t number, const char *name)
{
	struct node *n;
	uint32_t i;

	for (i = 0; i < NODES_MAX; i++) {
		n = &m->nodes[i];
		if (n->used)
			continue;
		memset(n, 0, sizeof(*n));
		n->used = true;
		n->number = number;
		(void)copy_str(n->name, sizeof(n->name), name);
		return n;
	}
	return NULL;
}

/*
 * It lives, but in a life that we know to be over: it has lost its memory of
 * which one this is.  So it is told.
 */
static void
say_rise(struct line *l)
{
	struct wire_header h = { .type = WIRE_RISE };
	uint8_t frame[AUTH_BEFORE_MAX + MAC_TAG];
	uint64_t epoch;
	struct wr w;
	size_t size;

	if (!auth_epoch(l->m->auth, l->stream.peer, &epoch))
		return;
	wire_begin(&w, frame, sizeof(frame), &h);
	wr_tlv_u64(&w, TLV_EPOCH, epoch);
	size = wire_end(&w, 0);
	size = auth_stream_seal(
	    l->m->auth, &l->stream, frame, size, sizeof(frame));
	if (size > 0)
		(void)conn_send(&l->conn, frame, size);
}

static void
line_up(struct line *l)
{
	struct mesh *m = l->m;
	struct node *n = mesh_node(m, l->stream.peer);
	enum auth_verdict v = auth_stream_prove(
	    m->auth, loop_now(m->loop), &l->stream);
	uint64_t old;

	if (n == NULL || v != AUTH_OK) {
		m->refused++;
		if (v == AUTH_STALE)
			say_rise(l);
		line_end(l);
		return;
	}
	loop_timer_stop(m->loop, &l->late);
	if (n->trial == l)
		n->trial = NULL;
	if (n->line != NULL) {
		old = n->line->stream.epoch;
		line_end(n->line);
		n->line = NULL;
		m->ops->down(m, n, old);
	}
	l->node = n;
	l->up = true;
	l->conn.tail_size = MAC_TAG;
	l->conn.frame_max = WIRE_CONTROL_MAX;
	n->line = l;
	m->ops->up(m, n);
}

/* The next frame of the handshake. */
static void
on_guest(struct line *l, const struct wire_msg *msg)
{
	struct mesh *m = l->m;
	const uint8_t *p = msg->payload - msg->h.tlv_size - WIRE_HEADER;
	uint8_t out[AUTH_BEFORE_MAX];
	size_t size = 0;

	if (auth_stream_step(m->auth, &l->stream, p, msg->h.size, out, &size) !=
		AUTH_OK ||
	    (size > 0 && conn_send(&l->conn, out, size) == -1)) {
		m->refused++;
		line_end(l);
		return;
	}
	if (l->stream.step == AUTH_STEP_READY)
		line_up(l);
}

static void
on_frame(struct conn *c, const struct wire_msg *msg, int *fds, size_t fds_len)
{
	struct line *l = c->arg;

	(void)fds;
	(void)fds_len;
	if (l->up)
		l->m->ops->frame(l->m, l->node, msg);
	else
		on_guest(l, msg);
}

static bool
on_check(
    struct conn *c, const uint8_t *frame, size_t size, const uint8_t *tail)
{
	struct line *l = c->arg;

	REQUIRE(tail == frame + size);
	return auth_stream_open(
		   l->m->auth, &l->stream, frame, size + MAC_TAG) == AUTH_OK;
}

/* Gives it back; the node is not told. */
static void
line_end(struct line *l)
{
	loop_timer_stop(l->m->loop, &l->late);
	if (l->connecting.at != SIZE_MAX) {
		loop_unwatch(l->m->loop, &l->connecting);
		close(l->connecting.fd);
	}
	conn_close(&l->conn);
	auth_stream_end(&l->stream);
	if (l->node != NULL && l->node->trial == l)
		l->node->trial = NULL;
	l->used = l->up = false;
}

static void
on_end(struct conn *c, enum conn_end why)
{
	struct line *l = c->arg;
	struct node *n = l->node;
	uint64_t epoch = l->stream.epoch;
	bool was = l->up;

	(void)why;
	line_end(l);
	if (!was)
		return;
	n->line = NULL;
	l->m->ops->down(l->m, n, epoch);
}

static void
on_idle(struct conn *c)
{
	struct line *l = c->arg;

	if (l->up)
		l->m->ops->idle(l->m, l->node);
}

static const struct conn_ops conn_ops = {
	.frame = on_frame,
	.end = on_end,
	.idle = on_idle,
	.check = on_check,
};

static void
on_late(struct timer *t)
{
	struct line *l = t->arg;

	l->m->refused++;
	line_end(l);
}

static struct line *
line_new(struct mesh *m)
{
	struct line *l;
	uint32_t i;

	for (i = 0; i < LINES_MAX; i++) {
		l = &m->lines[i];
		if (l->used)
			continue;
		memset(l, 0, sizeof(*l));
		l->m = m;
		l->used = true;
		conn_init(&l->conn, m->loop, &conn_ops, l);
		timer_init(&l->late, on_late, l);
		watch_init(&l->connecting, NULL, l);
		loop_timer(m->loop, &l->late, loop_now(m->loop) + MEET_TIME);
		return l;
	}
	return NULL;
}

static bool
line_open(struct line *l, int fd)
{
	return conn_open(&l->conn, fd, WIRE_BY_NODE, AUTH_BEFORE_MAX,
		   LINE_QUEUE) == 0;
}

static void
on_connected(struct watch *w, short revents)
{
	struct line *l = w->arg;
	struct mesh *m = l->m;
	struct node *n = l->node;
	uint8_t out[AUTH_BEFORE_MAX];
	int fd = w->fd, error = net_connected(fd);
	size_t size;

	(void)revents;
	if (error != 0) {
		line_end(l);
		if (error == ECONNREFUSED)
			m->ops->refused(m, n);
		return;
	}
	loop_unwatch(m->loop, w);
	if (!line_open(l, fd)) {
		line_end(l);
		return;
	}
	size = auth_stream_connect(m->auth, &l->stream, n->number, out);
	if (size == 0 || conn_send(&l->conn, out, size) == -1)
		line_end(l);
}

/* The first link that both are on. */
static int
connect_to(struct mesh *m, const struct node *n)
{
	unsigned i;
	int fd = -1;

	errno = EADDRNOTAVAIL;
	for (i = 0; i < m->links && fd == -1; i++)
		if (n->addrs[i].size > 0 &&
		    !netfault_cut(m->fault, &n->addrs[i]))
			fd = net_connect(&n->addrs[i], &m->addrs[i]);
	return fd;
}

void
mesh_connect(struct mesh *m, struct node *n)
{
	struct line *l;
	int fd;

	if (n->line != NULL || n->trial != NULL)
		return;
	fd = connect_to(m, n);
	if (fd == -1) {
		if (errno == ECONNREFUSED)
			m->ops->refused(m, n);
		return;
	}
	l = line_new(m);
	if (l == NULL) {
		close(fd);
		return;
	}
	l->connecting.fd = fd;
	l->connecting.call = on_connected;
	if (loop_watch(m->loop, &l->connecting, POLLOUT) == -1) {
		close(fd);
		line_end(l);
		return;
	}
	l->node = n;
	n->trial = l;
}

/* A flood of guests must not keep out those who can prove themselves. */
static bool
guest_welcome(struct mesh *m, const struct net_addr *from)
{
	uint32_t i, guests = 0, same = 0;

	for (i = 0; i < LINES_MAX; i++) {
		const struct line *l = &m->lines[i];

		if (!l->used || l->up || l->node != NULL)
			continue;
		guests++;
		same += net_same_host(&l->from, from);
	}
	return guests < GUESTS_MAX && same < GUESTS_OF_HOST;
}

static void
take_guest(struct mesh *m, int fd, const struct net_addr *from)
{
	struct line *l = NULL;

	if (!netfault_cut(m->fault, from) && guest_welcome(m, from))
		l = line_new(m);
	if (l == NULL) {
		m->refused++;
		close(fd);
		return;
	}
	l->from = *from;
	auth_stream_accept(&l->stream);
	if (!line_open(l, fd))
		line_end(l);
}

static void
on_listen(struct watch *w, short revents)
{
	struct mesh *m = w->arg;
	struct net_addr from;
	int fd, i;

	(void)revents;
	for (i = 0; i < 32; i++) {
		fd = net_accept(w->fd, &from);
		if (fd != -1) {
			take_guest(m, fd, &from);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			/* Nothing to accept with: look again a little later. */
			loop_watch_events(m->loop, w, 0);
			loop_timer(m->loop, &m->again,
			    loop_now(m->loop) + 100 * ORCM_MS);
		}
		return;
	}
}

static void
on_again(struct timer *t)
{
	struct mesh *m = t->arg;
	unsigned i;

	for (i = 0; i < m->links; i++)
		loop_watch_events(m->loop, &m->listen[i], POLLIN);
}

int
mesh_listen(struct mesh *m, unsigned *bad)
{
	struct watch *w;

	timer_init(&m->again, on_again, m);
	for (*bad = 0; *bad < m->links; ++*bad) {
		w = &m->listen[*bad];
		watch_init(w, on_listen, m);
		w->fd = net_listen(&m->addrs[*bad], (int)NODES_MAX);
		if (w->fd == -1 || loop_watch(m->loop, w, POLLIN) == -1)
			return -1;
	}
	return 0;
}

void
mesh_end(struct mesh *m)
{
	uint32_t i;

	for (i = 0; i < LINES_MAX; i++)
		if (m->lines[i].used)
			line_end(&m->lines[i]);
}

void
mesh_hang_up(struct node *n)
{
	if (n->trial != NULL)
		line_end(n->trial);
	if (n->line != NULL)
		line_end(n->line);
	n->line = NULL;
}

bool
mesh_send(struct node *n, struct wr *w, uint8_t *frame, size_t room)
{
	size_t size = wire_end(w, 0);

	if (size == 0 || n->line == NULL)
		return false;
	size = auth_stream_seal(
	    n->line->m->auth, &n->line->stream, frame, size, room);
	return size > 0 && conn_send(&n->line->conn, frame, size) == 0;
}

bool
mesh_pass(struct node *n, const uint8_t *frame, size_t size)
{
	uint8_t sealed[WIRE_CONTROL_MAX + MAC_TAG];

	if (n->line == NULL || size > WIRE_CONTROL_MAX)
		return false;
	memcpy(sealed, frame, size);
	size = auth_stream_seal(n->line->m->auth, &n->line->stream, sealed,
	    size, sizeof(sealed));
	return size > 0 && conn_send(&n->line->conn, sealed, size) == 0;
}

size_t
mesh_queued(const struct node *n)
{
	return n->line == NULL ? 0 : conn_queued(&n->line->conn);
}
