/* SPDX-License-Identifier: ISC */
/*
 * The connection to orcm-pnpd that all others have, as src/lib/client.c: it
 * comes back by itself, and when all that there was has been told, its
 * program says again what is.  What is put while it is down is not kept.
 */
#include "sim/sim.h"

#include <string.h>

#define RETRY_MAX (50 * ORCM_MS)

static void
hello(struct sim *s, struct sim_client *c)
{
	struct sim_msg m = { .type = SIM_HELLO, .value = c->kinds };

	sim_send(s, c->conn, c->actor, &m);
}

static void
retry_later(struct sim *s, struct sim_client *c)
{
	uint64_t wait = ORCM_MS << (c->tries / 3 < 6 ? c->tries / 3 : 6);

	c->tries++;
	sim_timer(s, c->actor, 0,
	    s->now + (wait > RETRY_MAX ? RETRY_MAX : wait));
}

static void
connect_now(struct sim *s, struct sim_client *c)
{
	c->conn = sim_connect(s, c->actor, SIM_PNPD);
	if (c->conn == SIM_NOTHING)
		retry_later(s, c);
	else
		hello(s, c);
}

void
sim_client_start(struct sim *s, struct sim_client *c, uint32_t actor,
    uint32_t kinds)
{
	memset(c, 0, sizeof(*c));
	c->actor = actor;
	c->kinds = kinds;
	connect_now(s, c);
}

void
sim_client_timer(struct sim *s, struct sim_client *c)
{
	if (c->conn == SIM_NOTHING)
		connect_now(s, c);
}

static void
record(struct sim *s, const struct sim_client *c, const struct sim_msg *m)
{
	if (c->actor == SIM_ORCMD)
		sim_orcmd_record(s, m);
	else if (c->actor == SIM_LEADERD)
		sim_leaderd_record(s, m);
	else
		sim_owner_record(s, m);
}

static void
synced(struct sim *s, struct sim_client *c)
{
	struct sim_msg m = { .type = SIM_SETTLED };

	c->speaks = true;
	if (c->actor == SIM_ORCMD) {
		sim_orcmd_synced(s);
		sim_orcmd_publish(s);
	} else if (c->actor == SIM_LEADERD) {
		sim_leaderd_synced(s);
		sim_leaderd_publish(s);
	} else {
		sim_owner_publish(s);
	}
	sim_send(s, c->conn, c->actor, &m);
}

void
sim_client_msg(struct sim *s, struct sim_client *c, const struct sim_msg *m)
{
	switch (m->type) {
	case SIM_WELCOME:
		c->up = true;
		c->speaks = false;
		c->tries = 0;
		break;
	case SIM_RECORD:
		record(s, c, m);
		break;
	case SIM_SYNCED:
		synced(s, c);
		break;
	default:
		break;
	}
}

void
sim_client_eof(struct sim *s, struct sim_client *c)
{
	c->up = c->speaks = false;
	c->conn = SIM_NOTHING;
	retry_later(s, c);
	if (c->actor == SIM_ORCMD)
		sim_orcmd_down(s);
	else if (c->actor == SIM_LEADERD)
		sim_leaderd_down(s);
}

void
sim_client_put(struct sim *s, struct sim_client *c, uint8_t kind, uint64_t id,
    const uint8_t *value, size_t size)
{
	struct sim_msg m = { .type = SIM_PUT, .kind = kind, .id = id };

	if (!c->speaks)
		return;
	m.size = (uint16_t)size;
	memcpy(m.bytes, value, size);
	sim_send(s, c->conn, c->actor, &m);
}

void
sim_client_del(struct sim *s, struct sim_client *c, uint8_t kind, uint64_t id)
{
	struct sim_msg m = { .type = SIM_DEL, .kind = kind, .id = id };

	if (c->speaks)
		sim_send(s, c->conn, c->actor, &m);
}
