/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/require.h"
#include "core/record.h"

#include "fuzz.h"

/*
 * The values of records, as they come from clients: the first byte is the
 * kind, the others are TLVs.  What is taken is possible, and written again it
 * is taken for the same.
 */
union value {
	struct record_job job;
	struct record_proc proc;
	struct record_lead lead;
	struct record_flow flow;
	struct record_daemon daemon;
	struct record_node node;
};

static bool
get(uint8_t kind, union value *v, const uint8_t *p, size_t size)
{
	memset(v, 0, sizeof(*v));
	switch (kind) {
	case RECORD_JOB:
		return record_job_get(&v->job, p, size);
	case RECORD_PROC:
		return record_proc_get(&v->proc, p, size);
	case RECORD_LEAD:
		return record_lead_get(&v->lead, p, size);
	case RECORD_FLOW:
		return record_flow_get(&v->flow, p, size);
	case RECORD_DAEMON:
		return record_daemon_get(&v->daemon, p, size);
	case RECORD_NODE:
		return record_node_get(&v->node, p, size);
	default:
		return false;
	}
}

static size_t
put(uint8_t kind, const union value *v, uint8_t *out)
{
	switch (kind) {
	case RECORD_JOB:
		return record_job_put(&v->job, out);
	case RECORD_PROC:
		return record_proc_put(&v->proc, out);
	case RECORD_LEAD:
		return record_lead_put(&v->lead, out);
	case RECORD_FLOW:
		return record_flow_put(&v->flow, out);
	case RECORD_DAEMON:
		return record_daemon_put(&v->daemon, out);
	default:
		return record_node_put(&v->node, out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union value first, again;
	uint8_t out[RECORD_VALUE_MAX], same[RECORD_VALUE_MAX];
	size_t n;

	if (size == 0 || !get(data[0], &first, data + 1, size - 1))
		return 0;
	if (data[0] == RECORD_JOB) {
		REQUIRE(first.job.size >= 1);
		REQUIRE(first.job.size <= ORCM_RANKS_MAX);
		REQUIRE(first.job.want <= JOB_KILL);
		REQUIRE(first.job.restart <= RESTART_NEVER);
	}
	if (data[0] == RECORD_PROC)
		REQUIRE(first.proc.state < PROC_STATES);
	n = put(data[0], &first, out);
	REQUIRE(n > 0 && n <= sizeof(out));
	REQUIRE(get(data[0], &again, out, n));
	REQUIRE(put(data[0], &again, same) == n);
	REQUIRE(memcmp(out, same, n) == 0);
	return 0;
}
