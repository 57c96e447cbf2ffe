/* SPDX-License-Identifier: ISC */
/*
 * orcm-pnpd: the switchboard of a node.  Every local program is a client of
 * its one UNIX socket: it publishes its own records here, hears those of
 * others, and sends orders and events.
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
#include "base/wr.h"
#include "core/picture.h"
#include "lib/client.h"
#include "lib/daemon.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/log.h"

#define CLIENTS_MAX 320u
#define RECORDS_MAX 8192u
#define HISTORY_MAX 512u /* events kept for orcm-events */
#define QUEUE_MAX (UINT32_C(1) << 20)
#define HELLO_TIME (2 * ORCM_SECOND)
#define NODE_NUMBER 1u
#define KEEPS_MAX 16u /* roles that records can outlive */

enum { WRITER_SELF = 1, WRITER_ORCMD, WRITER_LEADERD, WRITER_CLIENT = 16 };

struct peer {
	struct conn conn;
	struct timer late; /* HELLO must have come by then */
	bool used, hello, synced;
	uint32_t kinds, writer;
	pid_t pid;
	char role[ORCM_NAME_MAX + 1], name[ORCM_NAME_MAX + 1];
};

struct past {
	uint16_t size;
	uint8_t frame[416]; /* an EVENT frame as it came */
};
_Static_assert(CLIENT_EVENT_TEXT + 3 * 64 + WIRE_HEADER + 24 <= 416,
    "an event fits");

static struct pnpd {
	struct daemon d;
	struct arena arena;
	struct picture picture;
	struct peer *peers;
	struct past *past; /* ring of HISTORY_MAX */
	uint32_t past_len, past_at;
	struct watch listen;
	struct timer again; /* accepts again when descriptors ran out */
	struct timer end;
	uint64_t epoch;
	uint32_t next_writer;
} p;

static void
begin(struct wr *w, uint8_t *frame, enum wire_type type, uint16_t flags)
{
	struct wire_header h = {
		.type = (uint8_t)type,
		.flags = flags,
		.sender = NODE_NUMBER << 16,
		.epoch = p.epoch,
	};

	wire_begin(w, frame, WIRE_CONTROL_MAX, &h);
}

static void
send_to(struct peer *c, struct wr *w, uint8_t *frame)
{
	size_t size = wire_end(w, 0);

	if (size > 0)
		(void)conn_send(&c->conn, frame, size);
}

static size_t
record_frame(const struct picture_record *r, uint8_t *frame)
{
	struct wr w;

	begin(&w, frame, WIRE_RECORD, r->dead ? WIRE_FLAG_DEAD : 0);
	wr_tlv_u16(&w, TLV_OWNER, r->owner);
	wr_tlv_u8(&w, TLV_KIND, r->kind);
	wr_tlv_u64(&w, TLV_ID, r->id);
	wr_tlv_u64(&w, TLV_EPOCH, r->epoch);
	wr_tlv_u64(&w, TLV_SEQ, r->seq);
	if (!r->dead)
		wr_tlv(&w, TLV_VALUE, r->value, r->value_size);
	return wire_end(&w, 0);
}

/* A record has changed: everybody who wants its kind hears of it. */
static void
tell_all(uint32_t at)
{
	const struct picture_record *r = picture_at(&p.picture, at);
	uint8_t frame[WIRE_CONTROL_MAX];
	size_t size = record_frame(r, frame);
	uint32_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used && (p.peers[i].kinds & RECORD_BIT(r->kind)))
			(void)conn_send(&p.peers[i].conn, frame, size);
}

static void
put_own(uint8_t kind, uint64_t id, const uint8_t *value, size_t size)
{
	uint32_t at;

	if (picture_put(&p.picture, WRITER_SELF, kind, id, value, size, &at) ==
	    PICTURE_CHANGED)
		tell_all(at);
}

static void
put_daemon(const struct peer *c)
{
	struct record_daemon r;
	uint8_t value[RECORD_VALUE_MAX];

	memset(&r, 0, sizeof(r));
	(void)copy_str(r.role, sizeof(r.role), c->role);
	(void)copy_str(r.name, sizeof(r.name), c->name);
	r.pid = (uint32_t)c->pid;
	put_own(RECORD_DAEMON, (uint64_t)(c - p.peers), value,
	    record_daemon_put(&r, value));
}

