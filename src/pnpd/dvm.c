/* SPDX-License-Identifier: ISC */
/*
 * The network half of orcm-pnpd put together: sockets and cores are made from
 * the configuration, and whatever comes - a tick, a line's frame, a local
 * change - runs the cores until they want nothing more.
 */
#include "pnpd/dvm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/require.h"
#include "core/conf.h"
#include "lib/confload.h"
#include "pnpd/pnpd.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/keyfile.h"
#include "sys/log.h"

static void
run(struct dvm *d)
{
	view_run(d);
	loop_timer(d->mesh.loop, &d->tick, memb_due(&d->memb));
	loop_timer(d->mesh.loop, &d->repair, sync_due(&d->sync));
	loop_timer(d->mesh.loop, &d->late, netfault_due(&d->fault));
}

static void
feed_picture(struct dvm *d)
{
	const struct picture *pic = &d->p->picture;
	const struct picture_owner *own = picture_owner(pic, d->number);
	struct memb_in in = { .event = MEMB_IN_PICTURE,
		.seq = own != NULL ? own->seq : 0,
		.digest = picture_digest(pic) };

	view_feed(d, &in);
}

static void
on_tick(struct timer *t)
{
	struct dvm *d = t->arg;
	struct memb_in in = { .event = MEMB_IN_DRAINED };

	beats_drain(d);
	beats_challenge(d);
	feed_picture(d);
	view_feed(d, &in);
	run(d);
}

static void
on_repair(struct timer *t)
{
	struct dvm *d = t->arg;
	struct sync_in in = { .event = SYNC_IN_TICK };

	spread_feed(d, &in);
	run(d);
}

/* Datagrams that a fault has delayed. */
static void
on_late(struct timer *t)
{
	struct dvm *d = t->arg;

	netfault_turn(&d->fault, loop_now(d->mesh.loop));
	loop_timer(d->mesh.loop, &d->late, netfault_due(&d->fault));
}

static void
on_up(struct mesh *m, struct node *n)
{
	struct dvm *d = m->arg;
	struct memb_in up = { .event = MEMB_IN_UP,
		.node = n->number,
		.epoch = n->line->stream.epoch };
	struct sync_in in = { .event = SYNC_IN_PEER_UP,
		.peer = (uint32_t)(n - m->nodes),
		.owner = n->number };

	view_feed(d, &up);
	pnpd_history_to(d->p, n);
	spread_feed(d, &in);
	run(d);
}

static void
on_down(struct mesh *m, struct node *n, uint64_t epoch)
{
	struct dvm *d = m->arg;
	struct memb_in eof = { .event = MEMB_IN_EOF,
		.node = n->number,
		.epoch = epoch };
	struct sync_in in = { .event = SYNC_IN_PEER_DOWN,
		.peer = (uint32_t)(n - m->nodes) };

	view_feed(d, &eof);
	spread_feed(d, &in);
	run(d);
}

static void
on_idle(struct mesh *m, struct node *n)
{
	struct dvm *d = m->arg;
	struct sync_in in = { .event = SYNC_IN_SENT,
		.peer = (uint32_t)(n - m->nodes) };

	spread_feed(d, &in);
	run(d);
}

static void
on_refused(struct mesh *m, struct node *n)
{
	struct dvm *d = m->arg;
	struct memb_in in = { .event = MEMB_IN_REFUSED, .node = n->number };

	view_feed(d, &in);
	loop_timer(m->loop, &d->tick, memb_due(&d->memb));
}

static void
on_frame(struct mesh *m, struct node *n, const struct wire_msg *msg)
{
	spread_frame(m->arg, n, msg);
	run(m->arg);
}

void
dvm_changed(struct dvm *d)
{
	struct sync_in in = { .event = SYNC_IN_TICK };

	if (!d->on)
		return;
	spread_feed(d, &in);
	run(d);
}

static const struct mesh_ops mesh_ops = {
	.up = on_up,
	.down = on_down,
	.idle = on_idle,
	.refused = on_refused,
	.frame = on_frame,
};

