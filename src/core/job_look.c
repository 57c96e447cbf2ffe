/* SPDX-License-Identifier: ISC */
/*
 * The watching half of the owner's view: who moves, who has caught up, who
 * stalls although others are ahead of it, and what an ended life still has to
 * say.  Nothing here acts; the flags that change are told by job_out.c.
 */
#include "core/job.h"

uint64_t
job_pos(const struct job *j, uint32_t rank)
{
	uint32_t member;
	const struct splice *s = job_splice(j, rank, &member);

	return s->ranks[member].pos;
}

/* It gets no input before it leads, so it cannot move either. */
static bool
waits_to_lead(const struct job *j, uint32_t rank)
{
	return j->feed->conf.leader_only && rank != j->leader;
}

/*
 * How long it has not moved although it could: bytes that it owes us, since
 * its output moved or others were ahead; bytes that we owe it, likewise.  A
 * byte that only went into its pipe is no move of its own, so the two are
 * judged apart.
 */
static uint64_t
look_quiet(struct job *j, uint64_t now, uint32_t rank, uint64_t max_fed,
    uint64_t max_pos)
{
	struct job_rank *r = &j->ranks[rank];
	uint64_t at, more, since, quiet = 0;

	feed_next(j->feed, rank, &at, &more);
	if (r->pos >= max_pos)
		r->behind = 0;
	else if (r->behind == 0)
		r->behind = now;
	if (r->fed + JOB_INPUT_SLACK >= max_fed || more == 0)
		r->behind_in = 0;
	else if (r->behind_in == 0)
		r->behind_in = now;
	if (r->behind != 0) {
		since = r->behind > r->moved ? r->behind : r->moved;
		quiet = now - since;
	}
	if (r->behind_in != 0) {
		since = r->behind_in > r->moved_in ? r->behind_in :
						     r->moved_in;
		quiet = now - since > quiet ? now - since : quiet;
	}
	return quiet;
}

static void
look_moves(struct job *j, uint64_t now, uint32_t rank, uint64_t max_fed,
    uint64_t max_pos)
{
	struct job_rank *r = &j->ranks[rank];
	uint64_t fed = j->feed->ranks[rank].fed, pos = job_pos(j, rank);
	uint64_t quiet, limit = j->conf.stall;
	bool paused = j->want == JOB_PAUSED;

	if (pos != r->pos || paused)
		r->moved = now;
	if (fed != r->fed || paused)
		r->moved_in = now;
	if (r->stalled && (pos != r->pos || paused ||
	    (r->behind_in != 0 && fed != r->fed))) {
		r->stalled = false;
		feed_stalled(j->feed, rank, false);
	}
	r->fed = fed;
	r->pos = pos;
	if (waits_to_lead(j, rank)) {
		r->behind = r->behind_in = 0;
		return;
	}
	quiet = look_quiet(j, now, rank, max_fed, max_pos);
	if (rank == j->leader && max_pos >= j->splices[0].done +
		j->conf.window)
		limit /= JOB_STALL_WINDOW;
	if (!r->stalled && quiet >= limit) {
		r->stalled = true;
		feed_stalled(j->feed, rank, true);
	}
	if (quiet >= JOB_KICK * j->conf.stall && !r->kicked &&
	    j->feed->head > 0 && j->feed->head >= j->feed->conf.keep)
		r->kicked = true;
}

/*
 * The rest of an ended life's output is read as long as it comes, and as long
 * as we ourselves leave it in the pipe because a window is full.
 */
static void
look_rest(struct job *j, uint64_t now, uint32_t rank)
{
	struct job_rank *r = &j->ranks[rank];
	uint64_t pos = job_pos(j, rank);
	uint32_t member;
	const struct splice *s = job_splice(j, rank, &member);

	if (r->cut == 0 || (pos == r->pos && pos < s->done + s->conf.window))
		return;
	r->pos = pos;
	r->cut = job_rest_by(j, now);
}

void
job_look_streams(struct job *j, uint64_t now)
{
	uint64_t max_fed = 0, max_pos = 0, fed, pos;
	struct job_rank *r;
	uint32_t i, member;
	struct splice *s;

	for (i = 0; i < j->conf.ranks_len; i++) {
		if (!j->ranks[i].alive && !j->ranks[i].ended)
			continue;
		fed = j->feed->ranks[i].fed;
		pos = job_pos(j, i);
		max_fed = fed > max_fed ? fed : max_fed;
		max_pos = pos > max_pos ? pos : max_pos;
	}
	if (j->conf.delivery == ORCM_DELIVER_ALL)
		max_pos = 0;
	for (i = 0; i < j->conf.ranks_len; i++) {
		r = &j->ranks[i];
		look_rest(j, now, i);
		if (!r->alive)
			continue;
		if (j->conf.ranks_len > 1)
			look_moves(j, now, i, max_fed, max_pos);
		s = job_splice(j, i, &member);
		if (!r->ready && feed_level(j->feed, i) &&
		    (splice_level(s, member) || waits_to_lead(j, i)))
			r->ready = true;
		if (r->ready && !r->fruit &&
		    (s->done > r->done || j->feed->head > r->head))
			r->fruit = true;
	}
}
