/* SPDX-License-Identifier: ISC */
/*
 * orcmd: the parent of everything local.  It starts the other daemons and
 * the keepers of replicas, and starts them again when they die; what shall
 * run and what happened to it is decided by the core "keep".
 *
 * Its charges (daemons and keepers) hold a connection to its socket, so both
 * ends know of a death at once and a new orcmd finds all of them again: it
 * adopts by connection, never by guessing from process tables.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <orcm/types.h>

#include "base/name.h"
#include "base/num.h"
#include "base/wr.h"
#include "core/keep.h"
#include "lib/client.h"
#include "lib/daemon.h"
#include "lib/spec.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/log.h"
#include "sys/spawn.h"

extern char **environ;

#define JOBS_MAX 256u
#define PROCS_MAX 1024u
#define CHARGES_MAX (PROCS_MAX + 64u)
#define HELPERS 2u
#define HELPER_LIFE (200 * ORCM_MS) /* a shorter life slows the next start */
#define CHARGE_TIME (2 * ORCM_SECOND)
#define END_TIME (1500 * ORCM_MS)

/* The other daemons of the node. */
struct helper {
	const char *name;
	pid_t pid;	/* our child, or 0 */
	bool connected; /* as a charge */
	uint64_t since;
	unsigned fails;
	struct timer timer;
};

struct charge_peer {
	struct conn conn;
	struct timer late;
	bool used;
	uint64_t id; /* of a keeper's replica */
	struct helper *helper;
	uint32_t pid;
};

/* A keeper that we have spawned and not reaped yet. */
struct child {
	pid_t pid;
	uint64_t id;
};

static struct orcmd {
	struct daemon d;
	struct arena arena;
	struct keep keep;
	struct client client;
	struct client_event events[CLIENT_EVENTS];
	struct charge_peer *charges;
	struct child *children; /* PROCS_MAX */
	struct helper helpers[HELPERS];
	struct watch listen;
	struct timer tick, end;
	char wrap[PATH_ROOM];
	uint64_t end_by;
	bool ending, ready;
} o = {
	.helpers = { { .name = "orcm-pnpd" }, { .name = "orcm-leaderd" } },
};

static void feed(const struct keep_in *in);
static void feed_process(uint64_t id, enum proc_event event,
    uint32_t incarnation, uint32_t value);
static void check_end(void);

static struct charge_peer *
charge_of(uint64_t id)
{
	uint32_t i;

	for (i = 0; i < CHARGES_MAX; i++)
		if (o.charges[i].used && o.charges[i].helper == NULL &&
		    o.charges[i].id == id)
			return &o.charges[i];
	return NULL;
}

static void
tell_keeper(uint64_t id, enum wire_type type, enum wire_tlv tlv, uint32_t v)
{
	struct charge_peer *c = charge_of(id);
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = (uint8_t)type };
	struct wr w;

	if (c == NULL)
		return;
	wire_begin(&w, frame, sizeof(frame), &h);
	if (type == WIRE_RUN)
		wr_tlv_u32(&w, tlv, v);
	else if (type == WIRE_SIGNAL)
		wr_tlv_u8(&w, tlv, (uint8_t)v);
	(void)conn_send(&c->conn, frame, wire_end(&w, 0));
}

static void
spawn_keeper(const struct keep_out *out)
{
	static char opt_r[] = "-r", opt_j[] = "-j", opt_k[] = "-k",
		    opt_i[] = "-i", name[] = "orcm-wrap";
	char job[24], rank[16], incarnation[16];
	char *argv[] = { name, opt_r, o.d.conf.run, opt_j, job, opt_k, rank,
		opt_i, incarnation, NULL };
	struct keep_in in = { .event = KEEP_IN_SPAWNED, .id = out->id };
	struct spawn s;
	uint32_t i;
	pid_t pid;

	(void)num_text(job, sizeof(job), RECORD_ID_JOB(out->id));
	(void)num_text(rank, sizeof(rank), RECORD_RANK(out->id));
	(void)num_text(incarnation, sizeof(incarnation), out->value);
	memset(&s, 0, sizeof(s));
	s.file = o.wrap;
	s.argv = argv;
	s.envp = environ;
	s.fd[0] = s.fd[1] = -1;
	s.fd[2] = STDERR_FILENO;
	s.dir = -1;
	s.session = true;
	s.umask = -1;
	s.nice = SPAWN_NICE_KEEP;
	pid = spawn(&s);
	if (pid == -1) {
		log_sys(LOG_ERROR, "start %s", o.wrap);
		feed_process(out->id, PROC_IN_LOST, 0, 0);
		return;
	}
	for (i = 0; i < PROCS_MAX && o.children[i].pid != 0; i++)
		;
	if (i < PROCS_MAX) {
		o.children[i].pid = pid;
		o.children[i].id = out->id;
	}
	in.value = (uint32_t)pid;
	feed(&in);
}

