/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/keyfile.h"
#include "tap.h"

#define NOBODY 65534
#define MAKERS 12
#define HEX "00112233445566778899aabbccddeeff" \
	    "00112233445566778899AABBCCDDEEFF"

static char dir[64], path[128], why[KEYFILE_WHY];
static struct keyfile k;

static const char *
below(const char *name)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	return text;
}

static bool
put_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n;

	if (fd == -1)
		return false;
	n = write(fd, text, strlen(text));
	return close(fd) == 0 && n == (ssize_t)strlen(text) &&
	    chmod(name, mode) == 0;
}

static unsigned
files_in(const char *name)
{
	DIR *d = opendir(name);
	unsigned n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n - 2;
}

static bool
is_wiped(const struct keyfile *f)
{
	static const struct keyfile zeros;

	return memcmp(f, &zeros, sizeof(zeros)) == 0;
}

static void
first_use_makes_it(void)
{
	struct keyfile again;
	struct stat st;

	memset(&k, 1, sizeof(k));
	ok(keyfile_read(path, &k, why) == -1 && errno == ENOENT,
	    "there is none: %s", why);
	ok(is_wiped(&k), "nothing came out");
	umask(0777);
	ok(keyfile_open(path, &k, why) == 0, "one is made");
	umask(077);
	ok(k.len == 1 && k.keys[0].id == 1 && k.keys[0].send,
	    "with key 1, which sends");
	ok(lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 07777) == 0600 && st.st_nlink == 1,
	    "mode 0600, whatever the mask");
	is_u64(files_in(dir), 1, "nothing is left beside it");
	ok(keyfile_open(path, &again, why) == 0 &&
	    memcmp(&again, &k, sizeof(k)) == 0, "it is the same next time");
	ok(keyfile_read(path, &again, why) == 0 &&
	    memcmp(&again, &k, sizeof(k)) == 0, "and for a reader");
	unlink(path);
	ok(keyfile_open(path, &again, why) == 0 &&
	    memcmp(again.keys[0].key, k.keys[0].key, KEYFILE_KEY) != 0,
	    "another one has another key");
	unlink(path);
	keyfile_wipe(&again);
	ok(is_wiped(&again), "a set can be wiped");
}

static void
makers_agree(void)
{
	struct keyfile first, other;
	int go[2], result[2], i, status, bad = 0;
	ssize_t n;
	char c;

	if (!ok(pipe(go) == 0 && pipe(result) == 0, "pipes"))
		return;
	for (i = 0; i < MAKERS; i++) {
		if (fork() != 0)
			continue;
		close(go[1]);
		n = read(go[0], &c, 1); /* until all may begin */
		if (n == 0 && keyfile_open(path, &k, why) == 0 &&
		    write(result[1], &k, sizeof(k)) == (ssize_t)sizeof(k))
			_exit(0);
		_exit(1);
	}
	close(go[0]);
	close(go[1]);
	memset(&first, 0, sizeof(first));
	for (i = 0; i < MAKERS; i++)
		bad += wait(&status) == -1 || status != 0;
	is_u64((uint64_t)bad, 0, "%d make it at once", MAKERS);
	for (i = 0; i < MAKERS && bad == 0; i++) {
		n = read(result[0], i == 0 ? &first : &other, sizeof(first));
		bad += n != (ssize_t)sizeof(first) ||
		    (i > 0 && memcmp(&first, &other, sizeof(first)) != 0);
	}
	is_u64((uint64_t)bad, 0, "all have the same key");
	is_u64(files_in(dir), 1, "nothing is left beside it");
	close(result[0]);
	close(result[1]);
	unlink(path);
}

/* Is the file refused, with that errno and that word in the sentence? */
static bool
refused(int error, const char *word)
{
	memset(&k, 1, sizeof(k));
	why[0] = '\0';
	return keyfile_open(path, &k, why) == -1 && errno == error &&
	    strstr(why, word) != NULL && is_wiped(&k);
}

static void
bad_files_are_refused(void)
{
	static const mode_t open_to[] = { 0640, 0604, 0620, 0602, 0610, 0601 };
	size_t i, bad = 0;

	ok(put_file(path, "1 " HEX " send\n", 0400) &&
	    keyfile_read(path, &k, why) == 0, "read-only is fine");
	for (i = 0; i < sizeof(open_to) / sizeof(open_to[0]); i++) {
		chmod(path, open_to[i]);
		bad += !refused(EPERM, "chmod 600");
	}
	is_u64(bad, 0, "any bit for others: %s", why);
	chmod(path, 0600);
	ok(rename(path, below("real")) == 0 &&
	    symlink(below("real"), path) == 0 && refused(ELOOP, "link"),
	    "a link: %s", why);
	unlink(path);
	unlink(below("real"));
	ok(mkfifo(path, 0600) == 0 && refused(EINVAL, "regular"),
	    "a FIFO: %s", why);
	unlink(path);
	ok(mkdir(path, 0700) == 0 && refused(EINVAL, "regular"),
	    "a directory: %s", why);
	rmdir(path);
	ok(keyfile_read("/etc/passwd", &k, why) == -1 && errno == EACCES &&
	    strstr(why, "chown") != NULL, "another's: %s", why);
}

