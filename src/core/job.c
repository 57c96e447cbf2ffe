/* SPDX-License-Identifier: ISC */
/*
 * The owner's view of its replicas.  Keepers tell lives and deaths, the
 * picture tells what orcmd and orcm-leaderd decided, the streams tell who
 * moves.  Out come the flow records that leaderd chooses by, the wish that
 * orcmd fulfils (up, down, killed), and in the end the status.
 *
 * The job is over when its stream is complete: the leader ended as it should
 * and all it wrote is delivered (or a majority did, or everybody).  The
 * others then have a short time to end by themselves, so that a difference
 * at the very end is still seen, and are stopped.
 */
#include "core/job.h"

#include <string.h>

#include "base/require.h"

#define SIGNAL_PIPE 13

size_t
job_memory(const struct job_conf *conf)
{
	return conf->ranks_len * sizeof(struct job_rank) + 16;
}

void
job_init(struct job *j, struct arena *a, const struct job_conf *conf,
    struct feed *feed, struct splice *splices, uint64_t now)
{
	uint32_t i;

	memset(j, 0, sizeof(*j));
	j->conf = *conf;
	j->feed = feed;
	j->splices = splices;
	j->ranks = arena_alloc(a, conf->ranks_len, sizeof(*j->ranks));
	for (i = 0; i < conf->ranks_len; i++)
		j->ranks[i].status = STATUS_NONE;
	j->start = j->looked = now;
	j->leader = j->announced = ORCM_RANK_NONE;
	j->code = JOB_UNDECIDED;
	j->deadline = ORCM_NEVER;
}

struct splice *
job_splice(const struct job *j, uint32_t rank, uint32_t *member)
{
	bool all = j->conf.delivery == ORCM_DELIVER_ALL;

	REQUIRE(rank < j->conf.ranks_len);
	*member = all ? 0 : rank;
	return &j->splices[all ? rank : 0];
}

static void
want(struct job *j, enum job_want w, uint32_t sig)
{
	if (w == j->want && sig == j->signal)
		return;
	/* Who was told to die is not told to live again. */
	if (j->want == JOB_KILL || (j->want == JOB_DOWN && w < JOB_DOWN))
		return;
	j->want = w;
	j->signal = sig;
	j->want_new = true;
}

/* The end is asked for: no life follows, and it takes no longer than this. */
static void
stop(struct job *j, uint64_t now, enum job_want w, uint32_t sig)
{
	want(j, w, sig);
	j->stopping = true;
	if (w == JOB_KILL)
		j->deadline = now + 3 * ORCM_SECOND;
	else if (j->deadline == ORCM_NEVER)
		j->deadline = now + j->conf.grace + 3 * ORCM_SECOND;
}

static void
life_begins(struct job *j, uint64_t now, const struct job_in *in)
{
	struct job_rank *r = &j->ranks[in->rank];
	uint32_t member;
	struct splice *s = job_splice(j, in->rank, &member);

	r->alive = r->started = true;
	r->ended = r->eof = r->ready = r->stalled = r->fruit = false;
	r->own_end = false;
	r->incarnation = in->incarnation;
	r->pid = in->value;
	r->fed = r->pos = 0;
	r->moved = r->moved_in = now;
	r->behind = r->behind_in = r->cut = 0;
	r->done = s->done;
	r->head = j->feed->head;
	splice_start(s, member);
	r->kicked = !feed_start(j->feed, in->rank);
}

static void
life_dies(struct job *j, uint32_t rank, uint32_t status)
{
	struct job_rank *r = &j->ranks[rank];
	uint32_t member;
	struct splice *s = job_splice(j, rank, &member);

	r->alive = r->ready = r->stalled = false;
	r->status = status;
	feed_stop(j->feed, rank);
	splice_lost(s, member);
}

/* Both the process and its stdout have come to their end. */
static void
life_ends(struct job *j, uint32_t rank)
{
	struct job_rank *r = &j->ranks[rank];
	uint32_t member;
	struct splice *s = job_splice(j, rank, &member);

	if (!r->ended || !r->eof)
		return;
	r->cut = 0;
	/* Who was stopped has not ended where it would have by itself. */
	if (!r->own_end && j->conf.delivery == ORCM_DELIVER_LEADER &&
	    j->leader != ORCM_RANK_NONE && rank != j->leader)
		splice_lost(s, member);
	/* Nor is that an end where we closed its output ourselves. */
	else if (!r->own_end || j->closed)
		splice_stopped(s, member);
	else
		splice_eof(s, member);
	if (j->conf.delivery == ORCM_DELIVER_ALL)
		splice_lead(s, 0);
}

/* When the output of a life that has ended is no longer waited for. */
uint64_t
job_rest_by(const struct job *j, uint64_t now)
{
	return now + (j->conf.grace > JOB_REST ? j->conf.grace : JOB_REST);
}

