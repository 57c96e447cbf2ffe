/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat/closefds.h"
#include "compat/pdeath.h"
#include "compat/vfork.h"
#include "sys/fd.h"
#include "sys/spawn.h"

extern char **environ;

/*
 * Starting a program.  The parent prepares all that needs memory: the path,
 * the list of descriptors that stay, the bound for closing.  The child, which
 * may be running in the parent's memory, calls nothing but async-signal-safe
 * functions, changes nothing of the parent's but `struct child`, and ends in
 * execve(2) or _exit(2).
 *
 * How a failure comes back: through struct child where memory was shared, as
 * vfork(2) does; else through a close-on-exec pipe.  Which of both it was is
 * seen and not assumed (`seen`), because a vfork(2) may be a fork(2): under
 * some checkers and emulators it is.  The pipe is not read where memory was
 * shared: its end of file comes later than the parent is allowed to go on,
 * and waiting for it would double the time of a start.
 *
 * All signals are blocked from before the fork until the child has default
 * dispositions, so that no handler of ours ever runs in a child.
 */

#define SHELL "/bin/sh"

/* The number of signals; real-time ones may lie beyond NSIG. */
#ifdef SIGRTMAX
#define SIGNALS_LEN (SIGRTMAX >= NSIG ? SIGRTMAX + 1 : NSIG)
#else
#define SIGNALS_LEN NSIG
#endif

enum stage { STAGE_SETUP, STAGE_EXEC };

struct failure {
	int stage, error; /* error 0: none */
};

struct child {
	const struct spawn *s;
	const char *path;
	char *const *argv;
	const int *keep; /* s->keep and the pipe's end */
	size_t keep_len;
	int bound, signals_len, report;
	pid_t parent;
	volatile int seen; /* the child's memory is ours */
	volatile struct failure failure;
};

/* A walk along PATH. */
struct search {
	const char *file, *left; /* left: rest of PATH, NULL at its end */
	char standard[256];	 /* PATH where the environment has none */
	int dir;
	bool denied; /* something of that name was there */
	char path[PATH_MAX];
};

_Noreturn static void
fail(struct child *c, enum stage stage)
{
	struct failure f = { .stage = stage, .error = errno };
	ssize_t n;

	c->failure.stage = f.stage;
	c->failure.error = f.error;
	/* Less than PIPE_BUF: all or nothing. */
	do
		n = write(c->report, &f, sizeof(f));
	while (n == -1 && errno == EINTR);
	_exit(127);
}

