/* SPDX-License-Identifier: ISC */
#include "base/wire.h"
#include "base/wr.h"
#include "core/record.h"
#include "tap.h"

static uint8_t value[RECORD_VALUE_MAX];

/* The value without its nth TLV; 0 when it has no nth. */
static size_t
without(const uint8_t *p, size_t size, unsigned nth, uint8_t *out)
{
	size_t at, len, n = 0;
	bool cut = false;

	for (at = 0; at < size; at += len) {
		len = 4 + ((size_t)p[at + 2] << 8 | p[at + 3]);
		if (nth-- == 0) {
			cut = true;
			continue;
		}
		memcpy(out + n, p + at, len);
		n += len;
	}
	return cut ? n : 0;
}

typedef bool getter(const uint8_t *p, size_t size);

/* Every TLV is needed, no byte may be missing or too many. */
static void
all_is_needed(const char *name, getter *get, size_t size)
{
	uint8_t less[RECORD_VALUE_MAX + 1];
	unsigned n, bad = 0;
	size_t k;

	for (n = 0; (k = without(value, size, n, less)) > 0; n++)
		bad += get(less, k);
	ok(bad == 0 && n > 1, "%s: each of %u values is needed", name, n);
	for (k = 0, bad = 0; k < size; k++)
		bad += get(value, k);
	is_u64(bad, 0, "%s: no shorter one is taken", name);
	memcpy(less, value, size);
	less[size] = 0;
	ok(!get(less, size + 1), "%s: nor a longer one", name);
}

static bool
get_job(const uint8_t *p, size_t size)
{
	struct record_job r;

	return record_job_get(&r, p, size);
}

static bool
get_proc(const uint8_t *p, size_t size)
{
	struct record_proc r;

	return record_proc_get(&r, p, size);
}

static bool
get_lead(const uint8_t *p, size_t size)
{
	struct record_lead r;

	return record_lead_get(&r, p, size);
}

static bool
get_flow(const uint8_t *p, size_t size)
{
	struct record_flow r;

	return record_flow_get(&r, p, size);
}

static bool
get_daemon(const uint8_t *p, size_t size)
{
	struct record_daemon r;

	return record_daemon_get(&r, p, size);
}

static bool
get_node(const uint8_t *p, size_t size)
{
	struct record_node r;

	return record_node_get(&r, p, size);
}

static void
a_job(struct record_job *r)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->name, "job", 4);
	memcpy(r->app, "app:1:2", 8);
	memcpy(r->policy, "lowest", 7);
	r->size = 3;
	r->signal = 15;
}

static void
job_goes_and_comes_back(void)
{
	struct record_job r, back;
	size_t size;

	memset(&r, 0, sizeof(r));
	memset(r.name, 'n', ORCM_NAME_MAX);
	memset(r.app, 'a', sizeof(r.app) - 1);
	memset(r.policy, 'p', sizeof(r.policy) - 1);
	r.size = ORCM_RANKS_MAX;
	r.pid = r.period_ms = r.grace_ms = r.pokes = UINT32_MAX;
	r.want = JOB_KILL;
	r.restart = RESTART_NEVER;
	r.budget = BUDGET_INF;
	r.strict = r.hold = true;
	r.signal = r.poke = 127;
	r.epoch = UINT64_MAX;
	size = record_job_put(&r, value);
	ok(size <= RECORD_VALUE_MAX, "the longest takes %zu bytes", size);
	memset(&back, 0x55, sizeof(back));
	ok(record_job_get(&back, value, size), "and comes back");
	ok(memcmp(&r, &back, sizeof(r)) == 0, "as it was");
	a_job(&r);
	r.hold = true;
	size = record_job_put(&r, value);
	ok(record_job_get(&back, value, size) && back.hold && !back.strict,
	    "the flags are two");
	all_is_needed("job", get_job, size);
}

static bool
job_taken(const struct record_job *r)
{
	return get_job(value, record_job_put(r, value));
}

static void
impossible_jobs_are_refused(void)
{
	struct record_job r;

	a_job(&r);
	ok(job_taken(&r), "a plain one");
	r.size = 0;
	ok(!job_taken(&r), "no replicas");
	r.size = ORCM_RANKS_MAX + 1;
	ok(!job_taken(&r), "too many");
	a_job(&r);
	r.want = (enum job_want)(JOB_KILL + 1);
	ok(!job_taken(&r), "an unknown wish");
	a_job(&r);
	r.restart = (enum job_restart)(RESTART_NEVER + 1);
	ok(!job_taken(&r), "an unknown restart policy");
	a_job(&r);
	r.budget = BUDGET_MAX;
	ok(job_taken(&r), "the largest budget");
	r.budget++;
	ok(!job_taken(&r), "a larger one");
	a_job(&r);
	r.signal = 0;
	ok(!job_taken(&r), "no polite signal");
	r.signal = 128;
	ok(!job_taken(&r), "one that cannot be");
	a_job(&r);
	r.poke = 128;
	ok(!job_taken(&r), "a poke that cannot be");
}

