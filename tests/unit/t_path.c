/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compat/exe.h"
#include "sys/path.h"
#include "sys/sock.h"
#include "tap.h"

#define NOBODY 65534

static char dir[64];

/* A path below our scratch directory; good until the next call but one. */
static const char *
below(const char *name)
{
	static char text[2][PATH_ROOM];
	static unsigned turn;

	turn ^= 1;
	snprintf(text[turn], PATH_ROOM, "%s/%s", dir, name);
	return text[turn];
}

static bool
make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT, mode);

	return fd != -1 && close(fd) == 0;
}

static void
root_has_its_own_base(void)
{
	char out[PATH_ROOM];

	setenv("XDG_RUNTIME_DIR", "/elsewhere", 1);
	ok(path_run_base(out) == 0 && (strcmp(out, "/run/orcm") == 0 ||
	    strcmp(out, "/var/run/orcm") == 0),
	    "root: /run/orcm, whatever the environment says");
	ok(path_run("a", NULL, out) == 0 && strcmp(out + strlen(out) - 6,
	    "orcm/a") == 0, "root: a DVM below it");
}

static void
others_have_theirs(void)
{
	char out[PATH_ROOM], want[PATH_ROOM], name[PATH_ROOM + 8];

	setenv("XDG_RUNTIME_DIR", "/elsewhere", 1);
	ok(path_run_base(out) == 0, "a base");
	is_str(out, "/elsewhere/orcm", "below XDG_RUNTIME_DIR");
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	snprintf(want, sizeof(want), "/tmp/orcm-%lu",
	    (unsigned long)geteuid());
	ok(path_run_base(out) == 0, "a base without it");
	is_str(out, want, "in /tmp, with the uid");
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	setenv("XDG_RUNTIME_DIR", name, 1);
	ok(path_run_base(out) == -1 && errno == ENAMETOOLONG,
	    "too long is an error");
	setenv("XDG_RUNTIME_DIR", below("xdg"), 1);
	ok(mkdir(below("xdg"), 0700) == 0 && path_run("d", NULL, out) == 0 &&
	    path_run_make(out) == 0, "the base is made too");
	ok(path_run_check(out) == 0, "both are as they must be");
	ok(chmod(below("xdg/orcm"), 0722) == 0 && path_run_make(out) == -1 &&
	    errno == EPERM, "a base that others can write to is refused");
	ok(chmod(below("xdg/orcm"), 0755) == 0 && path_run_make(out) == 0,
	    "one that they can read is not");
	rmdir(out);
	rmdir(below("xdg/orcm"));
	rmdir(below("xdg"));
	ok(path_run_check("/") == -1 && errno == EACCES,
	    "somebody else's directory: EACCES");
}

static void
run_directory_is_chosen_in_order(void)
{
	char out[PATH_ROOM], here[PATH_ROOM], want[2 * PATH_ROOM];

	setenv("ORCM_RUN", "/by/environment//", 1);
	ok(path_run("d", "/by/option/", out) == 0, "with an option");
	is_str(out, "/by/option", "the option wins");
	ok(path_run("d", NULL, out) == 0, "with ORCM_RUN");
	is_str(out, "/by/environment", "ORCM_RUN, without slashes behind");
	ok(getcwd(here, sizeof(here)) != NULL &&
	    path_run("d", "r", out) == 0, "with a relative option");
	snprintf(want, sizeof(want), "%s/r", here);
	is_str(out, want, "it becomes absolute");
	unsetenv("ORCM_RUN");
	ok(path_run("a/b", NULL, out) == -1 && errno == EINVAL,
	    "a DVM's name is checked");
	ok(path_run("..", NULL, out) == -1 && errno == EINVAL,
	    "it cannot climb");
}

static void
run_directory_is_made_closed(void)
{
	struct stat st;

	ok(path_run_make(below("run")) == 0, "made");
	ok(lstat(below("run"), &st) == 0 && (st.st_mode & 0777) == 0700,
	    "mode 0700");
	ok(path_run_make(below("run/")) == 0, "a second time");
	ok(path_run_make(below("no/run")) == -1 && errno == ENOENT,
	    "nothing is made above it");
	ok(path_run_check(below("none")) == -1 && errno == ENOENT,
	    "a check makes nothing");
	rmdir(below("run"));
}

static void
bad_run_directories_are_refused(void)
{
	mkdir(below("open"), 0700);
	chmod(below("open"), 0750);
	ok(path_run_make(below("open")) == -1 && errno == EPERM,
	    "open to the group: EPERM");
	chmod(below("open"), 0700);
	ok(symlink(below("open"), below("link")) == 0, "a link to a good one");
	ok(path_run_check(below("link")) == -1 && errno == ENOTDIR,
	    "is no directory");
	ok(path_run_check(below("link/")) == -1 && errno == ENOTDIR,
	    "nor with a slash behind it");
	ok(make_file(below("file"), 0600) &&
	    path_run_make(below("file")) == -1 && errno == ENOTDIR,
	    "a file is none");
	mkdir(below("wide"), 0700);
	mkdir(below("wide/run"), 0700);
	chmod(below("wide"), 0777);
	ok(path_run_check(below("wide/run")) == -1 && errno == EPERM,
	    "others could replace it: EPERM");
	chmod(below("wide"), 01777);
	ok(path_run_check(below("wide/run")) == 0,
	    "not where the sticky bit is");
	rmdir(below("wide/run"));
	rmdir(below("wide"));
	unlink(below("file"));
	unlink(below("link"));
	rmdir(below("open"));
}