static void
say_state(const struct keep_out *out)
{
	const struct record_proc *r = &out->proc;
	uint32_t rank = RECORD_RANK(out->id);

	if (r->state == out->was && r->state != PROC_STARTING)
		return;
	if (r->state == PROC_UP)
		client_say(&o.client, out->adopted ? "adopt" : "start", out->job, rank,
		    "pid=%u incarnation=%u", r->pid, r->incarnation);
	else if (r->state == PROC_STARTING && r->restarts > 0 &&
	    r->keeper != 0)
		client_say(&o.client, "restart", out->job, rank,
		    "incarnation=%u restarts=%u", r->incarnation, r->restarts);
	else if (r->state == PROC_BACKOFF)
		client_say(&o.client, "backoff", out->job, rank,
		    "restarts=%u", r->restarts);
	else if (r->state == PROC_FAILED)
		client_say(&o.client, "giveup", out->job, rank,
		    "restarts=%u", r->restarts);
	else if (r->state == PROC_STOPPING || r->state == PROC_KILLING)
		client_say(&o.client, "stop", out->job, rank, "pid=%u",
		    r->pid);
}

static void
put_proc(uint64_t id, const struct record_proc *r)
{
	uint8_t value[RECORD_VALUE_MAX];

	client_put(&o.client, RECORD_PROC, id, value,
	    record_proc_put(r, value));
}

static void
job_over(uint64_t id)
{
	char path[PATH_ROOM];

	/* An owner that was killed could not take its socket away. */
	if (spec_socket(o.d.conf.run, RECORD_ID_JOB(id), path) == 0)
		(void)unlink(path);
}

static void
reap_by_force(uint32_t pid)
{
	if (pid < 2)
		return;
	(void)kill(-(pid_t)pid, SIGKILL);
	(void)kill((pid_t)pid, SIGKILL);
}

static void
perform(const struct keep_out *out)
{
	switch (out->verb) {
	case KEEP_OUT_SPAWN:
		spawn_keeper(out);
		break;
	case KEEP_OUT_RUN:
		tell_keeper(out->id, WIRE_RUN, TLV_INCARNATION, out->value);
		break;
	case KEEP_OUT_SIGNAL:
		tell_keeper(out->id, WIRE_SIGNAL, TLV_SIGNAL, out->value);
		break;
	case KEEP_OUT_END:
		tell_keeper(out->id, WIRE_END, TLV_SIGNAL, 0);
		break;
	case KEEP_OUT_REAP:
		reap_by_force(out->value);
		break;
	case KEEP_OUT_PUT:
		say_state(out);
		put_proc(out->id, &out->proc);
		break;
	case KEEP_OUT_DEL:
		client_del(&o.client, RECORD_PROC, out->id);
		if (out->last)
			job_over(out->id);
		break;
	}
}

/*
 * Performing an effect may be an event itself (a keeper's pid, or that it
 * cannot be spawned).  Such events wait until all effects are taken.
 */
static void
feed(const struct keep_in *first)
{
	static struct keep_in waiting[PROCS_MAX];
	static uint32_t len;
	static bool busy;
	struct keep_in in = *first;
	struct keep_out out;
	uint32_t at = 0;

	if (busy) {
		if (len < PROCS_MAX)
			waiting[len++] = *first;
		return;
	}
	busy = true;
	for (;;) {
		(void)keep_feed(&o.keep, clock_now(), &in);
		while (keep_take(&o.keep, &out))
			perform(&out);
		if (at == len)
			break;
		in = waiting[at++];
	}
	len = 0;
	busy = false;
	loop_timer(&o.d.loop, &o.tick, keep_due(&o.keep));
	check_end();
}

