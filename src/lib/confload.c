/* SPDX-License-Identifier: ISC */
/*
 * The host of the plug-ins of kind "config".  They say which files there
 * are; this lists the directory, opens, looks whose file it is, reads at most
 * what a configuration may have, and feeds it to the core.
 *
 * Everything that is wrong becomes an error of the configuration, with the
 * file in front, so that a caller has one list to show.  Nothing is kept.
 */
#include "lib/confload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <orcm/config.h>

#include "base/name.h"
#include "sys/path.h"
#include "sys/plug.h"

#define NAMES_MAX 1024u /* in one directory */
#define OTHERS (S_IWGRP | S_IWOTH)
#define OPS_MIN                                                                \
	(offsetof(struct orcm_config_ops, next) +                              \
	    sizeof(((struct orcm_config_ops *)0)->next))

struct load {
	struct conf *c;
	bool trusted;
	const char *path; /* of the source, without the plug-in */
	char *text;	  /* CONF_TEXT_MAX + 1 */
	char *names[NAMES_MAX];
	uint32_t names_len;
};

struct conf *
confload_new(void)
{
	size_t head = (sizeof(struct conf) + 15) / 16 * 16;
	struct conf *c = calloc(1, head + conf_memory());
	struct arena a;

	if (c == NULL)
		return NULL;
	arena_init(&a, (char *)c + head, conf_memory());
	conf_init(c, &a);
	return c;
}

void
confload_free(struct conf *c)
{
	free(c);
}

/* An error of that file as a whole. */
static void
complain(struct load *l, const char *file, const char *what)
{
	conf_complain_file(l->c, file, what);
}

static void
complain_sys(struct load *l, const char *file, const char *what)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	complain(l, file, text);
}

/* Is it ours, or root's, and nobody else's? */
static bool
is_safe(struct load *l, const char *file, const struct stat *st, bool directory)
{
	char text[160];

	if (directory ? !S_ISDIR(st->st_mode) : !S_ISREG(st->st_mode)) {
		complain(l, file, directory ?
		    "not a directory; name one, or use file:PATH" :
		    "not a regular file; name one, or use dir:PATH");
		return false;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		(void)snprintf(text, sizeof(text), "belongs to user %lu, who "
		    "must not decide what is run here; chown it",
		    (unsigned long)st->st_uid);
		complain(l, file, text);
		return false;
	}
	if ((st->st_mode & OTHERS) != 0) {
		complain(l, file, "others may write to it, and so decide what "
		    "is run here; chmod go-w");
		return false;
	}
	return true;
}

