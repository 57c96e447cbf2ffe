/* SPDX-License-Identifier: ISC */
/*
 * orcm-pnpd: the switchboard of a node.  Every local program is a client of
 * its one UNIX socket: it publishes its own records here, hears those of
 * others, and sends orders and events.
 *
 * With a configuration of several nodes it is one of them: src/pnpd/dvm.h.
 *
 * The picture outlives its writers: what a daemon (orcmd, orcm-leaderd) has
 * published stays while it is away, and is compared with what it publishes
 * when it is back.  What the owner of a job published goes with its
 * connection.  After a death of this program the picture is filled again by
 * the clients within milliseconds, under a higher epoch.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <orcm/types.h>
#include <orcm/version.h>

#include "base/name.h"
#include "base/num.h"
#include "node/node.h"
#include "pnpd/pnpd.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/fd.h"
#include "sys/log.h"

static struct pnpd p;

static void
put_daemon(const struct peer *c)
{
	struct record_daemon r;
	uint8_t value[RECORD_VALUE_MAX];

	memset(&r, 0, sizeof(r));
	(void)copy_str(r.role, sizeof(r.role), c->role);
	(void)copy_str(r.name, sizeof(r.name), c->name);
	r.pid = (uint32_t)c->pid;
	pnpd_put_own(&p, RECORD_DAEMON, (uint64_t)(c - p.peers), value,
	    record_daemon_put(&r, value));
}

static uint32_t
writer_of(const char *role)
{
	if (strcmp(role, "orcmd") == 0)
		return WRITER_ORCMD;
	if (strcmp(role, "orcm-leaderd") == 0)
		return WRITER_LEADERD;
	return WRITER_CLIENT + p.next_writer++;
}

static void
on_hello(struct peer *c, const struct wire_msg *m)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;
	uint32_t i;

	wire_str(m, TLV_ROLE, c->role, sizeof(c->role));
	wire_str(m, TLV_NAME, c->name, sizeof(c->name));
	c->pid = (pid_t)wire_num(m, TLV_PID);
	c->writer = writer_of(c->role);
	/* A daemon that came back replaces its former connection. */
	for (i = 0; c->writer < WRITER_CLIENT && i < CLIENTS_MAX; i++)
		if (&p.peers[i] != c && p.peers[i].used &&
		    p.peers[i].writer == c->writer)
			p.peers[i].writer = 0;
	picture_returned(&p.picture, c->writer);
	c->hello = true;
	loop_timer_stop(&p.d.loop, &c->late);
	pnpd_begin(&p, &w, frame, WIRE_WELCOME, 0);
	wr_tlv_str(&w, TLV_NODE, p.d.conf.node);
	wr_tlv_u64(&w, TLV_EPOCH, p.epoch);
	wr_tlv_u32(&w, TLV_PID, (uint32_t)getpid());
	wr_tlv_str(&w, TLV_VERSION, ORCM_VERSION);
	pnpd_send(c, &w, frame);
}

/* Are those here that other nodes wait to hear all of? */
static void
check_settled(struct peer *c)
{
	bool orcmd = false, leaderd = false;
	uint32_t i;

	c->settled = true;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used && p.peers[i].settled) {
			orcmd |= p.peers[i].writer == WRITER_ORCMD;
			leaderd |= p.peers[i].writer == WRITER_LEADERD;
		}
	if (orcmd && leaderd)
		dvm_settled(&p.dvm);
}

static void
on_frame(struct conn *conn, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct peer *c = conn->arg;
	uint32_t at;

	(void)fds;
	(void)fds_len;
	if (!c->hello && m->h.type != WIRE_HELLO) {
		pnpd_refuse(c, 1, "say HELLO first");
		return;
	}
	switch (m->h.type) {
	case WIRE_HELLO:
		if (!c->hello)
			on_hello(c, m);
		break;
	case WIRE_PUT:
		pnpd_put(&p, c, m);
		break;
	case WIRE_DEL:
		if (picture_del(&p.picture, c->writer,
			(uint8_t)wire_num(m, TLV_KIND), wire_num(m, TLV_ID),
			&at) == PICTURE_CHANGED)
			pnpd_tell(&p, at);
		break;
	case WIRE_SETTLED:
		while (picture_settled(&p.picture, c->writer, &at))
			pnpd_tell(&p, at);
		/* Whoever sees it knows that all it has is told. */
		put_daemon(c);
		check_settled(c);
		break;
	case WIRE_SUB:
		pnpd_sub(&p, c, m);
		break;
	case WIRE_EVENT:
		pnpd_event(&p, NULL, m);
		break;
	case WIRE_ORDER:
		pnpd_order(&p, c, NULL, m);
		break;
	case WIRE_REPLY:
		pnpd_reply(&p, m);
		break;
	default:
		break;
	}
}

