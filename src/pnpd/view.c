/* SPDX-License-Identifier: ISC */
/*
 * The core "memb" in orcm-pnpd: what it decides about other nodes is done
 * here, told to those who watch nodes, logged and reported as an event.
 *
 * What this node sees of the others is shown to its own clients as records of
 * a kind of its own, made when they are asked for: they are not part of the
 * picture, because each node has its own view.
 */
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "pnpd/dvm.h"
#include "pnpd/pnpd.h"
#include "sys/clock.h"
#include "sys/log.h"

static const char *
name_of(struct dvm *d, uint16_t number)
{
	const struct node *n = mesh_node(&d->mesh, number);

	if (number == d->number)
		return d->p->d.conf.node;
	return n != NULL ? n->name : "-";
}

static void
tell_seen(struct dvm *d, struct peer *c, uint16_t number,
    const struct record_seen *seen)
{
	uint8_t frame[WIRE_CONTROL_MAX], value[RECORD_VALUE_MAX];
	struct picture_record r = {
		.owner = d->number,
		.kind = RECORD_SEEN,
		.id = number,
		.epoch = d->p->epoch,
		.seq = d->seen_seq,
		.value = value,
		.value_size = (uint16_t)record_seen_put(seen, value),
	};
	struct wr w;

	if (c == NULL) {
		pnpd_tell_record(d->p, &r);
		return;
	}
	pnpd_record(d->p, &r, &w, frame);
	pnpd_send(c, &w, frame);
}

static void
tell_other(struct dvm *d, struct peer *c, uint16_t number)
{
	const struct memb_node *m = memb_find(&d->memb, number);
	struct record_seen seen;

	memset(&seen, 0, sizeof(seen));
	(void)copy_str(seen.name, sizeof(seen.name), name_of(d, number));
	if (m != NULL) {
		seen.status = m->told;
		seen.epoch = m->told_epoch;
		seen.fit = m->told_fit;
		seen.connected = m->connected;
	}
	tell_seen(d, c, number, &seen);
}

static void
tell_own(struct dvm *d, struct peer *c)
{
	struct record_seen seen = {
		.status = MEMB_ALIVE,
		.epoch = d->p->epoch,
		.fit = true,
		.connected = true,
		.self = true,
	};

	if (d->on) {
		seen.agreed = d->memb.view.agreed;
		seen.quorate = d->memb.view.quorate;
	} else {
		seen.agreed = seen.quorate = true;
	}
	(void)copy_str(seen.name, sizeof(seen.name), d->p->d.conf.node);
	tell_seen(d, c, d->number, &seen);
}

void
view_tell(struct dvm *d, struct peer *c)
{
	uint32_t i;

	tell_own(d, c);
	for (i = 0; d->on && i < NODES_MAX; i++)
		if (d->mesh.nodes[i].used)
			tell_other(d, c, d->mesh.nodes[i].number);
}

/* Nothing waits for who is down, and nothing is queued for it. */
static void
hang_up(struct dvm *d, struct node *n)
{
	struct memb_in eof = { .event = MEMB_IN_EOF, .node = n->number };
	struct sync_in down = { .event = SYNC_IN_PEER_DOWN,
		.peer = (uint32_t)(n - d->mesh.nodes) };
	bool was = n->line != NULL;

	if (was)
		eof.epoch = n->line->stream.epoch;
	mesh_hang_up(n);
	if (!was)
		return;
	view_feed(d, &eof);
	spread_feed(d, &down);
}

static void
on_status(struct dvm *d, const struct memb_out *o)
{
	struct node *n = mesh_node(&d->mesh, o->node);
	const char *name = name_of(d, o->node);

	log_line(LOG_INFO, "node %s is %s (was %s), epoch %llu", name,
	    memb_status_name(o->status), memb_status_name(o->was),
	    (unsigned long long)o->epoch);
	pnpd_say(d->p, "node", "name=%s state=%s was=%s epoch=%llu", name,
	    memb_status_name(o->status), memb_status_name(o->was),
	    (unsigned long long)o->epoch);
	d->seen_seq++;
	tell_other(d, NULL, o->node);
	if (n == NULL || o->status < MEMB_DOWN)
		return;
	hang_up(d, n);
	n->forget = o->status == MEMB_DEAD || o->status == MEMB_LEFT;
}