static void
reset_signals(const struct child *c)
{
	struct sigaction sa;
	sigset_t none;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sigemptyset(&sa.sa_mask);
	sa.sa_handler = SIG_DFL;
	/* KILL, STOP and the C library's own refuse; they need nothing. */
	for (sig = 1; sig < c->signals_len; sig++)
		(void)sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	(void)pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* A descriptor above 2 for what fd has open. */
static int
lift(int fd)
{
	return fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/*
 * Puts the three where they belong.  A source that is itself one of 0..2 is
 * lifted first unless it stays where it is, so no dup2(2) destroys what a
 * later one needs.
 */
static int
place_std(const int fd[3])
{
	int from[3], null = -1, i;

	for (i = 0; i < 3; i++) {
		from[i] = fd[i];
		if (fd[i] == i)
			continue;
		if (fd[i] == -1) {
			if (null == -1)
				null = open("/dev/null", O_RDWR | O_CLOEXEC);
			from[i] = null;
			if (null == -1)
				return -1;
		}
		from[i] = lift(from[i]);
		if (from[i] == -1)
			return -1;
	}
	for (i = 0; i < 3; i++)
		if (from[i] == i ? fd_cloexec(i, false) == -1 :
		    dup2(from[i], i) == -1)
			return -1;
	return 0;
}

static int
place_fds(const struct child *c)
{
	size_t i;

	if (place_std(c->s->fd) == -1)
		return -1;
	for (i = 0; i < c->s->keep_len; i++)
		if (c->s->keep[i] > 2 &&
		    fd_cloexec(c->s->keep[i], false) == -1)
			return -1;
	closefds(3, c->bound, c->keep, c->keep_len);
	return 0;
}

static bool
limit_above(rlim_t a, rlim_t b)
{
	return b != RLIM_INFINITY && (a == RLIM_INFINITY || a > b);
}

/* What the hard limit here does not allow is cut down to it. */
static int
set_limit(const struct spawn_limit *l)
{
	struct rlimit want = l->value, have;

	if (setrlimit(l->resource, &want) == 0)
		return 0;
	if (errno != EPERM || getrlimit(l->resource, &have) == -1)
		return -1;
	if (limit_above(want.rlim_max, have.rlim_max))
		want.rlim_max = have.rlim_max;
	if (limit_above(want.rlim_cur, want.rlim_max))
		want.rlim_cur = want.rlim_max;
	return setrlimit(l->resource, &want);
}

static int
set_limits(const struct spawn *s)
{
	size_t i;

	if (s->nice != SPAWN_NICE_KEEP &&
	    setpriority(PRIO_PROCESS, 0, s->nice) == -1)
		return -1;
	for (i = 0; i < s->limits_len; i++)
		if (set_limit(&s->limits[i]) == -1)
			return -1;
	return 0;
}

/* All of the child's life before its program.  Does not return. */
static void
run_child(void *arg)
{
	struct child *c = arg;
	const struct spawn *s = c->s;

	c->seen = 1;
	if (s->die_with_parent && pdeath_kill(c->parent) == -1)
		fail(c, STAGE_SETUP);
	reset_signals(c);
	if ((s->session ? setsid() : setpgid(0, 0)) == -1)
		fail(c, STAGE_SETUP);
	if (s->dir != -1 && fchdir(s->dir) == -1)
		fail(c, STAGE_SETUP);
	if (s->umask != -1)
		(void)umask((mode_t)s->umask);
	/* Limits last: a low one must not hinder the rest. */
	if (place_fds(c) == -1 || set_limits(s) == -1)
		fail(c, STAGE_SETUP);
	execve(c->path, c->argv, s->envp);
	fail(c, STAGE_EXEC);
}

/* What the child has to report; error 0 when its program runs. */
static struct failure
read_failure(struct child *c, int from)
{
	struct failure f = { STAGE_SETUP, 0 };
	ssize_t n;

	if (c->seen) {
		f.stage = c->failure.stage;
		f.error = c->failure.error;
		return f;
	}
	do
		n = read(from, &f, sizeof(f));
	while (n == -1 && errno == EINTR);
	if (n != (ssize_t)sizeof(f))
		f.error = 0;
	return f;
}

static pid_t
fork_child(struct child *c)
{
	sigset_t all, old;
	pid_t pid;
	int error;

	sigfillset(&all);
	error = pthread_sigmask(SIG_SETMASK, &all, &old);
	if (error != 0) {
		errno = error;
		return -1;
	}
	pid = vfork_run(run_child, c);
	error = errno;
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = error;
	return pid;
}

/* A close-on-exec pipe away from 0..2, where the child's own go. */
static int
open_report(int fd[2])
{
	int lifted, kept;

	if (fd_pipe(fd) == -1)
		return -1;
	if (fd[1] > 2)
		return 0;
	lifted = lift(fd[1]);
	kept = errno;
	close(fd[1]);
	fd[1] = lifted;
	if (lifted != -1)
		return 0;
	close(fd[0]);
	errno = kept;
	return -1;
}

/*
 * Runs argv in c->path.  The pid, or -1 with errno and whose failure it was
 * in *stage; then no child is left.
 */
static pid_t
start(struct child *c, enum stage *stage)
{
	struct failure f = { STAGE_SETUP, 0 };
	int report[2];
	int *keep;
	pid_t pid;

	*stage = STAGE_SETUP;
	keep = malloc((c->s->keep_len + 1) * sizeof(*keep));
	if (keep == NULL)
		return -1;
	if (open_report(report) == -1) {
		f.error = errno;
		free(keep);
		errno = f.error;
		return -1;
	}
	if (c->s->keep_len > 0)
		memcpy(keep, c->s->keep, c->s->keep_len * sizeof(*keep));
	keep[c->s->keep_len] = report[1];
	c->keep = keep;
	c->keep_len = c->s->keep_len + 1;
	c->bound = closefds_bound();
	c->signals_len = SIGNALS_LEN;
	c->report = report[1];
	c->parent = getpid();
	c->seen = 0;
	c->failure.error = 0;
	pid = fork_child(c);
	if (pid == -1)
		f.error = errno;
	close(report[1]);
	if (pid != -1)
		f = read_failure(c, report[0]);
	close(report[0]);
	free(keep);
	if (f.error == 0)
		return pid;
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	*stage = (enum stage)f.stage;
	errno = f.error;
	return -1;
}

/*
 * A text without "#!": execvp(3) gives it to the shell, and so do we.  The
 * child could not have made the longer argv, so a second one is started.
 */
static pid_t
start_by_shell(struct child *c, enum stage *stage)
{
	const char *shell = SHELL, *script = c->path;
	char *const *old = c->argv;
	char **argv;
	size_t len = 0;
	pid_t pid;
	int kept;

	while (old[len] != NULL)
		len++;
	argv = malloc((len + 3) * sizeof(*argv));
	if (argv == NULL)
		return -1;
	/* exec takes no const strings and writes to none. */
	memcpy(&argv[0], &shell, sizeof(shell));
	memcpy(&argv[1], &script, sizeof(script));
	if (len > 0)
		memcpy(argv + 2, old + 1, len * sizeof(*argv));
	else
		argv[2] = NULL;
	c->path = SHELL;
	c->argv = argv;
	pid = start(c, stage);
	kept = errno;
	free(argv);
	errno = kept;
	return pid;
}

static pid_t
start_path(struct child *c, const char *path, enum stage *stage)
{
	pid_t pid;

	c->path = path;
	c->argv = c->s->argv;
	pid = start(c, stage);
	if (pid == -1 && *stage == STAGE_EXEC && errno == ENOEXEC)
		pid = start_by_shell(c, stage);
	return pid;
}

static void
search_init(struct search *w, const char *file, char *const *envp, int dir)
{
	size_t n;

	w->file = file;
	w->dir = dir != -1 ? dir : AT_FDCWD;
	w->denied = false;
	w->left = NULL;
	for (; envp != NULL && *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0) {
			w->left = *envp + 5;
			return;
		}
	n = confstr(_CS_PATH, w->standard, sizeof(w->standard));
	w->left = n > 0 && n <= sizeof(w->standard) ? w->standard :
	    "/bin:/usr/bin";
}

/* Is path a file that we may execute?  -1 with errno. */
static int
check_program(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, 0) == -1)
		return -1;
	/* Root is told "yes" for any file by some systems. */
	if (S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0 &&
	    faccessat(dir, path, X_OK, AT_EACCESS) == 0)
		return 0;
	errno = EACCES;
	return -1;
}

