/* SPDX-License-Identifier: ISC */
/*
 * What passes through orcm-pnpd without being a record: events, which are
 * kept for a while, and orders with their replies.
 */
#include "pnpd/pnpd.h"

#include <string.h>

/* An order's number on its way: which client it came from is put on top. */
#define ORDER_PEER_SHIFT 48

_Static_assert(CLIENT_EVENT_TEXT + 4 * 64 + WIRE_HEADER + 48 <= EVENT_MAX,
    "an event fits");

/* The event at a place of the history; its size in the ring. */
static size_t
past_at(const struct pnpd *p, uint64_t at, uint8_t *frame, uint16_t *size)
{
	struct ring r = p->past;

	r.tail = at;
	(void)ring_read(&r, size, sizeof(*size));
	(void)ring_read(&r, frame, *size);
	return sizeof(*size) + *size;
}

/* The same event again, after a reconnection of its sender. */
static bool
past_has(const struct pnpd *p, const uint8_t *frame, size_t size)
{
	uint8_t old[EVENT_MAX];
	uint16_t old_size;
	uint64_t at = p->past.tail;

	while (at < p->past.head) {
		at += past_at(p, at, old, &old_size);
		if (old_size == size &&
		    memcmp(old + WIRE_HEADER, frame + WIRE_HEADER,
			size - WIRE_HEADER) == 0)
			return true;
	}
	return false;
}

static void
past_add(struct pnpd *p, const uint8_t *frame, size_t size)
{
	uint8_t old[EVENT_MAX];
	uint16_t own = (uint16_t)size, old_size;

	while (ring_free(&p->past) < sizeof(own) + size) {
		ring_drop(&p->past, past_at(p, p->past.tail, old, &old_size));
		p->past_len--;
	}
	(void)ring_write(&p->past, &own, sizeof(own));
	(void)ring_write(&p->past, frame, size);
	p->past_len++;
}

void
pnpd_event(struct pnpd *p, const struct wire_msg *m)
{
	const uint8_t *frame = m->payload - m->h.tlv_size - WIRE_HEADER;
	uint32_t i;

	if (m->h.size > EVENT_MAX || past_has(p, frame, m->h.size))
		return;
	past_add(p, frame, m->h.size);
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p->peers[i].used && (p->peers[i].kinds & CLIENT_SUB_EVENTS))
			(void)conn_send(&p->peers[i].conn, frame, m->h.size);
}

void
pnpd_history(struct pnpd *p, struct peer *c)
{
	uint8_t frame[EVENT_MAX];
	uint16_t size;
	uint64_t at = p->past.tail;

	while (at < p->past.head) {
		at += past_at(p, at, frame, &size);
		(void)conn_send(&c->conn, frame, size);
	}
}

/* The connection of the client that an order is for, or NULL. */
static struct peer *
order_target(struct pnpd *p, const struct wire_msg *m)
{
	char to[ORCM_NAME_MAX + 1], name[ORCM_NAME_MAX + 1];
	const struct picture_record *r;
	struct record_job job;
	uint32_t i, place = 0, writer = 0;

	wire_str(m, TLV_TO, to, sizeof(to));
	wire_str(m, TLV_JOB, name, sizeof(name));
	if (strcmp(to, "owner") == 0)
		while ((r = picture_next(&p->picture, RECORD_BIT(RECORD_JOB),
			    &place)) != NULL)
			if (record_job_get(&job, r->value, r->value_size) &&
			    strcmp(job.name, name) == 0)
				writer = r->writer;
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p->peers[i].used && p->peers[i].hello &&
		    (writer != 0 ? p->peers[i].writer == writer
				 : strcmp(p->peers[i].role, to) == 0))
			return &p->peers[i];
	return NULL;
}

void
pnpd_order(struct pnpd *p, struct peer *c, const struct wire_msg *m)
{
	struct peer *to = order_target(p, m);
	uint64_t id = wire_num(m, TLV_ORDER);
	uint8_t frame[WIRE_CONTROL_MAX];
	char text[64];
	struct wr w;

	if (to == NULL) {
		pnpd_begin(p, &w, frame, WIRE_REPLY, 0);
		wr_tlv_u64(&w, TLV_ORDER, id);
		wr_tlv_u16(&w, TLV_CODE, 1);
		wr_tlv_str(&w, TLV_TEXT, "no such job or program");
		pnpd_send(c, &w, frame);
		return;
	}
	id = (id & ((UINT64_C(1) << ORDER_PEER_SHIFT) - 1)) |
	     (uint64_t)(c - p->peers + 1) << ORDER_PEER_SHIFT;
	pnpd_begin(p, &w, frame, WIRE_ORDER, 0);
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
	pnpd_send(to, &w, frame);
}

void
pnpd_reply(struct pnpd *p, const struct wire_msg *m)
{
	uint64_t id = wire_num(m, TLV_ORDER);
	uint64_t from = id >> ORDER_PEER_SHIFT;
	uint8_t frame[WIRE_CONTROL_MAX];
	char text[256];
	struct wr w;

	if (from == 0 || from > CLIENTS_MAX || !p->peers[from - 1].used)
		return;
	pnpd_begin(p, &w, frame, WIRE_REPLY, 0);
	wr_tlv_u64(&w, TLV_ORDER, id & ((UINT64_C(1) << ORDER_PEER_SHIFT) - 1));
	wr_tlv_u16(&w, TLV_CODE, (uint16_t)wire_num(m, TLV_CODE));
	wire_str(m, TLV_TEXT, text, sizeof(text));
	wr_tlv_str(&w, TLV_TEXT, text);
	pnpd_send(&p->peers[from - 1], &w, frame);
}
