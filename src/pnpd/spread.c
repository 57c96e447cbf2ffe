/* SPDX-License-Identifier: ISC */
/*
 * The core "sync" in orcm-pnpd: what it wants told goes out as frames, and
 * what other nodes tell goes in.  A peer's slot there is its node's place in
 * the mesh.  Events and orders between nodes pass here, too.
 */
#include <string.h>

#include "base/rd.h"
#include "pnpd/dvm.h"
#include "pnpd/pnpd.h"
#include "sys/clock.h"

#define ROW_SIZE 26u
#define SEALED_MAX (WIRE_CONTROL_MAX + MAC_TAG)

_Static_assert(SYNC_ROWS_MAX * ROW_SIZE == 1664, "as in wire.def");
_Static_assert(NODES_MAX <= SYNC_PEERS_MAX, "each node has a slot");

static void
begin(struct wr *w, uint8_t *frame, enum wire_type type, uint16_t flags)
{
	struct wire_header h = { .type = (uint8_t)type, .flags = flags };

	wire_begin(w, frame, WIRE_CONTROL_MAX, &h);
}

static void
say_have(struct node *n, const struct sync_out *o)
{
	uint8_t frame[SEALED_MAX], vector[SYNC_ROWS_MAX * ROW_SIZE];
	struct wr w, rows;
	uint32_t i;

	wr_init(&rows, vector, sizeof(vector));
	for (i = 0; i < o->rows_len; i++) {
		wr_u16(&rows, o->rows[i].owner);
		wr_u64(&rows, o->rows[i].epoch);
		wr_u64(&rows, o->rows[i].seq);
		wr_u64(&rows, o->rows[i].hash);
	}
	begin(&w, frame, WIRE_HAVE,
	    (o->last ? 0 : WIRE_FLAG_MORE) | (o->ask ? WIRE_FLAG_ASK : 0));
	wr_tlv(&w, TLV_VECTOR, vector, wr_size(&rows));
	(void)mesh_send(n, &w, frame, sizeof(frame));
}

static void
say_version(struct node *n, const struct sync_out *o)
{
	uint8_t frame[SEALED_MAX];
	struct wr w;

	begin(&w, frame, o->verb == SYNC_SEND_PULL ? WIRE_PULL : WIRE_WHOLE, 0);
	wr_tlv_u16(&w, TLV_OWNER, o->owner);
	wr_tlv_u64(&w, TLV_EPOCH, o->epoch);
	wr_tlv_u64(&w, TLV_SEQ, o->seq);
	if (o->verb == SYNC_SEND_WHOLE)
		wr_tlv_u8(&w, TLV_FLAGS, o->flags);
	(void)mesh_send(n, &w, frame, sizeof(frame));
}

static void
say_record(struct dvm *d, struct node *n, const struct picture_record *r)
{
	uint8_t frame[SEALED_MAX];
	struct wr w;

	pnpd_record(d->p, r, &w, frame);
	(void)mesh_send(n, &w, frame, sizeof(frame));
}

static void
perform(struct dvm *d, const struct sync_out *o)
{
	struct node *n = &d->mesh.nodes[o->peer];

	switch (o->verb) {
	case SYNC_TELL:
		pnpd_tell_record(d->p, o->record);
		d->fates_due |= o->record->kind == RECORD_FATE;
		break;
	case SYNC_EPOCH:
		dvm_renew(d, o->epoch);
		break;
	case SYNC_SEND_HAVE:
		say_have(n, o);
		break;
	case SYNC_SEND_PULL:
	case SYNC_SEND_WHOLE:
		say_version(n, o);
		break;
	case SYNC_SEND_RECORD:
		say_record(d, n, o->record);
		break;
	}
}

/* Lines whose queue is empty have room again. */
static bool
room_again(struct dvm *d)
{
	struct sync_in in = { .event = SYNC_IN_SENT };
	bool any = false;
	uint32_t i;

	for (i = 0; i < NODES_MAX; i++) {
		if (!d->sync.peers[i].up || d->sync.peers[i].sent == 0 ||
		    mesh_queued(&d->mesh.nodes[i]) > 0)
			continue;
		in.peer = i;
		sync_feed(&d->sync, clock_now(), &in);
		any = true;
	}
	return any;
}

void
spread_feed(struct dvm *d, const struct sync_in *in)
{
	struct sync_out out;

	sync_feed(&d->sync, clock_now(), in);
	do
		while (sync_take(&d->sync, &out))
			perform(d, &out);
	while (room_again(d));
}

static void
on_have(struct dvm *d, struct sync_in in, const struct wire_msg *m)
{
	struct sync_row rows[SYNC_ROWS_MAX];
	struct rd r;

	rd_init(&r, m->tlv[TLV_VECTOR].p, m->tlv[TLV_VECTOR].size);
	while (rd_left(&r) > 0 && in.rows_len < SYNC_ROWS_MAX) {
		rows[in.rows_len].owner = rd_u16(&r);
		rows[in.rows_len].epoch = rd_u64(&r);
		rows[in.rows_len].seq = rd_u64(&r);
		rows[in.rows_len++].hash = rd_u64(&r);
	}
	if (!rd_done(&r)) {
		d->malformed++;
		return;
	}
	in.event = SYNC_IN_HAVE;
	in.rows = rows;
	in.last = (m->h.flags & WIRE_FLAG_MORE) == 0;
	in.ask = (m->h.flags & WIRE_FLAG_ASK) != 0;
	spread_feed(d, &in);
}

static void
on_record(struct dvm *d, struct sync_in in, const struct wire_msg *m)
{
	struct picture_record r = {
		.kind = (uint8_t)wire_num(m, TLV_KIND),
		.id = wire_num(m, TLV_ID),
		.epoch = wire_num(m, TLV_EPOCH),
		.seq = wire_num(m, TLV_SEQ),
		.owner = (uint16_t)wire_num(m, TLV_OWNER),
		.dead = (m->h.flags & WIRE_FLAG_DEAD) != 0,
		.value = m->tlv[TLV_VALUE].p,
		.value_size = m->tlv[TLV_VALUE].size,
	};

	in.event = SYNC_IN_RECORD;
	in.record = &r;
	spread_feed(d, &in);
}

void
spread_frame(struct dvm *d, struct node *n, const struct wire_msg *m)
{
	struct sync_in in = {
		.peer = (uint32_t)(n - d->mesh.nodes),
		.owner = (uint16_t)wire_num(m, TLV_OWNER),
		.epoch = wire_num(m, TLV_EPOCH),
		.seq = wire_num(m, TLV_SEQ),
		.flags = (uint8_t)wire_num(m, TLV_FLAGS),
	};

	switch (m->h.type) {
	case WIRE_HAVE:
		on_have(d, in, m);
		break;
	case WIRE_RECORD:
		on_record(d, in, m);
		break;
	case WIRE_PULL:
		in.event = SYNC_IN_PULL;
		spread_feed(d, &in);
		break;
	case WIRE_WHOLE:
		in.event = SYNC_IN_WHOLE;
		spread_feed(d, &in);
		break;
	case WIRE_RISE:
		dvm_renew(d, in.epoch);
		break;
	case WIRE_EVENT:
		pnpd_event(d->p, n, m);
		break;
	case WIRE_ORDER:
		pnpd_order(d->p, NULL, n, m);
		break;
	case WIRE_REPLY:
		pnpd_reply(d->p, m);
		break;
	default:
		break;
	}
}