static void
refuse(struct peer *c, uint32_t code, const char *text)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	begin(&w, frame, WIRE_REFUSED, 0);
	wr_tlv_u16(&w, TLV_CODE, (uint16_t)code);
	wr_tlv_str(&w, TLV_TEXT, text);
	send_to(c, &w, frame);
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

/* Who may write which records. */
static bool
may_write(uint32_t writer, uint64_t kind)
{
	switch (kind) {
	case RECORD_PROC:
		return writer == WRITER_ORCMD;
	case RECORD_LEAD:
		return writer == WRITER_LEADERD;
	case RECORD_JOB:
	case RECORD_FLOW:
		return writer >= WRITER_CLIENT;
	default:
		return false;
	}
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
	begin(&w, frame, WIRE_WELCOME, 0);
	wr_tlv_str(&w, TLV_NODE, p.d.conf.node);
	wr_tlv_u64(&w, TLV_EPOCH, p.epoch);
	wr_tlv_u32(&w, TLV_PID, (uint32_t)getpid());
	wr_tlv_str(&w, TLV_VERSION, ORCM_VERSION);
	send_to(c, &w, frame);
	put_daemon(c);
}

static void
on_sub(struct peer *c, const struct wire_msg *m)
{
	const struct picture_record *r;
	uint8_t frame[WIRE_CONTROL_MAX];
	uint32_t place, i, kind;
	struct wr w;

	c->kinds = (uint32_t)wire_num(m, TLV_KINDS);
	/* Kind by kind: what speaks of a job comes after the job itself. */
	for (kind = RECORD_NODE; kind <= RECORD_FLOW; kind++)
		for (place = 0; (r = picture_next(&p.picture,
		    c->kinds & RECORD_BIT(kind), &place)) != NULL;)
			(void)conn_send(&c->conn, frame,
			    record_frame(r, frame));
	for (i = 0; (c->kinds & CLIENT_SUB_EVENTS) && i < p.past_len; i++) {
		const struct past *e = &p.past[(p.past_at + HISTORY_MAX -
		    p.past_len + i) % HISTORY_MAX];

		(void)conn_send(&c->conn, e->frame, e->size);
	}
	begin(&w, frame, WIRE_SYNCED, 0);
	wr_tlv_u32(&w, TLV_KINDS, c->kinds);
	send_to(c, &w, frame);
}

/* Two jobs of one name could not be told apart by a shell script. */
static bool
name_taken(uint32_t writer, uint64_t id, const struct record_job *job)
{
	const struct picture_record *r;
	struct record_job other;
	uint32_t place = 0;

	while ((r = picture_next(&p.picture, RECORD_BIT(RECORD_JOB),
		    &place)) != NULL)
		if ((r->id != id || r->writer != writer) &&
		    record_job_get(&other, r->value, r->value_size) &&
		    strcmp(other.name, job->name) == 0)
			return true;
	return false;
}

static void
on_put(struct peer *c, const struct wire_msg *m)
{
	uint8_t kind = (uint8_t)wire_num(m, TLV_KIND);
	uint64_t id = wire_num(m, TLV_ID);
	const uint8_t *value = m->tlv[TLV_VALUE].p;
	size_t size = m->tlv[TLV_VALUE].size;
	struct record_job job;
	uint32_t at;

	if (!may_write(c->writer, kind)) {
		refuse(c, 1, "this program may not write records of this kind");
		return;
	}
	if (kind == RECORD_JOB) {
		if (!record_job_get(&job, value, size)) {
			refuse(c, 1, "the job's record is not whole");
			return;
		}
		if (name_taken(c->writer, id, &job)) {
			refuse(c, 1, "a job of that name is running: choose "
			    "another with -j");
			return;
		}
	}
	switch (picture_put(&p.picture, c->writer, kind, id, value, size,
	    &at)) {
	case PICTURE_CHANGED:
		tell_all(at);
		break;
	case PICTURE_SAME:
		break;
	case PICTURE_DENIED:
		refuse(c, 1, "another program's record");
		break;
	case PICTURE_FULL:
		refuse(c, 111, "the picture is full: too many jobs");
		break;
	}
}

