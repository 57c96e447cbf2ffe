/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compat/pdeath.h"
#include "sys/fd.h"
#include "sys/spawn.h"

#include "tap.h"

/*
 * The children are shells whose output comes back through a pipe, read to
 * its end; a directory with programs of all kinds is made for the search.
 */
static char dir[] = "/tmp/t_spawn.XXXXXX";
static char *environ_of_test[] = { NULL, NULL };
static char path_variable[256];

/* What a child wrote, and how it ended. */
static char output[4096];
static int status;

static struct spawn
plain(char *const *argv)
{
	struct spawn s = {
		.file = argv[0],
		.argv = argv,
		.envp = environ_of_test,
		.fd = { -1, -1, 2 },
		.dir = -1,
		.umask = -1,
		.nice = SPAWN_NICE_KEEP,
	};

	return s;
}

/* Runs it with 1 going into output; -1 with errno as spawn(). */
static pid_t
run(struct spawn *s)
{
	int fd[2], kept;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	if (fd_pipe(fd) == -1)
		abort();
	s->fd[1] = fd[1];
	status = -1;
	pid = spawn(s);
	kept = errno;
	close(fd[1]);
	while ((n = read(fd[0], output + used, sizeof(output) - 1 - used)) > 0)
		used += (size_t)n;
	output[used] = '\0';
	if (used > 0 && output[used - 1] == '\n')
		output[used - 1] = '\0';
	close(fd[0]);
	if (pid != -1)
		waitpid(pid, &status, 0);
	errno = kept;
	return pid;
}

static void
shell(struct spawn *s, const char *text)
{
	static char script[1024];
	static char sh[] = "/bin/sh", c[] = "-c";
	static char *argv[] = { sh, c, script, NULL };

	snprintf(script, sizeof(script), "%s", text);
	*s = plain(argv);
}