static void
on_end(struct conn *conn, enum conn_end why)
{
	struct peer *c = conn->arg;
	uint32_t at;

	if (why == CONN_GARBAGE || why == CONN_DENIED || why == CONN_SLOW)
		log_line(LOG_WARN, "client %s (pid %ld): %s: disconnected",
		    c->hello ? c->name : "-", (long)c->pid,
		    why == CONN_SLOW ? "does not read what it asked for"
				     : "sent no frame of ours");
	loop_timer_stop(&p.d.loop, &c->late);
	c->used = false;
	if (!c->hello)
		return;
	if (picture_del(&p.picture, WRITER_SELF, RECORD_DAEMON,
		(uint64_t)(c - p.peers), &at) == PICTURE_CHANGED)
		pnpd_tell(&p, at);
	if (c->writer >= WRITER_CLIENT)
		while (picture_forget(&p.picture, c->writer, &at))
			pnpd_tell(&p, at);
}

static void
on_late(struct timer *t)
{
	struct peer *c = t->arg;

	conn_close(&c->conn);
	c->used = false;
}

static const struct conn_ops conn_ops = { .frame = on_frame, .end = on_end };

static struct peer *
peer_free(void)
{
	uint32_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (!p.peers[i].used)
			return &p.peers[i];
	return NULL;
}

static void
take_client(int fd)
{
	struct peer *c = peer_free();
	struct sock_peer who;

	if (c == NULL || sock_peer(fd, &who) == -1 ||
	    (who.uid != geteuid() && who.uid != 0)) {
		close(fd);
		return;
	}
	memset(c, 0, sizeof(*c));
	c->p = &p;
	conn_init(&c->conn, &p.d.loop, &conn_ops, c);
	timer_init(&c->late, on_late, c);
	if (conn_open(&c->conn, fd, WIRE_BY_CLIENT, WIRE_CONTROL_MAX,
		QUEUE_MAX) == -1)
		return;
	c->used = true;
	c->pid = who.pid;
	loop_timer(&p.d.loop, &c->late, loop_now(&p.d.loop) + HELLO_TIME);
}