static void
on_event(struct peer *c, const struct wire_msg *m)
{
	struct past *e = &p.past[p.past_at];
	const uint8_t *frame = m->payload - m->h.tlv_size - WIRE_HEADER;
	uint32_t i;

	(void)c;
	if (m->h.size > sizeof(e->frame))
		return;
	/* The same event again, after a reconnection: known already. */
	for (i = 0; i < p.past_len; i++) {
		const struct past *q = &p.past[(p.past_at + HISTORY_MAX - 1 -
		    i) % HISTORY_MAX];

		if (q->size == m->h.size &&
		    memcmp(q->frame + WIRE_HEADER, frame + WIRE_HEADER,
			q->size - WIRE_HEADER) == 0)
			return;
	}
	memcpy(e->frame, frame, m->h.size);
	e->size = (uint16_t)m->h.size;
	p.past_at = (p.past_at + 1) % HISTORY_MAX;
	if (p.past_len < HISTORY_MAX)
		p.past_len++;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used && (p.peers[i].kinds & CLIENT_SUB_EVENTS))
			(void)conn_send(&p.peers[i].conn, e->frame, e->size);
}

/* The connection of the client that an order is for, or NULL. */
static struct peer *
order_target(const struct wire_msg *m)
{
	char to[ORCM_NAME_MAX + 1], name[ORCM_NAME_MAX + 1];
	const struct picture_record *r;
	struct record_job job;
	uint32_t i, place = 0, writer = 0;

	wire_str(m, TLV_TO, to, sizeof(to));
	wire_str(m, TLV_JOB, name, sizeof(name));
	if (strcmp(to, "owner") == 0)
		while ((r = picture_next(&p.picture, RECORD_BIT(RECORD_JOB),
			    &place)) != NULL)
			if (record_job_get(&job, r->value, r->value_size) &&
			    strcmp(job.name, name) == 0)
				writer = r->writer;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p.peers[i].used && p.peers[i].hello &&
		    (writer != 0 ? p.peers[i].writer == writer :
				   strcmp(p.peers[i].role, to) == 0))
			return &p.peers[i];
	return NULL;
}

/* An order's number on its way: which client it came from is put on top. */
#define ORDER_PEER_SHIFT 48

static void
on_order(struct peer *c, const struct wire_msg *m)
{
	struct peer *to = order_target(m);
	uint64_t id = wire_num(m, TLV_ORDER);
	uint8_t frame[WIRE_CONTROL_MAX];
	char text[64];
	struct wr w;

	if (to == NULL) {
		begin(&w, frame, WIRE_REPLY, 0);
		wr_tlv_u64(&w, TLV_ORDER, id);
		wr_tlv_u16(&w, TLV_CODE, 1);
		wr_tlv_str(&w, TLV_TEXT, "no such job or program");
		send_to(c, &w, frame);
		return;
	}
	id = (id & ((UINT64_C(1) << ORDER_PEER_SHIFT) - 1)) |
	    (uint64_t)(c - p.peers + 1) << ORDER_PEER_SHIFT;
	begin(&w, frame, WIRE_ORDER, 0);
	wr_tlv_u64(&w, TLV_ORDER, id);
	wire_str(m, TLV_TO, text, sizeof(text));
	wr_tlv_str(&w, TLV_TO, text);
	wr_tlv_u8(&w, TLV_VERB, (uint8_t)wire_num(m, TLV_VERB));
	if (wire_has(m, TLV_JOB)) {
		wire_str(m, TLV_JOB, text, sizeof(text));
		wr_tlv_str(&w, TLV_JOB, text);
	}
	if (wire_has(m, TLV_SIGNAL))
		wr_tlv_u8(&w, TLV_SIGNAL, (uint8_t)wire_num(m, TLV_SIGNAL));
	send_to(to, &w, frame);
}

static void
on_reply(const struct wire_msg *m)
{
	uint64_t id = wire_num(m, TLV_ORDER);
	uint64_t from = id >> ORDER_PEER_SHIFT;
	uint8_t frame[WIRE_CONTROL_MAX];
	char text[256];
	struct wr w;

	if (from == 0 || from > CLIENTS_MAX || !p.peers[from - 1].used)
		return;
	begin(&w, frame, WIRE_REPLY, 0);
	wr_tlv_u64(&w, TLV_ORDER,
	    id & ((UINT64_C(1) << ORDER_PEER_SHIFT) - 1));
	wr_tlv_u16(&w, TLV_CODE, (uint16_t)wire_num(m, TLV_CODE));
	wire_str(m, TLV_TEXT, text, sizeof(text));
	wr_tlv_str(&w, TLV_TEXT, text);
	send_to(&p.peers[from - 1], &w, frame);
}

