/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <orcm/leader.h>

#include "sys/plug.h"
#include "tap.h"

/*
 * Needs $ORCM_TEST_PLUGINS, a directory with the shared objects that were
 * built from tests/plugins, for everything but the linked-in strategies.  It
 * makes search directories a and b below it.  The loader refuses what others
 * can write to, so a build tree below /tmp cannot be tested in full.
 */
#define NOBODY 65534
#define OPS_MIN sizeof(struct orcm_leader_ops)

extern const struct orcm_plugin *const orcm_builtin[];

static char made[256]; /* below ORCM_TEST_PLUGINS */
static char error[PLUG_ERROR_MAX];

static const char *
at(const char *dir, const char *file)
{
	static char text[2][512];
	static unsigned turn;

	turn ^= 1;
	snprintf(text[turn], sizeof(text[0]), "%s/%s%s", made, dir, file);
	return text[turn];
}

static const struct orcm_plugin *
load(const char *name)
{
	error[0] = '\0';
	return plug_load("leader", name, OPS_MIN, error);
}

static void
refused(const char *name, const char *part, const char *says)
{
	bool good = load(name) == NULL && strstr(error, part) != NULL;

	if (!good)
		printf("# error is \"%s\"\n", error);
	ok(good, "%s", says);
}

/* Copies a built plug-in into a search directory under another name. */
static bool
install(const char *object, const char *dir, const char *file)
{
	static char buf[1 << 20];
	const char *from = getenv("ORCM_TEST_PLUGINS");
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.so", from, object);
	fd = open(path, O_RDONLY);
	n = fd == -1 ? -1 : read(fd, buf, sizeof(buf));
	if (fd != -1)
		close(fd);
	if (n <= 0 || (size_t)n == sizeof(buf))
		return false;
	unlink(at(dir, file));
	fd = open(at(dir, file), O_WRONLY | O_CREAT | O_EXCL, 0755);
	if (fd == -1)
		return false;
	if (write(fd, buf, (size_t)n) != n)
		n = -1;
	return close(fd) == 0 && n > 0;
}

static void
linked_in_ones_are_found(void)
{
	ok(plug_builtin("leader", "lowest") != NULL, "by kind and name");
	ok(plug_builtin("leader", "no_such") == NULL, "unknown name: none");
	ok(plug_builtin("no_such", "lowest") == NULL, "unknown kind: none");
	ok(load("lowest") == plug_builtin("leader", "lowest"),
	    "loaded when no file is there");
	refused("no_such", "no such plug-in", "an error when nothing is");
	refused("../lowest", "not the name", "a name with a slash");
	refused("lowest.so", "not the name", "a name with a dot");
	refused("", "not the name", "an empty name");
	ok(plug_load("../leader", "lowest", OPS_MIN, error) == NULL,
	    "a kind with a slash");
}

static void
root_takes_nothing_from_the_environment(void)
{
	setenv("ORCM_PLUGIN_PATH", at("a", ""), 1);
	ok(install("good", "a/leader/", "good.so"), "a file for users");
	refused("good", "no such plug-in", "root does not look there");
	unlink(at("a/leader/", "good.so"));
}

static void
good_file_is_loaded(void)
{
	const struct orcm_plugin *p;

	ok(install("good", "b/leader/", "good.so"), "good.so in b");
	p = load("good");
	if (!ok(p != NULL, "is loaded"))
		printf("# %s\n", error);
	else
		ok(strcmp(p->version, "1.0") == 0 && ((const struct
		    orcm_leader_ops *)p->ops)->choose != NULL, "and whole");
	ok(load("good") == p, "again: the same");
}