static void
join_keeps_to_what_a_socket_takes(void)
{
	char run[PATH_ROOM], out[PATH_ROOM];

	ok(path_join("/r", "pnpd.sock", out) == 0, "joined");
	is_str(out, "/r/pnpd.sock", "with a slash");
	memset(run, 'r', sizeof(run));
	run[SOCK_PATH_MAX - 2] = '\0';
	ok(path_join(run, "s", out) == 0 && strlen(out) == SOCK_PATH_MAX,
	    "the longest");
	ok(path_join(run, "ss", out) == -1 && errno == ENAMETOOLONG,
	    "one more is too long");
}

static void
only_our_names_are_removed(void)
{
	static const char *const ours[] = { "pnpd.sock", "orcmd.lock",
		"epoch", "epoch.new", "io.1.2", "pnpd.sock~a0" };
	char name[64];
	size_t i, left = 0;

	ok(path_run_make(below("run")) == 0, "a run directory");
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		snprintf(name, sizeof(name), "run/%s", ours[i]);
		make_file(below(name), 0600);
	}
	make_file(below("run/notes"), 0600);
	mkdir(below("run/io.dir"), 0700);
	errno = ERANGE;
	path_run_remove(below("run"));
	ok(errno == ERANGE, "errno is kept");
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		snprintf(name, sizeof(name), "run/%s", ours[i]);
		left += access(below(name), F_OK) == 0;
	}
	is_u64(left, 0, "ours are gone");
	ok(access(below("run/notes"), F_OK) == 0, "another's file stays");
	ok(access(below("run/io.dir"), F_OK) == 0, "a directory stays");
	unlink(below("run/notes"));
	rmdir(below("run/io.dir"));
	make_file(below("run/a.sock"), 0600);
	ok(symlink(below("run"), below("link")) == 0, "a link to it");
	path_run_remove(below("link"));
	ok(access(below("run/a.sock"), F_OK) == 0, "is not followed");
	path_run_remove(below("run"));
	ok(access(below("run"), F_OK) == -1, "an empty one goes itself");
	unlink(below("link"));
}

static void
programs_lie_beside_each_other(const char *argv0)
{
	char self[PATH_ROOM], out[PATH_ROOM], *whole, *slash;

	whole = realpath(argv0, NULL);
	if (!ok(whole != NULL && exe_path(argv0, self, sizeof(self)) == 0,
	    "our own path"))
		return;
	is_str(self, whole, "is that of argv[0]");
	free(whole);
	slash = strrchr(self, '/');
	ok(path_program(argv0, slash + 1, out) == 0, "a sibling");
	is_str(out, self, "is beside us");
	ok(path_program(argv0, "orcm-no-such-program", out) == -1 &&
	    errno == ENOENT, "one that is nowhere: ENOENT");
	ok(exe_path(argv0, out, 3) == -1, "too small an out is an error");
}

/* As somebody who is not root. */
static void
keys_are_beside_configurations(void)
{
	char out[PATH_ROOM], want[PATH_ROOM], parent[80];
	struct stat st;

	unsetenv("ORCM_KEY");
	snprintf(parent, sizeof(parent), "%s/made", dir);
	setenv("XDG_CONFIG_HOME", parent, 1);
	snprintf(want, sizeof(want), "%s/orcm/site.key", parent);
	ok(path_key("site", out) == 0, "a key");
	is_str(out, want, "below XDG_CONFIG_HOME");
	ok(path_parents(out) == 0 && path_parents(out) == 0, "its directories");
	snprintf(want, sizeof(want), "%s/orcm", parent);
	ok(stat(want, &st) == 0 && (st.st_mode & 0777) == 0700, "are ours");
	ok(stat(out, &st) == -1, "the file is not made");
	ok(rmdir(want) == 0 && rmdir(parent) == 0, "and no more than these");
	setenv("ORCM_KEY", "/x/y", 1);
	ok(path_key("site", out) == 0, "a key that was named");
	is_str(out, "/x/y", "by ORCM_KEY");
	unsetenv("ORCM_KEY");
	unsetenv("XDG_CONFIG_HOME");
	ok(path_parents("/dev/null/x/key") == -1 && errno == ENOTDIR,
	    "a file is no directory");
}

static bool
scratch(const char *name)
{
	snprintf(dir, sizeof(dir), "/tmp/%s.XXXXXX", name);
	return mkdtemp(dir) != NULL;
}

int
main(int argc, char **argv)
{
	(void)argc;
	programs_lie_beside_each_other(argv[0]);
	if (geteuid() == 0) {
		root_has_its_own_base();
		if (setgid(NOBODY) == -1 || setuid(NOBODY) == -1)
			return 111;
	}
	if (!scratch("t_path"))
		return 111;
	others_have_theirs();
	run_directory_is_chosen_in_order();
	run_directory_is_made_closed();
	bad_run_directories_are_refused();
	join_keeps_to_what_a_socket_takes();
	only_our_names_are_removed();
	keys_are_beside_configurations();
	ok(rmdir(dir) == 0, "nothing is left behind");
	return done_testing();
}
