/* SPDX-License-Identifier: ISC */
/*
 * The frame of every daemon.  Daemons stay in the foreground, log to stderr
 * and work under any init.  Without one they look after each other: orcmd
 * starts the others again, and whoever of them first notices that orcmd is
 * gone starts it; the lock in the run directory lets only one live.
 */
#include "lib/daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <orcm/types.h>
#include <orcm/version.h>

#include "base/name.h"
#include "base/num.h"
#include "base/wr.h"
#include "lib/rundir.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/lock.h"
#include "sys/log.h"
#include "sys/ready.h"
#include "sys/spawn.h"

#define AGAIN "ORCM_AGAIN" /* from one life to the next: daemon_again() */

static _Noreturn void
usage(const char *name)
{
	die(EXIT_USAGE,
	    "usage: %s [-1kvV] [-D dvm] [-r rundir] [-N node] [-c source] "
	    "[-d fd] [-l fd]",
	    name);
}

static _Noreturn void
show_version(const char *name)
{
	printf("%s %s wire %d plugin %d.%d\n", name, ORCM_VERSION,
	    ORCM_WIRE_VERSION, ORCM_PLUGIN_MAJOR, ORCM_PLUGIN_MINOR);
	if (fflush(stdout) == EOF)
		die_sys(EXIT_TEMP, "standard output");
	exit(EXIT_YES);
}

static int
fd_option(const char *name, char option, const char *text)
{
	uint32_t fd;

	if (!num_u32(text, 0, 1u << 20, &fd))
		die(EXIT_USAGE, "-%c %s: give the number of a descriptor",
		    option, text);
	(void)name;
	return (int)fd;
}

static void
default_node(char *out, size_t size)
{
	struct utsname u;
	char name[ORCM_NAME_MAX + 1];

	name_from(name, uname(&u) == 0 ? u.nodename : "node");
	(void)copy_str(out, size, name);
}

void
daemon_options(struct daemon_conf *d, const char *name, int argc, char **argv)
{
	const char *dir = NULL;
	int c, keep[2];

	memset(d, 0, sizeof(*d));
	d->name = name;
	d->argc = argc;
	d->argv = argv;
	d->ready = d->lifeline = -1;
	d->keep = strcmp(name, "orcmd") == 0;
	d->level = LOG_WARN;
	d->dvm = getenv("ORCM_DVM");
	log_init(name, LOG_WARN);
	while ((c = getopt(argc, argv, "1D:N:Vc:d:kl:r:v")) != -1)
		switch (c) {
		case '1':
			d->keep = false;
			break;
		case 'D':
			d->dvm = optarg;
			break;
		case 'N':
			(void)copy_str(d->node, sizeof(d->node), optarg);
			if (!name_ok(optarg, strlen(optarg)))
				die(EXIT_USAGE, "-N %s: not a name", optarg);
			break;
		case 'V':
			show_version(name);
		case 'c':
			d->source = optarg;
			break;
		case 'd':
			d->ready = fd_option(name, 'd', optarg);
			break;
		case 'k':
			d->keep = true;
			break;
		case 'l':
			d->lifeline = fd_option(name, 'l', optarg);
			break;
		case 'r':
			dir = optarg;
			break;
		case 'v':
			d->level++;
			break;
		default:
			usage(name);
		}
	if (optind != argc)
		usage(name);
	log_init(name, (enum log_level)d->level);
	if (d->dvm == NULL || d->dvm[0] == '\0')
		d->dvm = "default";
	if (!name_ok(d->dvm, strlen(d->dvm)))
		die(EXIT_USAGE,
		    "-D %s: a name has 1 to 63 of A-Z a-z 0-9 . _ @ -", d->dvm);
	if (d->node[0] == '\0')
		default_node(d->node, sizeof(d->node));
	if (path_run(d->dvm, dir, d->run) == -1)
		die_sys(EXIT_USAGE, "run directory of %s", d->dvm);
	(void)fd_std_open();
	/* The former life has told it, and the number is something else now. */
	if (getenv(AGAIN) != NULL)
		d->ready = -1;
	(void)unsetenv(AGAIN);
	keep[0] = d->ready;
	keep[1] = d->lifeline;
	fd_close_from(3, keep, 2);
}