/*
 * All who outlive this program have said what they have; the owners of jobs
 * are not counted, and get some time more.
 */
static void
on_settle(struct timer *t)
{
	struct dvm *d = t->arg;
	struct sync_in in = { .event = SYNC_IN_SETTLED };

	spread_feed(d, &in);
	run(d);
}

void
dvm_settled(struct dvm *d)
{
	if (d->on)
		loop_timer(d->mesh.loop, &d->settle,
		    clock_now() + OWNERS_TIME);
}

void
dvm_renew(struct dvm *d, uint64_t epoch)
{
	log_line(LOG_WARN, "others know a later life of this node, or have "
	    "given it up: going on as epoch %llu",
	    (unsigned long long)epoch + 1);
	if (pnpd_keep_epoch(d->p, epoch) == 0)
		daemon_again(&d->p->d);
}

/* How many daemons share this host's processors, as far as one can tell. */
static uint32_t
neighbours(const struct conf *c)
{
	uint32_t i, n = 0;

	for (i = 0; i < c->nodes_len; i++)
		n += c->nodes[i].addr_len > 0 &&
		    c->nodes[i].addr[0].family == ADDR_V4 &&
		    c->nodes[i].addr[0].ip[0] == 127;
	return n > 0 ? n : 1;
}

static void
times(struct memb_times *t, const struct conf *c)
{
	static const char *const names[] = {
		[CONF_PROFILE_CARRIER] = "carrier",
		[CONF_PROFILE_DEFAULT] = "default",
		[CONF_PROFILE_RELAXED] = "relaxed",
		[CONF_PROFILE_AUTO] = "auto",
	};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	REQUIRE(memb_profile(t, names[c->dvm.profile], c->nodes_len,
	    neighbours(c), cores < 1 ? 1 : (uint32_t)cores));
	t->relocate_hold = c->dvm.relocate_hold;
	t->boot_wait = c->dvm.boot_wait;
	t->lone_boot = c->dvm.lone_boot;
}

static void
quorum(struct memb_quorum *q, const struct conf *c)
{
	uint32_t i;

	q->two_node = (enum memb_two_node)c->dvm.two_node;
	if (c->dvm.primary != CONF_NONE)
		q->primary = (uint16_t)c->nodes[c->dvm.primary].id;
	for (i = 0; i < c->dvm.ties_len && i < MEMB_TIES_MAX; i++)
		q->ties[q->ties_len++] = (uint16_t)c->nodes[c->dvm.ties[i]].id;
}

_Static_assert((int)CONF_TAKEOVER == MEMB_TAKEOVER &&
		   (int)CONF_STRICT == MEMB_STRICT &&
		   (int)CONF_WITNESS == MEMB_WITNESS,
    "the same words");

static void
cores(struct dvm *d, const struct conf *c, const struct conf_node *own)
{
	struct auth_conf ac = { .dvm = c->dvm.id,
		.node = d->number,
		.epoch = d->p->epoch,
		.nodes_max = NODES_MAX };
	struct memb_conf mc = { .node = d->number,
		.epoch = d->p->epoch,
		.votes = own->votes,
		.expected = true,
		.nodes_max = NODES_MAX,
		.links = (uint8_t)own->addr_len };
	struct sync_conf sc = { .peers_max = NODES_MAX,
		.window = DVM_WINDOW };
	struct arena arena;
	struct node *nodes;
	struct line *lines;
	size_t size;

	times(&mc.times, c);
	quorum(&mc.quorum, c);
	sc.patience = 2 * mc.times.period;
	if (entropy(&mc.seed, sizeof(mc.seed)) == -1 ||
	    entropy(ac.seed, sizeof(ac.seed)) == -1)
		die_sys(EXIT_TEMP, "randomness of the system");
	size = auth_memory(&ac) + memb_memory(&mc) +
	       sync_memory(&sc, &d->p->picture.conf) +
	       NODES_MAX * sizeof(*nodes) + LINES_MAX * sizeof(*lines) + 128;
	arena_init(&arena, daemon_memory(size), size);
	auth_init(&d->auth, &arena, &ac);
	memset(ac.seed, 0, sizeof(ac.seed));
	memb_init(&d->memb, &arena, &mc, clock_now());
	sync_init(&d->sync, &arena, &d->p->picture, &sc);
	nodes = arena_alloc(&arena, NODES_MAX, sizeof(*nodes));
	lines = arena_alloc(&arena, LINES_MAX, sizeof(*lines));
	arena_seal(&arena);
	mesh_init(&d->mesh, &d->p->d.loop, &mesh_ops, d, &d->auth, &d->fault,
	    nodes, lines);
}

