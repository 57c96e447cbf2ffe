/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/require.h"

#include "aborts.h"
#include "tap.h"

/* What a child says on standard error that fails with this text. */
static void
listen_to(const char *file, const char *what, char *out, size_t size)
{
	size_t got = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	out[0] = '\0';
	if (pipe(fds) == -1)
		return;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		require_failed(file, 42, what);
	}
	close(fds[1]);
	while (got < size - 1 &&
	    (n = read(fds[0], out + got, size - 1 - got)) > 0)
		got += (size_t)n;
	out[got] = '\0';
	close(fds[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
}

static void
require_nothing_true(void)
{
	REQUIRE(1 + 1 == 3);
}

static void
a_true_condition_is_asked_once(void)
{
	int asked = 0;

	REQUIRE(++asked == 1);
	is_u64((uint64_t)asked, 1, "once");
}

static void
the_place_is_told(void)
{
	char out[1024], what[1024];

	listen_to("x.c", "a < b", out, sizeof(out));
	is_str(out, "x.c:42: required: a < b\n", "file, line, condition");
	memset(what, 'w', sizeof(what) - 1);
	what[sizeof(what) - 1] = '\0';
	listen_to("x.c", what, out, sizeof(out));
	ok(strlen(out) == 512 && out[511] == '\n', "a long one is cut");
}

int
main(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	a_true_condition_is_asked_once();
	ok(aborts(require_nothing_true), "a false condition aborts");
	the_place_is_told();
	return done_testing();
}