static void
has_ended(struct job *j, uint64_t now, const struct job_in *in)
{
	struct job_rank *r = &j->ranks[in->rank];

	if (!r->alive || in->incarnation != r->incarnation)
		return;
	if (!j->stopping && record_restarts(j->conf.restart, in->value)) {
		life_dies(j, in->rank, in->value);
		return;
	}
	/* Who dies of a signal has not said all it had to say, unless asked. */
	if (!STATUS_IS_CODE(in->value) && !j->stopping) {
		life_dies(j, in->rank, in->value);
		return;
	}
	r->alive = false;
	r->ended = true;
	r->stalled = false;
	r->own_end = !j->stopping;
	r->status = in->value;
	r->cut = job_rest_by(j, now);
	feed_stop(j->feed, in->rank);
	life_ends(j, in->rank);
}

static void
lead(struct job *j, const struct job_in *in)
{
	if (in->epoch <= j->epoch || j->conf.delivery != ORCM_DELIVER_LEADER)
		return;
	/* Whoever claims next has to know it, also when it is not followed. */
	j->epoch = in->epoch;
	/* When all are told to die, the order of their deaths means nothing. */
	if (j->stopping && j->leader != ORCM_RANK_NONE &&
	    in->rank != j->leader)
		return;
	/* The stream is whole: who led it to its end has the last word. */
	if (j->finished != 0)
		return;
	j->leader = in->rank;
	j->leader_incarnation = in->incarnation;
	if (in->rank == ORCM_RANK_NONE)
		return;
	splice_lead(&j->splices[0], in->rank);
	feed_lead(j->feed, in->rank);
}

/*
 * No life of this replica will come any more.  The picture may be faster than
 * the keeper, so its last word is waited for: it leaves when it has said it.
 */
static bool
given_up(const struct job_rank *r)
{
	return !r->attached && !r->alive && !r->ended && r->proc_known &&
	    (r->proc.state == PROC_FAILED || r->proc.state == PROC_DONE) &&
	    (!r->started || r->proc.incarnation >= r->incarnation);
}

bool
job_alive(const struct job *j)
{
	uint32_t i;

	for (i = 0; i < j->conf.ranks_len; i++)
		if (j->ranks[i].alive)
			return true;
	return false;
}

/* Every replica has ended as it should, or no life of it will come. */
static bool
all_final(const struct job *j, bool *failed)
{
	uint32_t i, member;
	bool any = false;

	for (i = 0; i < j->conf.ranks_len; i++) {
		const struct job_rank *r = &j->ranks[i];

		if (given_up(r)) {
			any = true;
			continue;
		}
		if (!r->ended || !r->eof ||
		    (j->conf.delivery == ORCM_DELIVER_ALL &&
			!splice_complete(job_splice(j, i, &member))))
			return false;
	}
	*failed = any;
	return true;
}

static bool
stream_complete(const struct job *j)
{
	bool failed;

	if (j->conf.delivery == ORCM_DELIVER_ALL)
		return all_final(j, &failed) && !failed;
	if (j->conf.delivery == ORCM_DELIVER_LEADER &&
	    (j->leader == ORCM_RANK_NONE || !j->ranks[j->leader].ended))
		return false;
	return splice_complete(&j->splices[0]);
}

/* Is somebody still to be heard, who lives or has not begun yet? */
static bool
others_wanted(const struct job *j)
{
	uint32_t i;

	for (i = 0; i < j->conf.ranks_len; i++)
		if (!(j->ranks[i].ended && j->ranks[i].eof) &&
		    !given_up(&j->ranks[i]))
			return true;
	return false;
}

static void
look_finished(struct job *j, uint64_t now)
{
	uint64_t settle = j->conf.rule == JOB_STATUS_LEADER ? j->conf.settle :
							      j->conf.grace;

	if (j->finished == 0 && stream_complete(j))
		j->finished = now;
	if (j->finished == 0 || j->code != JOB_UNDECIDED)
		return;
	if (others_wanted(j) && now < j->finished + settle)
		return;
	j->code = job_final_code(j);
	stop(j, now, JOB_DOWN, 0);
}

/* Ways to end other than a complete stream. */
static void
look_broken(struct job *j, uint64_t now)
{
	bool failed = false;
	uint32_t i, gone = 0;

	if (j->code != JOB_UNDECIDED)
		return;
	/* Under vote as the splice counts them: it says what is lost. */
	for (i = 0; i < j->conf.ranks_len; i++)
		gone += j->conf.delivery == ORCM_DELIVER_MAJORITY ?
		    j->splices[0].ranks[i].gone && !j->ranks[i].ended :
		    given_up(&j->ranks[i]);
	if (j->conf.limit != ORCM_NEVER && now >= j->start + j->conf.limit) {
		j->code = JOB_TIMED_OUT;
		stop(j, now, JOB_DOWN, 0);
	} else if (j->stopping) {
		return;
	} else if (j->conf.delivery == ORCM_DELIVER_MAJORITY &&
	    splice_split(&j->splices[0])) {
		j->code = gone > (j->conf.ranks_len - 1) / 2 ?
		    job_gave_up_code(j) :
		    JOB_DISAGREED;
		stop(j, now, JOB_DOWN, 0);
	} else if (gone == j->conf.ranks_len ||
	    (j->conf.delivery == ORCM_DELIVER_ALL && all_final(j, &failed) &&
		failed)) {
		j->code = job_gave_up_code(j);
		stop(j, now, JOB_DOWN, 0);
	}
}