static void
keys(struct dvm *d)
{
	char path[PATH_ROOM], why[KEYFILE_WHY];
	struct keyfile k;
	size_t i;

	if (path_key(d->p->d.conf.dvm, path) == -1)
		die_sys(EXIT_USAGE, "no place for the key: name one by "
		    "ORCM_KEY");
	if (path_parents(path) == -1)
		die_sys(EXIT_USAGE, "the directory of the key %s", path);
	if (keyfile_open(path, &k, why) == -1)
		die(EXIT_USAGE, "%s", why);
	for (i = 0; i < k.len; i++) {
		REQUIRE(auth_key_add(&d->auth, k.keys[i].id, k.keys[i].key));
		if (k.keys[i].send)
			REQUIRE(auth_key_use(&d->auth, k.keys[i].id));
	}
	keyfile_wipe(&k);
}

/* For tests of what runs above: a network that fails as it is told. */
static void
faults(struct dvm *d)
{
	const char *rules = getenv("ORCM_FAULT");
	char why[NETFAULT_WHY];

	netfault_init(&d->fault, d->number);
	if (rules == NULL || rules[0] == '\0')
		return;
	if (!netfault_set(&d->fault, rules, why))
		die(EXIT_USAGE, "ORCM_FAULT: %s", why);
	log_line(LOG_WARN, "ORCM_FAULT is set: the network fails on purpose");
}

/* An address without a port has the DVM's by now. */
static void
address(struct net_addr *out, const struct addr *a)
{
	if (!net_from(out, a))
		die(EXIT_USAGE, "an address of a kind that this system lacks");
}

static void
others(struct dvm *d, const struct conf *c)
{
	struct memb_in in = { .event = MEMB_IN_PEER, .expected = true };
	const struct conf_node *o;
	struct node *n;
	uint32_t i, link;

	for (i = 0; i < c->nodes_len; i++) {
		o = &c->nodes[i];
		if (o->id == d->number)
			continue;
		n = mesh_add(&d->mesh, (uint16_t)o->id, o->name);
		REQUIRE(n != NULL);
		for (link = 0; link < o->addr_len && link < LINKS_MAX; link++)
			address(&n->addrs[link], &o->addr[link]);
		in.node = (uint16_t)o->id;
		in.votes = o->votes;
		view_feed(d, &in);
	}
}

static void
sockets(struct dvm *d, const struct conf_node *own)
{
	char text[NET_TEXT];
	unsigned i;

	for (i = 0; i < own->addr_len; i++) {
		address(&d->mesh.addrs[i], &own->addr[i]);
		d->udp[i].fd = net_udp(&d->mesh.addrs[i]);
		if (d->udp[i].fd == -1)
			break;
		d->mesh.links++;
	}
	if (i == own->addr_len && mesh_listen(&d->mesh, &i) == 0)
		return;
	net_text(&d->mesh.addrs[i], text);
	if (errno == EADDRINUSE)
		die(EXIT_USAGE, "%s is in use: is another daemon of node %s "
		    "running?", text, own->name);
	if (errno == EADDRNOTAVAIL)
		die(EXIT_USAGE, "%s is no address of this host: correct addr= "
		    "of node %s", text, own->name);
	die_sys(EXIT_TEMP, "address %s of node %s", text, own->name);
}

