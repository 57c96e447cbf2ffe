/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/plug.h"

/*
 * Finding, checking and loading plug-ins.  Keeps nothing: the list of
 * directories is made anew for each question, and what dlopen(3) returned is
 * never closed once it was found good.  Who may write a file decides before
 * a byte of it is mapped, because its constructors run at once; what it says
 * about itself decides before one of its functions is called.  A file that
 * comes first and is no good is an error: to take a later one in silence
 * would run something else than the operator sees.  Called by src/cmd and
 * src/lib when they start or swap a strategy, never from a core.
 */

#define DIRS_MAX 16

/* plugins/builtin.c; ends with NULL. */
extern const struct orcm_plugin *const orcm_builtin[];

struct dirs {
	char path[DIRS_MAX][256];
	size_t len;
};

struct found {
	char path[256]; /* as it was found, or absolute without links */
	size_t dir;	/* index of its search directory */
};

__attribute__((format(printf, 2, 3))) static int
fail(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, PLUG_ERROR_MAX, fmt, ap);
	va_end(ap);
	return -1;
}

/* Kinds and names are C identifiers, so they hold neither '/' nor '.'. */
static bool
word_ok(const char *s, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	return len > 0 && len <= ORCM_NAME_MAX && strspn(s, letters) >= len;
}

static int
dirs_add(struct dirs *d, const char *dir, size_t len, const char *tail,
    char *error)
{
	int n;

	if (d->len == DIRS_MAX)
		return fail(error, "ORCM_PLUGIN_PATH: more than %d "
		    "directories; name fewer", DIRS_MAX - 2);
	if (len == 0 || dir[0] != '/')
		return fail(error, "plug-in directory '%.*s': not absolute; "
		    "write it from / on", (int)len, dir);
	n = snprintf(d->path[d->len], sizeof(d->path[0]), "%.*s%s", (int)len,
	    dir, tail);
	if (n < 0 || (size_t)n >= sizeof(d->path[0]))
		return fail(error, "plug-in directory %.60s...: name too long; "
		    "use a shorter one", dir);
	d->len++;
	return 0;
}

/* Those of the user: not for root, nor for who runs with changed ids. */
static int
dirs_of_user(struct dirs *d, char *error)
{
	const char *p = getenv("ORCM_PLUGIN_PATH"), *home = getenv("HOME");
	struct stat st;
	size_t len;

	if (geteuid() == 0 || geteuid() != getuid() || getegid() != getgid())
		return 0;
	while (p != NULL && *p != '\0') {
		len = strcspn(p, ":");
		if (len > 0 && dirs_add(d, p, len, "", error) == -1)
			return -1;
		p += len + (p[len] == ':');
	}
	/* A HOME that su(1) left behind is not ours to load from. */
	if (home == NULL || home[0] != '/' || stat(home, &st) == -1 ||
	    st.st_uid != geteuid())
		return 0;
	return dirs_add(d, home, strlen(home), "/.orcm/plugins", error);
}

static int
dirs_init(struct dirs *d, char *error)
{
	d->len = 0;
	if (dirs_of_user(d, error) == -1)
		return -1;
	return dirs_add(d, PLUGINDIR, strlen(PLUGINDIR), "", error);
}

/* Is file NAME.so, or NAME.VERSION.so? */
static bool
file_is(const char *file, const char *name, size_t name_len)
{
	size_t len = strlen(file);

	return len >= name_len + 3 && memcmp(file, name, name_len) == 0 &&
	    file[name_len] == '.' && strcmp(file + len - 3, ".so") == 0;
}

static size_t
digits_len(const char *s)
{
	return strspn(s, "0123456789");
}

/*
 * Compares versions as strcmp(3) does, but a row of digits as one number,
 * which is more than any other character: 1.10 comes after 1.9, and 1.9.0
 * after 1.9.
 */
static int
version_cmp(const char *a, const char *b)
{
	size_t len, other;
	int by;

	for (;; a += len + 1, b += len + 1) {
		len = digits_len(a);
		other = digits_len(b);
		if ((len > 0) != (other > 0))
			return len > 0 ? 1 : -1;
		a += strspn(a, "0");
		b += strspn(b, "0");
		len = digits_len(a);
		other = digits_len(b);
		if (len != other)
			return len > other ? 1 : -1;
		by = memcmp(a, b, len);
		if (by == 0)
			by = (unsigned char)a[len] - (unsigned char)b[len];
		if (by != 0 || a[len] == '\0')
			return by;
	}
}

/*
 * Should file a be taken before b?  NAME.so comes before all versions, of
 * those the greatest one.
 */
static bool
file_before(const char *a, const char *b, size_t name_len)
{
	int by;

	if (a[name_len + 3] == '\0')
		return true;
	if (b[name_len + 3] == '\0')
		return false;
	by = version_cmp(a + name_len, b + name_len);
	/* 1.0 and 1.00: whichever is listed first, the answer is the same. */
	return by != 0 ? by > 0 : strcmp(a, b) > 0;
}