/* At most one byte more than a configuration may have. */
static ssize_t
read_all(int fd, char *text)
{
	size_t len = 0;
	ssize_t n;

	while (len <= CONF_TEXT_MAX) {
		n = read(fd, text + len, CONF_TEXT_MAX + 1 - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Reads what is open there, and closes it. */
static bool
read_fd(struct load *l, int fd, const char *file)
{
	ssize_t len = read_all(fd, l->text);

	if (len == -1)
		complain_sys(l, file, "cannot be read");
	else
		conf_read(l->c, l->text, (size_t)len, file);
	if (fd != STDIN_FILENO)
		close(fd);
	return len != -1;
}

/* What is trusted is a regular file, and no FIFO that lets us wait. */
static bool
read_file(struct load *l, const char *file)
{
	int fd, flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	struct stat st;

	if (strcmp(file, "-") == 0 && !l->trusted)
		return read_fd(l, STDIN_FILENO, file);
	if (l->trusted)
		flags |= O_NONBLOCK;
	fd = open(file, flags);
	if (fd == -1) {
		complain_sys(l, file, "cannot be opened");
		return false;
	}
	if (l->trusted) {
		if (fstat(fd, &st) == -1) {
			complain_sys(l, file, "cannot be looked at");
			close(fd);
			return false;
		}
		if (!is_safe(l, file, &st, false)) {
			close(fd);
			return false;
		}
	}
	return read_fd(l, fd, file);
}

/* The names in the directory of the source. */
static bool
list_names(struct load *l)
{
	const struct dirent *e;
	struct stat st;
	DIR *dir = opendir(l->path);
	bool good = true;

	if (dir == NULL) {
		complain_sys(l, l->path, "cannot be opened");
		return false;
	}
	if (l->trusted) {
		if (fstat(dirfd(dir), &st) == -1) {
			complain_sys(l, l->path, "cannot be looked at");
			good = false;
		} else {
			good = is_safe(l, l->path, &st, true);
		}
	}
	while (good && (e = readdir(dir)) != NULL) {
		if (l->names_len == NAMES_MAX) {
			complain(l, l->path, "more than 1024 names in the "
			    "directory; use one for the configuration alone");
			good = false;
			break;
		}
		l->names[l->names_len] = strdup(e->d_name);
		if (l->names[l->names_len] == NULL) {
			complain_sys(l, l->path, "cannot be listed");
			good = false;
			break;
		}
		l->names_len++;
	}
	closedir(dir);
	return good;
}

static bool
read_named(struct load *l, const char *name)
{
	char file[PATH_ROOM];
	int n;

	if (name[0] == '\0')
		return read_file(l, l->path);
	if (strchr(name, '/') != NULL) {
		complain(l, l->path, "the plug-in names a file elsewhere; "
		    "use another plug-in");
		return false;
	}
	n = snprintf(file, sizeof(file), "%s/%s", l->path, name);
	if (n < 0 || (size_t)n >= sizeof(file)) {
		complain(l, l->path, "a name in it is too long; shorten it");
		return false;
	}
	return read_file(l, file);
}

/* All that the plug-in names. */
static bool
read_source(struct load *l, const struct orcm_config_ops *ops)
{
	struct orcm_config_view view = { .size = sizeof(view),
		.path = l->path };
	uint32_t files = 0;

	if (ops->list && !list_names(l))
		return false;
	view.names = (const char *const *)l->names;
	view.names_len = l->names_len;
	while ((view.last = ops->next(&view)) != NULL) {
		if (files++ == CONF_FILES_MAX) {
			complain(l, l->path, "more than 64 files; put some of "
			    "them together");
			return false;
		}
		if (!read_named(l, view.last))
			return false;
	}
	if (files == 0) {
		complain(l, l->path, "no file of a configuration is there; "
		    "put one there whose name ends with .conf");
		return false;
	}
	return true;
}

/* Cuts the source in two; the plug-in's name, or NULL with an error. */
static const char *
plugin_of(struct load *l, const char *source, char name[ORCM_NAME_MAX + 1])
{
	const char *colon = strchr(source, ':');
	struct stat st;
	size_t len;

	len = colon != NULL ? (size_t)(colon - source) : 0;
	if (colon != NULL && memchr(source, '/', len) == NULL) {
		if (!name_ok(source, len) || colon[1] == '\0') {
			complain(l, source, "neither PLUGIN:PATH nor a path; "
			    "write file:PATH or dir:PATH");
			return NULL;
		}
		memcpy(name, source, len);
		name[len] = '\0';
		l->path = colon + 1;
		return name;
	}
	l->path = source;
	if (strcmp(source, "-") != 0 && stat(source, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return "dir";
	return "file";
}

bool
confload(struct conf *c, const char *source, bool trusted)
{
	static const char no_memory[] = "no memory to read it";
	struct load *l = calloc(1, sizeof(*l));
	struct load bare = { .c = c };
	char name[ORCM_NAME_MAX + 1], error[PLUG_ERROR_MAX];
	const struct orcm_plugin *p = NULL;
	const char *plugin;
	bool good = false;

	conf_clear(c);
	if (l != NULL)
		l->text = malloc(CONF_TEXT_MAX + 1);
	if (l == NULL || l->text == NULL) {
		complain(&bare, source, no_memory);
		free(l);
		return false;
	}
	l->c = c;
	l->trusted = trusted;
	plugin = plugin_of(l, source, name);
	if (plugin != NULL) {
		p = plug_load("config", plugin, OPS_MIN, error);
		if (p == NULL)
			complain(l, source, error);
	}
	good = p != NULL && read_source(l, p->ops) && conf_end(c);
	while (l->names_len > 0)
		free(l->names[--l->names_len]);
	free(l->text);
	free(l);
	return good;
}