static void
on_fate(struct dvm *d, const struct memb_fate *f)
{
	struct record_fate fate = { f->epoch, (uint32_t)f->status };
	uint8_t value[RECORD_VALUE_MAX];

	if (f->status == MEMB_ALIVE)
		pnpd_del_own(d->p, RECORD_FATE, f->subject);
	else
		pnpd_put_own(d->p, RECORD_FATE, f->subject, value,
		    record_fate_put(&fate, value));
}

static void
on_view(struct dvm *d, const struct memb_view *v)
{
	if (v->quorate != d->quorate) {
		d->quorate = v->quorate;
		log_line(LOG_WARN, v->quorate ?
		    "this side may act for all" : "this side may not act "
		    "for all: others may be doing so");
		pnpd_say(d->p, "quorum", "quorate=%s members=%u",
		    v->quorate ? "yes" : "no", v->members);
	}
	d->seen_seq++;
	tell_own(d, NULL);
}

static void
on_alarm(struct dvm *d, const struct memb_out *o)
{
	log_line(LOG_WARN, "node %s: %s (link %u)", name_of(d, o->node),
	    memb_alarm_name(o->alarm), o->link);
	pnpd_say(d->p, "alarm", "name=%s cause=%s link=%u",
	    name_of(d, o->node), memb_alarm_name(o->alarm), o->link);
}

static void
perform(struct dvm *d, const struct memb_out *o)
{
	struct node *n = mesh_node(&d->mesh, o->node);

	switch (o->kind) {
	case MEMB_OUT_STATUS:
		on_status(d, o);
		break;
	case MEMB_OUT_FIT:
		d->seen_seq++;
		tell_other(d, NULL, o->node);
		break;
	case MEMB_OUT_FATE:
		on_fate(d, &o->fate);
		break;
	case MEMB_OUT_VIEW:
		on_view(d, &o->view);
		break;
	case MEMB_OUT_RENEW:
		dvm_renew(d, o->epoch);
		break;
	case MEMB_OUT_BEAT:
		beats_send(d, o->beat);
		break;
	case MEMB_OUT_CONNECT:
		if (n != NULL)
			mesh_connect(&d->mesh, n);
		break;
	case MEMB_OUT_ALARM:
		on_alarm(d, o);
		break;
	case MEMB_OUT_LEASE:
	case MEMB_OUT_PULL:
		break;
	}
}

void
view_feed(struct dvm *d, const struct memb_in *in)
{
	if (!memb_feed(&d->memb, clock_now(), in))
		d->malformed++;
}

/* All that others have written about nodes; hearing it twice does nothing. */
static void
feed_fates(struct dvm *d)
{
	const struct picture_record *r;
	struct record_fate fate;
	uint32_t place = 0;

	d->fates_due = false;
	while ((r = picture_next(&d->p->picture, RECORD_BIT(RECORD_FATE),
		    &place)) != NULL) {
		struct memb_fate f = { .observer = r->owner,
			.subject = (uint16_t)r->id };
		struct memb_in in = { .event = MEMB_IN_FATE, .fate = &f };

		if (r->owner == d->number ||
		    !record_fate_get(&fate, r->value, r->value_size))
			continue;
		f.epoch = fate.epoch;
		f.status = (enum memb_status)fate.status;
		view_feed(d, &in);
	}
}

/* Forgets the records of nodes that are gone for good; was there one? */
static bool
forget(struct dvm *d)
{
	struct sync_in in = { .event = SYNC_IN_FORGET };
	bool any = false;
	uint32_t i;

	for (i = 0; i < NODES_MAX; i++) {
		if (!d->mesh.nodes[i].used || !d->mesh.nodes[i].forget)
			continue;
		d->mesh.nodes[i].forget = false;
		auth_forget(&d->auth, d->mesh.nodes[i].number);
		in.owner = d->mesh.nodes[i].number;
		spread_feed(d, &in);
		any = true;
	}
	return any;
}

void
view_run(struct dvm *d)
{
	struct memb_out out;

	do {
		if (d->fates_due)
			feed_fates(d);
		while (memb_take(&d->memb, &out))
			perform(d, &out);
	} while (forget(d) || d->fates_due);
}