static void
bad_directories_are_refused(void)
{
	char deep[128], far[160];

	snprintf(deep, sizeof(deep), "%s/deep", dir);
	snprintf(far, sizeof(far), "%s/key", deep);
	ok(keyfile_open(far, &k, why) == -1 && errno == ENOENT &&
	    strstr(why, deep) != NULL, "none: %s", why);
	ok(mkdir(deep, 0700) == 0 && keyfile_open(far, &k, why) == 0,
	    "ours is fine");
	chmod(deep, 0770);
	ok(keyfile_read(far, &k, why) == -1 && errno == EPERM &&
	    strstr(why, "chmod go-w") != NULL, "open to a group: %s", why);
	chmod(deep, 0702);
	ok(keyfile_read(far, &k, why) == -1 && errno == EPERM, "to all");
	chmod(deep, 0755);
	ok(keyfile_read(far, &k, why) == 0, "others may look at it");
	chmod(dir, 0777);
	ok(keyfile_read(far, &k, why) == -1 && errno == EPERM,
	    "one above it: %s", why);
	ok(keyfile_write(far, &k, why) == -1, "nor is it written then");
	chmod(dir, 01777);
	ok(keyfile_read(far, &k, why) == 0, "a sticky one is fine");
	chmod(dir, 0700);
	ok(symlink(deep, below("link")) == 0, "a link to the directory");
	snprintf(far, sizeof(far), "%s/link/key", dir);
	ok(keyfile_read(far, &k, why) == 0, "is followed");
	chmod(deep, 0777);
	ok(keyfile_read(far, &k, why) == -1 && errno == EPERM,
	    "and what it leads to is looked at");
	chmod(deep, 0700);
	ok(chdir(deep) == 0 && keyfile_read("key", &k, why) == 0,
	    "a name alone is here");
	ok(chdir("/") == 0 && keyfile_open(below("deep/"), &k, why) == -1,
	    "a directory's name is none");
	unlink(far);
	unlink(below("link"));
	rmdir(deep);
}

static int
parse(const char *text)
{
	memset(&k, 1, sizeof(k));
	why[0] = '\0';
	return keyfile_parse("f", text, strlen(text), &k, why);
}

static void
text_is_read(void)
{
	unsigned i, bad = 0;

	ok(parse("# comment\n\n \t\n1 " HEX "\n  65535\t" HEX "  send \n"
	    "# more\n7 " HEX) == 0, "comments, blanks, no newline at the end");
	ok(k.len == 3 && k.keys[0].id == 1 && k.keys[1].id == 65535 &&
	    k.keys[2].id == 7, "the keys in their order");
	ok(!k.keys[0].send && k.keys[1].send && !k.keys[2].send, "who sends");
	for (i = 0; i < KEYFILE_KEY; i++)
		bad += k.keys[2].key[i] != (i % 16) * 0x11;
	is_u64(bad, 0, "large and small digits");
}

static void
bad_text_is_refused(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "f: no key" },
		{ "# only\n", "f: no key" },
		{ "1 " HEX "\n", "f: no key is marked" },
		{ "1 " HEX " send\n2 " HEX " send\n", "more than one" },
		{ "0 " HEX " send\n", "f:1: the id" },
		{ "65536 " HEX " send\n", "f:1: the id" },
		{ "-1 " HEX " send\n", "f:1: the id" },
		{ "key " HEX " send\n", "f:1: the id" },
		{ HEX " send\n", "f:1: the id" },
		{ "1\n", "f:1: the key" },
		{ "1 send\n", "f:1: the key" },
		{ "\n1 " HEX "0 send\n", "f:2: the key" },
		{ "1 0" HEX " send\n", "f:1: the key" },
		{ "1 g0112233445566778899aabbccddeeff"
		    "00112233445566778899aabbccddeeff send\n", "f:1: the key" },
		{ "1 " HEX " sends\n", "only \"send\"" },
		{ "1 " HEX " send 2\n", "only \"send\"" },
		{ "1 " HEX " # first\n", "only \"send\"" },
		{ "1 " HEX " send\r\n", "only \"send\"" },
		{ "1 " HEX " send\n1 " HEX "\n", "f:2: key 1 is there twice" },
		{ "1 " HEX " send\n2 " HEX "\n3 " HEX "\n4 " HEX "\n",
		    "f:4: more than 3" },
	};
	static char large[5000];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(parse(rows[i].text) == -1 && errno == EINVAL &&
		    strstr(why, rows[i].want) != NULL && is_wiped(&k), "%s",
		    why);
	ok(keyfile_parse("f", "1 " HEX " send\n\0", 74, &k, why) == -1,
	    "a zero byte: %s", why);
	memset(large, '\n', sizeof(large) - 1);
	ok(parse(large) == -1 && errno == EFBIG, "too large: %s", why);
}

