/* SPDX-License-Identifier: ISC */
#ifndef SYS_KEYFILE_H
#define SYS_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The key file of a DVM: lines "id hex [send]", id 1..65535, hex 64 digits,
 * and exactly one key that sends.  Lines that begin with # and empty ones are
 * skipped.  The file must be ours with mode 0600 (or 0400), in a directory
 * in which, and above which, only root and we can write.
 *
 * Functions here return 0, or -1 with errno and a sentence for the operator
 * in why[KEYFILE_WHY]: which file, what is wrong, what to do.
 */
#define KEYFILE_KEYS_MAX 3
#define KEYFILE_KEY 32u
#define KEYFILE_WHY 512

struct keyfile_key {
	uint16_t id;
	bool send;
	uint8_t key[KEYFILE_KEY];
};

struct keyfile {
	struct keyfile_key keys[KEYFILE_KEYS_MAX];
	size_t len;
};

/* errno ENOENT: there is none.  On an error k is wiped. */
int keyfile_read(const char *path, struct keyfile *k, char *why);
/*
 * The same, but when there is none, makes one with one new key, id 1.  Of
 * several that do so at once all get the same key.  The directory must be
 * there.
 */
int keyfile_open(const char *path, struct keyfile *k, char *why);
/*
 * Puts a changed set in the place of the file, at once and for good: a
 * reader sees the old one or the new one, also after a power cut.  Of two
 * writers at once the last wins; who reads, changes and writes takes a lock.
 */
int keyfile_write(const char *path, const struct keyfile *k, char *why);

/* Changes to a set; EINVAL when they cannot be. */
/* A new key from the system's randomness; it does not send. */
int keyfile_add(struct keyfile *k, uint16_t id, char *why);
int keyfile_use(struct keyfile *k, uint16_t id, char *why);
/* Not the one that sends. */
int keyfile_remove(struct keyfile *k, uint16_t id, char *why);
void keyfile_wipe(struct keyfile *k);

/* Of the file's text; name stands in why. */
int keyfile_parse(const char *name, const char *text, size_t size,
    struct keyfile *k, char *why);

#endif