static void
feed_process(uint64_t id, enum proc_event event, uint32_t incarnation,
    uint32_t value)
{
	struct keep_in in = {
		.event = KEEP_IN_PROCESS,
		.id = id,
		.process = { event, incarnation, value },
	};

	feed(&in);
}

static void
on_tick(struct timer *t)
{
	struct keep_in in = { .event = KEEP_IN_TICK };

	(void)t;
	feed(&in);
}

/* The picture. */

static void
on_publish(struct client *c)
{
	uint32_t i, k;

	(void)c;
	for (i = 0; i < o.keep.conf.jobs_max; i++) {
		const struct keep_job *j = &o.keep.jobs[i];

		for (k = 0; j->used && k < j->r.size; k++)
			if (o.keep.procs[j->first + k].told)
				put_proc(RECORD_ID_RANK(j->id, k),
				    &o.keep.procs[j->first + k].last);
	}
}

static void
refuse_job(const struct record_job *job)
{
	client_say(&o.client, "refused", job->name, ORCM_RANK_NONE,
	    "no-room-for=%u", job->size);
	log_line(LOG_ERROR, "job %s: no room for %u replicas: %u jobs and %u "
	    "processes are the most", job->name, job->size, JOBS_MAX,
	    PROCS_MAX);
}

static void
on_record(struct client *c, const struct client_record *r)
{
	struct keep_in in = { .id = r->id };
	struct record_job job;
	struct record_flow flow;
	struct record_proc proc;

	(void)c;
	if (r->kind == RECORD_JOB && r->dead) {
		in.event = KEEP_IN_JOB_GONE;
	} else if (r->kind == RECORD_JOB &&
	    record_job_get(&job, r->value, r->value_size)) {
		in.event = KEEP_IN_JOB;
		in.job = &job;
		if (keep_job(&o.keep, r->id) == NULL &&
		    keep_jobs(&o.keep) == JOBS_MAX) {
			refuse_job(&job);
			return;
		}
	} else if (r->kind == RECORD_FLOW && r->dead) {
		in.event = KEEP_IN_FLOW_GONE;
	} else if (r->kind == RECORD_FLOW &&
	    record_flow_get(&flow, r->value, r->value_size)) {
		in.event = KEEP_IN_FLOW;
		in.flow = &flow;
	} else if (r->kind == RECORD_PROC && !r->dead && !o.keep.synced &&
	    record_proc_get(&proc, r->value, r->value_size)) {
		in.event = KEEP_IN_PROC;
		in.proc = &proc;
	} else {
		return;
	}
	feed(&in);
}

static void
tell_ready(void)
{
	if (o.ready || !client_up(&o.client) || !o.helpers[1].connected)
		return;
	o.ready = true;
	daemon_ready(&o.d);
}

static void
on_synced(struct client *c)
{
	struct keep_in in = { .event = KEEP_IN_SYNCED };

	(void)c;
	if (!o.keep.synced)
		feed(&in);
	tell_ready();
}

static void
on_order(struct client *c, const struct client_order *order)
{
	if (order->verb != ORDER_SHUTDOWN) {
		client_reply(c, order->id, 1, "orcmd does not know that order");
		return;
	}
	client_reply(c, order->id, 0, "");
	o.d.on_end(NULL);
}

/* The other daemons. */

static bool
helper_lives(const struct helper *h)
{
	char path[PATH_ROOM], name[64];

	(void)snprintf(name, sizeof(name), "%s.lock", h->name);
	return h->connected || h->pid != 0 ||
	    (path_join(o.d.conf.run, name, path) == 0 &&
		lock_holder(path) > 0);
}

