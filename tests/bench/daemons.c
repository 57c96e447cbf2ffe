/* SPDX-License-Identifier: ISC */
/*
 * daemons N BIN DVM RUNDIR: a job of 3 whose daemons are killed in turn, one
 * each 200 ms, N times each.  Prints, for orcm-pnpd, orcm-leaderd and orcmd,
 *   NAME NS	until "orcm-run -v" has heard, through a connection that is
 *		new where it must be, that the daemon is up; for orcmd that
 *		all three replicas are adopted
 *   NAME.ps NS	until orcm-ps, asked then, has shown all replicas up, ready,
 *		led and with the pids that they had; its own run counts
 */
#include "bench.h"

#include <poll.h>

#define REPLICAS 3
#define LIMIT (20000 * MS)

static struct job {
	int err;
	char text[8192];
	size_t size;
	char ps[512], name[32];
	const char *dvm, *run;
	struct seen were[REPLICAS];
} j;

/* The next line of events, without its newline; NULL when time is up. */
static const char *
event(int64_t until)
{
	static char out[1024];
	struct pollfd p = { j.err, POLLIN, 0 };
	int64_t left;
	ssize_t n;
	char *nl;

	while ((nl = memchr(j.text, '\n', j.size)) == NULL) {
		left = until - now();
		if (left <= 0 || poll(&p, 1, (int)(left / MS) + 1) != 1)
			return NULL;
		if (j.size == sizeof(j.text))
			j.size = 0;
		n = read(j.err, j.text + j.size, sizeof(j.text) - j.size);
		if (n <= 0)
			fail("orcm-run has ended");
		j.size += (size_t)n;
	}
	n = nl - j.text < (ssize_t)sizeof(out) ? nl - j.text :
						 (ssize_t)sizeof(out) - 1;
	memcpy(out, j.text, (size_t)n);
	out[n] = '\0';
	/* For whoever has to find out what went wrong. */
	if (getenv("BENCH_EVENTS") != NULL)
		fprintf(stderr, "# %lld %s\n", (long long)(now() / MS), out);
	j.size -= (size_t)(nl + 1 - j.text);
	memmove(j.text, nl + 1, j.size);
	return out;
}

static int
is_whole(void)
{
	struct seen s[REPLICAS];
	int n = look(j.ps, j.dvm, j.name, s, REPLICAS), i;

	if (whole(s, n, REPLICAS) == 0)
		return 0;
	for (i = 0; i < REPLICAS; i++) {
		long rank = s[i].rank;

		if (rank < 0 || rank >= REPLICAS)
			fail("orcm-ps tells of an unknown rank");
		if (j.were[rank].pid == 0)
			j.were[rank] = s[i];
		if (j.were[rank].pid == s[i].pid)
			continue;
		fprintf(stderr, "# rank %ld: pid %ld, now %ld\n", rank,
		    j.were[rank].pid, s[i].pid);
		errno = 0;
		fail("a replica was restarted");
	}
	return 1;
}

static void
await_whole(const char *why)
{
	int64_t end = now() + LIMIT;

	while (!is_whole())
		if (now() > end) {
			errno = 0;
			fail(why);
		}
}

/* Does this event say that the daemon, not the dead one, is there? */
static int
tells(const char *text, const char *name, pid_t dead, unsigned *adopted)
{
	char up[64];
	const char *p;
	unsigned rank;

	if (strcmp(name, "orcmd") == 0) {
		p = strstr(text, "event adopt rank ");
		if (p != NULL && sscanf(p, "event adopt rank %u", &rank) == 1)
			*adopted |= 1u << rank;
		return *adopted == (1u << REPLICAS) - 1;
	}
	(void)snprintf(up, sizeof(up), "event daemon %s up pid=", name);
	p = strstr(text, up);
	return p != NULL && strtol(p + strlen(up), NULL, 10) != (long)dead;
}

static void
strike(const char *name)
{
	char path[512];
	unsigned adopted = 0;
	const char *text;
	pid_t victim;
	int64_t t;

	while (event(now() + 2 * MS) != NULL)
		;
	(void)snprintf(path, sizeof(path), "%s/%s.lock", j.run, name);
	victim = holder(path);
	if (victim == 0)
		fail(path);
	t = now();
	if (getenv("BENCH_EVENTS") != NULL)
		fprintf(stderr, "# %lld kill -9 %s\n", (long long)(t / MS),
		    name);
	(void)kill(victim, SIGKILL);
	do {
		text = event(t + LIMIT);
		if (text == NULL) {
			await_whole(name);
			fprintf(stderr, "# %s ", name);
			errno = 0;
			fail("is back, but did not say so");
		}
	} while (!tells(text, name, victim, &adopted));
	printf("%s %lld\n", name, (long long)(now() - t));
	await_whole("the picture is not complete");
	printf("%s.ps %lld\n", name, (long long)(now() - t));
	rest(t + 200 * MS - now());
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "orcm-pnpd", "orcm-leaderd",
		"orcmd" };
	char run[512];
	int n = argc == 5 ? number(argv[1]) : 0, in[2], err[2], status, i;
	const char *const command[] = { run, "-D", argv[3], "-j", j.name, "-v",
		"-n", "3", "--", "cat", NULL };
	pid_t pid;

	if (n <= 0)
		fail("usage: daemons N BIN DVM RUNDIR");
	(void)snprintf(run, sizeof(run), "%s/orcm-run", argv[2]);
	(void)snprintf(j.ps, sizeof(j.ps), "%s/orcm-ps", argv[2]);
	(void)snprintf(j.name, sizeof(j.name), "daemons.%ld", (long)getpid());
	j.dvm = argv[3];
	j.run = argv[4];
	make_pipe(in);
	make_pipe(err);
	pid = start((char *const *)(uintptr_t)command, in[0], -1, err[1]);
	close(in[0]);
	close(err[1]);
	j.err = err[0];
	await_whole("the job did not start");
	rest(300 * MS);
	for (i = 0; i < n * 3; i++)
		strike(names[i % 3]);
	close(in[1]);
	(void)waitpid(pid, &status, 0);
	return status == 0 ? 0 : 5;
}