static bool
exited(int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static bool
no_child_left(void)
{
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

static void
program_runs_and_ends(void)
{
	struct spawn s;
	char want[32];
	pid_t pid;

	shell(&s, "echo $$; exit 7");
	pid = run(&s);
	snprintf(want, sizeof(want), "%ld", (long)pid);
	ok(pid > 0, "it runs");
	is_str(output, want, "the pid is the program's");
	ok(exited(7), "its exit code");
}

static void
failures_come_back(void)
{
	static char none[] = "/no/such/file", here[] = "/";
	char *argv[] = { none, NULL };
	struct spawn s = plain(argv);
	struct spawn_limit bad = { .resource = -1 };

	ok(run(&s) == -1 && errno == ENOENT, "no such program: ENOENT");
	argv[0] = here;
	s = plain(argv);
	ok(run(&s) == -1 && errno == EACCES, "a directory: EACCES");
	shell(&s, "exit 0");
	s.dir = 0;
	ok(run(&s) == -1 && errno != 0, "no directory to work in: %s",
	    strerror(errno));
	shell(&s, "exit 0");
	s.limits = &bad;
	s.limits_len = 1;
	ok(run(&s) == -1 && errno == EINVAL, "no such limit: EINVAL");
	shell(&s, "exit 0");
	s.fd[2] = 777;
	ok(run(&s) == -1 && errno == EBADF, "no such descriptor: EBADF");
	ok(no_child_left(), "no child is left");
}

static void
signals_are_as_if_never_touched(void)
{
	struct sigaction sa, now;
	struct spawn s;
	sigset_t set, old;
	int sig;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &old);
	/* A shell cannot take back what was ignored when it began. */
	shell(&s, "trap 'echo yes' TERM; kill -TERM $$; kill -USR1 $$; echo");
	ok(run(&s) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1,
	    "USR1 is not blocked");
	is_str(output, "yes", "TERM is not ignored");
	sigprocmask(SIG_SETMASK, NULL, &set);
	ok(sigismember(&set, SIGUSR1) == 1 && sigismember(&set, SIGHUP) == 0,
	    "our own mask is back");
	sigaction(SIGTERM, NULL, &now);
	ok(now.sa_handler == SIG_IGN, "our own dispositions stayed");
	sigprocmask(SIG_SETMASK, &old, NULL);
	for (sig = SIGPIPE; sig <= SIGTERM; sig += SIGTERM - SIGPIPE)
		signal(sig, SIG_DFL);
}

/* The exit code of a process that runs f. */
static int
code_of(int (*f)(void))
{
	int st = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(f());
	waitpid(pid, &st, 0);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

/* Where do 0, 1 and 2 of a shell lead when our own are crossed? */
static int
cross(void)
{
	static char sh[] = "/bin/sh", c[] = "-c";
	static char text[] = "read x; read y <&2; echo $x $y >&1";
	char *argv[] = { sh, c, text, NULL };
	struct spawn s = plain(argv);
	int in[2], err[2], out[2], st;
	char got[16] = "";
	pid_t pid;

	if (fd_pipe(in) == -1 || fd_pipe(err) == -1 || fd_pipe(out) == -1 ||
	    write(in[1], "in\n", 3) != 3 || write(err[1], "err\n", 4) != 4)
		return 1;
	/* 0: output, 1: the text for 2, 2: the text for 0. */
	if (dup2(out[1], 0) == -1 || dup2(err[0], 1) == -1 ||
	    dup2(in[0], 2) == -1)
		return 2;
	s.fd[0] = 2;
	s.fd[1] = 0;
	s.fd[2] = 1;
	pid = spawn(&s);
	if (pid == -1 || waitpid(pid, &st, 0) != pid || st != 0)
		return 3;
	if (read(out[0], got, sizeof(got) - 1) < 0)
		return 4;
	return strcmp(got, "in err\n") == 0 ? 0 : 5;
}

/* All three of ours closed: report pipe and /dev/null get their numbers. */
static int
start_without_any(void)
{
	static char sh[] = "/bin/sh", c[] = "-c";
	static char text[] = "read x; echo out && echo err >&2 && exit 5";
	static char none[] = "/no/such/file";
	char *argv[] = { sh, c, text, NULL };
	struct spawn s = plain(argv);
	int st;
	pid_t pid;

	close(0);
	close(1);
	close(2);
	s.fd[2] = -1;
	pid = spawn(&s);
	if (pid == -1 || waitpid(pid, &st, 0) != pid)
		return 1;
	if (!WIFEXITED(st) || WEXITSTATUS(st) != 5)
		return 2;
	argv[0] = none;
	s.file = none;
	if (spawn(&s) != -1 || errno != ENOENT)
		return 3;
	return fcntl(0, F_GETFD) == -1 ? 0 : 4;
}

static void
standard_descriptors_find_their_place(void)
{
	struct spawn s;

	is_u64((uint64_t)code_of(cross), 0, "three that change places");
	is_u64((uint64_t)code_of(start_without_any), 0, "none is open");
	shell(&s, "read x; echo end $?");
	ok(run(&s) > 0 && strcmp(output, "end 1") == 0, "-1 is /dev/null");
}

static void
only_named_descriptors_are_passed(void)
{
	struct spawn s;
	int keep[3] = { 8, 1, 6 }, fd; /* 1 is what fd[1] says */

	/* A POSIX shell need not know numbers above 9. */
	for (fd = 5; fd <= 9; fd++)
		if (dup2(0, fd) == -1 || fd_cloexec(fd, fd % 4 < 2) == -1)
			abort();
	shell(&s, "for i in 3 4 5 6 7 8 9; do"
	    " (eval \"exec 0<&$i\") 2>/dev/null && echo $i; done");
	s.keep = keep;
	s.keep_len = 3;
	ok(run(&s) > 0, "with inheritable ones of ours open");
	is_str(output, "6\n8", "two are kept");
	ok(fcntl(8, F_GETFD) == FD_CLOEXEC && fcntl(6, F_GETFD) == 0,
	    "ours are as before");
	for (fd = 5; fd <= 9; fd++)
		close(fd);
}

static void
surroundings_are_set(void)
{
	struct spawn_limit limits[2] = {
		{ RLIMIT_CORE, { 0, 0 } },
		{ RLIMIT_NOFILE, { 33, 44 } },
	};
	struct spawn s;
	char want[256];
	int fd, nice_now = getpriority(PRIO_PROCESS, 0);

	shell(&s, "umask; ulimit -n; ulimit -Hn; nice; pwd");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path_variable, sizeof(path_variable), "PATH=/bin:/usr/bin");
	s.limits = limits;
	s.limits_len = 2;
	s.umask = 027;
	s.nice = nice_now < 12 ? nice_now + 7 : 19;
	s.dir = fd;
	run(&s);
	snprintf(want, sizeof(want), "0027\n33\n44\n%d\n%s", s.nice, dir);
	is_str(output, want, "umask, limits, nice value and directory");
	close(fd);
}

static void
group_or_session_is_its_own(void)
{
	struct spawn s;
	pid_t pid, sid = getsid(0);
	int fd[2];

	if (fd_pipe(fd) == -1)
		abort();
	shell(&s, "read x");
	s.fd[0] = fd[0];
	pid = spawn(&s);
	ok(getpgid(pid) == pid && getsid(pid) == sid, "a group of its own");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	s.session = true;
	pid = spawn(&s);
	ok(getpgid(pid) == pid && getsid(pid) == pid, "a session of its own");
	close(fd[0]);
	close(fd[1]);
	waitpid(pid, &status, 0);
	ok(exited(1), "it saw the end of its input");
}

/* Where the system can kill orphans, one with a wrong parent dies at once. */
static int
look_for_a_wrong_parent(void)
{
	return pdeath_kill(-1) == 0 ? 0 : 1;
}

/*
 * A parent starts a child and is killed.  The kernel kills the child before
 * anybody hears of the parent's end, so what is said to the child after that
 * finds nobody.
 */
static void
child_dies_with_its_parent(void)
{
	int in[2], out[2];
	char got[8];
	struct spawn s;
	pid_t middle;
	ssize_t n;
	bool can = code_of(look_for_a_wrong_parent) == 128 + SIGKILL;

	if (fd_pipe(in) == -1 || fd_pipe(out) == -1)
		abort();
	middle = fork();
	if (middle == 0) {
		shell(&s, "echo go; read x; echo bye");
		s.fd[0] = in[0];
		s.fd[1] = out[1];
		s.die_with_parent = true;
		if (spawn(&s) == -1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(out[1]);
	close(in[0]);
	ok(read(out[0], got, sizeof(got)) == 3, "the child is up");
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	close(in[1]);
	n = read(out[0], got, sizeof(got));
	ok(n == (can ? 0 : 4), "the child is %s", can ? "dead" :
	    "told by the end of its input");
	close(out[0]);
}

static void
make_file(const char *name, const char *text, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || write(fd, text, strlen(text)) !=
	    (ssize_t)strlen(text) || fchmod(fd, mode) == -1)
		abort();
	close(fd);
}

static const char *
found(const char *file)
{
	static char path[256];

	if (spawn_find(file, environ_of_test, path, sizeof(path)) == 0)
		return path;
	return errno == ENOENT ? "ENOENT" : errno == EACCES ? "EACCES" :
	    strerror(errno);
}

/* dir/a, dir/b and dir/none are searched in this order. */
static void
search_path(const char *tail)
{
	snprintf(path_variable, sizeof(path_variable),
	    "PATH=%s/none:%s/a:%s/b%s", dir, dir, dir, tail);
}

static void
make_programs(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/a", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/b", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/a/folder", dir);
	mkdir(path, 0700);
	make_file("a/both", "#!/bin/sh\necho a\n", 0700);
	make_file("b/both", "#!/bin/sh\necho b\n", 0700);
	make_file("a/closed", "#!/bin/sh\necho a\n", 0600);
	make_file("a/half", "#!/bin/sh\necho a\n", 0600);
	make_file("b/half", "#!/bin/sh\necho b\n", 0700);
	make_file("a/broken", "#!/no/such/interpreter\n", 0700);
	make_file("b/broken", "#!/bin/sh\necho b\n", 0700);
	make_file("b/text", "echo text $0 $*\n", 0700);
	make_file("b/folder", "#!/bin/sh\necho b\n", 0700);
}

static void
names_are_found_along_path(void)
{
	char want[256], small[8];

	search_path("");
	snprintf(want, sizeof(want), "%s/a/both", dir);
	is_str(found("both"), want, "the first of two");
	snprintf(want, sizeof(want), "%s/b/half", dir);
	is_str(found("half"), want, "one without the right is passed over");
	snprintf(want, sizeof(want), "%s/b/folder", dir);
	is_str(found("folder"), want, "a directory is passed over");
	is_str(found("closed"), "EACCES", "found, not executable");
	is_str(found("nobody"), "ENOENT", "not found");
	if (geteuid() != 0) {
		snprintf(path_variable, sizeof(path_variable),
		    "PATH=%s/a/folder", dir);
		snprintf(want, sizeof(want), "%s/a/folder", dir);
		chmod(want, 0);
		is_str(found("nobody"), "ENOENT",
		    "nor in a directory that is closed to us");
		chmod(want, 0700);
		search_path("");
	}
	is_str(found(""), "ENOENT", "no name");
	is_str(found("/bin/sh"), "/bin/sh", "a path is itself");
	is_str(found("/bin/no-such"), "ENOENT", "a path to nothing");
	is_str(found("/bin/sh/x"), "ENOENT", "a path through a file");
	is_str(found("/"), "EACCES", "a directory");
	ok(spawn_find("both", environ_of_test, small, sizeof(small)) == -1 &&
	    errno == ENAMETOOLONG, "no room for the answer");
	ok(spawn_find("sh", NULL, want, sizeof(want)) == 0,
	    "without PATH the system's default");
	snprintf(path_variable, sizeof(path_variable), "PATH=");
	if (chdir(dir) == -1 || chdir("a") == -1)
		abort();
	is_str(found("both"), "./both", "an empty element is here");
	if (chdir("/") == -1)
		abort();
}

static void
names_run_as_execvp_does(void)
{
	static char text[] = "text", one[] = "1", two[] = "2", both[] = "both",
	    broken[] = "broken", closed[] = "closed", nobody[] = "nobody";
	char *argv[] = { both, NULL, NULL, NULL }, want[300];
	struct spawn s = plain(argv);
	int fd;

	search_path("");
	ok(run(&s) > 0, "a name");
	is_str(output, "a", "the first of two");
	s.file = broken;
	ok(run(&s) > 0, "one whose interpreter is missing");
	is_str(output, "b", "is passed over");
	argv[0] = text;
	argv[1] = one;
	argv[2] = two;
	s.file = text;
	ok(run(&s) > 0, "a text without #!");
	snprintf(want, sizeof(want), "text %s/b/text 1 2", dir);
	is_str(output, want, "is run by sh with its arguments");
	argv[0] = NULL;
	ok(run(&s) > 0, "even with no argv[0]");
	s.file = closed;
	ok(run(&s) == -1 && errno == EACCES, "not executable: EACCES");
	s.file = nobody;
	ok(run(&s) == -1 && errno == ENOENT, "nowhere: ENOENT");
	s.file = "";
	ok(run(&s) == -1 && errno == ENOENT, "no name: ENOENT");
	/* Relative elements are looked up where the child will be. */
	snprintf(path_variable, sizeof(path_variable), "PATH=b");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	argv[0] = both;
	argv[1] = NULL;
	s.file = both;
	s.dir = fd;
	ok(run(&s) > 0 && strcmp(output, "b") == 0, "from the child's place");
	close(fd);
	ok(no_child_left(), "no child is left");
}

static int
lowest_free(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

int
main(void)
{
	char command[64];
	int before;

	alarm(60);
	if (mkdtemp(dir) == NULL)
		abort();
	environ_of_test[0] = path_variable;
	snprintf(path_variable, sizeof(path_variable), "PATH=/bin:/usr/bin");
	make_programs();
	before = lowest_free();

	program_runs_and_ends();
	failures_come_back();
	signals_are_as_if_never_touched();
	standard_descriptors_find_their_place();
	only_named_descriptors_are_passed();
	surroundings_are_set();
	group_or_session_is_its_own();
	child_dies_with_its_parent();
	names_are_found_along_path();
	names_run_as_execvp_does();
	is_u64((uint64_t)lowest_free(), (uint64_t)before, "no descriptor lost");
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ok(system(command) == 0, "cleaned");
	return done_testing();
}
