/* SPDX-License-Identifier: ISC */
/*
 * Events: what happened, told to whoever listens and kept for a while.  Those
 * of a node's clients go to all nodes, so that each of them tells the same;
 * what a node sees of others it tells its own clients only, because all see
 * it.  Whose an event is stands in its header.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pnpd/pnpd.h"
#include "sys/clock.h"

#define AT_SENDER 20 /* in a frame's header */

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

static bool
same_event(const uint8_t *a, const uint8_t *b, size_t size)
{
	return memcmp(a + AT_SENDER, b + AT_SENDER, 2) == 0 &&
	       memcmp(a + WIRE_HEADER, b + WIRE_HEADER, size - WIRE_HEADER) ==
		   0;
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
		if (old_size == size && same_event(old, frame, size))
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

/* Keeps it and tells our clients; false: it was known. */
static bool
take_event(struct pnpd *p, const uint8_t *frame, size_t size)
{
	uint32_t i;

	if (past_has(p, frame, size))
		return false;
	past_add(p, frame, size);
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p->peers[i].used && (p->peers[i].kinds & CLIENT_SUB_EVENTS))
			(void)conn_send(&p->peers[i].conn, frame, size);
	return true;
}

void
pnpd_event(struct pnpd *p, const struct node *n, const struct wire_msg *m)
{
	uint16_t number = n != NULL ? n->number : p->dvm.number;
	uint8_t frame[EVENT_MAX];
	size_t size = m->h.size;
	uint32_t i;

	if (size > sizeof(frame))
		return;
	memcpy(frame, m->payload - m->h.tlv_size - WIRE_HEADER, size);
	frame[AT_SENDER] = (uint8_t)(number >> 8);
	frame[AT_SENDER + 1] = (uint8_t)number;
	if (!take_event(p, frame, size) || n != NULL || !p->dvm.on)
		return;
	for (i = 0; i < NODES_MAX; i++)
		if (p->dvm.mesh.nodes[i].used)
			(void)mesh_pass(&p->dvm.mesh.nodes[i], frame, size);
}

void
pnpd_say(struct pnpd *p, const char *name, const char *fmt, ...)
{
	uint8_t frame[WIRE_CONTROL_MAX];
	char text[CLIENT_EVENT_TEXT];
	va_list ap;
	struct wr w;
	size_t size;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pnpd_begin(p, &w, frame, WIRE_EVENT, 0);
	wr_tlv_u64(&w, TLV_TIME, clock_wall_ms());
	wr_tlv_u64(&w, TLV_SEQ, ++p->event_seq);
	wr_tlv_str(&w, TLV_ROLE, "orcm-pnpd");
	wr_tlv_u32(&w, TLV_PID, (uint32_t)getpid());
	wr_tlv_str(&w, TLV_NAME, name);
	wr_tlv_str(&w, TLV_TEXT, text);
	size = wire_end(&w, 0);
	if (size > 0 && size <= EVENT_MAX)
		(void)take_event(p, frame, size);
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

void
pnpd_history_to(struct pnpd *p, struct node *n)
{
	uint8_t frame[EVENT_MAX];
	struct wire_msg m;
	char role[ORCM_NAME_MAX + 1];
	uint16_t size;
	uint64_t at = p->past.tail;

	while (at < p->past.head) {
		at += past_at(p, at, frame, &size);
		if (wire_parse(&m, frame, size, WIRE_BY_ANY) != WIRE_OK ||
		    m.h.sender >> 16 != p->dvm.number)
			continue;
		wire_str(&m, TLV_ROLE, role, sizeof(role));
		if (strcmp(role, "orcm-pnpd") != 0)
			(void)mesh_pass(n, frame, size);
	}
}