/* All that is wrong with it is told before we go. */
static struct conf *
load(const char *source)
{
	struct conf *c = confload_new();
	const struct conf_error *e;
	uint32_t i;

	if (c == NULL)
		die_sys(EXIT_TEMP, "memory for the configuration");
	if (confload(c, source, true))
		return c;
	for (i = 0; i < c->errors_len; i++) {
		e = &c->errors[i];
		log_line(LOG_ERROR, "%s:%u: %s", e->place.file, e->place.line,
		    e->text);
	}
	die(EXIT_USAGE, "%s: not a configuration that can be used: see "
	    "orcm-conf check", source);
}

void
dvm_conf(struct dvm *d, struct pnpd *p)
{
	const struct daemon_conf *dc = &p->d.conf;
	uint32_t own;

	d->p = p;
	d->number = NUMBER_ALONE;
	if (dc->source == NULL)
		return;
	d->conf = load(dc->source);
	own = conf_find(d->conf, CONF_NODE, dc->node);
	if (own == CONF_NONE)
		die(EXIT_USAGE, "%s: there is no node %s: add it there, or "
		    "choose another name with -N", dc->source, dc->node);
	d->own = &d->conf->nodes[own];
	d->number = (uint16_t)d->own->id;
	d->on = d->own->addr_len > 0;
}

void
dvm_begin(struct dvm *d)
{
	if (!d->on)
		return;
	timer_init(&d->tick, on_tick, d);
	timer_init(&d->repair, on_repair, d);
	timer_init(&d->settle, on_settle, d);
	timer_init(&d->late, on_late, d);
	faults(d);
	cores(d, d->conf, d->own);
	keys(d);
	sockets(d, d->own);
	others(d, d->conf);
	loop_timer(&d->p->d.loop, &d->settle, clock_now() + SETTLE_TIME);
	run(d);
	confload_free(d->conf);
	d->conf = NULL;
	d->own = NULL;
}

void
dvm_state(struct dvm *d)
{
	const struct memb_node *n;
	const struct node *o;
	uint32_t i;

	if (!d->on)
		return;
	fprintf(stderr, "orcm-pnpd: period %llu ms, late by %llu ms at most, "
	    "local health %u of 7, digest %016llx, %llu frames of no use\n",
	    (unsigned long long)(d->memb.conf.times.period / ORCM_MS),
	    (unsigned long long)(d->memb.late_before / ORCM_MS), d->memb.lh,
	    (unsigned long long)picture_digest(&d->p->picture),
	    (unsigned long long)d->malformed);
	if (d->fault.rules_len > 0)
		fprintf(stderr, "orcm-pnpd: ORCM_FAULT: %llu of %llu datagrams "
		    "lost\n", (unsigned long long)(d->fault.counts.dropped +
			d->fault.counts.full),
		    (unsigned long long)d->fault.counts.seen);
	for (i = 0; i < NODES_MAX; i++) {
		o = &d->mesh.nodes[i];
		if (!o->used || (n = memb_find(&d->memb, o->number)) == NULL)
			continue;
		fprintf(stderr, "orcm-pnpd: node %s %s epoch %llu, suspected "
		    "after %llu ms, %zu bytes queued\n", o->name,
		    memb_status_name(n->status), (unsigned long long)n->epoch,
		    (unsigned long long)(memb_t1(&d->memb, n, 0) / ORCM_MS),
		    mesh_queued(o));
	}
}

void
dvm_end(struct dvm *d)
{
	struct memb_in in = { .event = MEMB_IN_LEAVE };
	unsigned i;

	if (!d->on)
		return;
	view_feed(d, &in);
	view_run(d);
	beats_bye(d);
	mesh_end(&d->mesh);
	for (i = 0; i < d->mesh.links; i++)
		close(d->udp[i].fd);
	auth_wipe(&d->auth);
}
