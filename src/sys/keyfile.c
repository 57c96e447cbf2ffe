/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mac.h"
#include "base/num.h"
#include "compat/random.h"
#include "sys/fd.h"
#include "sys/keyfile.h"

/*
 * The secret of a DVM in a file.  Who can read it can be any node, who can
 * write it can make us believe another DVM: so the file's owner and mode and
 * all directories above it are checked each time, and nothing is repaired,
 * because whoever made it so may have read it already.  Directories are
 * checked first; then nobody but root and us can change what the path means.
 *
 * A file is never seen half-written: it is made beside its place, with a
 * random name and O_EXCL, synced, and then linked (a new one: the first maker
 * wins, the others read his) or renamed (a changed one).  What is left when
 * we are killed in between has mode 0600 and is never read.
 *
 * Every buffer that held a key is wiped.  Called by programs, once at their
 * start and when they are told to read again.
 */

#define TEXT_MAX 4096 /* of a key file, comments included */
#define PATH_TEXT 1024
#define OPEN_TRIES_MAX 4 /* when it is removed while we make it */
#define WRITE_MS 10000 /* a disk that takes longer is broken */
#define DIGITS (2 * KEYFILE_KEY)
#define LINE_MAX_SIZE (5 + 1 + DIGITS + 5 + 1) /* "65535 hex send\n" */

_Static_assert(KEYFILE_KEY == MAC_KEY, "a key of this file is one of MACs");

/* Says why and returns -1 with that errno. */
__attribute__((format(printf, 3, 4))) static int
fail(char *why, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(why, KEYFILE_WHY, format, ap);
	va_end(ap);
	errno = error;
	return -1;
}

static int
fail_sys(char *why, const char *path, const char *what)
{
	int error = errno;

	return fail(why, error, "%s: %s: %s", path, what, strerror(error));
}

void
keyfile_wipe(struct keyfile *k)
{
	mac_wipe(k, sizeof(*k));
}

static struct keyfile_key *
find(struct keyfile *k, uint16_t id)
{
	size_t i;

	for (i = 0; i < k->len; i++)
		if (k->keys[i].id == id)
			return &k->keys[i];
	return NULL;
}

/* The value of a hex digit, or 16. */
static unsigned
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c == '\0' ? NULL : strchr(digits, c);
	return at == NULL ? 16 : (unsigned)(at - digits);
}

