/* SPDX-License-Identifier: ISC */
/*
 * Record values to TLVs and back.  Whatever comes in is checked here once:
 * a struct that a get function filled holds only possible values.
 */
#include "core/record.h"

#include <string.h>

#include "base/require.h"
#include "base/wire.h"

#define N(t) (UINT64_C(1) << TLV_##t)

static size_t
finish(const struct wr *w)
{
	/* RECORD_VALUE_MAX is more than the longest value. */
	REQUIRE(!wr_bad(w));
	return wr_size(w);
}

static bool
begin(struct wire_msg *m, const uint8_t *p, size_t size, uint64_t needs)
{
	return wire_parse_value(m, p, size) == WIRE_OK &&
	    (m->has & needs) == needs;
}

static uint32_t
num32(const struct wire_msg *m, enum wire_tlv t)
{
	return (uint32_t)wire_num(m, t);
}

const char *
proc_state_name(enum proc_state s)
{
	static const char *const names[PROC_STATES] = {
		[PROC_NEW] = "new",
		[PROC_ADOPTING] = "adopting",
		[PROC_STARTING] = "starting",
		[PROC_UP] = "up",
		[PROC_BACKOFF] = "backoff",
		[PROC_STOPPING] = "stopping",
		[PROC_KILLING] = "killing",
		[PROC_DONE] = "done",
		[PROC_FAILED] = "failed",
	};

	return s < PROC_STATES ? names[s] : "-";
}

size_t
record_job_put(const struct record_job *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_str(&w, TLV_NAME, r->name);
	wr_tlv_str(&w, TLV_APP, r->app);
	wr_tlv_str(&w, TLV_POLICY, r->policy);
	wr_tlv_u16(&w, TLV_SIZE, (uint16_t)r->size);
	wr_tlv_u32(&w, TLV_PID, r->pid);
	wr_tlv_u8(&w, TLV_WANT, (uint8_t)r->want);
	wr_tlv_u8(&w, TLV_RESTART, (uint8_t)r->restart);
	wr_tlv_u32(&w, TLV_BUDGET, r->budget);
	wr_tlv_u32(&w, TLV_PERIOD_MS, r->period_ms);
	wr_tlv_u8(&w, TLV_FLAGS, (uint8_t)(r->strict | r->hold << 1));
	wr_tlv_u32(&w, TLV_GRACE_MS, r->grace_ms);
	wr_tlv_u8(&w, TLV_SIGNAL, (uint8_t)r->signal);
	wr_tlv_u32(&w, TLV_POKES, r->pokes);
	wr_tlv_u8(&w, TLV_POKE, (uint8_t)r->poke);
	wr_tlv_u64(&w, TLV_EPOCH, r->epoch);
	return finish(&w);
}

bool
record_job_get(struct record_job *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(NAME) | N(APP) | N(POLICY) | N(SIZE) |
		N(PID) | N(WANT) | N(RESTART) | N(BUDGET) | N(PERIOD_MS) |
		N(FLAGS) | N(GRACE_MS) | N(SIGNAL) | N(POKES) | N(POKE) |
		N(EPOCH)))
		return false;
	wire_str(&m, TLV_NAME, r->name, sizeof(r->name));
	wire_str(&m, TLV_APP, r->app, sizeof(r->app));
	wire_str(&m, TLV_POLICY, r->policy, sizeof(r->policy));
	r->size = num32(&m, TLV_SIZE);
	r->pid = num32(&m, TLV_PID);
	r->want = (enum job_want)wire_num(&m, TLV_WANT);
	r->restart = (enum job_restart)wire_num(&m, TLV_RESTART);
	r->budget = num32(&m, TLV_BUDGET);
	r->period_ms = num32(&m, TLV_PERIOD_MS);
	r->strict = (wire_num(&m, TLV_FLAGS) & 1) != 0;
	r->hold = (wire_num(&m, TLV_FLAGS) & 2) != 0;
	r->grace_ms = num32(&m, TLV_GRACE_MS);
	r->signal = num32(&m, TLV_SIGNAL);
	r->pokes = num32(&m, TLV_POKES);
	r->poke = num32(&m, TLV_POKE);
	r->epoch = wire_num(&m, TLV_EPOCH);
	return r->size >= 1 && r->size <= ORCM_RANKS_MAX &&
	    r->want <= JOB_KILL && r->restart <= RESTART_NEVER &&
	    (r->budget <= BUDGET_MAX || r->budget == BUDGET_INF) &&
	    r->signal >= 1 && r->signal < 128 && r->poke < 128;
}

size_t
record_proc_put(const struct record_proc *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_u8(&w, TLV_STATE, (uint8_t)r->state);
	wr_tlv_u32(&w, TLV_INCARNATION, r->incarnation);
	wr_tlv_u32(&w, TLV_PID, r->pid);
	wr_tlv_u32(&w, TLV_KEEPER, r->keeper);
	wr_tlv_u32(&w, TLV_RESTARTS, r->restarts);
	wr_tlv_u16(&w, TLV_STATUS, (uint16_t)r->status);
	wr_tlv_u32(&w, TLV_ERROR, r->error);
	return finish(&w);
}

bool
record_proc_get(struct record_proc *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(STATE) | N(INCARNATION) | N(PID) |
		N(KEEPER) | N(RESTARTS) | N(STATUS) | N(ERROR)))
		return false;
	r->state = (enum proc_state)wire_num(&m, TLV_STATE);
	r->incarnation = num32(&m, TLV_INCARNATION);
	r->pid = num32(&m, TLV_PID);
	r->keeper = num32(&m, TLV_KEEPER);
	r->restarts = num32(&m, TLV_RESTARTS);
	r->status = num32(&m, TLV_STATUS);
	r->error = num32(&m, TLV_ERROR);
	return r->state < PROC_STATES;
}