bool
daemon_over(const struct daemon_conf *d)
{
	struct pollfd p = { d->lifeline, POLLIN, 0 };
	char c;

	return d->lifeline != -1 && poll(&p, 1, 0) == 1 &&
	       recv(d->lifeline, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/*
 * Started in the last moment of a private DVM, a daemon must neither complain
 * nor leave anything: what it has just made it takes away again.
 */
static void
end_if_over(const struct daemon_conf *d)
{
	if (!daemon_over(d))
		return;
	path_run_remove(d->run);
	exit(EXIT_YES);
}

void
daemon_begin(struct daemon *d, size_t fds_max, size_t timers_max)
{
	const struct daemon_conf *c = &d->conf;
	char path[PATH_ROOM], file[80];
	struct sigaction ignore;
	pid_t holder = 0;

	if (path_run_make(c->run) == -1)
		rundir_bad(c->run, EXIT_USAGE, EXIT_TEMP);
	end_if_over(c);
	(void)snprintf(file, sizeof(file), "%s.lock", c->name);
	/* The longest socket name must fit, now rather than later. */
	if (path_join(c->run, "io.0123456789abcdef.new", path) == -1 ||
	    path_join(c->run, file, path) == -1)
		rundir_bad(c->run, EXIT_USAGE, EXIT_TEMP);
	d->lock = lock_take(path, &holder);
	if (d->lock == -1 && errno == EAGAIN)
		die(EXIT_USAGE, "already running in %s (pid %ld)", c->run,
		    (long)holder);
	if (d->lock == -1)
		end_if_over(c);
	if (d->lock == -1)
		die_sys(EXIT_TEMP, "lock %s", path);
	if (loop_init(&d->loop, fds_max, timers_max) == -1)
		die_sys(EXIT_TEMP, "event loop");
	timer_init(&d->revive, NULL, d);
	d->notify = getenv("NOTIFY_SOCKET");
	if (d->notify != NULL)
		d->notify = strdup(d->notify);
	(void)unsetenv("NOTIFY_SOCKET");
	if (c->lifeline != -1)
		(void)fd_cloexec(c->lifeline, true);
	/* Whoever reads our stderr may leave before us. */
	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

static void
on_term(void *arg, int sig)
{
	struct daemon *d = arg;

	log_line(LOG_INFO, "signal %d: stopping", sig);
	d->on_end(d->arg);
}

static void
on_usr1(void *arg, int sig)
{
	struct daemon *d = arg;

	(void)sig;
	if (d->on_state != NULL)
		d->on_state(d->arg);
}

static void
on_usr2(void *arg, int sig)
{
	(void)sig;
	daemon_again(arg);
}

static void
on_hup(void *arg, int sig)
{
	(void)arg;
	log_line(LOG_INFO, "signal %d: there is no configuration to read again",
	    sig);
}

static void
on_lifeline(struct watch *w, short revents)
{
	struct daemon *d = w->arg;
	char c;

	(void)revents;
	if (read(w->fd, &c, 1) > 0)
		return;
	loop_unwatch(&d->loop, w);
	d->orphaned = true;
	d->on_end(d->arg);
}

/* Those that daemon_watch() hears. */
static void
hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGHUP);
	(void)sigprocmask(how, &set, NULL);
}

void
daemon_watch(struct daemon *d)
{
	(void)loop_signal(&d->loop, SIGTERM, on_term, d);
	(void)loop_signal(&d->loop, SIGINT, on_term, d);
	(void)loop_signal(&d->loop, SIGUSR1, on_usr1, d);
	(void)loop_signal(&d->loop, SIGUSR2, on_usr2, d);
	(void)loop_signal(&d->loop, SIGHUP, on_hup, d);
	hold_signals(SIG_UNBLOCK);
	if (d->conf.lifeline != -1) {
		watch_init(&d->lifeline, on_lifeline, d);
		d->lifeline.fd = d->conf.lifeline;
		(void)fd_nonblock(d->conf.lifeline, true);
		if (loop_watch(&d->loop, &d->lifeline, POLLIN) == -1)
			die_sys(EXIT_TEMP, "lifeline");
	}
}

void
daemon_ready(struct daemon *d)
{
	/* Only who was asked answers, not the children started meanwhile. */
	if (d->notify != NULL)
		(void)setenv("NOTIFY_SOCKET", d->notify, 1);
	ready_tell(d->conf.ready);
	d->conf.ready = -1;
}

void
daemon_again(struct daemon *d)
{
	char path[PATH_ROOM];

	if (path_program(d->conf.argv[0], d->conf.name, path) == -1) {
		log_sys(LOG_ERROR, "cannot find %s to execute it again",
		    d->conf.name);
		return;
	}
	/*
	 * The lock stays ours meanwhile, or another one would be started in
	 * our place; and a signal waits until it can be handled again.
	 */
	hold_signals(SIG_BLOCK);
	(void)fd_cloexec(d->lock, false);
	if (d->conf.lifeline != -1)
		(void)fd_cloexec(d->conf.lifeline, false);
	(void)setenv(AGAIN, "1", 1);
	(void)execv(path, d->conf.argv);
	log_sys(LOG_ERROR, "execute %s", path);
	(void)unsetenv(AGAIN);
	if (d->conf.lifeline != -1)
		(void)fd_cloexec(d->conf.lifeline, true);
	(void)fd_cloexec(d->lock, true);
	hold_signals(SIG_UNBLOCK);
}

void *
daemon_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die_sys(EXIT_TEMP, "%zu bytes of memory", size);
	return p;
}