static bool
key_of(const char *word, uint8_t key[KEYFILE_KEY])
{
	unsigned high, low;
	size_t i;

	if (strlen(word) != DIGITS)
		return false;
	for (i = 0; i < KEYFILE_KEY; i++) {
		high = digit(word[2 * i]);
		low = digit(word[2 * i + 1]);
		if (high > 15 || low > 15)
			return false;
		key[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* The next word of a line, cut out of it; NULL at its end. */
static char *
next_word(char **line)
{
	char *word = *line + strspn(*line, " \t"), *end;

	if (*word == '\0')
		return NULL;
	end = word + strcspn(word, " \t");
	*line = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

/* One line without its newline; it is cut into words. */
static int
parse_line(const char *name, unsigned number, char *line, struct keyfile *k,
    char *why)
{
	struct keyfile_key *key;
	char *id = next_word(&line), *hex, *send, *more;
	uint32_t v;

	if (id == NULL || id[0] == '#')
		return 0;
	hex = next_word(&line);
	send = next_word(&line);
	more = next_word(&line);
	if (k->len == KEYFILE_KEYS_MAX)
		return fail(why, EINVAL, "%s:%u: more than %d keys: remove "
		    "one", name, number, KEYFILE_KEYS_MAX);
	if (!num_u32(id, 1, UINT16_MAX, &v))
		return fail(why, EINVAL, "%s:%u: the id must be 1 to 65535",
		    name, number);
	if (find(k, (uint16_t)v) != NULL)
		return fail(why, EINVAL, "%s:%u: key %u is there twice",
		    name, number, (unsigned)v);
	key = &k->keys[k->len];
	if (hex == NULL || !key_of(hex, key->key))
		return fail(why, EINVAL, "%s:%u: the key must be %u hex digits",
		    name, number, DIGITS);
	if (more != NULL || (send != NULL && strcmp(send, "send") != 0))
		return fail(why, EINVAL, "%s:%u: behind a key only \"send\" "
		    "may stand", name, number);
	key->id = (uint16_t)v;
	key->send = send != NULL;
	k->len++;
	return 0;
}

/* Exactly one key sends. */
static int
check_set(const char *name, const struct keyfile *k, char *why)
{
	size_t i, senders = 0;

	for (i = 0; i < k->len; i++)
		senders += k->keys[i].send;
	if (k->len == 0)
		return fail(why, EINVAL, "%s: no key in it: remove the file to "
		    "get a new one, or copy that of another node", name);
	if (senders != 1)
		return fail(why, EINVAL, "%s: %s key is marked \"send\": mark "
		    "one", name, senders == 0 ? "no" : "more than one");
	return 0;
}

int
keyfile_parse(const char *name, const char *text, size_t size,
    struct keyfile *k, char *why)
{
	char copy[TEXT_MAX + 1], *line = copy, *end;
	unsigned number;
	int result = 0;

	memset(k, 0, sizeof(*k));
	if (size > TEXT_MAX)
		return fail(why, EFBIG, "%s: larger than a key file can be",
		    name);
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (strlen(copy) != size)
		result = fail(why, EINVAL, "%s: not a text file", name);
	for (number = 1; result == 0 && *line != '\0'; number++) {
		end = line + strcspn(line, "\n");
		if (*end != '\0')
			*end++ = '\0';
		result = parse_line(name, number, line, k, why);
		line = end;
	}
	if (result == 0)
		result = check_set(name, k, why);
	mac_wipe(copy, sizeof(copy));
	if (result == -1)
		keyfile_wipe(k);
	return result;
}

/* May only root and we write to this directory? */
static int
check_dir(const char *dir, char *why)
{
	struct stat st;

	if (stat(dir, &st) == -1)
		return fail_sys(why, dir, "stat");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(why, EACCES, "%s: belongs to user %lu, who could "
		    "change the key: chown it", dir, (unsigned long)st.st_uid);
	/* In a sticky one others cannot touch what is ours. */
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    (st.st_mode & S_ISVTX) == 0)
		return fail(why, EPERM, "%s: others can write there and change "
		    "the key: chmod go-w %s", dir, dir);
	return 0;
}

/* What is above a path: "/" of "/a", "." of "a". */
static int
dir_of(const char *path, char *out, char *why)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] != '/')
		len--;
	if (path[len] == '\0')
		return fail(why, EISDIR, "%s: no name of a file", path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= PATH_TEXT || strlen(path) >= PATH_TEXT)
		return fail(why, ENAMETOOLONG, "%s: too long", path);
	memcpy(out, path, len);
	out[len] = '\0';
	if (len == 0)
		memcpy(out, ".", 2);
	return 0;
}

/* The directory of a path and all above it, links resolved. */
static int
check_dirs(const char *path, char *why)
{
	char dir[PATH_TEXT], *real, *slash;
	int result;

	if (dir_of(path, dir, why) == -1)
		return -1;
	real = realpath(dir, NULL);
	if (real == NULL)
		return fail_sys(why, dir, "the directory of the key file");
	result = check_dir(real, why);
	while (result == 0 && strcmp(real, "/") != 0) {
		slash = strrchr(real, '/');
		slash[slash == real ? 1 : 0] = '\0';
		result = check_dir(real, why);
	}
	free(real);
	return result;
}

