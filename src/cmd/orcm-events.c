/* SPDX-License-Identifier: ISC */
/*
 * orcm-events: what happened, one line each, oldest first.  Programs repeat
 * their last events to a switchboard that was started again, and that tells
 * them to us again: the last ones are remembered to drop repeats.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "base/num.h"
#include "lib/tool.h"
#include "sys/log.h"

#define SEEN_MAX 2048u /* more than a switchboard keeps */
#define FIXED 4u
#define WORDS_MAX (OUT_COLUMNS_MAX - FIXED)

static const struct out_column fixed[FIXED] = {
	{ "time-ms", OUT_NUMBER },
	{ "kind", OUT_TEXT },
	{ "job", OUT_TEXT },
	{ "rank", OUT_NUMBER },
};

/* Whose event it was; the time tells lives of one pid apart. */
struct seen {
	uint64_t time_ms, seq;
	uint32_t pid;
};

static struct events {
	struct tool t;
	char **names;
	size_t names_len;
	uint64_t left; /* lines still to be printed */
	struct seen seen[SEEN_MAX];
	size_t seen_len, seen_at;
} e;

static bool
known(const struct client_event *v)
{
	struct seen *s;
	size_t i;

	for (i = 0; i < e.seen_len; i++) {
		s = &e.seen[i];
		if (s->seq == v->seq && s->pid == v->pid &&
		    s->time_ms == v->time_ms)
			return true;
	}
	s = &e.seen[e.seen_at];
	e.seen_at = (e.seen_at + 1) % SEEN_MAX;
	if (e.seen_len < SEEN_MAX)
		e.seen_len++;
	s->seq = v->seq;
	s->pid = v->pid;
	s->time_ms = v->time_ms;
	return false;
}

static bool
wanted(const char *job)
{
	size_t i;

	for (i = 0; i < e.names_len; i++)
		if (strcmp(e.names[i], job) == 0)
			return true;
	return e.names_len == 0;
}

/*
 * Cuts text, which ends with two NULs, into words, a column each.  As text
 * a column shows the whole word; in JSON "pid=7" is the member "pid", and a
 * word without '=' is the member of that name with the value true.
 */
static size_t
words(char *text, bool json, struct out_column *columns, const char **values)
{
	char *word, *equal;
	size_t n = 0;

	for (word = text; n < WORDS_MAX; word += strlen(word) + 1) {
		word += strspn(word, " ");
		if (*word == '\0')
			break;
		equal = word + strcspn(word, " ");
		*equal = '\0';
		equal = json ? strchr(word, '=') : NULL;
		columns[n].name = word;
		columns[n].form = json ? OUT_NUMBER : OUT_TEXT;
		values[n] = word;
		if (equal != NULL) {
			*equal = '\0';
			values[n] = equal + 1;
			word = equal + 1;
		} else if (json) {
			columns[n].form = OUT_BOOL;
			values[n] = "yes";
		}
		n++;
	}
	return n;
}

static void
print(const struct client_event *v)
{
	struct out_column columns[OUT_COLUMNS_MAX];
	const char *values[OUT_COLUMNS_MAX];
	char time[24], rank[24], text[CLIENT_EVENT_TEXT + 2];
	struct out out;
	size_t len;

	memset(text, 0, sizeof(text));
	(void)copy_str(text, CLIENT_EVENT_TEXT, v->text);
	(void)num_text(time, sizeof(time), v->time_ms);
	(void)num_text(rank, sizeof(rank), v->rank);
	memcpy(columns, fixed, sizeof(fixed));
	values[0] = time;
	values[1] = v->name;
	values[2] = v->job;
	values[3] = v->rank != ORCM_RANK_NONE ? rank : NULL;
	len = FIXED + words(text, e.t.json, columns + FIXED, values + FIXED);
	(void)out_init(&out, columns, len, NULL, false, e.t.json);
	out_row(&out, values);
}

static void
event(struct tool_dvm *d, const struct client_event *v)
{
	(void)d;
	if (known(v) || !wanted(v->job))
		return;
	print(v);
	if (e.t.follow)
		tool_flush();
	if (e.left != 0 && --e.left == 0) {
		tool_flush();
		exit(EXIT_YES);
	}
}

static void
look(struct tool *t)
{
	if (tool_pending(t))
		return;
	if (tool_here(t) == 0)
		tool_nobody(t);
	if (t->follow)
		return;
	tool_flush();
	exit(EXIT_YES);
}

int
main(int argc, char **argv)
{
	static const struct tool_ops ops = { .look = look, .event = event };
	int c;

	tool_init(&e.t, "orcm-events",
	    "[-JVf] [-D dvm] [-n count] [-r rundir] [job ...]");
	while ((c = getopt(argc, argv, "+D:JVfn:r:")) != -1)
		if (c != 'n')
			tool_option(&e.t, c);
		else if (!num_u64(optarg, 1, UINT64_MAX, &e.left))
			die(EXIT_USAGE, "-n %s: a number from 1 on", optarg);
	e.names = argv + optind;
	e.names_len = (size_t)(argc - optind);
	e.t.ops = &ops;
	e.t.kinds = CLIENT_SUB_EVENTS;
	e.t.patient = e.t.follow;
	tool_start(&e.t);
	/* Jobs are found wherever they are; other events need one DVM. */
	if (e.names_len == 0)
		tool_choose(&e.t);
	tool_run(&e.t);
	return EXIT_YES;
}