static void
helper_start(struct helper *h)
{
	if (o.ending || !o.d.conf.keep)
		return;
	if (helper_lives(h)) {
		/* It will connect; if it dies before, this is seen again. */
		loop_timer(&o.d.loop, &h->timer, clock_now() + 20 * ORCM_MS);
		return;
	}
	h->since = clock_now();
	h->pid = daemon_spawn(&o.d.conf, h->name, "-k");
	if (h->pid != -1)
		return;
	h->pid = 0;
	log_sys(LOG_ERROR, "start %s", h->name);
	loop_timer(&o.d.loop, &h->timer, clock_now() + ORCM_SECOND);
}

static void
on_helper(struct timer *t)
{
	struct helper *h = t->arg;

	if (!h->connected && h->pid == 0)
		helper_start(h);
}

static void
helper_died(struct helper *h)
{
	uint64_t now = clock_now(), wait = 0;

	if (h->connected || h->pid != 0 || o.ending)
		return;
	h->fails = now - h->since < HELPER_LIFE ? h->fails + 1 : 0;
	if (h->fails > 1)
		wait = 10 * ORCM_MS << (h->fails < 8 ? h->fails : 8);
	client_say(&o.client, "daemon", NULL, ORCM_RANK_NONE, "%s died",
	    h->name);
	if (wait == 0)
		helper_start(h);
	else
		loop_timer(&o.d.loop, &h->timer, now + wait);
}

static void
reaped(pid_t pid, int status)
{
	struct keep_in in = { .event = KEEP_IN_ORPHAN };
	uint32_t i;

	for (i = 0; i < HELPERS; i++)
		if (o.helpers[i].pid == pid) {
			o.helpers[i].pid = 0;
			helper_died(&o.helpers[i]);
			return;
		}
	for (i = 0; i < PROCS_MAX && o.children[i].pid != pid; i++)
		;
	if (i == PROCS_MAX)
		return;
	o.children[i].pid = 0;
	in.id = RECORD_ID_JOB(o.children[i].id);
	/* A keeper that found nobody to own the job: the job is over. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NODAEMON)
		feed(&in);
	/* One that never connected is lost here; others by their connection. */
	if (charge_of(o.children[i].id) == NULL)
		feed_process(o.children[i].id, PROC_IN_LOST, 0, 0);
}

static void
on_child(void *arg, int sig)
{
	int status;
	pid_t pid;

	(void)arg;
	(void)sig;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(pid, status);
}

/* Charges. */

static void
helper_came(struct charge_peer *c, const char *role)
{
	uint32_t i;

	for (i = 0; i < HELPERS; i++) {
		struct helper *h = &o.helpers[i];

		if (strcmp(h->name, role) != 0)
			continue;
		c->helper = h;
		h->connected = true;
		loop_timer_stop(&o.d.loop, &h->timer);
		client_say(&o.client, "daemon", NULL, ORCM_RANK_NONE,
		    "%s up pid=%u", h->name, c->pid);
		client_hurry(&o.client);
		tell_ready();
	}
}

static void
keeper_came(struct charge_peer *c, const struct wire_msg *m)
{
	uint32_t incarnation = (uint32_t)wire_num(m, TLV_INCARNATION);
	struct charge_peer *old = charge_of(wire_num(m, TLV_ID));

	if (old != NULL && old != c) {
		conn_close(&old->conn);
		old->used = false;
	}
	c->id = wire_num(m, TLV_ID);
	feed_process(c->id, PROC_IN_KEEPER, incarnation, c->pid);
	if (wire_num(m, TLV_STATE) == 0)
		return;
	if (wire_num(m, TLV_KEEPER) != 0)
		feed_process(c->id, PROC_IN_STARTED, incarnation,
		    (uint32_t)wire_num(m, TLV_KEEPER));
	if (wire_num(m, TLV_STATE) == 2 &&
	    wire_num(m, TLV_STATUS) != STATUS_NONE)
		feed_process(c->id, PROC_IN_ENDED, incarnation,
		    (uint32_t)wire_num(m, TLV_STATUS));
}

static void
on_charge(struct charge_peer *c, const struct wire_msg *m)
{
	char role[ORCM_NAME_MAX + 1];

	loop_timer_stop(&o.d.loop, &c->late);
	c->pid = (uint32_t)wire_num(m, TLV_PID);
	wire_str(m, TLV_ROLE, role, sizeof(role));
	if (wire_has(m, TLV_ID))
		keeper_came(c, m);
	else
		helper_came(c, role);
}

