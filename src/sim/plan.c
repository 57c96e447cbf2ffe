/* SPDX-License-Identifier: ISC */
/*
 * What a seed draws for its run: the job, its sizes and speeds, and which
 * faults happen at which rate.  Whole kinds of faults are off in many runs,
 * because some mistakes show only where nothing else disturbs.
 */
#include "sim/sim.h"

#include <string.h>

#include <orcm/plugin.h>

extern const struct orcm_plugin *const orcm_builtin[];

static const struct orcm_leader_ops *
ops_of(const char *name)
{
	size_t i;

	for (i = 0; orcm_builtin[i] != NULL; i++)
		if (strcmp(orcm_builtin[i]->name, name) == 0)
			return orcm_builtin[i]->ops;
	return NULL;
}

static void
draw_policy(struct sim *s)
{
	static const char *const names[] = { "lowest", "lowest", "lowest",
		"lowest", "first", "first", "fixed", "fixed", "vote", "vote",
		"none" };
	struct sim_plan *p = &s->plan;

	p->policy = names[sim_upto(s, sizeof(names) / sizeof(names[0]) - 1)];
	p->argument = ORCM_RANK_NONE;
	p->ops = ops_of(p->policy);
	if (p->ops->check != NULL)
		p->argument = (uint32_t)sim_upto(s, p->ranks - 1);
}

static void
draw_sizes(struct sim *s)
{
	static const uint64_t sizes[] = { 0, 1, 200, 3000, 20000, 60000 };
	struct sim_plan *p = &s->plan;
	uint64_t most = sizes[sim_upto(s, 5)];
	bool large;

	/* A few runs outgrow the history that orcm-run keeps. */
	large = sim_chance(s, 3);
	if (large)
		most = 1200000;
	if (p->kind == SIM_BYTES) {
		large = false;
		most = most < 3000 ? most : 3000;
	}
	p->input_size = sim_upto(s, most);
	p->output_size = p->input_size;
	if (p->kind == SIM_FILTER)
		p->output_size += p->input_size / 16;
	else if (p->kind == SIM_LAST || p->kind == SIM_SOURCE)
		p->output_size = sim_upto(s, most);
	else if (p->kind == SIM_HASTY)
		p->output_size = sim_upto(s, p->input_size);
	p->window = 4096 + sim_upto(s, sim_chance(s, 50) ? 4096 : 65536);
	/* Small ones, so that hashes are needed soon. */
	if (sim_chance(s, 40)) {
		p->history = 1 + sim_upto(s, 3000);
		p->mark = 1 + sim_upto(s, 500);
	}
	p->pipe = 1 + sim_upto(s, sim_chance(s, 30) ? 64 : SIM_PIPE - 1);
	p->chunk = 1 + sim_upto(s, sim_chance(s, 50) ? 200 : 8000);
	p->input_piece = 1 + sim_upto(s, sim_chance(s, 50) ? 300 : 9000);
	p->sink_piece = 1 + sim_upto(s, 9000);
	p->sink_cap = 1 + sim_upto(s, 65535);
	/* So that large jobs do not take a byte at a time. */
	if (large) {
		p->pipe = SIM_PIPE;
		p->chunk = p->input_piece = 9000;
		p->sink_piece = p->sink_cap = 60000;
	}
}

static void
draw_speeds(struct sim *s)
{
	struct sim_plan *p = &s->plan;

	/* How long the job would take if nothing went wrong. */
	uint64_t time = sim_upto(s, sim_chance(s, 20) ? 50 : 3000) * ORCM_MS;
	uint64_t piece = p->chunk < p->pipe ? p->chunk : p->pipe;

	p->step_every = 2000 + sim_upto(s, 300000);
	p->input_every = time / (p->input_size / (p->input_piece / 2 + 1) + 1);
	if (p->kind == SIM_SOURCE)
		p->step_every = time / (p->output_size / (piece / 2 + 1) + 1);
	while (p->output_size / (piece / 2 + 1) * p->step_every >
	    4 * ORCM_SECOND)
		p->step_every = p->step_every / 2 + 1;
	p->sink_every = 5000 + sim_upto(s, 100000);
	piece = p->sink_piece < p->sink_cap ? p->sink_piece : p->sink_cap;
	while (p->output_size / (piece / 2 + 1) * p->sink_every >
	    4 * ORCM_SECOND)
		p->sink_every = p->sink_every / 2 + 1;
}