static void
proc_goes_and_comes_back(void)
{
	struct record_proc r, back;
	size_t size;
	uint32_t s;

	for (s = 0; s < PROC_STATES; s++) {
		memset(&r, 0, sizeof(r));
		r.state = (enum proc_state)s;
		r.incarnation = UINT32_MAX - s;
		r.pid = 2 + s;
		r.keeper = 3 + s;
		r.restarts = 4 + s;
		r.status = s % 2 ? STATUS_NONE : STATUS_SIGNAL | 11;
		r.error = 13 * s;
		size = record_proc_put(&r, value);
		ok(record_proc_get(&back, value, size) &&
		    memcmp(&r, &back, sizeof(r)) == 0, "%s",
		    proc_state_name(r.state));
	}
	all_is_needed("proc", get_proc, size);
	r.state = PROC_STATES;
	size = record_proc_put(&r, value);
	ok(!get_proc(value, size), "an unknown state");
	is_str(proc_state_name(PROC_STATES), "-", "has no name");
}

static void
lead_goes_and_comes_back(void)
{
	struct record_lead r = { ORCM_RANK_NONE, 7, UINT64_MAX }, back;
	size_t size = record_lead_put(&r, value);

	ok(record_lead_get(&back, value, size) &&
	    back.rank == ORCM_RANK_NONE && back.incarnation == 7 &&
	    back.epoch == UINT64_MAX, "nobody leads");
	all_is_needed("lead", get_lead, size);
	r.rank = ORCM_RANKS_MAX - 1;
	ok(get_lead(value, record_lead_put(&r, value)), "the last rank");
	r.rank = ORCM_RANKS_MAX;
	ok(!get_lead(value, record_lead_put(&r, value)), "one behind it");
}

static void
the_small_ones(void)
{
	struct record_flow f = { 9, FLOW_ATTACHED | FLOW_FRUIT }, f2;
	struct record_daemon d, d2;
	struct record_node n, n2;
	size_t size = record_flow_put(&f, value);

	ok(record_flow_get(&f2, value, size) && f2.incarnation == 9 &&
	    f2.flags == f.flags, "flow");
	all_is_needed("flow", get_flow, size);

	memset(&d, 0, sizeof(d));
	memset(d.role, 'r', ORCM_NAME_MAX);
	memset(d.name, 'n', ORCM_NAME_MAX);
	d.pid = 77;
	size = record_daemon_put(&d, value);
	ok(record_daemon_get(&d2, value, size) &&
	    memcmp(&d, &d2, sizeof(d)) == 0, "daemon");
	all_is_needed("daemon", get_daemon, size);

	memset(&n, 0, sizeof(n));
	memset(n.name, 'n', ORCM_NAME_MAX);
	memset(n.version, 'v', sizeof(n.version) - 1);
	n.epoch = 5;
	size = record_node_put(&n, value);
	ok(record_node_get(&n2, value, size) &&
	    memcmp(&n, &n2, sizeof(n)) == 0, "node");
	all_is_needed("node", get_node, size);
}

static void
later_versions_may_say_more(void)
{
	struct record_flow f = { 9, FLOW_ALIVE }, back;
	struct wr w;
	size_t size = record_flow_put(&f, value);

	wr_init(&w, value + size, sizeof(value) - size);
	wr_tlv_u32(&w, 0x7ff0, 5);
	ok(record_flow_get(&back, value, size + wr_size(&w)) &&
	    back.flags == FLOW_ALIVE, "what is not known is skipped");
}

static void
damaged_values_are_no_danger(void)
{
	struct record_job r, back;
	uint8_t copy[RECORD_VALUE_MAX];
	size_t size, i;
	unsigned bit, bad = 0;

	a_job(&r);
	size = record_job_put(&r, value);
	for (i = 0; i < size; i++)
		for (bit = 0; bit < 8; bit++) {
			memcpy(copy, value, size);
			copy[i] ^= (uint8_t)(1u << bit);
			if (!record_job_get(&back, copy, size))
				continue;
			bad += back.size < 1 || back.size > ORCM_RANKS_MAX ||
			    back.want > JOB_KILL ||
			    back.restart > RESTART_NEVER ||
			    back.name[ORCM_NAME_MAX] != '\0';
		}
	is_u64(bad, 0, "each bit of %zu bytes turned", size);
}

static void
restarts(void)
{
	static const bool again[4][3] = {
		[RESTART_CRASH] = { false, false, true },
		[RESTART_FAILURE] = { false, true, true },
		[RESTART_ALWAYS] = { true, true, true },
		[RESTART_NEVER] = { false, false, false },
	};
	unsigned p, bad = 0, s;

	for (p = 0; p < 4; p++) {
		enum job_restart policy = (enum job_restart)p;

		bad += record_restarts(policy, 0) != again[p][0];
		for (s = 1; s < 256; s++)
			bad += record_restarts(policy, s) != again[p][1];
		for (s = 1; s < 65; s++)
			bad += record_restarts(policy, STATUS_SIGNAL | s) !=
			    again[p][2];
		bad += record_restarts(policy, STATUS_LOST) != again[p][2];
	}
	is_u64(bad, 0, "each policy with each status");
	ok(!record_restarts((enum job_restart)9, 5), "no policy, no restart");
}

int
main(void)
{
	job_goes_and_comes_back();
	impossible_jobs_are_refused();
	proc_goes_and_comes_back();
	lead_goes_and_comes_back();
	the_small_ones();
	later_versions_may_say_more();
	damaged_values_are_no_danger();
	restarts();
	return done_testing();
}
