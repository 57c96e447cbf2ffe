/* SPDX-License-Identifier: ISC */
/*
 * Datagrams between nodes: beats, challenges and their proofs.  They are read
 * only at the ticks of the core "memb", all of them before it judges: so a
 * daemon that slept accuses nobody, and a packet costs no wake-up.
 *
 * Nothing is answered or kept that was not sealed with a key of this DVM, and
 * nothing but a challenge's answer before its sender has proven that it lives.
 */
#include <string.h>

#include "core/beat.h"
#include "pnpd/dvm.h"
#include "pnpd/pnpd.h"
#include "sys/clock.h"

#define DRAIN_MAX 4096 /* datagrams a link and tick: a flood is left behind */

static void
send_to(struct dvm *d, const struct node *n, unsigned link,
    const uint8_t *frame, size_t size)
{
	uint8_t datagram[NET_DATAGRAM];

	if (n->addrs[link].size == 0)
		return;
	memcpy(datagram, frame, size);
	size = auth_seal(&d->auth, n->number, datagram, size, sizeof(datagram));
	/* What cannot be sent now is as good as lost on the way. */
	if (size > 0)
		(void)netfault_send(&d->fault, d->udp[link].fd,
		    &n->addrs[link], datagram, size,
		    loop_now(d->mesh.loop));
}

/* On all links: one of them may be cut. */
static void
send_on_all(struct dvm *d, uint16_t number, const uint8_t *frame, size_t size)
{
	const struct node *n = mesh_node(&d->mesh, number);
	unsigned i;

	for (i = 0; n != NULL && size > 0 && i < d->mesh.links; i++)
		send_to(d, n, i, frame, size);
}

void
beats_send(struct dvm *d, const struct memb_beat *b)
{
	uint8_t frame[NET_DATAGRAM];
	size_t size = beat_put(b, frame, sizeof(frame));
	uint32_t i;

	for (i = 0; i < NODES_MAX; i++)
		if (d->mesh.nodes[i].used)
			send_to(d, &d->mesh.nodes[i], b->link, frame, size);
}

void
beats_challenge(struct dvm *d)
{
	struct wire_header h = { .type = WIRE_CHALLENGE };
	uint8_t frame[WIRE_CONTROL_MAX];
	struct auth_out out;
	struct wr w;

	while (auth_take(&d->auth, &out)) {
		wire_begin(&w, frame, sizeof(frame), &h);
		wr_tlv(&w, TLV_NONCE, out.nonce, sizeof(out.nonce));
		send_on_all(d, out.node, frame, wire_end(&w, 0));
	}
}

static void
challenged(
    struct dvm *d, const struct auth_from *from, const struct wire_msg *m)
{
	struct wire_header h = { .type = WIRE_PROOF };
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;

	if (!auth_challenged(&d->auth, clock_now(), from))
		return;
	wire_begin(&w, frame, sizeof(frame), &h);
	wr_tlv(&w, TLV_NONCE, m->tlv[TLV_NONCE].p, m->tlv[TLV_NONCE].size);
	send_on_all(d, from->node, frame, wire_end(&w, 0));
}

static void
take_beat(struct dvm *d, const struct wire_msg *m)
{
	struct memb_in in = { .event = MEMB_IN_BEAT };
	struct sync_in differs = { .event = SYNC_IN_DIGEST };
	const struct node *n;
	struct memb_beat b;

	if (!beat_get(&b, m)) {
		d->malformed++;
		return;
	}
	in.beat = &b;
	view_feed(d, &in);
	n = mesh_node(&d->mesh, b.node);
	if (n == NULL || n->line == NULL)
		return;
	differs.peer = (uint32_t)(n - d->mesh.nodes);
	differs.digest = b.digest;
	/* Nearly all beats say that all is as it was. */
	if (!d->sync.peers[differs.peer].same ||
	    b.digest != picture_digest(&d->p->picture))
		spread_feed(d, &differs);
}

static void
take_bye(struct dvm *d, const struct auth_from *from)
{
	struct memb_in in = { .event = MEMB_IN_BYE,
		.node = from->node,
		.epoch = from->epoch };

	view_feed(d, &in);
}

static void
take_datagram(struct dvm *d, const uint8_t *p, size_t size)
{
	enum auth_verdict v;
	struct auth_from from;
	struct wire_msg m;

	v = auth_open(&d->auth, clock_now(), AUTH_UNICAST, p, size, &from);
	if (v != AUTH_OK && v != AUTH_UNPROVEN)
		return;
	if (wire_parse(&m, p, size - MAC_TAG, WIRE_BY_NODE) != WIRE_OK) {
		d->malformed++;
		return;
	}
	if (m.h.type == WIRE_CHALLENGE)
		challenged(d, &from, &m);
	else if (m.h.type == WIRE_PROOF)
		(void)auth_proved(
		    &d->auth, clock_now(), &from, m.tlv[TLV_NONCE].p);
	else if (v == AUTH_OK && m.h.type == WIRE_BEAT)
		take_beat(d, &m);
	else if (v == AUTH_OK && m.h.type == WIRE_BYE)
		take_bye(d, &from);
}

void
beats_drain(struct dvm *d)
{
	uint8_t datagram[NET_DATAGRAM];
	uint64_t now = loop_now(d->mesh.loop);
	struct net_addr from;
	unsigned link;
	size_t size;
	ssize_t n;
	int i;

	for (link = 0; link < d->mesh.links; link++)
		for (i = 0; i < DRAIN_MAX; i++) {
			n = net_recv(d->udp[link].fd, &from, datagram,
			    sizeof(datagram));
			if (n == -1)
				break;
			if ((size_t)n <= sizeof(datagram) &&
			    netfault_in(&d->fault, &from, datagram, (size_t)n,
				now))
				take_datagram(d, datagram, (size_t)n);
		}
	while ((size = netfault_take(&d->fault, &from, datagram, now)) > 0)
		take_datagram(d, datagram, size);
}

void
beats_bye(struct dvm *d)
{
	struct wire_header h = { .type = WIRE_BYE };
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wr w;
	uint32_t i;
	size_t size;

	wire_begin(&w, frame, sizeof(frame), &h);
	size = wire_end(&w, 0);
	for (i = 0; i < NODES_MAX; i++)
		if (d->mesh.nodes[i].used)
			send_on_all(
			    d, d->mesh.nodes[i].number, frame, size);
}