static int
check_file(const char *path, const struct stat *st, char *why)
{
	if (!S_ISREG(st->st_mode))
		return fail(why, EINVAL, "%s: not a regular file", path);
	if (st->st_uid != geteuid())
		return fail(why, EACCES, "%s: belongs to user %lu, we are %lu: "
		    "chown it, or run as its owner", path,
		    (unsigned long)st->st_uid, (unsigned long)geteuid());
	if ((st->st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return fail(why, EPERM, "%s: others may have read it: make a "
		    "new key, or chmod 600 %s", path, path);
	return 0;
}

/* Up to room bytes of fd; how many, or -1 with errno. */
static ssize_t
read_all(int fd, char *text, size_t room)
{
	size_t size = 0;
	ssize_t n = 1;

	while (n > 0 && size < room) {
		do
			n = read(fd, text + size, room - size);
		while (n == -1 && errno == EINTR);
		if (n > 0)
			size += (size_t)n;
	}
	return n == -1 ? -1 : (ssize_t)size;
}

static int
read_fd(int fd, const char *path, struct keyfile *k, char *why)
{
	char text[TEXT_MAX + 1]; /* one more, to see that it is too large */
	struct stat st;
	ssize_t n;
	int result;

	if (fstat(fd, &st) == -1)
		return fail_sys(why, path, "stat");
	if (check_file(path, &st, why) == -1)
		return -1;
	n = read_all(fd, text, sizeof(text));
	if (n == -1)
		result = fail_sys(why, path, "read");
	else
		result = keyfile_parse(path, text, (size_t)n, k, why);
	mac_wipe(text, sizeof(text));
	return result;
}

static void
close_keep_errno(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

int
keyfile_read(const char *path, struct keyfile *k, char *why)
{
	int fd, result;

	keyfile_wipe(k);
	if (check_dirs(path, why) == -1)
		return -1;
	/* Not waiting: it may be a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT)
		return fail(why, ENOENT, "%s: no such file: copy that of "
		    "another node of this DVM", path);
	if (fd == -1 && (errno == ELOOP || errno == EMLINK))
		return fail(why, ELOOP, "%s: a symbolic link: name the file "
		    "itself", path);
	if (fd == -1)
		return fail_sys(why, path, "open");
	result = read_fd(fd, path, k, why);
	close_keep_errno(fd);
	return result;
}

static size_t
to_text(const struct keyfile *k, char *text, size_t room)
{
	size_t i, j, size = 0;

	for (i = 0; i < k->len; i++) {
		size += (size_t)snprintf(text + size, room - size, "%u ",
		    (unsigned)k->keys[i].id);
		for (j = 0; j < KEYFILE_KEY; j++)
			size += (size_t)snprintf(text + size, room - size,
			    "%02x", k->keys[i].key[j]);
		size += (size_t)snprintf(text + size, room - size, "%s\n",
		    k->keys[i].send ? " send" : "");
	}
	return size;
}

/* Of a new file's directory entry, so that it outlives a power cut. */
static int
sync_dir(const char *path, char *why)
{
	char dir[PATH_TEXT];
	int fd, result = 0;

	if (dir_of(path, dir, why) == -1)
		return -1;
	fd = open(dir, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return fail_sys(why, dir, "open");
	/* Some file systems cannot, and say so. */
	if (fsync(fd) == -1 && errno != EINVAL && errno != ENOTSUP)
		result = fail_sys(why, dir, "fsync");
	close_keep_errno(fd);
	return result;
}

/* Writes the set to a new file beside path, whose name is then in out. */
static int
write_beside(const char *path, const struct keyfile *k, char *out, char *why)
{
	char text[KEYFILE_KEYS_MAX * LINE_MAX_SIZE + 1];
	uint8_t salt[8];
	size_t size, i, at;
	int fd, result = 0;

	if (random_bytes(salt, sizeof(salt)) == -1)
		return fail_sys(why, path, "no randomness");
	at = strlen(path);
	if (at + 1 + 2 * sizeof(salt) >= PATH_TEXT)
		return fail(why, ENAMETOOLONG, "%s: too long", path);
	memcpy(out, path, at);
	out[at++] = '~';
	for (i = 0; i < sizeof(salt); i++, at += 2)
		(void)snprintf(out + at, 3, "%02x", salt[i]);
	fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    S_IRUSR | S_IWUSR);
	if (fd == -1)
		return fail_sys(why, out, "open");
	size = to_text(k, text, sizeof(text));
	/* A mask may have taken more away. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) == -1 ||
	    fd_write_all(fd, text, size, WRITE_MS) == -1 || fsync(fd) == -1)
		result = fail_sys(why, out, "write");
	mac_wipe(text, sizeof(text));
	if (close(fd) == -1 && result == 0)
		result = fail_sys(why, out, "close");
	if (result == -1) {
		int kept = errno;

		(void)unlink(out);
		errno = kept;
	}
	return result;
}

int
keyfile_write(const char *path, const struct keyfile *k, char *why)
{
	char beside[PATH_TEXT];
	int error;

	if (check_set(path, k, why) == -1 || check_dirs(path, why) == -1 ||
	    write_beside(path, k, beside, why) == -1)
		return -1;
	if (rename(beside, path) == -1) {
		error = errno;
		(void)unlink(beside);
		errno = error;
		return fail_sys(why, path, "rename");
	}
	return sync_dir(path, why);
}

/* EEXIST: somebody else has just made it. */
static int
make(const char *path, char *why)
{
	char beside[PATH_TEXT];
	struct keyfile k;
	int result, error;

	memset(&k, 0, sizeof(k));
	result = keyfile_add(&k, 1, why);
	k.keys[0].send = true;
	if (result == 0)
		result = write_beside(path, &k, beside, why);
	keyfile_wipe(&k);
	if (result == -1)
		return -1;
	result = link(beside, path);
	error = errno;
	(void)unlink(beside);
	errno = error;
	if (result == -1)
		return fail_sys(why, path, "link");
	return sync_dir(path, why);
}

int
keyfile_open(const char *path, struct keyfile *k, char *why)
{
	int tries;

	for (tries = 0; tries < OPEN_TRIES_MAX; tries++) {
		if (keyfile_read(path, k, why) == 0)
			return 0;
		/* ENOENT is also that of a directory. */
		if (errno != ENOENT || check_dirs(path, why) == -1)
			return -1;
		if (make(path, why) == -1 && errno != EEXIST)
			return -1;
	}
	return fail(why, EAGAIN, "%s: somebody removes it all the time", path);
}

int
keyfile_add(struct keyfile *k, uint16_t id, char *why)
{
	struct keyfile_key *key;

	if (id == 0)
		return fail(why, EINVAL, "the id must be 1 to 65535");
	if (find(k, id) != NULL)
		return fail(why, EINVAL, "key %u is there already", id);
	if (k->len == KEYFILE_KEYS_MAX)
		return fail(why, EINVAL, "there are %d keys already: remove "
		    "one", KEYFILE_KEYS_MAX);
	key = &k->keys[k->len];
	if (random_bytes(key->key, sizeof(key->key)) == -1) {
		fail_sys(why, "key", "no randomness");
		mac_wipe(key, sizeof(*key));
		return -1;
	}
	key->id = id;
	key->send = false;
	k->len++;
	return 0;
}

int
keyfile_use(struct keyfile *k, uint16_t id, char *why)
{
	struct keyfile_key *key = find(k, id);
	size_t i;

	if (key == NULL)
		return fail(why, EINVAL, "there is no key %u", id);
	for (i = 0; i < k->len; i++)
		k->keys[i].send = false;
	key->send = true;
	return 0;
}

int
keyfile_remove(struct keyfile *k, uint16_t id, char *why)
{
	struct keyfile_key *key = find(k, id);

	if (key == NULL)
		return fail(why, EINVAL, "there is no key %u", id);
	if (key->send)
		return fail(why, EINVAL, "key %u sends: let another send "
		    "first", id);
	k->len--;
	memmove(key, key + 1, (size_t)(&k->keys[k->len] - key) * sizeof(*key));
	mac_wipe(&k->keys[k->len], sizeof(*key));
	return 0;
}
