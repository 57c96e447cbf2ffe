/* SPDX-License-Identifier: ISC */
#ifndef LIB_DAEMON_H
#define LIB_DAEMON_H

#include <sys/types.h>

#include "base/arena.h"
#include "lib/charge.h"
#include "sys/loop.h"
#include "sys/path.h"

/*
 * What orcmd, orcm-pnpd and orcm-leaderd have in common: options, run
 * directory, lock, signals, the lifeline of a private DVM, and the care for
 * each other.
 */
#define DAEMON_ASK (1000 * ORCM_MS) /* orcmd asks whether they turn */
#define DAEMON_ASK_MAX 4u	    /* who does not answer so often is killed */

struct daemon_conf {
	const char *name; /* of the program */
	int argc;
	char **argv;
	const char *dvm;
	const char *source; /* of the configuration, or NULL */
	char run[PATH_ROOM], node[64];
	int ready;    /* -d: tell readiness there, or -1 */
	int lifeline; /* -l: everything ends when its other end closes; -1 */
	bool keep;    /* start orcmd again when it dies (not with -1) */
	int level;    /* of the log */
};

struct daemon {
	struct daemon_conf conf;
	struct loop loop;
	int lock;
	struct watch lifeline;
	void (*on_end)(void *arg);   /* TERM, INT, or the lifeline's end */
	void (*on_state)(void *arg); /* USR1: write the state to stderr */
	void *arg;
	struct charge charge; /* not in orcmd itself */
	struct timer revive, unasked;
	uint64_t unasked_at; /* when orcmd is taken for stuck */
	uint64_t revive_wait; /* ns that orcmd may be gone */
	char *notify;  /* NOTIFY_SOCKET, until readiness is told */
	bool orphaned; /* the lifeline has ended */
};

/*
 * Parses the options of a daemon (-D -r -N -c -d -l -1 -k -v -V); exits with
 * 100 and a usage line when they are wrong.  Closes all other descriptors.
 */
void
daemon_options(struct daemon_conf *d, const char *name, int argc, char **argv);
/*
 * Makes and checks the run directory, takes the lock NAME.lock there and
 * makes the loop.  Exits with a clear line when that fails: 100 for a
 * directory that cannot be ours, or a daemon that runs already.
 */
void daemon_begin(struct daemon *d, size_t fds_max, size_t timers_max);
/* Signals and lifeline are heard from now on. */
void daemon_watch(struct daemon *d);
/* Tells that it is able to serve. */
void daemon_ready(struct daemon *d);
/* Has the lifeline of a private DVM ended, whether we have heard or not? */
bool daemon_over(const struct daemon_conf *d);
/*
 * Has somebody taken away the run directory, or our lock in it?  Then nobody
 * finds us any more, and another daemon may stand in our place.
 */
bool daemon_lost(const struct daemon *d);
/* Holds the connection to orcmd, and starts it again if conf.keep says so. */
void daemon_charge(struct daemon *d);
/* Gives that connection up, and orcmd with it. */
void daemon_uncharge(struct daemon *d);
/* Executes the program anew in place, with the same arguments. */
void daemon_again(struct daemon *d);
/* Who runs as this daemon (holds its lock): a pid, 0: nobody, or -1. */
pid_t daemon_holder(const struct daemon_conf *d, const char *name);
/* A block of memory for an arena, zeroed, touched only when used. */
void *daemon_memory(size_t size);
/*
 * Starts another daemon of ours with the same run directory.  flag: "-1",
 * "-k" or NULL.  Its pid, or -1 with errno.
 */
pid_t
daemon_spawn(const struct daemon_conf *d, const char *name, const char *flag);

#endif
