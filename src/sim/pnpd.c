/* SPDX-License-Identifier: ISC */
/*
 * orcm-pnpd: src/cmd/orcm-pnpd.c and src/pnpd around the core "picture".
 * Its memory is lost with it, but not its epoch.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

enum { WRITER_ORCMD = 2, WRITER_LEADERD, WRITER_CLIENT = 16 };

#define PEERS (sizeof(((struct sim_pnpd *)0)->peers) /                         \
    sizeof(((struct sim_pnpd *)0)->peers[0]))

void
sim_pnpd_main(struct sim *s)
{
	struct sim_pnpd *p = &s->pnpd;
	struct picture_conf conf = { .records_max = 64, .node = 1,
		.epoch = ++p->epoch };
	struct arena a;
	size_t i;

	if (p->memory == NULL) {
		p->memory_size = picture_memory(&conf);
		p->memory = calloc(1, p->memory_size);
		REQUIRE(p->memory != NULL);
	}
	memset(p->memory, 0, p->memory_size);
	arena_init(&a, p->memory, p->memory_size);
	picture_init(&p->picture, &a, &conf);
	p->next_writer = 0;
	for (i = 0; i < PEERS; i++)
		p->peers[i].used = false;
}

static struct sim_peer *
peer_of(struct sim *s, uint32_t conn)
{
	size_t i;

	for (i = 0; i < PEERS; i++)
		if (s->pnpd.peers[i].used && s->pnpd.peers[i].conn == conn)
			return &s->pnpd.peers[i];
	return NULL;
}

static void
tell(struct sim *s, const struct sim_peer *c, const struct picture_record *r)
{
	struct sim_msg m = {
		.type = SIM_RECORD,
		.kind = r->kind,
		.dead = r->dead,
		.id = r->id,
		.size = r->value_size,
	};

	memcpy(m.bytes, r->value, r->value_size);
	sim_send(s, c->conn, SIM_PNPD, &m);
}

static void
tell_all(struct sim *s, uint32_t at)
{
	const struct picture_record *r = picture_at(&s->pnpd.picture, at);
	size_t i;

	for (i = 0; i < PEERS; i++)
		if (s->pnpd.peers[i].used &&
		    (s->pnpd.peers[i].kinds & RECORD_BIT(r->kind)))
			tell(s, &s->pnpd.peers[i], r);
}

static uint32_t
writer_of(struct sim *s, uint32_t conn)
{
	switch (s->conns[conn].end[0].actor) {
	case SIM_ORCMD:
		return WRITER_ORCMD;
	case SIM_LEADERD:
		return WRITER_LEADERD;
	default:
		return WRITER_CLIENT + s->pnpd.next_writer++;
	}
}

static void
hello(struct sim *s, uint32_t conn, uint32_t kinds)
{
	struct sim_msg m = { .type = SIM_WELCOME };
	const struct picture_record *r;
	struct sim_peer *c = NULL;
	uint32_t kind, place;
	size_t i;

	for (i = 0; i < PEERS && c == NULL; i++)
		if (!s->pnpd.peers[i].used)
			c = &s->pnpd.peers[i];
	if (c == NULL) {
		sim_fail(s, "bounded-clients");
		return;
	}
	c->used = true;
	c->conn = conn;
	c->kinds = kinds;
	c->writer = writer_of(s, conn);
	for (i = 0; c->writer < WRITER_CLIENT && i < PEERS; i++)
		if (&s->pnpd.peers[i] != c && s->pnpd.peers[i].used &&
		    s->pnpd.peers[i].writer == c->writer)
			s->pnpd.peers[i].writer = 0;
	picture_returned(&s->pnpd.picture, c->writer);
	sim_send(s, conn, SIM_PNPD, &m);
	for (kind = RECORD_NODE; kind <= RECORD_FLOW; kind++)
		for (place = 0; (r = picture_next(&s->pnpd.picture,
		    kinds & RECORD_BIT(kind), &place)) != NULL;)
			tell(s, c, r);
	m.type = SIM_SYNCED;
	sim_send(s, conn, SIM_PNPD, &m);
}

void
sim_pnpd_msg(struct sim *s, uint32_t conn, const struct sim_msg *m)
{
	struct picture *p = &s->pnpd.picture;
	struct sim_peer *c = peer_of(s, conn);
	enum picture_verdict verdict = PICTURE_SAME;
	uint32_t at = 0;

	if (m->type == SIM_HELLO) {
		hello(s, conn, m->value);
		return;
	}
	REQUIRE(c != NULL);
	/* A daemon's former connection has no say any more. */
	if (c->writer == 0)
		return;
	if (m->type == SIM_PUT)
		verdict = picture_put(p, c->writer, m->kind, m->id, m->bytes,
		    m->size, &at);
	else if (m->type == SIM_DEL)
		verdict = picture_del(p, c->writer, m->kind, m->id, &at);
	else if (m->type == SIM_SETTLED)
		while (picture_settled(p, c->writer, &at))
			tell_all(s, at);
	if (verdict == PICTURE_CHANGED)
		tell_all(s, at);
	else if (verdict != PICTURE_SAME)
		sim_fail(s, "a record is refused");
}

void
sim_pnpd_eof(struct sim *s, uint32_t conn)
{
	struct sim_peer *c = peer_of(s, conn);
	uint32_t at;

	if (c == NULL)
		return;
	c->used = false;
	while (c->writer >= WRITER_CLIENT &&
	    picture_forget(&s->pnpd.picture, c->writer, &at))
		tell_all(s, at);
}