/* The best file for a name in one directory: 1, 0 none, -1 error. */
static int
find_in(const char *dir, const char *kind, const char *name, char *path,
    char *error)
{
	char sub[256], best[256] = "";
	size_t name_len = strlen(name);
	struct dirent *e;
	DIR *d;
	int n;

	n = snprintf(sub, sizeof(sub), "%s/%s", dir, kind);
	if (n < 0 || (size_t)n >= sizeof(sub))
		return fail(error, "%s/%s: %.100s: name too long; use a "
		    "shorter one", kind, name, dir);
	d = opendir(sub);
	if (d == NULL) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		return fail(error, "%s/%s: cannot look into %s: %s; give us "
		    "read permission or remove it", kind, name, sub,
		    strerror(errno));
	}
	while ((e = readdir(d)) != NULL)
		if (file_is(e->d_name, name, name_len) &&
		    strlen(e->d_name) < sizeof(best) && (best[0] == '\0' ||
		    file_before(e->d_name, best, name_len)))
			memcpy(best, e->d_name, strlen(e->d_name) + 1);
	closedir(d);
	if (best[0] == '\0')
		return 0;
	n = snprintf(path, sizeof(sub), "%s/%s", sub, best);
	if (n < 0 || (size_t)n >= sizeof(sub))
		return fail(error, "%s/%s: %.100s: name too long; use a "
		    "shorter one", kind, name, sub);
	return 1;
}

/* The file that would be taken: 1, 0 none, -1 error. */
static int
find(const struct dirs *d, const char *kind, const char *name,
    struct found *f, char *error)
{
	int r = 0;

	for (f->dir = 0; f->dir < d->len; f->dir++) {
		r = find_in(d->path[f->dir], kind, name, f->path, error);
		if (r != 0)
			break;
	}
	return r;
}

/* Owner and mode of one step of a path. */
static int
check_step(const char *path, bool last, char *error)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return fail(error, "%s: %s", path, strerror(errno));
	if (last && !S_ISREG(st.st_mode))
		return fail(error, "%s: not a regular file; remove it", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(error, "%s: belongs to uid %lu; chown it to root "
		    "or to uid %lu", path, (unsigned long)st.st_uid,
		    (unsigned long)geteuid());
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fail(error, "%s: others can write (mode %04lo); chmod "
		    "go-w it%s", path, (unsigned long)st.st_mode & 07777,
		    last ? "" : " or use another place");
	return 0;
}

/*
 * Replaces path by its absolute form without links, and checks that and every
 * directory above it.  As OpenSSH's safe_path(), it makes no exception for a
 * directory with the sticky bit.
 */
static int
check_path(char *path, char *error)
{
	char *whole, *slash;
	int r;

	whole = realpath(path, NULL);
	if (whole == NULL)
		return fail(error, "%s: %s; remove or repair it", path,
		    strerror(errno));
	if (strlen(whole) >= sizeof(((struct found *)0)->path)) {
		r = fail(error, "%.100s: name too long; use a shorter one",
		    whole);
		free(whole);
		return r;
	}
	memcpy(path, whole, strlen(whole) + 1);
	r = check_step(whole, true, error);
	while (r == 0 && whole[1] != '\0') {
		slash = strrchr(whole, '/');
		slash[slash == whole ? 1 : 0] = '\0';
		r = check_step(whole, false, error);
	}
	free(whole);
	return r;
}

/* Does what a plug-in says about itself fit? */
static int
check_plugin(const struct orcm_plugin *p, const char *path, const char *kind,
    const char *name, size_t ops_min, char *error)
{
	if (p->major != ORCM_PLUGIN_MAJOR || p->minor > ORCM_PLUGIN_MINOR)
		return fail(error, "%s: made for plug-in interface %u.%u, "
		    "this is %u.%u; build it for this release", path,
		    (unsigned)p->major, (unsigned)p->minor,
		    (unsigned)ORCM_PLUGIN_MAJOR, (unsigned)ORCM_PLUGIN_MINOR);
	if (p->kind == NULL || p->name == NULL || p->version == NULL ||
	    p->ops == NULL)
		return fail(error, "%s: has no kind, name, version or ops; "
		    "use ORCM_PLUGIN() in its source", path);
	if (strcmp(p->kind, kind) != 0 || strcmp(p->name, name) != 0)
		return fail(error, "%s: is %.63s/%.63s inside, not %s/%s; "
		    "rename the file", path, p->kind, p->name, kind, name);
	if (p->ops_size < ops_min)
		return fail(error, "%s: its ops have %lu bytes, at least %lu "
		    "are needed; build it for this release", path,
		    (unsigned long)p->ops_size, (unsigned long)ops_min);
	return 0;
}