/* Is anything of what this one wrote still in its pipe, or with us? */
static bool
rest_of(const struct job *j, uint32_t rank)
{
	const struct job_rank *r = &j->ranks[rank];
	uint32_t member;
	const struct splice *s = job_splice(j, rank, &member);

	if (!r->ended)
		return false;
	if (j->conf.delivery == ORCM_DELIVER_ALL)
		return !r->eof || !splice_complete(s);
	/* Who is a window ahead of what can get a majority is not heard. */
	return !r->eof && job_pos(j, rank) < s->done + s->conf.window;
}

bool
job_undelivered(const struct job *j)
{
	const struct job_rank *r;
	uint32_t i;

	if (j->closed || j->want == JOB_KILL)
		return false;
	/* A time limit is one for our reader too. */
	if (j->code == JOB_TIMED_OUT && j->looked >= j->deadline)
		return false;
	if (j->conf.delivery != ORCM_DELIVER_LEADER) {
		if (j->finished != 0 || (j->code != JOB_UNDECIDED &&
		    j->code != JOB_TIMED_OUT))
			return false;
		for (i = 0; i < j->conf.ranks_len; i++)
			if (rest_of(j, i))
				return true;
		return j->conf.delivery == ORCM_DELIVER_MAJORITY &&
		    splice_pending(&j->splices[0]);
	}
	if (j->leader == ORCM_RANK_NONE)
		return false;
	r = &j->ranks[j->leader];
	if (!r->ended || (r->eof && !j->splices[0].ranks[j->leader].ended))
		return false;
	return !r->eof || !splice_complete(&j->splices[0]);
}

/* A job that was told to stop has the status of who led it. */
static void
look_stopped(struct job *j)
{
	if (!j->stopping || j->code != JOB_UNDECIDED)
		return;
	if ((job_alive(j) && j->looked < j->deadline) || job_undelivered(j))
		return;
	j->code = job_stopped_code(j);
}

static void
look(struct job *j, uint64_t now)
{
	uint32_t i;

	j->looked = now;
	if (j->over)
		return;
	job_look_streams(j, now);
	for (i = 0; i < j->conf.ranks_len; i++)
		if (given_up(&j->ranks[i])) {
			uint32_t member;
			struct splice *s = job_splice(j, i, &member);

			splice_gone(s, member);
			feed_stop(j->feed, i);
		}
	look_finished(j, now);
	look_broken(j, now);
	look_stopped(j);
}

static void
feed_rank(struct job *j, uint64_t now, const struct job_in *in)
{
	struct job_rank *r = &j->ranks[in->rank];

	REQUIRE(in->rank < j->conf.ranks_len);
	switch (in->event) {
	case JOB_IN_ATTACHED:
		r->attached = true;
		if (in->incarnation > r->incarnation)
			r->incarnation = in->incarnation;
		break;
	case JOB_IN_DETACHED:
		r->attached = false;
		if (r->alive)
			life_dies(j, in->rank, STATUS_LOST);
		break;
	case JOB_IN_STARTED:
		life_begins(j, now, in);
		break;
	case JOB_IN_ENDED:
		has_ended(j, now, in);
		break;
	case JOB_IN_OUT_EOF:
		r->eof = true;
		life_ends(j, in->rank);
		break;
	default:
		r->proc = *in->proc;
		r->proc_known = true;
		break;
	}
}

void
job_feed(struct job *j, uint64_t now, const struct job_in *in)
{
	j->told = 0;
	switch (in->event) {
	case JOB_IN_LEAD:
		lead(j, in);
		break;
	case JOB_IN_STOP:
		stop(j, now, JOB_DOWN, in->value);
		break;
	case JOB_IN_KILL:
		stop(j, now, JOB_KILL, j->signal);
		break;
	case JOB_IN_PAUSE:
		want(j, JOB_PAUSED, 0);
		break;
	case JOB_IN_RESUME:
		want(j, JOB_UP, 0);
		break;
	case JOB_IN_CLOSED:
		j->closed = true;
		j->code = in->value;
		stop(j, now, JOB_DOWN, SIGNAL_PIPE);
		break;
	case JOB_IN_NO_REPLAY:
		j->want_new = j->want_new || !j->no_replay;
		j->no_replay = true;
		/* A failure stays one; an end has to count some time. */
		if (j->conf.restart == RESTART_ALWAYS)
			j->conf.restart = RESTART_FAILURE;
		break;
	case JOB_IN_LOOK:
		break;
	default:
		feed_rank(j, now, in);
		break;
	}
	look(j, now);
}