static void
on_frame(struct conn *conn, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct peer *c = conn->arg;
	uint32_t at;

	(void)fds;
	(void)fds_len;
	if (!c->hello && m->h.type != WIRE_HELLO) {
		refuse(c, 1, "say HELLO first");
		return;
	}
	switch (m->h.type) {
	case WIRE_HELLO:
		if (!c->hello)
			on_hello(c, m);
		break;
	case WIRE_PUT:
		on_put(c, m);
		break;
	case WIRE_DEL:
		if (picture_del(&p.picture, c->writer,
			(uint8_t)wire_num(m, TLV_KIND), wire_num(m, TLV_ID),
			&at) == PICTURE_CHANGED)
			tell_all(at);
		break;
	case WIRE_SETTLED:
		while (picture_settled(&p.picture, c->writer, &at))
			tell_all(at);
		break;
	case WIRE_SUB:
		on_sub(c, m);
		break;
	case WIRE_EVENT:
		on_event(c, m);
		break;
	case WIRE_ORDER:
		on_order(c, m);
		break;
	case WIRE_REPLY:
		on_reply(m);
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
		    why == CONN_SLOW ? "does not read what it asked for" :
				       "sent no frame of ours");
	loop_timer_stop(&p.d.loop, &c->late);
	c->used = false;
	if (!c->hello)
		return;
	if (picture_del(&p.picture, WRITER_SELF, RECORD_DAEMON,
		(uint64_t)(c - p.peers), &at) == PICTURE_CHANGED)
		tell_all(at);
	if (c->writer >= WRITER_CLIENT)
		while (picture_forget(&p.picture, c->writer, &at))
			tell_all(at);
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

/* One more than at the last life: it never goes back. */
static uint64_t
next_epoch(void)
{
	char path[PATH_ROOM], text[32] = "", next[PATH_ROOM];
	uint64_t epoch = 0;
	int fd;

	if (path_join(p.d.conf.run, "epoch", path) == -1 ||
	    path_join(p.d.conf.run, "epoch.new", next) == -1)
		die_sys(EXIT_USAGE, "%s", p.d.conf.run);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd != -1) {
		ssize_t n = read(fd, text, sizeof(text) - 1);

		close(fd);
		while (n > 0 && text[n - 1] == '\n')
			text[--n] = '\0';
		if (!num_u64(text, 0, UINT64_MAX - 1, &epoch))
			log_line(LOG_WARN, "%s: not a number", path);
	}
	epoch++;
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	(void)snprintf(text, sizeof(text), "%llu\n",
	    (unsigned long long)epoch);
	if (fd == -1 || write(fd, text, strlen(text)) == -1 ||
	    rename(next, path) == -1)
		log_sys(LOG_WARN, "%s: the epoch is not kept", path);
	if (fd != -1)
		close(fd);
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
	put_own(RECORD_NODE, NODE_NUMBER, value, record_node_put(&r, value));
}

static void
memory(void)
{
	struct picture_conf conf = {
		.records_max = RECORDS_MAX,
		.node = NODE_NUMBER,
		.epoch = p.epoch,
	};
	size_t size = picture_memory(&conf) +
	    CLIENTS_MAX * sizeof(struct peer) +
	    HISTORY_MAX * sizeof(struct past) + 64;

	arena_init(&p.arena, daemon_memory(size), size);
	picture_init(&p.picture, &p.arena, &conf);
	p.peers = arena_alloc(&p.arena, CLIENTS_MAX, sizeof(*p.peers));
	p.past = arena_alloc(&p.arena, HISTORY_MAX, sizeof(*p.past));
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

static uint64_t end_by;

/* In a private DVM the last to leave takes the run directory away. */
static void
on_leave(struct timer *t)
{
	if (p.d.orphaned && orcmd_connected() && clock_now() < end_by) {
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
	end_by = clock_now() + 1500 * ORCM_MS;
	loop_timer(&p.d.loop, &p.end, clock_now());
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
}

int
main(int argc, char **argv)
{
	daemon_options(&p.d.conf, "orcm-pnpd", argc, argv);
	p.d.on_end = on_stop;
	p.d.on_state = on_state;
	daemon_begin(&p.d, CLIENTS_MAX + 8, CLIENTS_MAX * 2 + 16);
	timer_init(&p.end, on_leave, NULL);
	p.epoch = next_epoch();
	memory();
	put_node();
	listen_on();
	daemon_watch(&p.d);
	daemon_ready(&p.d);
	daemon_charge(&p.d);
	if (loop_run(&p.d.loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
	return EXIT_YES;
}