static void
versions_and_directories_have_an_order(void)
{
	const struct orcm_plugin *p;

	ok(install("good_next", "b/leader/", "good.2.so"), "good.2.so in b");
	p = load("good");
	ok(p != NULL && strcmp(p->version, "1.0") == 0,
	    "a version does not replace the plain name");
	unlink(at("b/leader/", "good.so"));
	ok(install("good", "b/leader/", "good.1.so"), "good.1.so in b");
	p = load("good");
	ok(p != NULL && strcmp(p->version, "2.0") == 0,
	    "without it: the greatest version");
	ok(install("good", "a/leader/", "good.0.so"), "good.0.so in a");
	p = load("good");
	ok(p != NULL && strcmp(p->version, "1.0") == 0,
	    "an earlier directory comes first");
	ok(install("builtin_name", "b/leader/", "lowest.so"), "a lowest.so");
	p = load("lowest");
	ok(p != NULL && strcmp(p->version, "9.0") == 0,
	    "a file comes before the linked-in one");
	unlink(at("b/leader/", "lowest.so"));
}

static void
numbers_in_versions_are_numbers(void)
{
	static const char *const rows[][2] = { /* less, greater */
		{ "1.9", "1.10" }, { "2", "10" }, { "1.9", "1.9.0" },
		{ "1.9.9", "1.10" }, { "1.0-rc1", "1.0" }, { "1.0", "1.0a" },
		{ "1.2a", "1.10a" }, { "99999999999999999999",
		"100000000000000000000" }, { "1.007", "1.8" },
		{ "1.00", "1.1" }, { "a", "3" },
	};
	const struct orcm_plugin *p;
	char less[64], greater[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(less, sizeof(less), "good.%s.so", rows[i][0]);
		snprintf(greater, sizeof(greater), "good.%s.so", rows[i][1]);
		if (!install("good", "a/leader/", less) ||
		    !install("good_next", "a/leader/", greater))
			ok(false, "two versions");
		p = load("good");
		ok(p != NULL && strcmp(p->version, "2.0") == 0,
		    "%s before %s", rows[i][1], rows[i][0]);
		unlink(at("a/leader/", less));
		unlink(at("a/leader/", greater));
	}
}

static void
what_does_not_fit_is_refused(void)
{
	static const char *const rows[][3] = {
		{ "wrong_major", "plug-in interface 2.0", "another major" },
		{ "newer_minor", "plug-in interface 1.1", "a newer minor" },
		{ "wrong_kind", "is map/wrong_kind", "another kind inside" },
		{ "short_ops", "are needed", "ops that are too short" },
		{ "no_ops", "has no kind, name", "no ops" },
		{ "no_symbol", "no symbol orcm_plugin", "no symbol" },
	};
	char file[64];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(file, sizeof(file), "%s.so", rows[i][0]);
		ok(install(rows[i][0], "a/leader/", file), "%s", file);
		refused(rows[i][0], rows[i][1], rows[i][2]);
		unlink(at("a/leader/", file));
	}
	ok(install("good", "a/leader/", "other.so"), "good as other.so");
	refused("other", "is leader/good inside", "another name inside");
	unlink(at("a/leader/", "other.so"));
	ok(install("wrong_major", "a/leader/", "vote.so"), "a bad vote.so");
	refused("vote", "plug-in interface",
	    "the linked-in one does not step in");
	unlink(at("a/leader/", "vote.so"));
}

static void
unsafe_files_are_refused(void)
{
	int fd = open(at("a/leader/", "empty.so"), O_WRONLY | O_CREAT, 0644);

	ok(fd != -1 && close(fd) == 0, "an empty file");
	refused("empty", "empty.so", "is no plug-in");
	unlink(at("a/leader/", "empty.so"));
	ok(install("good", "a/leader/", "good.so"), "a good file");
	chmod(at("a/leader/", "good.so"), 0775);
	refused("good", "others can write (mode 0775)", "of mode 0775");
	chmod(at("a/leader/", "good.so"), 0755);
	ok(load("good") != NULL, "of mode 0755 it is taken");
	chmod(at("a", ""), 01777);
	refused("good", "others can write (mode 1777)",
	    "a directory above it with the sticky bit");
	chmod(at("a", ""), 0755);
	ok(rename(at("a/leader/", "good.so"), at("", "good.so")) == 0 &&
	    symlink(at("", "good.so"), at("a/leader/", "good.so")) == 0 &&
	    load("good") != NULL, "a link to a safe place");
	chmod(at("", ""), 0777);
	refused("good", "others can write", "a link to an unsafe place");
	chmod(at("", ""), 0755);
	unlink(at("", "good.so"));
	refused("good", "remove or repair", "a link to nothing");
	unlink(at("a/leader/", "good.so"));
	ok(mkdir(at("a/leader/", "good.so"), 0755) == 0, "a directory");
	refused("good", "not a regular file", "is no file");
	rmdir(at("a/leader/", "good.so"));
}

