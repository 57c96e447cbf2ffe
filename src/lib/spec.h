/* SPDX-License-Identifier: ISC */
#ifndef LIB_SPEC_H
#define LIB_SPEC_H

#include "base/wire.h"
#include "sys/spawn.h"

/*
 * What a replica is: program, arguments, environment, directory, limits.
 * The owner of the job has it and sends it to each keeper in SPEC frames;
 * the payload is the arguments, then the environment, each NUL ended.
 */
#define SPEC_STDIN  0x01u /* a pipe from the owner, else /dev/null */
#define SPEC_STDERR 0x02u /* a pipe to the owner, else /dev/null */
#define SPEC_PAYLOAD_MAX                                                       \
	(UINT32_C(4) << 20) /* bytes, arguments + environment */
#define SPEC_LIMITS_MAX 16u

struct spec {
	char **argv, **envp; /* NULL ended; envp has room for two more */
	int dir;             /* working directory, or -1 */
	int umask, nice;
	unsigned stdio;
	struct spawn_limit limits[SPEC_LIMITS_MAX];
	size_t limits_len;
	char *text; /* the payload */
	size_t text_size;
	uint32_t argc;
	size_t envs_len, extra;
};

enum spec_verdict { SPEC_MORE, SPEC_WHOLE, SPEC_BAD };

void spec_init(struct spec *s);
void spec_free(struct spec *s);
/*
 * Takes one SPEC frame; the descriptor of the directory comes with the
 * first.  SPEC_WHOLE when argv and envp can be used.
 */
enum spec_verdict
spec_take(struct spec *s, const struct wire_msg *m, int *fds, size_t fds_len);
/* Sets NAME in envp (replacing it).  -1 with ENOMEM. */
int spec_env(struct spec *s, const char *name, const char *value);

/*
 * The frames for one spec, to be sent with conn_send().  text, text_size:
 * the payload as described.  Calls send() for each; false when one failed.
 */
bool spec_send(const struct spec *s,
    bool (*send)(void *arg, const void *frame, size_t size, int dir),
    void *arg);
/* This process's umask, nice value and limits into s. */
void spec_mine(struct spec *s);

/*
 * The pipes of one life: child[0..2] are its stdin, stdout, stderr (-1:
 * /dev/null), ours[] the other ends.  -1 with errno and nothing left open.
 */
int spec_pipes(unsigned stdio, int child[3], int ours[3]);
/*
 * Squeezes ours[] together for sending (what is -1 is left out); how many.
 * The receiver knows from stdio which they are.
 */
int spec_fds(int ours[3]);
/* RUN/io.<job>: where the owner of a job listens. -1 with errno. */
int spec_socket(const char *run, uint64_t job, char *path);

#endif