pid_t
daemon_spawn(const struct daemon_conf *d, const char *name, const char *flag)
{
	static char opt_d[] = "-D", opt_r[] = "-r", opt_n[] = "-N",
		    opt_l[] = "-l", opt_c[] = "-c";
	char path[PATH_ROOM], dvm[ORCM_NAME_MAX + 1], run[PATH_ROOM];
	char node[ORCM_NAME_MAX + 1], life[16], extra[8], source[PATH_ROOM];
	char *argv[14], **arg = argv;
	struct spawn s;

	if (path_program(d->argv[0], name, path) == -1)
		return -1;
	(void)copy_str(dvm, sizeof(dvm), d->dvm);
	(void)copy_str(run, sizeof(run), d->run);
	(void)copy_str(node, sizeof(node), d->node);
	*arg++ = path;
	*arg++ = opt_d;
	*arg++ = dvm;
	*arg++ = opt_r;
	*arg++ = run;
	*arg++ = opt_n;
	*arg++ = node;
	if (d->source != NULL) {
		(void)copy_str(source, sizeof(source), d->source);
		*arg++ = opt_c;
		*arg++ = source;
	}
	if (d->lifeline != -1) {
		(void)num_text(life, sizeof(life), (uint64_t)d->lifeline);
		*arg++ = opt_l;
		*arg++ = life;
	}
	if (flag != NULL) {
		(void)copy_str(extra, sizeof(extra), flag);
		*arg++ = extra;
	}
	*arg = NULL;
	spawn_apart(&s, path, argv);
	s.keep = &d->lifeline;
	s.keep_len = d->lifeline != -1;
	return spawn(&s);
}

bool
daemon_lost(const struct daemon *d)
{
	char path[PATH_ROOM], file[80];

	(void)snprintf(file, sizeof(file), "%s.lock", d->conf.name);
	return path_join(d->conf.run, file, path) == -1 ||
	       !lock_valid(d->lock, path);
}

pid_t
daemon_holder(const struct daemon_conf *d, const char *name)
{
	char path[PATH_ROOM], file[80];

	(void)snprintf(file, sizeof(file), "%s.lock", name);
	return path_join(d->run, file, path) == -1 ? -1 : lock_holder(path);
}