static void
keys_are_changed(void)
{
	struct keyfile now;

	ok(keyfile_open(path, &k, why) == 0, "key 1");
	ok(keyfile_add(&k, 2, why) == 0 && k.len == 2 && !k.keys[1].send &&
	    memcmp(k.keys[0].key, k.keys[1].key, KEYFILE_KEY) != 0,
	    "a second, which does not send");
	ok(keyfile_add(&k, 2, why) == -1 && errno == EINVAL, "once: %s", why);
	ok(keyfile_add(&k, 0, why) == -1, "not 0: %s", why);
	ok(keyfile_write(path, &k, why) == 0 &&
	    keyfile_read(path, &now, why) == 0 &&
	    memcmp(&now, &k, sizeof(k)) == 0, "written, and read again");
	ok(keyfile_remove(&k, 1, why) == -1, "who sends stays: %s", why);
	ok(keyfile_use(&k, 9, why) == -1, "no such key: %s", why);
	ok(keyfile_use(&k, 2, why) == 0 && k.keys[1].send && !k.keys[0].send,
	    "the second sends");
	ok(keyfile_add(&k, 3, why) == 0 && keyfile_add(&k, 4, why) == -1,
	    "three are all: %s", why);
	ok(keyfile_write(path, &k, why) == 0, "written");
	now = k;
	ok(keyfile_remove(&k, 1, why) == 0 && k.len == 2 &&
	    k.keys[0].id == 2 && k.keys[1].id == 3 &&
	    memcmp(k.keys[0].key, now.keys[1].key, KEYFILE_KEY) == 0 &&
	    memcmp(k.keys[1].key, now.keys[2].key, KEYFILE_KEY) == 0,
	    "the first goes, the others stay as they are");
	ok(k.keys[2].id == 0 && memcmp(k.keys[2].key, (uint8_t[32]){ 0 },
	    KEYFILE_KEY) == 0, "nothing is left behind them");
	ok(keyfile_remove(&k, 1, why) == -1, "once: %s", why);
	ok(keyfile_write(path, &k, why) == 0 &&
	    keyfile_open(path, &now, why) == 0 &&
	    memcmp(&now, &k, sizeof(k)) == 0, "written, and read again");
	k.keys[0].send = false;
	ok(keyfile_write(path, &k, why) == -1 && errno == EINVAL &&
	    keyfile_read(path, &now, why) == 0, "a bad set changes nothing: %s",
	    why);
	is_u64(files_in(dir), 1, "nothing is left beside it");
	unlink(path);
}

/* Whoever reads while it is written sees all of a set. */
static void
readers_see_whole_files(void)
{
	struct keyfile one, two;
	unsigned n = 0, bad = 0;
	int status;
	pid_t pid;

	ok(keyfile_open(path, &one, why) == 0, "a file");
	two = one;
	ok(keyfile_add(&two, 2, why) == 0, "and another set");
	pid = fork();
	if (pid == 0) {
		while (n++ < 100)
			if (keyfile_write(path, n % 2 == 0 ? &one : &two,
			    why) == -1)
				_exit(1);
		_exit(0);
	}
	for (n = 0; waitpid(pid, &status, WNOHANG) == 0; n++)
		bad += keyfile_read(path, &k, why) == -1 ||
		    (memcmp(&k, &one, sizeof(k)) != 0 &&
			memcmp(&k, &two, sizeof(k)) != 0);
	is_u64(bad, 0, "%u readings while it is written 100 times", n);
	is_u64((uint64_t)status, 0, "all were written");
	unlink(path);
}

int
main(void)
{
	if (geteuid() == 0 && (setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
		return 111;
	snprintf(dir, sizeof(dir), "/tmp/t_keyfile.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 111;
	snprintf(path, sizeof(path), "%s/key", dir);
	first_use_makes_it();
	makers_agree();
	bad_files_are_refused();
	bad_directories_are_refused();
	text_is_read();
	bad_text_is_refused();
	keys_are_changed();
	readers_see_whole_files();
	ok(rmdir(dir) == 0, "nothing is left behind");
	return done_testing();
}
