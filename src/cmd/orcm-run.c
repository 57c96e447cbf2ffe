/* SPDX-License-Identifier: ISC */
/*
 * orcm-run: n replicas of a program that look like one.  It owns the job: it
 * tells the picture what shall run, feeds stdin to all replicas, prints one
 * output, and ends with the program's status.  The parts are in src/run.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/name.h"
#include "run/run.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/log.h"
#include "sys/path.h"
#include "sys/spawn.h"

extern char **environ;

/* Descriptors beside those of the replicas. */
#define FDS_BASE 40u
#define FDS_EACH 4u

#define ENV_OURS 6 /* variables of set_environment() */

static struct run run;

/* Limits and masks as they were, then room for our own descriptors. */
static void
take_limits(struct run *r)
{
	struct rlimit lim;
	rlim_t need = FDS_BASE + FDS_EACH * r->opt.n;

	spec_mine(&r->spec);
	if (getrlimit(RLIMIT_NOFILE, &lim) == -1 ||
	    lim.rlim_cur == RLIM_INFINITY || lim.rlim_cur >= need)
		return;
	lim.rlim_cur = lim.rlim_max == RLIM_INFINITY || lim.rlim_max > need ?
	    need :
	    lim.rlim_max;
	if (lim.rlim_cur < need || setrlimit(RLIMIT_NOFILE, &lim) == -1)
		die(JOB_OUR_FAULT, "%u replicas need %lu descriptors, the "
		    "limit is %lu: raise it with ulimit -n", r->opt.n,
		    (unsigned long)need, (unsigned long)lim.rlim_max);
}

/* Arguments, then environment, each with its NUL. */
static void
pack(struct run *r, char *const *argv, char **env)
{
	size_t size = 0, n = 0, i;
	char *p;

	for (i = 0; argv[i] != NULL; i++)
		size += strlen(argv[i]) + 1;
	r->spec.argc = (uint32_t)i;
	for (i = 0; env[i] != NULL; i++)
		size += strlen(env[i]) + 1;
	if (size > SPEC_PAYLOAD_MAX)
		die(JOB_OUR_FAULT, "arguments and environment are too long");
	p = r->spec.text = malloc(size);
	if (p == NULL)
		die_sys(JOB_OUR_FAULT, "memory");
	for (i = 0; argv[i] != NULL; i++, p += n)
		memcpy(p, argv[i], n = strlen(argv[i]) + 1);
	for (i = 0; env[i] != NULL; i++, p += n)
		memcpy(p, env[i], n = strlen(env[i]) + 1);
	r->spec.text_size = size;
}

/* The place of a variable in what the replicas find, or behind the last. */
static char **
env_at(const struct run *r, const char *name, size_t len)
{
	char **at = r->env;

	while (*at != NULL &&
	    (strncmp(*at, name, len) != 0 || (*at)[len] != '='))
		at++;
	return at;
}

static void
set_var(struct run *r, const char *name, const char *value)
{
	size_t size = strlen(name) + strlen(value) + 2;
	char *text = malloc(size);

	if (text == NULL)
		die_sys(JOB_OUR_FAULT, "memory");
	(void)snprintf(text, size, "%s=%s", name, value);
	*env_at(r, name, strlen(name)) = text;
}

/*
 * The replicas' environment is ours, with -x.  Neither we nor the daemons of
 * a private DVM live in it: what is set for the program means nothing to us.
 */
static void
make_environment(struct run *r)
{
	size_t n = 0, i, len;
	char *text, **at;

	while (environ[n] != NULL)
		n++;
	r->env = calloc(n + r->opt.env_len + ENV_OURS + 1, sizeof(*r->env));
	if (r->env == NULL)
		die_sys(JOB_OUR_FAULT, "memory");
	for (i = 0; i < n; i++)
		r->env[i] = environ[i];
	for (i = 0; i < r->opt.env_len; i++) {
		text = r->opt.env[i];
		len = strcspn(text, "=");
		at = env_at(r, text, len);
		if (text[len] == '=')
			*at = text;
		else if (*at == NULL)
			die(JOB_OUR_FAULT, "-x %s: not set here", text);
	}
}

/* What every replica finds there, beside its rank and incarnation. */
static void
set_environment(struct run *r)
{
	char size[16], node[ORCM_NAME_MAX + 1];

	(void)snprintf(size, sizeof(size), "%u", r->opt.n);
	if (gethostname(node, sizeof(node)) == -1)
		(void)copy_str(node, sizeof(node), "node");
	node[sizeof(node) - 1] = '\0';
	set_var(r, "ORCM_DVM", r->dvm);
	set_var(r, "ORCM_RUN", r->run);
	set_var(r, "ORCM_JOB", r->name);
	set_var(r, "ORCM_APP", r->app);
	set_var(r, "ORCM_SIZE", size);
	set_var(r, "ORCM_NODE", node);
}