/* orcmd holds its connection and asks nothing: it does not turn. */
static void
on_unasked(struct timer *t)
{
	struct daemon *d = t->arg;
	uint64_t now = clock_now();
	pid_t pid = daemon_holder(&d->conf, "orcmd");

	if (!charge_up(&d->charge) || pid <= 0)
		return;
	/* Not by one who was late itself: the question may be here already. */
	if (now < d->unasked_at + DAEMON_ASK / 2) {
		log_line(LOG_ERROR, "orcmd (pid %ld) does not turn: killed",
		    (long)pid);
		(void)kill(pid, SIGKILL);
	}
	d->unasked_at = now + (DAEMON_ASK_MAX + 1) * DAEMON_ASK;
	loop_timer(&d->loop, t, d->unasked_at);
}

static void
asked(struct daemon *d)
{
	d->unasked_at = clock_now() + (DAEMON_ASK_MAX + 1) * DAEMON_ASK;
	loop_timer(&d->loop, &d->unasked, d->unasked_at);
}

/*
 * orcmd is gone: whoever notices starts it again.  Where the run directory is
 * gone, too, a new one could find nothing that we look after.
 */
static void
on_revive(struct timer *t)
{
	struct daemon *d = t->arg;

	if (charge_up(&d->charge) || d->orphaned || daemon_over(&d->conf))
		return;
	if (daemon_lost(d)) {
		log_line(LOG_ERROR, "%s was taken away, and orcmd is gone: "
		    "ending", d->conf.run);
		d->conf.keep = false;
		d->on_end(d->arg);
		return;
	}
	if (daemon_holder(&d->conf, "orcmd") == 0 &&
	    daemon_spawn(&d->conf, "orcmd", NULL) == -1)
		log_sys(LOG_ERROR, "start orcmd again");
	loop_timer(&d->loop, t, clock_now() + 100 * ORCM_MS);
}

static void
charge_is_up(struct charge *c)
{
	struct daemon *d = c->arg;
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = WIRE_CHARGE };
	struct wr w;
	size_t size;

	loop_timer_stop(&d->loop, &d->revive);
	asked(d);
	wire_begin(&w, frame, sizeof(frame), &h);
	wr_tlv_str(&w, TLV_ROLE, d->conf.name);
	wr_tlv_u32(&w, TLV_PID, (uint32_t)getpid());
	size = wire_end(&w, 0);
	(void)charge_send(c, frame, size);
}

static void
charge_is_down(struct charge *c)
{
	struct daemon *d = c->arg;

	loop_timer_stop(&d->loop, &d->unasked);
	if (d->conf.keep && !d->orphaned)
		loop_timer(&d->loop, &d->revive, clock_now() + d->revive_wait);
}

static void
charge_said(struct charge *c, const struct wire_msg *m)
{
	struct daemon *d = c->arg;
	struct wire_header h = { .type = WIRE_ALIVE };
	uint8_t frame[WIRE_HEADER];
	struct wr w;
	size_t size;

	if (m->h.type == WIRE_ALIVE) {
		asked(d);
		wire_begin(&w, frame, sizeof(frame), &h);
		size = wire_end(&w, 0);
		(void)charge_send(c, frame, size);
	}
	/* A polite stop of the whole node: orcmd ends now and shall stay so. */
	if (m->h.type == WIRE_END) {
		d->conf.keep = false;
		d->on_end(d->arg);
	}
}

static void
on_child(void *arg, int sig)
{
	(void)arg;
	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

void
daemon_charge(struct daemon *d)
{
	static const struct charge_ops ops = {
		.up = charge_is_up,
		.frame = charge_said,
		.down = charge_is_down,
	};

	timer_init(&d->revive, on_revive, d);
	timer_init(&d->unasked, on_unasked, d);
	(void)loop_signal(&d->loop, SIGCHLD, on_child, d);
	charge_init(&d->charge, &d->loop, &ops, d);
	if (charge_start(&d->charge, d->conf.run) == -1)
		die_sys(EXIT_USAGE, "%s", d->conf.run);
	if (!charge_up(&d->charge))
		charge_is_down(&d->charge);
}

void
daemon_uncharge(struct daemon *d)
{
	loop_timer_stop(&d->loop, &d->revive);
	loop_timer_stop(&d->loop, &d->unasked);
	charge_stop(&d->charge);
}
