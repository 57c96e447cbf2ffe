/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/name.h"
#include "compat/exe.h"
#include "sys/path.h"
#include "sys/sock.h"

/*
 * Where things are.  Keeps nothing.  The mode of a run directory is the
 * permission to all that is in it, so it is checked here, at one place, by
 * everybody who enters.  Nothing is ever repaired: a directory that is not
 * as it must be is refused, because whoever made it so may still be there.
 * Nothing is ever removed recursively, and only names that are ours.
 * Called by src/cmd and src/lib.
 */

#define CLOSED (S_IRWXG | S_IRWXO)
#define PASSES_MAX 8 /* over a directory that is emptied while it is read */

/* snprintf(3) of "a", "b", "c" into out[PATH_ROOM]. */
static int
put(char *out, const char *a, const char *b, const char *c)
{
	int n;

	n = snprintf(out, PATH_ROOM, "%s%s%s", a, b, c);
	if (n < 0 || n >= PATH_ROOM) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* "a/b//" becomes "a/b": lstat(2) of the former would follow a link b. */
static void
trim(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

/* What is before the last slash: "/" of "/a", "." of "a". */
static int
parent_of(const char *path, char *out)
{
	char *slash;

	if (put(out, path, "", "") == -1)
		return -1;
	slash = strrchr(out, '/');
	if (slash == NULL)
		return put(out, ".", "", "");
	slash[slash == out ? 1 : 0] = '\0';
	return 0;
}

int
path_run_base(char *out)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	char uid[24];
	struct stat st;

	if (geteuid() == 0) {
		/* BSD and Solaris have only the latter. */
		if (stat("/run", &st) == 0 && S_ISDIR(st.st_mode))
			return put(out, "/run/orcm", "", "");
		return put(out, "/var/run/orcm", "", "");
	}
	if (xdg != NULL && xdg[0] == '/')
		return put(out, xdg, "/orcm", "");
	snprintf(uid, sizeof(uid), "%lu", (unsigned long)geteuid());
	return put(out, "/tmp/orcm-", uid, "");
}

int
path_run(const char *dvm, const char *dir, char *out)
{
	char base[PATH_ROOM];

	if (dir == NULL)
		dir = getenv("ORCM_RUN");
	if (dir == NULL || dir[0] == '\0') {
		if (!name_ok(dvm, strlen(dvm))) {
			errno = EINVAL;
			return -1;
		}
		if (path_run_base(base) == -1)
			return -1;
		return put(out, base, "/", dvm);
	}
	/* Absolute, so that it means the same to all who inherit it. */
	if (dir[0] == '/') {
		if (put(out, dir, "", "") == -1)
			return -1;
	} else {
		if (getcwd(base, sizeof(base)) == NULL) {
			if (errno == ERANGE)
				errno = ENAMETOOLONG;
			return -1;
		}
		if (put(out, base, "/", dir) == -1)
			return -1;
	}
	trim(out);
	return 0;
}

/* name below where this user's configuration is, or what `variable` says. */
static int
configured(char *out, const char *variable, const char *name)
{
	const char *said = getenv(variable);
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (said != NULL && said[0] != '\0')
		return put(out, said, "", "");
	if (geteuid() == 0)
		return put(out, "/etc/orcm/", name, "");
	if (xdg != NULL && xdg[0] == '/')
		return put(out, xdg, "/orcm/", name);
	if (home != NULL && home[0] == '/')
		return put(out, home, "/.config/orcm/", name);
	errno = ENOENT;
	return -1;
}

int
path_conf(char *out)
{
	return configured(out, "ORCM_CONF", "orcm.conf");
}

int
path_key(const char *dvm, char *out)
{
	char name[PATH_ROOM];

	if (put(name, dvm, ".key", "") == -1)
		return -1;
	return configured(out, "ORCM_KEY", name);
}

int
path_parents(const char *file)
{
	char path[PATH_ROOM], *slash;

	if (put(path, file, "", "") == -1)
		return -1;
	for (slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, S_IRWXU) == -1 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return 0;
}

/* A directory, ours, without these permissions; -1 with errno if not. */
static int
check_own(const struct stat *st, mode_t closed)
{
	if (!S_ISDIR(st->st_mode))
		errno = ENOTDIR;
	else if (st->st_uid != geteuid())
		errno = EACCES;
	else if ((st->st_mode & closed) != 0)
		errno = EPERM;
	else
		return 0;
	return -1;
}

/*
 * Can somebody else put another directory in this one's place?  Not when
 * what is above belongs to root or us and others cannot write there, nor
 * when it has the sticky bit, as /tmp.
 */
static int
check_parent(const char *path)
{
	char parent[PATH_ROOM];
	struct stat st;

	if (parent_of(path, parent) == -1 || stat(parent, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if ((st.st_mode & S_ISVTX) != 0)
		return 0;
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		errno = EACCES;
	else if ((st.st_mode & S_IWOTH) != 0)
		errno = EPERM;
	else
		return 0;
	return -1;
}

int
path_run_check(const char *run)
{
	char path[PATH_ROOM];
	struct stat st;

	if (put(path, run, "", "") == -1)
		return -1;
	trim(path);
	if (lstat(path, &st) == -1 || check_own(&st, CLOSED) == -1)
		return -1;
	return check_parent(path);
}

/* The base: others may look at it (systemd makes it so), not write to it. */
static int
make_base(const char *path)
{
	struct stat st;

	if ((mkdir(path, S_IRWXU) == -1 && errno != EEXIST) ||
	    lstat(path, &st) == -1)
		return -1;
	return check_own(&st, S_IWGRP | S_IWOTH);
}

int
path_run_make(const char *run)
{
	char path[PATH_ROOM], base[PATH_ROOM], parent[PATH_ROOM];

	if (put(path, run, "", "") == -1)
		return -1;
	trim(path);
	if (path_run_base(base) == -1 || parent_of(path, parent) == -1)
		return -1;
	/* Above a directory that -r chose nothing is made. */
	if (strcmp(parent, base) == 0 && make_base(base) == -1)
		return -1;
	if (mkdir(path, S_IRWXU) == -1 && errno != EEXIST)
		return -1;
	return path_run_check(path);
}

int
path_join(const char *run, const char *name, char *out)
{
	_Static_assert(SOCK_PATH_MAX < PATH_ROOM, "a socket's path fits");

	if (put(out, run, "/", name) == -1)
		return -1;
	if (strlen(out) > SOCK_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}

/* Is there a file that we may execute? */
static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

int
path_program(const char *argv0, const char *name, char *out)
{
	char self[PATH_ROOM], dir[PATH_ROOM];

	/* A build directory holds all programs, as an installation does. */
	if (exe_path(argv0, self, sizeof(self)) == 0 &&
	    parent_of(self, dir) == 0 &&
	    put(out, strcmp(dir, "/") == 0 ? "" : dir, "/", name) == 0 &&
	    is_program(out))
		return 0;
	if (put(out, BINDIR, "/", name) == -1)
		return -1;
	if (!is_program(out)) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

/* Does one of our programs make files of that name? */
static bool
is_ours(const char *name)
{
	size_t len = strlen(name);

	if (strcmp(name, "epoch") == 0 || strcmp(name, "epoch.new") == 0 ||
	    strncmp(name, "io.", 3) == 0)
		return true;
	/* sock_listen() died before it could rename "x.sock~ab". */
	if (len > 8 && strncmp(name + len - 8, ".sock~", 6) == 0)
		return true;
	return len > 5 && (strcmp(name + len - 5, ".sock") == 0 ||
	    strcmp(name + len - 5, ".lock") == 0);
}

/* One pass over the directory: how many names went. */
static size_t
remove_ours(DIR *d)
{
	struct dirent *e;
	size_t n = 0;

	while ((e = readdir(d)) != NULL)
		if (is_ours(e->d_name) && unlinkat(dirfd(d), e->d_name, 0) == 0)
			n++;
	return n;
}

void
path_run_remove(const char *run)
{
	int fd, kept = errno, pass;
	struct stat st;
	DIR *d;

	fd = open(run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		goto out;
	if (fstat(fd, &st) == -1 || check_own(&st, CLOSED) == -1 ||
	    (d = fdopendir(fd)) == NULL) {
		close(fd);
		goto out;
	}
	/* What readdir(3) shows after a removal is left open by POSIX. */
	for (pass = 0; pass < PASSES_MAX && remove_ours(d) > 0; pass++)
		rewinddir(d);
	closedir(d);
	rmdir(run);
out:
	errno = kept;
}
