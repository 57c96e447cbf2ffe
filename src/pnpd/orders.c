/* SPDX-License-Identifier: ISC */
/*
 * Orders and their replies.  An order for a program of this node goes to its
 * client; one for the owner of another node's job goes there.  Whom a reply
 * goes back to travels in the upper half of the order's number: 16 bits for
 * who brought it here, and 16 for who brought it to the node before.
 */
#include "pnpd/pnpd.h"

#include <string.h>

#define ID_BITS 32 /* of the number that a client chose */
#define BEFORE_SHIFT 32
#define FROM_SHIFT 48
#define FROM_NODE 0x8000u /* a node's place in the mesh, else a client's */

_Static_assert(CLIENTS_MAX < FROM_NODE, "clients and nodes are told apart");

/* Where the owner of the job of that name is; true: on this node. */
static bool
owner_of(struct pnpd *p, const char *name, uint32_t *writer, uint16_t *number)
{
	const struct picture_record *r;
	struct record_job job;
	uint32_t place = 0;

	while ((r = picture_next(&p->picture, RECORD_BIT(RECORD_JOB),
		    &place)) != NULL) {
		if (!record_job_get(&job, r->value, r->value_size) ||
		    strcmp(job.name, name) != 0)
			continue;
		*writer = r->writer;
		*number = r->owner;
		return r->owner == p->dvm.number;
	}
	return false;
}

/* The client that an order is for, or NULL and perhaps the node. */
static struct peer *
order_target(struct pnpd *p, const struct wire_msg *m, struct node **node)
{
	char to[ORCM_NAME_MAX + 1], name[ORCM_NAME_MAX + 1];
	uint32_t i, writer = 0;
	uint16_t number = 0;
	bool owner;

	*node = NULL;
	wire_str(m, TLV_TO, to, sizeof(to));
	wire_str(m, TLV_JOB, name, sizeof(name));
	owner = strcmp(to, "owner") == 0;
	if (owner && !owner_of(p, name, &writer, &number)) {
		if (number != 0 && p->dvm.on)
			*node = mesh_node(&p->dvm.mesh, number);
		return NULL;
	}
	for (i = 0; i < CLIENTS_MAX; i++)
		if (p->peers[i].used && p->peers[i].hello &&
		    (owner ? p->peers[i].writer == writer
			   : strcmp(p->peers[i].role, to) == 0))
			return &p->peers[i];
	return NULL;
}

/* To a client of ours or, when c is NULL, to a node. */
static bool
send_either(struct peer *c, struct node *n, struct wr *w, uint8_t *frame,
    size_t room)
{
	if (c == NULL)
		return mesh_send(n, w, frame, room);
	pnpd_send(c, w, frame);
	return true;
}

static void
reply(struct pnpd *p, struct peer *c, struct node *n, uint64_t id,
    uint32_t code, const char *text)
{
	uint8_t frame[WIRE_CONTROL_MAX + MAC_TAG];
	struct wr w;

	pnpd_begin(p, &w, frame, WIRE_REPLY, 0);
	wr_tlv_u64(&w, TLV_ORDER, id);
	wr_tlv_u16(&w, TLV_CODE, (uint16_t)code);
	wr_tlv_str(&w, TLV_TEXT, text);
	(void)send_either(c, n, &w, frame, sizeof(frame));
}

/* The number under which the order goes on. */
static uint64_t
order_number(struct pnpd *p, struct peer *c, struct node *n, uint64_t id)
{
	uint64_t from = c != NULL ?
	    (uint64_t)(c - p->peers + 1) :
	    FROM_NODE | (uint64_t)(n - p->dvm.mesh.nodes);
	uint64_t before = id >> FROM_SHIFT;

	id &= (UINT64_C(1) << ID_BITS) - 1;
	return from << FROM_SHIFT | before << BEFORE_SHIFT | id;
}

void
pnpd_order(struct pnpd *p, struct peer *c, struct node *n,
    const struct wire_msg *m)
{
	struct node *there;
	struct peer *to = order_target(p, m, &there);
	uint64_t id = wire_num(m, TLV_ORDER);
	uint8_t frame[WIRE_CONTROL_MAX + MAC_TAG];
	char text[256];
	struct wr w;

	/* What a node passes on to us is for us: no rounds. */
	if (to == NULL && (there == NULL || n != NULL)) {
		reply(p, c, n, id, 1, "no such job or program");
		return;
	}
	pnpd_begin(p, &w, frame, WIRE_ORDER, 0);
	wr_tlv_u64(&w, TLV_ORDER, order_number(p, c, n, id));
	wire_str(m, TLV_TO, text, sizeof(text));
	wr_tlv_str(&w, TLV_TO, text);
	wr_tlv_u8(&w, TLV_VERB, (uint8_t)wire_num(m, TLV_VERB));
	if (wire_has(m, TLV_JOB)) {
		wire_str(m, TLV_JOB, text, sizeof(text));
		wr_tlv_str(&w, TLV_JOB, text);
	}
	if (wire_has(m, TLV_SIGNAL))
		wr_tlv_u8(&w, TLV_SIGNAL, (uint8_t)wire_num(m, TLV_SIGNAL));
	if (!send_either(to, there, &w, frame, sizeof(frame)))
		reply(p, c, n, id, 111, "its node cannot be reached now");
}

void
pnpd_reply(struct pnpd *p, const struct wire_msg *m)
{
	uint64_t id = wire_num(m, TLV_ORDER);
	uint64_t from = id >> FROM_SHIFT, low = (UINT64_C(1) << ID_BITS) - 1;
	uint64_t before = id >> BEFORE_SHIFT & 0xffff;
	uint64_t place = from & ~(uint64_t)FROM_NODE;
	char text[256];
	bool node = (from & FROM_NODE) != 0;

	wire_str(m, TLV_TEXT, text, sizeof(text));
	id = (id & low) | before << FROM_SHIFT;
	if (node && place < NODES_MAX && p->dvm.on &&
	    p->dvm.mesh.nodes[place].used)
		reply(p, NULL, &p->dvm.mesh.nodes[place], id,
		    (uint32_t)wire_num(m, TLV_CODE), text);
	else if (!node && place > 0 && place <= CLIENTS_MAX &&
		 p->peers[place - 1].used)
		reply(p, &p->peers[place - 1], NULL, id,
		    (uint32_t)wire_num(m, TLV_CODE), text);
}