static void
bad_search_paths_are_refused(void)
{
	char many[64];

	setenv("ORCM_PLUGIN_PATH", "plugins", 1);
	refused("lowest", "not absolute", "a relative directory");
	memset(many, ':', sizeof(many));
	many[sizeof(many) - 1] = '\0';
	setenv("ORCM_PLUGIN_PATH", many, 1);
	ok(load("lowest") != NULL, "empty elements are nothing");
	setenv("ORCM_PLUGIN_PATH", "/1:/2:/3:/4:/5:/6:/7:/8:/9:/10:/11:/12:"
	    "/13:/14:/15:/16:/17", 1);
	refused("lowest", "name fewer", "more than the limit");
}

static void
count_line(void *arg, const char *text)
{
	(void)text;
	++*(unsigned *)arg;
}

static void
list_shows_all_and_which_is_taken(void)
{
	struct plug_file files[64];
	size_t n, i, active = 0, linked = 0, builtin = 0;
	unsigned said = 0;

	ok(install("wrong_major", "a/leader/", "wrong_major.so") &&
	    install("builtin_name", "b/leader/", "lowest.so"),
	    "a bad one and one more lowest");
	while (orcm_builtin[builtin] != NULL)
		builtin++;
	n = plug_list(files, 64, count_line, &said);
	is_u64(said, 1, "the bad one is told");
	for (i = 0; i < n; i++) {
		if (files[i].path[0] == '\0')
			linked++;
		if (strcmp(files[i].plugin->name, "lowest") == 0 &&
		    files[i].active != (files[i].path[0] != '\0'))
			linked = 99;
		if (strcmp(files[i].plugin->name, "good") == 0)
			active += files[i].active;
	}
	is_u64(n, 3 + 1 + builtin, "all files and all that are linked in");
	is_u64(linked, builtin, "of lowest the file is taken");
	is_u64(active, 1, "of good one version is");
	is_u64(plug_list(files, 2, count_line, &said), 2, "no more than max");
	unlink(at("a/leader/", "wrong_major.so"));
	unlink(at("b/leader/", "lowest.so"));
}

static void
home_is_searched_behind_the_path(void)
{
	const struct orcm_plugin *p;

	ok(mkdir(at("home", ""), 0755) == 0 &&
	    mkdir(at("home/", ".orcm"), 0755) == 0 &&
	    mkdir(at("home/", ".orcm/plugins"), 0755) == 0 &&
	    mkdir(at("home/", ".orcm/plugins/leader"), 0755) == 0 &&
	    install("good_next", "home/.orcm/plugins/leader/", "good.so"),
	    "a file at home");
	setenv("HOME", at("home", ""), 1);
	p = load("good");
	ok(p != NULL && strcmp(p->version, "1.0") == 0, "the path first");
	unsetenv("ORCM_PLUGIN_PATH");
	p = load("good");
	ok(p != NULL && strcmp(p->version, "2.0") == 0, "then home");
	unlink(at("home/", ".orcm/plugins/leader/good.so"));
	rmdir(at("home/", ".orcm/plugins/leader"));
	rmdir(at("home/", ".orcm/plugins"));
	rmdir(at("home/", ".orcm"));
	rmdir(at("home", ""));
}