/* Before anything is started: is there such a program? */
static void
check_program(struct run *r)
{
	char path[4096];
	const char *prog = r->opt.argv[0];

	make_environment(r);
	if (r->opt.dir != NULL && chdir(r->opt.dir) == -1)
		die_sys(JOB_OUR_FAULT, "-C %s", r->opt.dir);
	if (spawn_find(prog, r->env, path, sizeof(path)) == 0)
		return;
	if (errno == ENOENT)
		die(JOB_NOT_FOUND, "%s: not found", prog);
	die_sys(JOB_CANNOT_EXEC, "%s", prog);
}

static void
name_job(struct run *r)
{
	const char *base = strrchr(r->opt.argv[0], '/');
	char prog[ORCM_NAME_MAX + 1];
	struct {
		uint64_t mono, wall;
		pid_t pid;
		const void *here;
	} seed;

	name_from(prog, base != NULL ? base + 1 : r->opt.argv[0]);
	(void)snprintf(r->app, sizeof(r->app), "%s:-:-", prog);
	if (r->opt.name != NULL) {
		(void)copy_str(r->name, sizeof(r->name), r->opt.name);
	} else {
		(void)snprintf(r->name, sizeof(r->name), "%.40s.%ld", prog,
		    (long)getpid());
	}
	memset(&seed, 0, sizeof(seed));
	seed.mono = clock_now();
	seed.wall = clock_wall_ms();
	seed.pid = getpid();
	seed.here = &seed;
	r->id = hash_of(&seed, sizeof(seed)) & ~UINT64_C(0xffff);
	if (r->id == 0)
		r->id = 0x10000;
}

static void
make_spec(struct run *r)
{
	set_environment(r);
	r->spec.dir = open(".", O_RDONLY | O_CLOEXEC);
	if (r->spec.dir == -1)
		die_sys(JOB_OUR_FAULT, "working directory");
	r->spec.stdio = (r->opt.in != RUN_STDIN_NONE ? SPEC_STDIN : 0) |
	    (r->opt.err != RUN_STDERR_NONE ? SPEC_STDERR : 0);
	pack(r, r->opt.argv, r->env);
}

static void
make_cores(struct run *r)
{
	enum orcm_delivery delivery = r->policy.ops->delivery;
	bool all = delivery == ORCM_DELIVER_ALL;
	struct splice_conf sc = {
		.ranks_len = all ? 1 : r->opt.n,
		.mode = delivery == ORCM_DELIVER_MAJORITY ? SPLICE_MAJORITY :
							    SPLICE_LEADER,
		.window = r->opt.window,
	};
	struct feed_conf fc = {
		.ranks_len = r->opt.n,
		.window = r->opt.window,
		.keep = r->opt.in == RUN_STDIN_NONE ? UINT64_MAX : r->opt.keep,
		.leader_only = r->opt.in == RUN_STDIN_LEADER,
	};
	struct job_conf jc = {
		.ranks_len = r->opt.n,
		.delivery = delivery,
		.restart = r->opt.restart,
		.rule = r->opt.rule,
		.limit = r->opt.limit_ms == 0 ? ORCM_NEVER :
						r->opt.limit_ms * ORCM_MS,
		.stall = r->policy.stall,
		.grace = r->opt.grace_ms * ORCM_MS,
		.settle = 100 * ORCM_MS,
		.window = r->opt.window,
	};
	uint32_t splices = all ? r->opt.n : 1, i;
	size_t size = splices * (splice_memory(&sc) + sizeof(struct splice)) +
	    feed_memory(&fc) + job_memory(&jc) +
	    r->opt.n * sizeof(struct rep) + 256;
	void *block = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (block == MAP_FAILED)
		die_sys(JOB_OUR_FAULT, "%zu bytes of memory", size);
	arena_init(&r->arena, block, size);
	r->splices = arena_alloc(&r->arena, splices, sizeof(*r->splices));
	r->reps = arena_alloc(&r->arena, r->opt.n, sizeof(*r->reps));
	for (i = 0; i < splices; i++) {
		splice_init(&r->splices[i], &r->arena, &sc);
		if (all)
			splice_lead(&r->splices[i], 0);
	}
	feed_init(&r->feed, &r->arena, &fc);
	job_init(&r->job, &r->arena, &jc, &r->feed, r->splices, clock_now());
	arena_seal(&r->arena);
	r->restart = r->opt.restart;
}