/* The next program of that name into w->path; false at the end of PATH. */
static bool
search_next(struct search *w)
{
	size_t len, name_len = strlen(w->file);
	const char *part;

	while (w->left != NULL) {
		part = w->left;
		len = strcspn(part, ":");
		w->left = part[len] == ':' ? part + len + 1 : NULL;
		/* An empty element is the working directory. */
		if (len == 0) {
			part = ".";
			len = 1;
		}
		if (len + 1 + name_len >= sizeof(w->path))
			continue;
		memcpy(w->path, part, len);
		w->path[len] = '/';
		memcpy(w->path + len + 1, w->file, name_len + 1);
		if (check_program(w->dir, w->path) == 0)
			return true;
		/* Where we may not look, nothing was found. */
		if (errno == EACCES &&
		    faccessat(w->dir, w->path, F_OK, AT_EACCESS) == 0)
			w->denied = true;
	}
	return false;
}

/* Errors of exec after which execvp(3) looks further along PATH. */
static bool
search_goes_on(int error)
{
	return error == EACCES || error == ENOENT || error == ENOTDIR;
}

pid_t
spawn(const struct spawn *s)
{
	struct child c = { .s = s };
	struct search w;
	enum stage stage;
	pid_t pid;
	int error = 0;

	if (strchr(s->file, '/') != NULL)
		return start_path(&c, s->file, &stage);
	if (s->file[0] == '\0') {
		errno = ENOENT;
		return -1;
	}
	search_init(&w, s->file, s->envp, s->dir);
	while (search_next(&w)) {
		pid = start_path(&c, w.path, &stage);
		if (pid != -1)
			return pid;
		if (stage != STAGE_EXEC || !search_goes_on(errno))
			return -1;
		if (error != EACCES)
			error = errno;
	}
	errno = w.denied ? EACCES : error != 0 ? error : ENOENT;
	return -1;
}

void
spawn_apart(struct spawn *s, const char *file, char *const *argv)
{
	memset(s, 0, sizeof(*s));
	s->file = file;
	s->argv = argv;
	s->envp = environ;
	s->fd[0] = s->fd[1] = -1;
	s->fd[2] = STDERR_FILENO;
	s->dir = -1;
	s->session = true;
	s->umask = -1;
	s->nice = SPAWN_NICE_KEEP;
}

int
spawn_find(const char *file, char *const *envp, char *path, size_t size)
{
	struct search w;
	const char *found = file;

	if (strchr(file, '/') != NULL) {
		if (check_program(AT_FDCWD, file) == -1) {
			errno = errno == EACCES ? EACCES : ENOENT;
			return -1;
		}
	} else {
		search_init(&w, file, envp, -1);
		if (file[0] == '\0' || !search_next(&w)) {
			errno = file[0] != '\0' && w.denied ? EACCES : ENOENT;
			return -1;
		}
		found = w.path;
	}
	if (strlen(found) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, found, strlen(found) + 1);
	return 0;
}