static void
on_listen(struct watch *w, short revents)
{
	int fd, i;

	(void)revents;
	for (i = 0; i < 32; i++) {
		fd = sock_accept(w->fd);
		if (fd != -1) {
			take_client(fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE) {
			/* Nothing to accept with: look again a little later. */
			loop_watch_events(&p.d.loop, w, 0);
			loop_timer(&p.d.loop, &p.again,
			    loop_now(&p.d.loop) + 100 * ORCM_MS);
		}
		return;
	}
}

static void
on_again(struct timer *t)
{
	(void)t;
	loop_watch_events(&p.d.loop, &p.listen, POLLIN);
}

int
pnpd_keep_epoch(struct pnpd *q, uint64_t epoch)
{
	char path[PATH_ROOM], text[32], next[PATH_ROOM];
	int fd, n;

	if (path_join(q->d.conf.run, "epoch", path) == -1 ||
	    path_join(q->d.conf.run, "epoch.new", next) == -1)
		die_sys(EXIT_USAGE, "%s", q->d.conf.run);
	fd = open(
	    next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)epoch);
	if (fd == -1 || write(fd, text, (size_t)n) != n ||
	    rename(next, path) == -1) {
		log_sys(LOG_WARN, "%s: the epoch is not kept", path);
		if (fd != -1)
			close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

/*
 * Who has lost its memory of former lives begins at a number that none of them
 * can have had; if the clock was wrong, other nodes will say so (RISE).
 */
static uint64_t
first_epoch(void)
{
	uint16_t any = 0;

	if (!p.dvm.on)
		return 0;
	if (entropy(&any, sizeof(any)) == -1)
		die_sys(EXIT_TEMP, "randomness of the system");
	return clock_wall_ms() / 1000 << 16 | any;
}

/* One more than at the last life: it never goes back. */
static uint64_t
next_epoch(void)
{
	char path[PATH_ROOM], text[32] = "";
	uint64_t epoch = first_epoch();
	ssize_t n;
	int fd;

	if (path_join(p.d.conf.run, "epoch", path) == -1)
		die_sys(EXIT_USAGE, "%s", p.d.conf.run);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		while (n > 0 && text[n - 1] == '\n')
			text[--n] = '\0';
		if (!num_u64(text, 0, PICTURE_EPOCH_MAX - 1, &epoch))
			log_line(LOG_WARN, "%s: not a number", path);
	}
	(void)pnpd_keep_epoch(&p, ++epoch);
	return epoch;
}

static void
put_node(void)
{
	struct record_node r;
	uint8_t value[RECORD_VALUE_MAX];

	memset(&r, 0, sizeof(r));
	(void)copy_str(r.name, sizeof(r.name), p.d.conf.node);
	(void)copy_str(r.version, sizeof(r.version), ORCM_VERSION);
	r.epoch = p.epoch;
	pnpd_put_own(
	    &p, RECORD_NODE, p.dvm.number, value, record_node_put(&r, value));
}

static void
memory(void)
{
	struct picture_conf conf = {
		.records_max = RECORDS_MAX,
		.tombstones_max = TOMBSTONES_MAX,
		.node = p.dvm.number,
		.epoch = p.epoch,
		.owners_max = p.dvm.on ? NODES_MAX : 0,
	};
	size_t size = picture_memory(&conf) +
		      CLIENTS_MAX * sizeof(struct peer) + HISTORY_SIZE + 64;

	arena_init(&p.arena, daemon_memory(size), size);
	picture_init(&p.picture, &p.arena, &conf);
	p.peers = arena_alloc(&p.arena, CLIENTS_MAX, sizeof(*p.peers));
	ring_init(
	    &p.past, arena_alloc(&p.arena, 1, HISTORY_SIZE), HISTORY_SIZE);
	arena_seal(&p.arena);
}

static void
listen_on(void)
{
	char path[PATH_ROOM];

	if (path_join(p.d.conf.run, "pnpd.sock", path) == -1)
		die_sys(EXIT_USAGE, "%s", p.d.conf.run);
	watch_init(&p.listen, on_listen, NULL);
	timer_init(&p.again, on_again, NULL);
	p.listen.fd = sock_listen(path, 128);
	if (p.listen.fd == -1)
		die_sys(EXIT_TEMP, "listen on %s", path);
	if (loop_watch(&p.d.loop, &p.listen, POLLIN) == -1)
		die_sys(EXIT_TEMP, "%s", path);
}

static bool
orcmd_connected(void)
{
	uint32_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used && p.peers[i].writer == WRITER_ORCMD)
			return true;
	return false;
}

/* In a private DVM the last to leave takes the run directory away. */
static void
on_leave(struct timer *t)
{
	if (p.d.orphaned && orcmd_connected() && clock_now() < p.end_by) {
		loop_timer(&p.d.loop, t, clock_now() + ORCM_MS);
		return;
	}
	if (p.d.orphaned)
		path_run_remove(p.d.conf.run);
	loop_stop(&p.d.loop);
}

static void
on_stop(void *arg)
{
	(void)arg;
	p.end_by = clock_now() + 1500 * ORCM_MS;
	loop_timer(&p.d.loop, &p.end, clock_now());
}

static void
close_all(void)
{
	uint32_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used)
			conn_close(&p.peers[i].conn);
}

static void
on_state(void *arg)
{
	uint32_t i;

	(void)arg;
	fprintf(stderr, "orcm-pnpd: epoch %llu, %u records, %u events\n",
	    (unsigned long long)p.epoch, p.picture.used, p.past_len);
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used)
			fprintf(stderr, "orcm-pnpd: client %s %s pid %ld\n",
			    p.peers[i].role, p.peers[i].name,
			    (long)p.peers[i].pid);
	dvm_state(&p.dvm);
}

NODE_MAIN(orcm_pnpd)
{
	daemon_options(&p.d.conf, "orcm-pnpd", argc, argv);
	p.d.on_end = on_stop;
	p.d.on_state = on_state;
	dvm_conf(&p.dvm, &p);
	daemon_begin(&p.d, CLIENTS_MAX + 8 + (p.dvm.on ? LINES_MAX : 0),
	    CLIENTS_MAX * 2 + 16 + (p.dvm.on ? LINES_MAX : 0));
	timer_init(&p.end, on_leave, NULL);
	p.epoch = next_epoch();
	memory();
	dvm_begin(&p.dvm);
	put_node();
	listen_on();
	daemon_watch(&p.d);
	daemon_ready(&p.d);
	daemon_charge(&p.d);
	if (loop_run(&p.d.loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
	close_all();
	dvm_end(&p.dvm);
	daemon_uncharge(&p.d);
	return EXIT_YES;
}