size_t
record_lead_put(const struct record_lead *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_u16(&w, TLV_RANK, (uint16_t)r->rank);
	wr_tlv_u32(&w, TLV_INCARNATION, r->incarnation);
	wr_tlv_u64(&w, TLV_EPOCH, r->epoch);
	return finish(&w);
}

bool
record_lead_get(struct record_lead *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(RANK) | N(INCARNATION) | N(EPOCH)))
		return false;
	r->rank = num32(&m, TLV_RANK);
	r->incarnation = num32(&m, TLV_INCARNATION);
	r->epoch = wire_num(&m, TLV_EPOCH);
	return r->rank < ORCM_RANKS_MAX || r->rank == ORCM_RANK_NONE;
}

size_t
record_flow_put(const struct record_flow *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_u32(&w, TLV_INCARNATION, r->incarnation);
	wr_tlv_u8(&w, TLV_FLAGS, (uint8_t)r->flags);
	return finish(&w);
}

bool
record_flow_get(struct record_flow *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(INCARNATION) | N(FLAGS)))
		return false;
	r->incarnation = num32(&m, TLV_INCARNATION);
	r->flags = num32(&m, TLV_FLAGS);
	return true;
}

size_t
record_daemon_put(const struct record_daemon *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_str(&w, TLV_ROLE, r->role);
	wr_tlv_str(&w, TLV_NAME, r->name);
	wr_tlv_u32(&w, TLV_PID, r->pid);
	return finish(&w);
}

bool
record_daemon_get(struct record_daemon *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(ROLE) | N(NAME) | N(PID)))
		return false;
	wire_str(&m, TLV_ROLE, r->role, sizeof(r->role));
	wire_str(&m, TLV_NAME, r->name, sizeof(r->name));
	r->pid = num32(&m, TLV_PID);
	return true;
}

size_t
record_node_put(const struct record_node *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_str(&w, TLV_NAME, r->name);
	wr_tlv_str(&w, TLV_VERSION, r->version);
	wr_tlv_u64(&w, TLV_EPOCH, r->epoch);
	return finish(&w);
}

bool
record_node_get(struct record_node *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(NAME) | N(VERSION) | N(EPOCH)))
		return false;
	wire_str(&m, TLV_NAME, r->name, sizeof(r->name));
	wire_str(&m, TLV_VERSION, r->version, sizeof(r->version));
	r->epoch = wire_num(&m, TLV_EPOCH);
	return true;
}

size_t
record_fate_put(const struct record_fate *r, uint8_t *out)
{
	struct wr w;

	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_u64(&w, TLV_EPOCH, r->epoch);
	wr_tlv_u8(&w, TLV_STATE, (uint8_t)r->status);
	return finish(&w);
}

bool
record_fate_get(struct record_fate *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(EPOCH) | N(STATE)))
		return false;
	r->epoch = wire_num(&m, TLV_EPOCH);
	r->status = num32(&m, TLV_STATE);
	return true;
}

#define SEEN_FIT 0x01u
#define SEEN_CONNECTED 0x02u
#define SEEN_SELF 0x04u
#define SEEN_AGREED 0x08u
#define SEEN_QUORATE 0x10u

size_t
record_seen_put(const struct record_seen *r, uint8_t *out)
{
	unsigned flags = 0;
	struct wr w;

	flags |= r->fit ? SEEN_FIT : 0;
	flags |= r->connected ? SEEN_CONNECTED : 0;
	flags |= r->self ? SEEN_SELF : 0;
	flags |= r->agreed ? SEEN_AGREED : 0;
	flags |= r->quorate ? SEEN_QUORATE : 0;
	wr_init(&w, out, RECORD_VALUE_MAX);
	wr_tlv_str(&w, TLV_NAME, r->name);
	wr_tlv_u64(&w, TLV_EPOCH, r->epoch);
	wr_tlv_u8(&w, TLV_STATE, (uint8_t)r->status);
	wr_tlv_u8(&w, TLV_FLAGS, (uint8_t)flags);
	return finish(&w);
}

bool
record_seen_get(struct record_seen *r, const uint8_t *p, size_t size)
{
	struct wire_msg m;
	uint32_t flags;

	memset(r, 0, sizeof(*r));
	if (!begin(&m, p, size, N(NAME) | N(EPOCH) | N(STATE) | N(FLAGS)))
		return false;
	wire_str(&m, TLV_NAME, r->name, sizeof(r->name));
	r->epoch = wire_num(&m, TLV_EPOCH);
	r->status = num32(&m, TLV_STATE);
	flags = num32(&m, TLV_FLAGS);
	r->fit = flags & SEEN_FIT;
	r->connected = flags & SEEN_CONNECTED;
	r->self = flags & SEEN_SELF;
	r->agreed = flags & SEEN_AGREED;
	r->quorate = flags & SEEN_QUORATE;
	return true;
}

bool
record_restarts(enum job_restart policy, uint32_t status)
{
	switch (policy) {
	case RESTART_CRASH:
		return !STATUS_IS_CODE(status);
	case RESTART_FAILURE:
		return status != 0;
	case RESTART_ALWAYS:
		return true;
	case RESTART_NEVER:
		return false;
	}
	return false;
}