static void
say_end(const struct charge_peer *c, uint32_t status)
{
	const struct keep_job *j = keep_job(&o.keep, RECORD_ID_JOB(c->id));

	if (j == NULL)
		return;
	if (STATUS_IS_SIGNAL(status))
		client_say(&o.client, "exit", j->r.name, RECORD_RANK(c->id),
		    "signal=%u", STATUS_NUMBER(status));
	else
		client_say(&o.client, "exit", j->r.name, RECORD_RANK(c->id),
		    "status=%u", STATUS_NUMBER(status));
}

static void
on_frame(struct conn *conn, const struct wire_msg *m, int *fds, size_t fds_len)
{
	struct charge_peer *c = conn->arg;
	uint32_t incarnation = (uint32_t)wire_num(m, TLV_INCARNATION);

	(void)fds;
	(void)fds_len;
	if (m->h.type == WIRE_CHARGE) {
		on_charge(c, m);
		return;
	}
	if (c->id == 0)
		return;
	switch (m->h.type) {
	case WIRE_STARTED:
		feed_process(c->id, PROC_IN_STARTED, incarnation,
		    (uint32_t)wire_num(m, TLV_PID));
		break;
	case WIRE_ENDED:
		say_end(c, (uint32_t)wire_num(m, TLV_STATUS));
		feed_process(c->id, PROC_IN_ENDED, incarnation,
		    (uint32_t)wire_num(m, TLV_STATUS));
		break;
	case WIRE_FAILED:
		feed_process(c->id, PROC_IN_FAILED, incarnation,
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

	(void)why;
	loop_timer_stop(&o.d.loop, &c->late);
	c->used = false;
	if (c->helper != NULL) {
		c->helper->connected = false;
		helper_died(c->helper);
	} else if (c->id != 0) {
		feed_process(c->id, PROC_IN_LOST, 0, 0);
	}
	check_end();
}

static void
on_late(struct timer *t)
{
	struct charge_peer *c = t->arg;

	conn_close(&c->conn);
	c->used = false;
}

static void
take_charge(int fd)
{
	static const struct conn_ops ops = {
		.frame = on_frame,
		.end = on_end,
	};
	struct charge_peer *c = NULL;
	struct sock_peer who;
	uint32_t i;

	for (i = 0; i < CHARGES_MAX && c == NULL; i++)
		if (!o.charges[i].used)
			c = &o.charges[i];
	if (c == NULL || sock_peer(fd, &who) == -1 ||
	    (who.uid != geteuid() && who.uid != 0)) {
		close(fd);
		return;
	}
	memset(c, 0, sizeof(*c));
	conn_init(&c->conn, &o.d.loop, &ops, c);
	timer_init(&c->late, on_late, c);
	if (conn_open(&c->conn, fd, WIRE_BY_CHARGE, WIRE_CONTROL_MAX,
		65536) == -1)
		return;
	c->used = true;
	loop_timer(&o.d.loop, &c->late, clock_now() + CHARGE_TIME);
}

static void
on_listen(struct watch *w, short revents)
{
	int fd, i;

	(void)revents;
	for (i = 0; i < 32 && (fd = sock_accept(w->fd)) != -1; i++)
		take_charge(fd);
}

/* The end: jobs first, then the other daemons, then we. */

static void
finish(void)
{
	if (o.d.orphaned)
		path_run_remove(o.d.conf.run);
	loop_stop(&o.d.loop);
}

static void
check_end(void)
{
	uint32_t i;

	if (!o.ending)
		return;
	if (keep_jobs(&o.keep) > 0 && clock_now() < o.end_by)
		return;
	for (i = 0; i < CHARGES_MAX; i++)
		if (o.charges[i].used && o.charges[i].helper != NULL &&
		    !o.d.orphaned && o.d.conf.keep) {
			struct wire_header h = { .type = WIRE_END };
			uint8_t frame[WIRE_CONTROL_MAX];
			struct wr w;

			wire_begin(&w, frame, sizeof(frame), &h);
			(void)conn_send(&o.charges[i].conn, frame,
			    wire_end(&w, 0));
		}
	finish();
}

static void
on_end_late(struct timer *t)
{
	(void)t;
	check_end();
}

static void
on_stop(void *arg)
{
	struct keep_in in = { .event = KEEP_IN_JOB_GONE };
	uint32_t i;

	(void)arg;
	if (o.ending)
		return;
	o.ending = true;
	o.end_by = clock_now() + END_TIME;
	for (i = 0; i < o.keep.conf.jobs_max; i++)
		if (o.keep.jobs[i].used) {
			in.id = o.keep.jobs[i].id;
			feed(&in);
		}
	loop_timer(&o.d.loop, &o.end, o.end_by);
	check_end();
}

static void
on_state(void *arg)
{
	uint32_t i;

	(void)arg;
	fprintf(stderr, "orcmd: %u jobs\n", keep_jobs(&o.keep));
	for (i = 0; i < o.keep.conf.procs_max; i++) {
		const struct keep_proc *p = &o.keep.procs[i];

		if (p->used)
			fprintf(stderr, "orcmd: %s rank %u %s pid %u "
			    "incarnation %u keeper %u\n",
			    o.keep.jobs[p->job].r.name, p->rank,
			    proc_state_name(p->proc.r.state), p->proc.r.pid,
			    p->proc.r.incarnation, p->proc.r.keeper);
	}
}

static void
memory(void)
{
	struct keep_conf conf = { JOBS_MAX, PROCS_MAX };
	size_t size = keep_memory(&conf) +
	    CHARGES_MAX * sizeof(struct charge_peer) +
	    PROCS_MAX * sizeof(struct child) + 64;

	arena_init(&o.arena, daemon_memory(size), size);
	keep_init(&o.keep, &o.arena, &conf);
	o.charges = arena_alloc(&o.arena, CHARGES_MAX, sizeof(*o.charges));
	o.children = arena_alloc(&o.arena, PROCS_MAX, sizeof(*o.children));
	arena_seal(&o.arena);
}

static void
listen_on(void)
{
	char path[PATH_ROOM];

	if (path_program(o.d.conf.argv[0], "orcm-wrap", o.wrap) == -1)
		die_sys(EXIT_TEMP, "find orcm-wrap");
	if (path_join(o.d.conf.run, "orcmd.sock", path) == -1)
		die_sys(EXIT_USAGE, "%s", o.d.conf.run);
	watch_init(&o.listen, on_listen, NULL);
	o.listen.fd = sock_listen(path, 128);
	if (o.listen.fd == -1)
		die_sys(EXIT_TEMP, "listen on %s", path);
	if (loop_watch(&o.d.loop, &o.listen, POLLIN) == -1)
		die_sys(EXIT_TEMP, "%s", path);
}

int
main(int argc, char **argv)
{
	static const struct client_ops ops = {
		.publish = on_publish,
		.record = on_record,
		.synced = on_synced,
		.order = on_order,
	};
	uint32_t i;

	daemon_options(&o.d.conf, "orcmd", argc, argv);
	o.d.on_end = on_stop;
	o.d.on_state = on_state;
	daemon_begin(&o.d, CHARGES_MAX + 8, CHARGES_MAX + 32);
	memory();
	timer_init(&o.tick, on_tick, NULL);
	timer_init(&o.end, on_end_late, NULL);
	(void)loop_signal(&o.d.loop, SIGCHLD, on_child, NULL);
	listen_on();
	client_init(&o.client, &o.d.loop, &ops, NULL, "orcmd", "orcmd",
	    o.events);
	for (i = 0; i < HELPERS; i++) {
		timer_init(&o.helpers[i].timer, on_helper, &o.helpers[i]);
		helper_start(&o.helpers[i]);
	}
	if (client_start(&o.client, o.d.conf.run,
		RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_PROC) |
		    RECORD_BIT(RECORD_FLOW)) == -1)
		die_sys(EXIT_USAGE, "%s", o.d.conf.run);
	daemon_watch(&o.d);
	if (loop_run(&o.d.loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
	return EXIT_YES;
}