/* Can a file below dir be loaded at all? */
static bool
place_is_safe(const char *dir)
{
	char path[256];
	struct stat st;
	size_t n;

	snprintf(path, sizeof(path), "%s", dir);
	for (n = strlen(path); n > 0; path[n] = '\0') {
		if (stat(path, &st) == -1 || (st.st_mode & 022) != 0 ||
		    (st.st_uid != 0 && st.st_uid != geteuid()))
			return false;
		while (n > 0 && path[--n] != '/')
			continue;
	}
	return stat("/", &st) == 0 && (st.st_mode & 022) == 0 &&
	    (st.st_uid == 0 || st.st_uid == geteuid());
}

/* Where nothing can be loaded, that at least is certain. */
static void
unsafe_place_is_refused(void)
{
	ok(true, "good files # SKIP others can write above %s", made);
	ok(install("good", "b/leader/", "good.so"), "good.so in b");
	refused("good", "", "below such a place nothing is loaded");
}

static int
tests_of_a_user(void)
{
	char path[600];

	if (geteuid() == 0) {
		root_takes_nothing_from_the_environment();
		if (setgid(NOBODY) == -1 || setuid(NOBODY) == -1)
			return 111;
	}
	snprintf(path, sizeof(path), "%s:%s", at("a", ""), at("b", ""));
	setenv("ORCM_PLUGIN_PATH", path, 1);
	setenv("HOME", "/", 1);
	linked_in_ones_are_found();
	if (access(made, X_OK | W_OK) == -1) {
		ok(true, "files # SKIP uid %lu cannot reach %s",
		    (unsigned long)geteuid(), made);
		return done_testing();
	}
	if (!place_is_safe(made)) {
		unsafe_place_is_refused();
		return done_testing();
	}
	good_file_is_loaded();
	numbers_in_versions_are_numbers();
	versions_and_directories_have_an_order();
	list_shows_all_and_which_is_taken();
	home_is_searched_behind_the_path();
	setenv("ORCM_PLUGIN_PATH", path, 1);
	unlink(at("a/leader/", "good.0.so"));
	what_does_not_fit_is_refused();
	unsafe_files_are_refused();
	bad_search_paths_are_refused();
	return done_testing();
}

/* Makes the search directories; -1 when it cannot. */
static int
make_dirs(const char *where)
{
	static const char *const dirs[] = { "a", "a/leader", "b",
		"b/leader" };
	char *whole = realpath(where, NULL);
	uid_t uid = geteuid() == 0 ? NOBODY : geteuid();
	gid_t gid = geteuid() == 0 ? NOBODY : getegid();
	size_t i;

	if (whole == NULL)
		return -1;
	snprintf(made, sizeof(made), "%s/t_plug.XXXXXX", whole);
	free(whole);
	umask(022);
	if (mkdtemp(made) == NULL || chmod(made, 0755) == -1)
		return -1;
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(at(dirs[i], ""), 0755) == -1 ||
		    chown(at(dirs[i], ""), uid, gid) == -1)
			return -1;
	return chown(made, uid, gid);
}

static void
remove_dirs(void)
{
	static const char *const files[] = { "good.so", "good.0.so",
		"good.1.so", "good.2.so" };
	size_t i;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		unlink(at("a/leader/", files[i]));
		unlink(at("b/leader/", files[i]));
	}
	rmdir(at("a/leader", ""));
	rmdir(at("b/leader", ""));
	rmdir(at("a", ""));
	rmdir(at("b", ""));
	rmdir(made);
}

int
main(void)
{
	const char *where = getenv("ORCM_TEST_PLUGINS");
	int status = 0;
	pid_t pid;

	unsetenv("ORCM_PLUGIN_PATH");
	if (where == NULL || make_dirs(where) == -1) {
		setenv("HOME", "/", 1);
		linked_in_ones_are_found();
		ok(true, "files # SKIP ORCM_TEST_PLUGINS is %s",
		    where == NULL ? "not set" : "no place to write to");
		return done_testing();
	}
	/* Root becomes nobody for the tests and tidies up as root. */
	pid = fork();
	if (pid == 0)
		exit(tests_of_a_user());
	if (waitpid(pid, &status, 0) != pid)
		status = 1;
	remove_dirs();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