/* Checks and opens the file at path, which becomes absolute without links. */
static const struct orcm_plugin *
open_file(char *path, const char *kind, const char *name, size_t ops_min,
    char *error)
{
	const struct orcm_plugin *p;
	void *handle;

	if (check_path(path, error) == -1)
		return NULL;
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		/* Its text begins with the path, mostly. */
		fail(error, "%s/%s: %s; build it for this system", kind, name,
		    dlerror());
		return NULL;
	}
	p = dlsym(handle, "orcm_plugin");
	if (p == NULL)
		fail(error, "%s: has no symbol orcm_plugin; end its source "
		    "with ORCM_PLUGIN()", path);
	else if (check_plugin(p, path, kind, name, ops_min, error) == 0)
		return p;
	dlclose(handle);
	return NULL;
}

const struct orcm_plugin *
plug_builtin(const char *kind, const char *name)
{
	size_t i;

	for (i = 0; orcm_builtin[i] != NULL; i++)
		if (strcmp(orcm_builtin[i]->kind, kind) == 0 &&
		    strcmp(orcm_builtin[i]->name, name) == 0)
			break;
	return orcm_builtin[i];
}

const struct orcm_plugin *
plug_load(const char *kind, const char *name, size_t ops_min, char *error)
{
	const struct orcm_plugin *p;
	struct dirs d;
	struct found f;

	error[0] = '\0';
	if (!word_ok(kind, strlen(kind)) || !word_ok(name, strlen(name))) {
		fail(error, "'%.63s/%.63s': not the name of a plug-in; see "
		    "orcm-info -p", kind, name);
		return NULL;
	}
	if (dirs_init(&d, error) == -1)
		return NULL;
	switch (find(&d, kind, name, &f, error)) {
	case 1:
		return open_file(f.path, kind, name, ops_min, error);
	case 0:
		p = plug_builtin(kind, name);
		if (p == NULL)
			fail(error, "%s/%s: no such plug-in; orcm-info -p "
			    "shows those that there are", kind, name);
		return p;
	default:
		return NULL;
	}
}

/* What plug_list() carries through its levels. */
struct listing {
	const struct dirs *dirs;
	struct plug_file *files;
	size_t len, max;
	void (*say)(void *arg, const char *text);
	void *arg;
};

static struct plug_file *
list_add(struct listing *l, const struct orcm_plugin *p, size_t priority)
{
	struct plug_file *f = &l->files[l->len];

	if (l->len == l->max)
		return NULL;
	l->len++;
	memset(f, 0, sizeof(*f));
	f->plugin = p;
	f->priority = (int)priority;
	return f;
}

/* Lists one file, if its name is that of a plug-in. */
static void
list_file(struct listing *l, size_t dir, const char *kind, const char *file)
{
	char error[PLUG_ERROR_MAX], name[ORCM_NAME_MAX + 1], path[256];
	const struct orcm_plugin *p;
	struct plug_file *f;
	struct found taken;
	size_t len = strcspn(file, ".");
	bool active;
	int n;

	if (!word_ok(file, len) || !file_is(file, file, len))
		return;
	memcpy(name, file, len);
	name[len] = '\0';
	n = snprintf(path, sizeof(path), "%s/%s/%s", l->dirs->path[dir], kind,
	    file);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	active = find(l->dirs, kind, name, &taken, error) == 1 &&
	    taken.dir == dir && strcmp(taken.path, path) == 0;
	/* Which ops its kind has today is not known here; none is too few. */
	p = open_file(path, kind, name, 1, error);
	if (p == NULL) {
		l->say(l->arg, error);
		return;
	}
	f = list_add(l, p, dir);
	if (f == NULL)
		return;
	memcpy(f->path, path, strlen(path) + 1);
	f->active = active;
}

/* All files of one kind in one search directory. */
static void
list_kind(struct listing *l, size_t dir, const char *kind)
{
	char path[256];
	struct dirent *e;
	DIR *d;
	int n;

	n = snprintf(path, sizeof(path), "%s/%s", l->dirs->path[dir], kind);
	if (n < 0 || (size_t)n >= sizeof(path))
		return;
	d = opendir(path);
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		list_file(l, dir, kind, e->d_name);
	closedir(d);
}

size_t
plug_list(struct plug_file *files, size_t max,
    void (*say)(void *arg, const char *text), void *arg)
{
	char error[PLUG_ERROR_MAX];
	struct listing l = { NULL, files, 0, max, say, arg };
	struct plug_file *f;
	struct dirs dirs;
	struct found taken;
	struct dirent *e;
	size_t i;
	DIR *d;

	if (dirs_init(&dirs, error) == -1)
		say(arg, error);
	l.dirs = &dirs;
	for (i = 0; i < dirs.len; i++) {
		d = opendir(dirs.path[i]);
		while (d != NULL && (e = readdir(d)) != NULL)
			if (word_ok(e->d_name, strlen(e->d_name)))
				list_kind(&l, i, e->d_name);
		if (d != NULL)
			closedir(d);
	}
	for (i = 0; orcm_builtin[i] != NULL; i++) {
		f = list_add(&l, orcm_builtin[i], dirs.len);
		if (f != NULL)
			f->active = find(&dirs, orcm_builtin[i]->kind,
			    orcm_builtin[i]->name, &taken, error) == 0;
	}
	return l.len;
}
