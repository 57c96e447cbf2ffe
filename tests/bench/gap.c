/* SPDX-License-Identifier: ISC */
/*
 * gap N BIN DVM: a stream of lines of 64 bytes, one a millisecond, through
 * "orcm-run -n 3 cat", whose leader is killed N times.  Prints
 *   gap NS	from before kill(2) until a byte is out that came in after it
 *   calm NS	the same at a moment when nobody is killed
 *   floor NS	kill(2) of a plain child until waitpid(2) tells of its death
 * "gap" and "calm" so include the wait for the next line, up to 1 ms, because
 * what a dead leader had said before it died does not count.  Each byte that
 * comes out is compared.
 */
#include "bench.h"

#include <sys/select.h>

#define LINE 64
#define REPLICAS 3
#define LIMIT (20000 * MS)

static int to, from;
static int64_t sent, got, next, stamp; /* stamp: when the last byte came */

static void
line(char *p, int64_t number)
{
	(void)snprintf(p, LINE, "%0*lld", LINE - 1, (long long)number);
	p[LINE - 1] = '\n';
}

static void
send_line(void)
{
	char text[LINE];

	line(text, sent / LINE);
	if (write(to, text, LINE) != LINE)
		fail("write");
	sent += LINE;
	next += MS;
}

static void
take(void)
{
	char text[LINE], in[65536];
	ssize_t n = read(from, in, sizeof(in)), i;

	stamp = now();
	if (n <= 0)
		fail("early end");
	for (i = 0; i < n; i++, got++) {
		if (i == 0 || got % LINE == 0)
			line(text, got / LINE);
		if (in[i] != text[got % LINE]) {
			errno = 0;
			fail("the output is wrong");
		}
	}
}

/* Keeps the stream going until then, or until more than mark is out. */
static void
pump(int64_t until, int64_t mark)
{
	int64_t t, wait;
	struct timespec ts;
	fd_set set;

	while ((t = now()) < until && got <= mark) {
		if (t >= next) {
			send_line();
			continue;
		}
		wait = (next < until ? next : until) - t;
		ts.tv_sec = (time_t)(wait / (1000 * MS));
		ts.tv_nsec = (long)(wait % (1000 * MS));
		FD_ZERO(&set);
		FD_SET(from, &set);
		if (pselect(from + 1, &set, NULL, NULL, &ts, NULL) == 1)
			take();
	}
}

static void
passed(const char *name, int64_t t)
{
	int64_t mark = sent;

	pump(t + LIMIT, mark);
	if (got <= mark) {
		errno = 0;
		fail("nothing came any more");
	}
	printf("%s %lld\n", name, (long long)(stamp - t));
}

static void
floor_of(void)
{
	pid_t pid = fork();
	int status;
	int64_t t;

	if (pid == 0)
		for (;;)
			(void)pause();
	if (pid == -1)
		fail("fork");
	rest(2 * MS);
	t = now();
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	printf("floor %lld\n", (long long)(now() - t));
}

/* Until all are there again, the stream going on. */
static long
leader(const char *ps, const char *dvm, const char *job)
{
	int64_t end = now() + LIMIT;
	struct seen s[REPLICAS];
	long pid = 0;

	while (pid == 0 && now() < end) {
		pump(now() + 10 * MS, INT64_MAX);
		pid = whole(s, look(ps, dvm, job, s, REPLICAS), REPLICAS);
		/* Time was lost here; no burst for it. */
		next = now();
	}
	if (pid == 0) {
		errno = 0;
		fail("the replicas did not come back");
	}
	return pid;
}

int
main(int argc, char **argv)
{
	char run[512], ps[512], job[32];
	int n = argc == 4 ? number(argv[1]) : 0, in[2], out[2], status;
	const char *const command[] = { run, "-D", argv[3], "-j", job, "-n",
		"3", "-r", "inf", "-q", "--", "cat", NULL };
	long victim;
	int64_t t;
	pid_t pid;

	if (n <= 0)
		fail("usage: gap N BIN DVM");
	(void)snprintf(run, sizeof(run), "%s/orcm-run", argv[2]);
	(void)snprintf(ps, sizeof(ps), "%s/orcm-ps", argv[2]);
	(void)snprintf(job, sizeof(job), "gap.%ld", (long)getpid());
	(void)signal(SIGPIPE, SIG_IGN);
	make_pipe(in);
	make_pipe(out);
	pid = start((char *const *)(uintptr_t)command, in[0], out[1], -2);
	close(in[0]);
	close(out[1]);
	to = in[1];
	from = out[0];
	next = now();
	srandom((unsigned)next);
	for (; n > 0; n--) {
		victim = leader(ps, argv[3], job);
		pump(now() + 5 * MS + random() % (10 * MS), INT64_MAX);
		passed("calm", now());
		floor_of();
		next = now();
		pump(now() + 5 * MS + random() % (10 * MS), INT64_MAX);
		t = now();
		(void)kill((pid_t)victim, SIGKILL);
		passed("gap", t);
	}
	close(to);
	while (got < sent)
		take();
	(void)waitpid(pid, &status, 0);
	return status == 0 ? 0 : 5;
}