static void
on_signal(void *arg, int sig)
{
	struct run *r = arg;
	struct job_in in = { .event = JOB_IN_STOP, .value = (uint32_t)sig };

	if (r->ending && (sig == SIGINT || sig == SIGTERM || sig == SIGHUP)) {
		r->hurry = true;
		return;
	}
	switch (sig) {
	case SIGINT:
		if (r->ints++ > 0)
			in.event = JOB_IN_KILL;
		break;
	case SIGTSTP:
		in.event = JOB_IN_PAUSE;
		r->stop_self = true;
		break;
	case SIGCONT:
		in.event = JOB_IN_RESUME;
		break;
	case SIGQUIT:
		act_status(r);
		return;
	case SIGCHLD:
		dvm_child(r);
		return;
	case SIGUSR1:
	case SIGUSR2:
	case SIGALRM:
	case SIGWINCH:
		r->pokes++;
		r->poke = (uint32_t)sig;
		r->job.want_new = true;
		return;
	default:
		break;
	}
	act_feed(r, &in);
}

static void
take_signals(struct run *r)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT,
		SIGTSTP, SIGCONT, SIGCHLD, SIGUSR1, SIGUSR2, SIGALRM,
		SIGWINCH };
	struct sigaction sa;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		/* What was ignored (nohup, a shell's &) stays ignored. */
		if (sigaction(signals[i], NULL, &sa) == 0 &&
		    sa.sa_handler == SIG_IGN && signals[i] != SIGCHLD)
			continue;
		(void)loop_signal(&r->loop, signals[i], on_signal, r);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigaction(SIGTTIN, &sa, NULL);
	(void)sigaction(SIGTTOU, &sa, NULL);
	/* A store that may not grow is a full one. */
	(void)sigaction(SIGXFSZ, &sa, NULL);
}

/*
 * id=$(orcm-run -b ...) shall get the id and no more, and at once: a job that
 * was handed over does not write into a pipe whose reader waits for the id.
 */
static void
leave_pipe(void)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) == -1 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
		return;
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (fd != -1)
		(void)dup2(fd, STDOUT_FILENO);
	if (fd != -1)
		close(fd);
}

/* -b: the parent says the id when the job has been handed over. */
static void
hand_over(struct run *r)
{
	int fd[2], status;
	pid_t pid;
	char c;

	r->tell_fd = -1;
	if (!r->opt.background)
		return;
	if (fd_pipe(fd) == -1)
		die_sys(JOB_OUR_FAULT, "pipe");
	pid = fork();
	if (pid == -1)
		die_sys(JOB_OUR_FAULT, "fork");
	if (pid == 0) {
		close(fd[0]);
		r->tell_fd = fd[1];
		(void)setsid();
		leave_pipe();
		return;
	}
	close(fd[1]);
	if (read(fd[0], &c, 1) == 1) {
		char name[ORCM_NAME_MAX + 1];
		ssize_t n = read(fd[0], name, sizeof(name) - 1);

		name[n > 0 ? n : 0] = '\0';
		printf("%s\n", name);
		exit(fflush(stdout) == 0 ? 0 : JOB_OUR_FAULT);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : JOB_OUR_FAULT);
}

static void
on_due(struct timer *t)
{
	/* The turn's end looks at the time anyway. */
	(void)t;
}

static void
begin(struct run *r)
{
	static const struct client_ops ops = {
		.publish = act_publish,
		.record = act_record,
		.event = act_event,
		.order = act_order,
		.refused = act_refused,
	};

	if (loop_init(&r->loop, FDS_BASE + FDS_EACH * r->opt.n, 32) == -1)
		die_sys(JOB_OUR_FAULT, "event loop");
	take_signals(r);
	keepers_listen(r);
	input_begin(r);
	output_begin(r);
	errout_begin(r);
	timer_init(&r->due, on_due, r);
	client_init(&r->client, &r->loop, &ops, r, "orcm-run", r->name,
	    r->events);
	if (client_start(&r->client, r->run, RECORD_BIT(RECORD_PROC) |
		RECORD_BIT(RECORD_LEAD) |
		(r->opt.verbose ? CLIENT_SUB_EVENTS : 0)) == -1)
		die_sys(JOB_OUR_FAULT, "%s", r->run);
}

int
main(int argc, char **argv)
{
	struct run *r = &run;

	log_init("orcm-run", LOG_WARN);
	r->out_closed = (fd_std_open() & 1 << STDOUT_FILENO) != 0;
	r->argv0 = argv[0];
	spec_init(&r->spec);
	run_options(r, argc, argv);
	take_limits(r);
	hand_over(r);
	name_job(r);
	input_open(r);
	check_program(r);
	dvm_find(r);
	make_spec(r);
	make_cores(r);
	begin(r);
	while (!r->over) {
		if (loop_turn(&r->loop) == -1)
			die_sys(JOB_OUR_FAULT, "event loop");
		act_all(r);
	}
	client_del(&r->client, RECORD_JOB, r->id);
	client_stop(&r->client);
	keepers_end(r);
	dvm_end(r);
	return (int)r->code;
}