static void
draw_limits(struct sim *s)
{
	struct sim_plan *p = &s->plan;

	p->budget = BUDGET_INF;
	if (sim_chance(s, 15)) {
		p->budget = (uint32_t)sim_upto(s, 6);
		p->strict = sim_chance(s, 60);
	}
	p->keep = UINT64_MAX;
	if (sim_chance(s, 6))
		p->keep = sim_upto(s, p->input_size);
	else if (sim_chance(s, 5) && p->ops->delivery == ORCM_DELIVER_LEADER)
		p->leader_only = true;
	p->status = sim_chance(s, 50) ? 0 : (uint32_t)sim_upto(s, 255);
	p->restart = RESTART_CRASH;
	if (p->status == 0 && sim_chance(s, 30))
		p->restart = RESTART_FAILURE;
	/* Not one of ours, or the checks could not tell them apart. */
	if (p->status >= JOB_DISAGREED && p->status <= JOB_NOT_FOUND)
		p->status = 1;
	p->limit = ORCM_NEVER;
	if (sim_chance(s, 4))
		p->limit = (1 + sim_upto(s, 2000)) * ORCM_MS;
	p->deaf = sim_chance(s, 20);
	p->rule = sim_chance(s, 70) ? JOB_STATUS_LEADER : JOB_STATUS_WORST;
	if (p->kind != SIM_STRANGER && sim_chance(s, 10))
		p->rule = JOB_STATUS_AGREE;
	p->stranger = (uint32_t)sim_upto(s, p->ranks - 1);
	p->wrong = p->input_size > 0 ? sim_upto(s, p->input_size - 1) : 0;
}

static void
draw_faults(struct sim *s)
{
	static const struct {
		uint32_t percent; /* of all runs */
		uint64_t least, most; /* ms between two */
	} rows[SIM_FAULTS] = {
		[SIM_KILL_PROG] = { 60, 5, 400 },
		[SIM_KILL_KEEPER] = { 30, 20, 600 },
		[SIM_EXIT_PROG] = { 60, 5, 400 },
		[SIM_KILL_ALL] = { 10, 100, 1000 },
		[SIM_STOP_PROG] = { 25, 20, 800 },
		[SIM_KILL_PNPD] = { 40, 10, 400 },
		[SIM_KILL_ORCMD] = { 40, 10, 400 },
		[SIM_KILL_LEADERD] = { 40, 10, 400 },
		[SIM_KILL_DAEMONS] = { 10, 20, 600 },
		[SIM_KILL_NODE] = { 5, 50, 1000 },
		[SIM_SLEEP] = { 20, 5, 300 },
		[SIM_CANNOT_RUN] = { 3, 1, 1 },
		[SIM_KILL_OWNER] = { 6, 10, 1000 },
		[SIM_JITTER] = { 40, 1, 8 },
		[SIM_SLOW_SINK] = { 20, 1, 20 },
		[SIM_USER_STOP] = { 5, 10, 500 },
		[SIM_USER_PAUSE] = { 5, 50, 500 },
		[SIM_READER_GOES] = { 4, 10, 1000 },
	};
	struct sim_plan *p = &s->plan;
	uint32_t i;

	p->daemons_only = sim_chance(s, 20);
	for (i = 0; i < SIM_FAULTS; i++) {
		if (!sim_chance(s, rows[i].percent))
			continue;
		if (p->daemons_only && i != SIM_JITTER && i != SIM_SLEEP &&
		    (i < SIM_KILL_PNPD || i > SIM_KILL_DAEMONS))
			continue;
		/* Elsewhere its end would be as good as any. */
		if (i == SIM_EXIT_PROG && p->restart != RESTART_FAILURE)
			continue;
		p->every[i] = (rows[i].least +
		    sim_upto(s, rows[i].most - rows[i].least)) * ORCM_MS;
	}
	p->sink_slow = 1;
	if (p->every[SIM_SLOW_SINK] != 0)
		p->sink_slow += sim_upto(s, 30);
	p->faults_end = s->virtual != 0 ? s->virtual :
					  (100 + sim_upto(s, 3000)) * ORCM_MS;
}

/* A leader that stands still, and time enough to see who takes over. */
static void
draw_hang(struct sim *s)
{
	struct sim_plan *p = &s->plan;

	if (!sim_chance(s, 5))
		return;
	memset(p->every, 0, sizeof(p->every));
	p->every[SIM_HANG] = (5 + sim_upto(s, 800)) * ORCM_MS;
	p->sink_slow = 1;
	if (s->virtual == 0)
		p->faults_end = (2000 + sim_upto(s, 6000)) * ORCM_MS;
}

void
sim_plan_draw(struct sim *s)
{
	struct sim_plan *p = &s->plan;

	p->ranks = 1 + (uint32_t)sim_upto(s, SIM_RANKS - 1);
	if (s->ranks != 0)
		p->ranks = s->ranks;
	p->kind = (enum sim_kind)sim_upto(s, SIM_KINDS - 1);
	if (s->kind < SIM_KINDS)
		p->kind = (enum sim_kind)s->kind;
	draw_policy(s);
	draw_sizes(s);
	draw_speeds(s);
	draw_limits(s);
	draw_faults(s);
	draw_hang(s);
	sim_note(s, p->policy, p->ranks, p->input_size, p->output_size);
	sim_note(s, sim_kind_name(p->kind), p->window, p->keep, p->budget);
}
